//! Flickr8k and Flickr8k-CN: `images/`, and in `captions/` (or beside the images) caption files with lines
//! `NAME.jpg#zhc#N caption` or `NAME.jpg#N<tab>caption`, and one list of image names per split.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::source::in_folder;
use super::table::decode_text;
use super::{
    Collection, Dataset, Direction, ImageId, ImageItem, ImageSource, Pair, ReadOptions, Reader,
    Split, TextId, TextItem, Warning, name_of,
};
use crate::error::{Error, Result};

pub const READER: Reader = Reader {
    layout: "Flickr8k(-CN) (images/, captions/*.caption.txt and split lists)",
    recognises: |root| images_folder(root).is_some() && !caption_files(root).is_empty(),
    read,
};

/// What the split lists are called: a part of their names.
const LISTS: [(Split, &[&str]); 3] = [
    (Split::Train, &["train"]),
    (Split::Val, &["val", "dev"]),
    (Split::Test, &["test"]),
];

fn images_folder(root: &Path) -> Option<PathBuf> {
    ["images", "Images", "Flicker8k_Dataset", "Flickr8k_Dataset"]
        .into_iter()
        .map(|n| root.join(n))
        .find(|p| p.is_dir())
}

/// The text files of the dataset, by name.
fn text_files(root: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = [root.to_owned(), root.join("captions")]
        .iter()
        .filter_map(|dir| fs::read_dir(dir).ok())
        .flat_map(|entries| entries.flatten().map(|e| e.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    files
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn caption_files(root: &Path) -> Vec<PathBuf> {
    let is_captions = |p: &PathBuf| {
        let name = file_name(p);
        name.ends_with(".caption.txt") || name.ends_with(".token.txt")
    };
    text_files(root).into_iter().filter(is_captions).collect()
}

/// The file that was asked for, or the Chinese one, or the only one.
fn choose_captions(root: &Path, options: &ReadOptions) -> Result<PathBuf> {
    let files = caption_files(root);
    let wanted = options.captions.as_deref().unwrap_or("flickr8kzhc");
    let named = files.iter().find(|p| file_name(p).starts_with(wanted));
    match (named, &files[..]) {
        (Some(file), _) => Ok(file.clone()),
        (None, [only]) if options.captions.is_none() => Ok(only.clone()),
        _ => {
            let names: Vec<_> = files.iter().map(|p| file_name(p)).collect();
            Err(Error::dataset(
                root,
                format!("say which captions with --captions: {}", names.join(", ")),
            ))
        }
    }
}

fn read_text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    Ok(decode_text(path, &bytes)?.into_owned())
}

fn read(root: &Path, options: &ReadOptions) -> Result<Dataset> {
    let mut warnings = Vec::new();
    let mut files = BTreeMap::new();
    let folder = images_folder(root).ok_or_else(|| Error::dataset(root, "no folder images/"))?;
    in_folder(&folder, &mut files, &mut warnings)?;
    let caption_file = choose_captions(root, options)?;
    let captions = read_captions(&caption_file, &mut warnings)?;
    let mut used = BTreeSet::new();
    let mut collections = Vec::new();
    for (split, words) in LISTS {
        let list = text_files(root).into_iter().find(|p| {
            let name = file_name(p).to_lowercase();
            words.iter().any(|w| name.contains(w))
                && !name.contains("caption")
                && !name.contains("token")
        });
        let Some(list) = list else { continue };
        let names = read_list(&list)?;
        used.extend(names.iter().cloned());
        collections.push(collect(
            split,
            &list,
            &names,
            &files,
            &captions,
            &folder,
            &mut warnings,
        ));
    }
    for name in files.keys().filter(|n| !used.contains(*n)) {
        warnings.push(Warning {
            kind: "picture in no split list (not used)",
            message: folder.join(name).display().to_string(),
        });
    }
    let mut name = name_of(root);
    if let Some(captions) = &options.captions {
        name = format!("{name}-{captions}");
    }
    Ok(Dataset {
        name,
        collections,
        warnings,
    })
}

/// Image names, with or without `.jpg`, one a line.
fn read_list(path: &Path) -> Result<Vec<String>> {
    let mut seen = BTreeSet::new();
    Ok(read_text(path)?
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .map(|l| {
            if l.ends_with(".jpg") {
                l.to_owned()
            } else {
                format!("{l}.jpg")
            }
        })
        .filter(|name| seen.insert(name.clone()))
        .collect())
}

/// Captions of each image: (key, caption), in the order of their numbers.
type Captions = BTreeMap<String, Vec<(String, String)>>;

fn read_captions(path: &Path, warnings: &mut Vec<Warning>) -> Result<Captions> {
    let mut captions = Captions::new();
    for (i, line) in read_text(path)?.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let parsed = line
            .split_once(char::is_whitespace)
            .and_then(|(key, caption)| Some((key, key.split_once('#')?.0, caption.trim())));
        match parsed {
            Some((key, image, caption)) if !caption.is_empty() => captions
                .entry(image.to_owned())
                .or_default()
                .push((key.to_owned(), caption.to_owned())),
            _ => warnings.push(Warning {
                kind: "line without a caption (left out)",
                message: format!("{}, line {}: {line}", path.display(), i + 1),
            }),
        }
    }
    captions.values_mut().for_each(|c| c.sort());
    Ok(captions)
}

fn collect(
    split: Split,
    list: &Path,
    names: &[String],
    files: &BTreeMap<String, ImageSource>,
    captions: &Captions,
    folder: &Path,
    warnings: &mut Vec<Warning>,
) -> Collection {
    let mut collection = Collection {
        name: split.to_string(),
        split,
        directions: match split {
            Split::Train => vec![],
            _ => vec![Direction::TextToImage, Direction::ImageToText],
        },
        images: vec![],
        texts: vec![],
        pairs: vec![],
    };
    for name in names {
        let Some(own) = captions.get(name) else {
            warnings.push(Warning {
                kind: "picture without a caption (left out)",
                message: format!("{}: {name}", list.display()),
            });
            continue;
        };
        let source = files.get(name).cloned().unwrap_or_else(|| {
            warnings.push(Warning {
                kind: "id without a picture",
                message: format!("{}: {name}", list.display()),
            });
            ImageSource::Missing(folder.join(name))
        });
        let image = collection.images.len();
        collection.images.push(ImageItem {
            id: ImageId(name.clone()),
            source,
            mirrored: false,
        });
        for (key, caption) in own {
            let text = collection.texts.len();
            collection.pairs.push(Pair { image, text });
            collection.texts.push(TextItem {
                id: TextId(key.clone()),
                caption: caption.clone(),
            });
        }
    }
    collection
}

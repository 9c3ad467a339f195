//! What readers of captioned pictures share: finding the pictures, and turning captions of named pictures into
//! collections.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::finder::is_picture_name;
use super::source::{Pictures, in_folder};
use super::table::shorten;
use super::{
    Collection, Dataset, Direction, ImageId, ImageItem, ImageSource, Pair, Split, TextId, TextItem,
    Warning, name_of,
};
use crate::error::{Error, Result};

/// A caption of a picture.
pub(super) struct Line {
    pub image: String,
    /// Id of the caption.
    pub text: String,
    pub caption: String,
}

/// The captions of a split, in the order of its list.
pub(super) struct Part {
    pub split: Split,
    /// File of the names, for warnings.
    pub list: PathBuf,
    pub lines: Vec<Line>,
}

/// How the folders of pictures are called in known datasets, by the ends of their names in lower case.
const FOLDERS: [&str; 4] = ["images", "dataset", "imagedata", "pictures"];

/// The pictures of a dataset: those of its picture folder, if that has any of the names, otherwise all files below
/// the root.
///
/// # Errors
/// [`Error::Dataset`] if there are no pictures.
pub(super) fn pictures(
    root: &Path,
    names: &[&str],
    warnings: &mut Vec<Warning>,
) -> Result<Pictures> {
    let mut named = folders(root);
    named.retain(|f| rank(f).is_some());
    named.sort_by_key(|f| (rank(f), f.clone()));
    for folder in named {
        let mut own = Vec::new();
        let pictures = Pictures::below(&folder, &mut own)?;
        if names.iter().any(|n| pictures.know(n)) {
            warnings.append(&mut own);
            return Ok(pictures);
        }
    }
    let mut files = in_folder(root, warnings)?;
    files.retain(|f| is_picture_name(&f.path));
    if files.is_empty() {
        let reason = format!(
            "there are no pictures in it, nor in a folder images/ or *_images/; {}",
            contents(root)
        );
        return Err(Error::dataset(root, reason));
    }
    Ok(Pictures::new(root, files))
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries.map(|e| e.path()).filter(|p| p.is_dir()).collect()
}

/// How well a folder's name matches one for pictures: entirely, or at its end.
fn rank(folder: &Path) -> Option<(bool, usize)> {
    let name = folder.file_name()?.to_string_lossy().to_lowercase();
    let place = FOLDERS.iter().position(|f| name.ends_with(f))?;
    Some((name != FOLDERS[place], place))
}

/// The first names in a folder, for messages.
pub(super) fn contents(folder: &Path) -> String {
    const SHOWN: usize = 8;
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let name = |e: fs::DirEntry| {
        let end = if e.path().is_dir() { "/" } else { "" };
        format!("{}{end}", e.file_name().to_string_lossy())
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    match names.len() {
        0 => "the folder is empty".into(),
        1..=SHOWN => format!("it holds {}", names.join(", ")),
        n => format!(
            "it holds {} and {} more",
            names[..SHOWN].join(", "),
            n - SHOWN
        ),
    }
}

/// The collections of a dataset's splits, with the pictures that the captions name.
///
/// # Errors
/// [`Error::Dataset`] if there are no pictures at all.
pub(super) fn dataset(
    root: &Path,
    parts: Vec<Part>,
    mut warnings: Vec<Warning>,
) -> Result<Dataset> {
    let (ids, lists) = named(&parts, &mut warnings);
    let pictures = pictures(root, &ids, &mut warnings)?;
    let at = |id: &str| format!("{}: {id}", lists[id].display());
    let unused = match &parts[..] {
        [_] => "picture without a caption (not used)",
        _ => "picture in no split list (not used)",
    };
    let sources = pictures.of(&ids, at, unused, &mut warnings);
    let collections = parts.into_iter();
    let collections = collections
        .map(|part| collection(part, &sources, &mut warnings))
        .collect();
    Ok(Dataset {
        name: name_of(root),
        collections,
        warnings,
    })
}

/// The pictures that the captions name, in their order, and the list that names each first.
fn named<'a>(
    parts: &'a [Part],
    warnings: &mut Vec<Warning>,
) -> (Vec<&'a str>, BTreeMap<&'a str, &'a Path>) {
    let mut lists = BTreeMap::new();
    let mut ids: Vec<&str> = Vec::new();
    for part in parts {
        let mut own = BTreeSet::new();
        for image in part
            .lines
            .iter()
            .map(|l| l.image.as_str())
            .filter(|i| own.insert(*i))
        {
            match lists.get(image) {
                None => {
                    lists.insert(image, part.list.as_path());
                    ids.push(image);
                }
                Some(first) => warnings.push(Warning {
                    kind: "picture in two splits (what is learned from it is tested on it)",
                    message: format!("{image}: {} and {}", first.display(), part.list.display()),
                }),
            }
        }
    }
    (ids, lists)
}

/// The pictures, captions and pairs of a split.
fn collection(
    part: Part,
    sources: &BTreeMap<String, ImageSource>,
    warnings: &mut Vec<Warning>,
) -> Collection {
    let mut collection = empty(part.split);
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for Line {
        image,
        text,
        mut caption,
    } in part.lines
    {
        if shorten(&mut caption) {
            let kind = "overlong caption (cut)";
            warnings.push(Warning {
                kind,
                message: text.clone(),
            });
        }
        let image = *places.entry(image.clone()).or_insert_with(|| {
            let source = sources[&image].clone();
            collection.images.push(ImageItem {
                id: ImageId(image),
                source,
                mirrored: false,
            });
            collection.images.len() - 1
        });
        let id = TextId(text);
        collection.pairs.push(Pair {
            image,
            text: collection.texts.len(),
        });
        collection.texts.push(TextItem { id, caption });
    }
    collection
}

fn empty(split: Split) -> Collection {
    Collection {
        name: split.to_string(),
        split,
        directions: match split {
            Split::Train => vec![],
            _ => vec![Direction::TextToImage, Direction::ImageToText],
        },
        images: vec![],
        texts: vec![],
        pairs: vec![],
    }
}

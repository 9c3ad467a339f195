//! RSICD and RSITMD as AMFMN keeps them (Yuan et al., TGRS 2022): `SPLIT_caps.txt` with one caption a line,
//! `SPLIT_filename.txt` with the picture of each caption, and the pictures in `images/`.
//!
//! Two forms of the second file are about: a name for every caption (the same name five times), or one for
//! every five.

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
    layout: "RSICD and RSITMD (images/, train_caps.txt, train_filename.txt, test_caps.txt, ...)",
    recognises: |root| SPLITS.iter().any(|(_, word)| Files::of(root, word).exist()),
    read,
};

/// What the files of a split begin with; the first that is there counts.
const SPLITS: [(Split, &str); 4] = [
    (Split::Train, "train"),
    (Split::Val, "val"),
    (Split::Val, "dev"),
    (Split::Test, "test"),
];

/// Captions of a picture.
const CAPTIONS: usize = 5;

/// The two lists of a split.
struct Files {
    captions: PathBuf,
    names: PathBuf,
}

impl Files {
    fn of(root: &Path, word: &str) -> Self {
        Self {
            captions: root.join(format!("{word}_caps.txt")),
            names: root.join(format!("{word}_filename.txt")),
        }
    }

    fn exist(&self) -> bool {
        self.captions.is_file() && self.names.is_file()
    }

    /// A picture's name and a caption of it, in the order of the captions.
    ///
    /// # Errors
    /// [`Error::Dataset`] where there is neither a name for every caption nor one for every five.
    fn lines(&self) -> Result<Vec<(String, String)>> {
        let mut names = read_lines(&self.names)?;
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        let mut captions = read_lines(&self.captions)?;
        let fits = |captions: usize| [1, CAPTIONS].map(|c| c * names.len()).contains(&captions);
        let found = captions.len();
        while !fits(captions.len()) && captions.last().is_some_and(String::is_empty) {
            captions.pop(); // empty lines at the end
        }
        if !fits(captions.len()) {
            return Err(Error::dataset(
                &self.names,
                format!(
                    "{} names for the {found} captions of {}; wanted is a name for every caption, or \
                     one for every {CAPTIONS}",
                    names.len(),
                    self.captions.display()
                ),
            ));
        }
        let each = if captions.len() == names.len() {
            1
        } else {
            CAPTIONS
        };
        let names = names.into_iter().flat_map(|n| std::iter::repeat_n(n, each));
        Ok(names.zip(captions).collect())
    }
}

fn read_lines(path: &Path) -> Result<Vec<String>> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    let text = decode_text(path, &bytes)?;
    Ok(text.lines().map(|l| l.trim().to_owned()).collect())
}

/// `images`, or a folder whose name ends so (`RSICD_images`), in any case.
fn images_folder(root: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(root).map_err(Error::io("read", root))?;
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.is_dir())
        .collect();
    folders.sort();
    let name = |p: &PathBuf| {
        let name = p.file_name().unwrap_or_default();
        name.to_string_lossy().to_lowercase()
    };
    let plain = folders.iter().find(|p| name(p) == "images");
    plain
        .or_else(|| folders.iter().find(|p| name(p).ends_with("_images")))
        .cloned()
        .ok_or_else(|| Error::dataset(root, "there is no folder images/ or *_images/"))
}

/// The pictures of a folder, by name, and by name without extension.
struct Pictures {
    folder: PathBuf,
    by_name: BTreeMap<String, ImageSource>,
    by_stem: BTreeMap<String, Vec<String>>,
}

impl Pictures {
    fn read(folder: PathBuf, warnings: &mut Vec<Warning>) -> Result<Self> {
        let mut by_name = BTreeMap::new();
        in_folder(&folder, &mut by_name, warnings)?;
        let mut by_stem: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in by_name.keys() {
            let names = by_stem.entry(stem(name).to_owned()).or_default();
            names.push(name.clone());
        }
        Ok(Self {
            folder,
            by_name,
            by_stem,
        })
    }

    /// The file of a listed name: that very file, or the only one with another extension (the sets are passed
    /// on as `.tif`, `.TIF` and `.jpg` with the same lists).
    fn find(&self, listed: &str) -> Option<&str> {
        if let Some((name, _)) = self.by_name.get_key_value(listed) {
            return Some(name);
        }
        match &self.by_stem.get(stem(listed))?[..] {
            [only] => Some(only),
            _ => None,
        }
    }
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn read(root: &Path, _: &ReadOptions) -> Result<Dataset> {
    let mut warnings = Vec::new();
    let pictures = Pictures::read(images_folder(root)?, &mut warnings)?;
    let mut used = BTreeSet::new();
    let mut collections: Vec<Collection> = Vec::new();
    for (split, word) in SPLITS {
        let files = Files::of(root, word);
        if !files.exist() || collections.iter().any(|c| c.split == split) {
            continue;
        }
        let collection = collect(split, &files, &pictures, &mut warnings)?;
        let names = collection.images.iter().map(|i| i.id.0.as_str());
        used.extend(names.filter_map(|n| pictures.find(n)).map(str::to_owned));
        collections.push(collection);
    }
    for name in pictures.by_name.keys().filter(|n| !used.contains(*n)) {
        warnings.push(Warning {
            kind: "picture in no split list (not used)",
            message: pictures.folder.join(name).display().to_string(),
        });
    }
    Ok(Dataset {
        name: name_of(root),
        collections,
        warnings,
    })
}

fn collect(
    split: Split,
    files: &Files,
    pictures: &Pictures,
    warnings: &mut Vec<Warning>,
) -> Result<Collection> {
    let mut warn = |kind, message| warnings.push(Warning { kind, message });
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
    let mut place: BTreeMap<String, usize> = BTreeMap::new();
    let mut captions: Vec<usize> = Vec::new(); // of each picture, so far
    for (i, (name, caption)) in files.lines()?.into_iter().enumerate() {
        let at = || format!("{}, line {}: {name}", files.captions.display(), i + 1);
        if name.is_empty() {
            warn("caption without a name (left out)", at());
            continue;
        }
        if caption.is_empty() {
            warn("empty caption (left out)", at());
            continue;
        }
        let image = *place.entry(name.clone()).or_insert_with(|| {
            let found = pictures.find(&name).map(|n| pictures.by_name[n].clone());
            let source = found.unwrap_or_else(|| {
                let message = format!("{}: {name}", files.names.display());
                warn("id without a picture", message);
                ImageSource::Missing(pictures.folder.join(&name))
            });
            let id = ImageId(name.clone());
            collection.images.push(ImageItem {
                id,
                source,
                mirrored: false,
            });
            captions.push(0);
            collection.images.len() - 1
        });
        let text = collection.texts.len();
        collection.pairs.push(Pair { image, text });
        collection.texts.push(TextItem {
            id: TextId(format!("{name}#{}", captions[image])),
            caption,
        });
        captions[image] += 1;
    }
    Ok(collection)
}

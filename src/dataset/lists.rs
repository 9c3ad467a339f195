//! Finds the file that lists the pictures of each split: known names first, then names that contain the word. A
//! file counts as a list if one of its lines names a picture of the dataset.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::finder::Finder;
use super::{ReadOptions, Split, Warning, text};
use crate::error::Result;

/// Names of the splits.
const WORDS: [(Split, &[&str]); 3] = [
    (Split::Train, &["train", "trn", "training"]),
    (Split::Val, &["val", "dev", "valid", "validation"]),
    (Split::Test, &["test", "tst", "testing"]),
];

impl Split {
    /// The split of that name in a dataset; `restval` (Karpathy's word for validation data released for training)
    /// is training data.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase();
        let known = WORDS
            .iter()
            .find(|(_, words)| words.contains(&name.as_str()));
        known
            .map(|(split, _)| *split)
            .or((name == "restval").then_some(Self::Train))
    }
}

/// The names in a list, in its order, each once.
pub(super) struct List {
    pub split: Split,
    pub path: PathBuf,
    pub names: Vec<String>,
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// How well a file's name matches a split's list: 0 for a known name (`Flickr_8k.trainImages.txt`,
/// `flickr8ktrain.txt`, `train.txt`), 1 if it contains the word.
fn rank(path: &Path, words: &[&str]) -> Option<u8> {
    let name = file_name(path).to_lowercase();
    let stem = name
        .rsplit_once('.')
        .map_or(name.as_str(), |(stem, _)| stem);
    let mut rest: String = stem.chars().filter(|c| c.is_alphanumeric()).collect();
    for known in [
        "flickr30k",
        "flickr8k",
        "flickr",
        "images",
        "image",
        "list",
        "names",
        "split",
        "ids",
    ] {
        rest = rest.replacen(known, "", 1);
    }
    if words.contains(&rest.as_str()) {
        return Some(0);
    }
    words.iter().any(|w| stem.contains(w)).then_some(1)
}

/// Finds the lists among text files. `known` holds the names that the captions use.
pub(super) fn lists(
    files: &[PathBuf],
    known: &Finder,
    options: &ReadOptions,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<List>> {
    let mut lists: Vec<List> = Vec::new();
    for (split, words) in WORDS {
        let mut candidates: Vec<(u8, &PathBuf)> = files
            .iter()
            .filter_map(|p| Some((rank(p, words)?, p)))
            .collect();
        candidates.sort();
        for (_, path) in candidates {
            let mut own = Vec::new();
            let names = names(path, options, &mut own)?;
            let mut warn = |kind, message| warnings.push(Warning { kind, message });
            if !names.iter().any(|n| known.knows(n)) {
                let message = format!(
                    "{}: no line of it names a picture of the set",
                    path.display()
                );
                warn(
                    "file that is called like a split list and is none (not used)",
                    message,
                );
            } else if let Some(first) = lists.iter().find(|l| l.split == split) {
                let message = format!("{}: {} is used", path.display(), first.path.display());
                warn("second list of a split (not used)", message);
            } else {
                warnings.append(&mut own);
                lists.push(List {
                    split,
                    path: path.clone(),
                    names,
                });
            }
        }
    }
    Ok(lists)
}

fn names(path: &Path, options: &ReadOptions, warnings: &mut Vec<Warning>) -> Result<Vec<String>> {
    let text = text::read(path, options.encoding, warnings)?.text;
    let mut seen = BTreeSet::new();
    let lines = text::lines(&text).map(str::trim).filter(|l| !l.is_empty());
    Ok(lines
        .filter(|l| seen.insert(*l))
        .map(str::to_owned)
        .collect())
}

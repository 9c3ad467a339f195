//! What lies in folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Bytes of files by their path below a folder.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// All files below `dir`, by their path below it; none where there is no such folder.
pub fn files(dir: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("a folder entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).expect("below dir").to_str();
                found.insert(name.expect("a plain name").to_owned(), path);
            }
        }
    }
    found
}

/// What a killed run may leave behind.
fn is_temporary(name: &str) -> bool {
    let file = Path::new(name).file_name().expect("a file");
    file.to_str().expect("a plain name").starts_with(".tuwen-")
}

/// The files below `dir` with their bytes, without what a killed run leaves behind.
pub fn tree(dir: &Path) -> Tree {
    files(dir)
        .into_iter()
        .filter(|(name, _)| !is_temporary(name))
        .map(|(name, path)| (name, fs::read(path).expect("a readable file")))
        .collect()
}

/// When the files below `dir` were last written.
pub fn times(dir: &Path) -> BTreeMap<String, SystemTime> {
    let time = |path: PathBuf| fs::metadata(path).and_then(|m| m.modified());
    files(dir)
        .into_iter()
        .filter_map(|(name, path)| Some((name, time(path).ok()?))) // a temporary file may just be gone
        .filter(|(name, _)| !is_temporary(name))
        .collect()
}

/// The same files with the same bytes; says names alone where not.
#[track_caller]
pub fn assert_same(left: &Tree, right: &Tree) {
    assert!(!left.is_empty(), "nothing to compare");
    let names = |t: &Tree| t.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(left), names(right));
    let differing: Vec<_> = left.keys().filter(|&k| left[k] != right[k]).collect();
    assert!(differing.is_empty(), "not the same bytes: {differing:?}");
}

/// Writes files below `dir`.
pub fn plant(tree: &Tree, dir: &Path) {
    for (name, bytes) in tree {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().expect("below dir")).expect("a new folder");
        fs::write(path, bytes).expect("a written file");
    }
}

/// The one file below `dir` whose path begins and ends like this.
#[track_caller]
pub fn the_file(dir: &Path, begins: &str, ends: &str) -> PathBuf {
    let mut found = files(dir);
    found.retain(|name, _| name.starts_with(begins) && name.ends_with(ends));
    assert_eq!(found.len(), 1, "{begins}*{ends}: {found:?}");
    found.into_values().next().expect("just counted")
}

/// Puts other text in place of a file's.
pub fn edit(path: &Path, change: impl FnOnce(&str) -> String) {
    let text = fs::read_to_string(path).expect("a text file");
    let changed = change(&text);
    assert_ne!(text, changed, "{} is not changed", path.display());
    fs::write(path, changed).expect("a written file");
}

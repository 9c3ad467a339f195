//! Files of folders.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// All files below a folder, by name.
pub fn pictures_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let context = || format!("cannot read {}", folder.display());
        if !known.insert(folder.canonicalize().with_context(context)?) {
            continue; // a link to a folder that was there
        }
        for entry in folder.read_dir().with_context(context)? {
            let path = entry.with_context(context)?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A file's name below a folder.
pub fn relative(folder: &Path, path: &Path) -> String {
    let name = path.strip_prefix(folder).unwrap_or(path);
    name.to_string_lossy().into_owned()
}

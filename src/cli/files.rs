//! Files of folders.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image::ImageFormat;

/// The pictures below a folder, by name: files that are named or begin as one. Others are left out, and counted.
pub fn pictures_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut known, mut others) = (Vec::new(), BTreeSet::new(), 0);
    // Links come last and in order, so that what is there itself goes by its own name, and by the same one anywhere.
    let (mut folders, mut links) = (vec![folder.to_owned()], BTreeSet::new());
    while let Some(folder) = folders.pop().or_else(|| links.pop_first()) {
        let context = || format!("cannot read {}", folder.display());
        if !known.insert(folder.canonicalize().with_context(context)?) {
            continue;
        }
        for entry in folder.read_dir().with_context(context)? {
            let path = entry.with_context(context)?.path();
            if path.is_dir() {
                if path.is_symlink() {
                    links.insert(path);
                } else {
                    folders.push(path);
                }
            } else if is_picture(&path) {
                found.push(path);
            } else {
                others += 1;
            }
        }
    }
    if others > 0 {
        tracing::info!("{}: {others} files are no pictures", folder.display());
    }
    found.sort();
    Ok(found)
}

/// By its name or its first bytes, so that neither a film nor a pipe is read.
fn is_picture(path: &Path) -> bool {
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => false,
        _ if ImageFormat::from_path(path).is_ok() => true, // who reads it will say what is wrong with it
        _ => {
            let mut bytes = Vec::new();
            let read = File::open(path).and_then(|f| f.take(64).read_to_end(&mut bytes));
            read.is_ok() && image::guess_format(&bytes).is_ok()
        }
    }
}

/// A file's name below a folder.
pub fn relative(folder: &Path, path: &Path) -> String {
    let name = path.strip_prefix(folder).unwrap_or(path);
    name.to_string_lossy().into_owned()
}

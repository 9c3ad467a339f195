//! The files below a folder: the same ones in the same order for every verb.

use std::collections::BTreeSet;
use std::fs::{DirEntry, FileType};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::printable::printable;
use crate::error::{Error, Result};

/// The result of a walk.
#[derive(Debug, Default)]
pub struct Walk {
    /// Regular files, and links to regular files or to nothing (whoever reads those reports it), sorted by the
    /// bytes of their paths.
    pub files: Vec<PathBuf>,
    /// Folders and entries that could not be read, with the reasons.
    pub unreadable: Vec<String>,
    /// Number of entries that were left out: hidden files, trash and thumbnails, and pipes, sockets and devices.
    pub left_out: usize,
}

/// Folders and files that operating systems keep for themselves, in lower case: trash, thumbnails, indexes. Names
/// that begin with a dot are left out too.
const KEPT_FOR_ITSELF: &[&str] = &[
    // Windows
    "$recycle.bin",
    "recycler",
    "recycled",
    "system volume information",
    "found.000",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    // Linux, macOS
    "lost+found",
    "__macosx",
    "icon\r",
    // network storage
    "@eadir",
    "@recycle",
    "@recently-snapshot",
    "@synoeastorage",
    "@tmp",
    "#recycle",
    "#snapshot",
    "$recycle",
];

/// Whether a file or folder of that name is hidden, trash or a thumbnail, and so not the user's picture or table.
pub fn is_left_out(name: &std::ffi::OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".")
        || KEPT_FOR_ITSELF
            .iter()
            .any(|kept| name.eq_ignore_ascii_case(kept.as_bytes()))
}

/// Collects all files below a folder; with `hidden`, also those that [`is_left_out`] excludes. Every folder is
/// visited once, whatever links lead to it, under its own name rather than a link's. Entries that cannot be read
/// are skipped and listed.
///
/// # Errors
/// [`Error::Io`] if the folder itself cannot be read.
pub fn walk(folder: &Path, hidden: bool) -> Result<Walk> {
    let mut walk = Walking {
        hidden,
        found: Walk::default(),
        folders: vec![],
        links: BTreeSet::new(),
        known: BTreeSet::new(),
    };
    walk.enter(folder).map_err(Error::io("read", folder))?;
    // Links come last and in order, so that what is there itself goes by its own name, and by the same one anywhere.
    while let Some(below) = walk.folders.pop().or_else(|| walk.links.pop_first()) {
        if let Err(e) = walk.enter(&below) {
            walk.found.unreadable.push(unreadable(&below, &e));
        }
    }
    let mut found = walk.found;
    let bytes = |path: &PathBuf| path.as_os_str().as_encoded_bytes().to_vec();
    found.files.sort_by_cached_key(bytes);
    found.unreadable.sort();
    Ok(found)
}

struct Walking {
    hidden: bool,
    found: Walk,
    /// Folders to enter.
    folders: Vec<PathBuf>,
    /// Links to folders, to be entered when no other folders are left.
    links: BTreeSet<PathBuf>,
    /// Folders that were entered, by their paths without links.
    known: BTreeSet<PathBuf>,
}

impl Walking {
    fn enter(&mut self, folder: &Path) -> std::io::Result<()> {
        if !self.known.insert(folder.canonicalize()?) {
            return Ok(());
        }
        for entry in folder.read_dir()? {
            let entry = entry?;
            if !self.hidden && is_left_out(&entry.file_name()) {
                self.found.left_out += 1;
            } else if let Err(e) = self.look_at(&entry) {
                self.found.unreadable.push(unreadable(&entry.path(), &e));
            }
        }
        Ok(())
    }

    /// Classifies an entry without opening it, because a pipe would wait for its writer.
    fn look_at(&mut self, entry: &DirEntry) -> std::io::Result<()> {
        let path = entry.path();
        let is_link = entry.file_type()?.is_symlink();
        let kind: FileType = match is_link {
            true => match path.metadata() {
                Err(e) if e.kind() == ErrorKind::NotFound => {
                    self.found.files.push(path);
                    return Ok(());
                }
                metadata => metadata?.file_type(),
            },
            false => entry.file_type()?,
        };
        if kind.is_dir() && is_link {
            self.links.insert(path);
        } else if kind.is_dir() {
            self.folders.push(path);
        } else if kind.is_file() {
            self.found.files.push(path);
        } else {
            self.found.left_out += 1;
        }
        Ok(())
    }
}

fn unreadable(path: &Path, cause: &std::io::Error) -> String {
    format!("{}: {cause}", printable(path))
}

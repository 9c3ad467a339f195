//! The files below a folder: the same ones for every verb, in the same order.

use std::collections::BTreeSet;
use std::fs::{DirEntry, FileType};
use std::path::{Path, PathBuf};

use super::printable::printable;
use crate::error::{Error, Result};

/// What a walk found.
#[derive(Debug, Default)]
pub struct Walk {
    /// Regular files, and links to such, by the bytes of their paths.
    pub files: Vec<PathBuf>,
    /// What could not be read, and why: folders, links that lead nowhere.
    pub unreadable: Vec<String>,
    /// Hidden files, trash and thumbnails, and pipes, sockets and devices: how many were left out.
    pub left_out: usize,
}

/// Folders and files that systems keep for themselves, in lower case: trash, thumbnails, indexes. Names that begin with
/// a dot are theirs, too.
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

/// Whether a file or folder of that name is nobody's picture or table: hidden, trash, a thumbnail.
pub fn is_left_out(name: &std::ffi::OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".")
        || KEPT_FOR_ITSELF
            .iter()
            .any(|kept| name.eq_ignore_ascii_case(kept.as_bytes()))
}

/// Walks over all that is below a folder; with `hidden`, also over what [`is_left_out`]. Folders are seen once,
/// whatever links lead to them, by their own name rather than a link's. What cannot be read is passed over and said.
///
/// # Errors
/// [`Error::Io`] where the folder itself cannot be read.
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
    /// To be entered.
    folders: Vec<PathBuf>,
    /// Links to folders, to be entered when there are no more others.
    links: BTreeSet<PathBuf>,
    /// By the path that no link is in.
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

    /// Opens nothing: a pipe would wait for its writer.
    fn look_at(&mut self, entry: &DirEntry) -> std::io::Result<()> {
        let path = entry.path();
        let is_link = entry.file_type()?.is_symlink();
        let kind: FileType = match is_link {
            true => path.metadata()?.file_type(),
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

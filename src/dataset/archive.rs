//! Zip archives of pictures, read in place.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use zip::ZipArchive;
use zip::result::ZipError;

use super::{Warning, text};
use crate::error::{Error, Result};
use crate::files;

/// Largest file that is read: no picture of a hundred million pixels needs more.
pub(super) const MAX_BYTES: u64 = 1 << 30;

/// A zip archive that many threads read at once: each read has its own position in the one open file.
#[derive(Clone)]
pub struct SharedZip {
    path: Arc<PathBuf>,
    archive: ZipArchive<At>,
}

impl std::fmt::Debug for SharedZip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SharedZip({})", self.path.display())
    }
}

impl SharedZip {
    /// Opens an archive and reads its directory.
    ///
    /// # Errors
    /// [`Error::Dataset`] if the file is not a usable zip archive, [`Error::Io`] if it cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        let len = file.metadata().map_err(Error::io("read", path))?.len();
        let at = At {
            file: Arc::new(file),
            position: 0,
            len,
        };
        let archive = ZipArchive::new(at)
            .map_err(|e| Error::dataset(path, format!("not a usable zip archive: {e}")))?;
        Ok(Self {
            path: Arc::new(path.to_owned()),
            archive,
        })
    }

    /// The error of a failed read: the system may do better the next time, but a damaged entry stays damaged.
    fn failed(&self, e: io::Error) -> Error {
        match e.raw_os_error() {
            Some(_) => Error::io("read", &*self.path)(e),
            None => Error::picture(e),
        }
    }

    /// Reads at most `most` bytes of an entry.
    pub(super) fn head(&self, entry: usize, most: u64) -> Result<Vec<u8>> {
        let mut archive = self.archive.clone();
        let file = archive.by_index(entry).map_err(|e| match e {
            ZipError::Io(e) => self.failed(e),
            e => Error::picture(e),
        })?;
        let mut bytes = Vec::new();
        let read = file.take(most).read_to_end(&mut bytes);
        read.map_err(|e| self.failed(e))?;
        Ok(bytes)
    }

    pub(super) fn read(&self, entry: usize) -> Result<Vec<u8>> {
        // The header may lie about the size: what comes out is what is limited.
        let bytes = self.head(entry, MAX_BYTES + 1)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Error::picture("it unpacks to more than a GiB"));
        }
        Ok(bytes)
    }

    /// Archive and path of an entry, for messages.
    pub(super) fn describe(&self, entry: usize) -> String {
        let name = self
            .archive
            .clone()
            .by_index_raw(entry)
            .ok()
            .map(|f| name_of(&f));
        format!("{}:{}", self.path.display(), name.unwrap_or_default())
    }

    /// The files of the archive: their paths in it, and their entries.
    pub(super) fn files(&self, warnings: &mut Vec<Warning>) -> Result<Vec<(String, usize)>> {
        let mut reader = self.archive.clone();
        let mut found = Vec::new();
        for entry in 0..reader.len() {
            let file = reader
                .by_index_raw(entry)
                .map_err(|e| Error::dataset(&*self.path, format!("entry {entry}: {e}")))?;
            if file.is_dir() {
                continue;
            }
            let name = name_of(&file);
            // Nothing is ever written to disk, but a name that climbs out is nobody's picture.
            let Some(path) = enclosed(&name) else {
                warnings.push(Warning {
                    kind: "zip entry that points outside (left out)",
                    message: format!("{}: {name}", self.path.display()),
                });
                continue;
            };
            if path.is_empty()
                || path
                    .split('/')
                    .any(|name| files::is_left_out(name.as_ref()))
            {
                continue;
            }
            found.push((path, entry));
        }
        Ok(found)
    }
}

/// An entry's name. Names that are not marked as UTF-8 should be in code page 437, but mostly are in the encoding
/// of the system that wrote them: if a name looks Chinese, it is read as such.
fn name_of<R: Read>(file: &zip::read::ZipFile<'_, R>) -> String {
    let marked = || {
        file.name().map_or_else(
            |_| String::from_utf8_lossy(file.name_raw()).into_owned(),
            |n| n.into_owned(),
        )
    };
    const UTF_8: u16 = 1 << 11; // APPNOTE 4.4.4
    match file.flags().as_u16() & UTF_8 != 0 {
        true => marked(),
        false => text::file_name(file.name_raw()).unwrap_or_else(marked),
    }
}

/// A path below the archive's root, with `/`; `None` if it leads elsewhere.
fn enclosed(name: &str) -> Option<String> {
    let name = name.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in Path::new(&name).components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// A reading position in a shared file.
#[derive(Clone)]
struct At {
    file: Arc<File>,
    position: u64,
    len: u64,
}

impl Read for At {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(buf, self.position)?;
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for At {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(p) => Some(p),
            SeekFrom::End(d) => self.len.checked_add_signed(d),
            SeekFrom::Current(d) => self.position.checked_add_signed(d),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

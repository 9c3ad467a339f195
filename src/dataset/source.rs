//! Where the bytes of a picture are: a file, or an entry of a zip archive which is read in place.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zip::ZipArchive;

use super::Warning;
use crate::error::{Error, Result};

/// Where a picture's bytes are.
#[derive(Clone, Debug)]
pub enum ImageSource {
    File(PathBuf),
    Zip {
        archive: SharedZip,
        entry: usize,
    },
    /// The dataset names a picture that is not there.
    Missing(PathBuf),
}

/// Larger files are not read: no picture of a hundred million pixels needs more.
const MAX_BYTES: u64 = 1 << 30;

impl ImageSource {
    /// # Errors
    /// [`Error::Picture`] for a missing, oversized or damaged entry, [`Error::Io`] from the system.
    pub fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::File(path) => {
                let size = fs::metadata(path).map_err(Error::io("read", path))?.len();
                if size > MAX_BYTES {
                    return Err(Error::picture(format!("the file has {size} bytes")));
                }
                fs::read(path).map_err(Error::io("read", path))
            }
            Self::Zip { archive, entry } => archive.read(*entry),
            Self::Missing(_) => Err(Error::picture("there is no such file")),
        }
    }

    /// For messages.
    pub fn describe(&self) -> String {
        match self {
            Self::File(path) | Self::Missing(path) => path.display().to_string(),
            Self::Zip { archive, entry } => {
                let name = archive
                    .archive
                    .name_for_index(*entry)
                    .and_then(std::result::Result::ok);
                format!("{}:{}", archive.path.display(), name.unwrap_or_default())
            }
        }
    }
}

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

    fn read(&self, entry: usize) -> Result<Vec<u8>> {
        let mut archive = self.archive.clone();
        let file = archive.by_index(entry).map_err(Error::picture)?;
        let mut bytes = Vec::new();
        // The header may lie about the size: what comes out is what is limited.
        file.take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(Error::picture)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Error::picture("it unpacks to more than a GiB"));
        }
        Ok(bytes)
    }
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

/// The pictures beside a table, by file name: a folder `ImageData`, or `ImageData.zip` where there is no
/// such folder. Sub-folders are looked into.
pub fn pictures(dir: &Path, warnings: &mut Vec<Warning>) -> Result<BTreeMap<String, ImageSource>> {
    let folder = dir.join("ImageData");
    let archive = dir.join("ImageData.zip");
    let mut found = BTreeMap::new();
    if folder.is_dir() {
        in_folder(&folder, &mut found, warnings)?;
    } else if archive.is_file() {
        in_zip(&archive, &mut found, warnings)?;
    } else {
        return Err(Error::dataset(
            dir,
            "there is no folder ImageData and no ImageData.zip",
        ));
    }
    Ok(found)
}

fn insert(
    found: &mut BTreeMap<String, ImageSource>,
    name: String,
    source: ImageSource,
    warnings: &mut Vec<Warning>,
) {
    if let Some(first) = found.get(&name) {
        warnings.push(Warning {
            kind: "two pictures of one name (the first is used)",
            message: format!("{} and {}", first.describe(), source.describe()),
        });
        return;
    }
    found.insert(name, source);
}

pub(super) fn in_folder(
    folder: &Path,
    found: &mut BTreeMap<String, ImageSource>,
    warnings: &mut Vec<Warning>,
) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
    let mut paths = entries
        .map(|e| e.map(|e| e.path()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(Error::io("read", folder))?;
    paths.sort();
    for path in paths {
        let Some(name) = path.file_name().and_then(|n| n.to_str()).map(String::from) else {
            warnings.push(Warning {
                kind: "file whose name is not UTF-8 (left out)",
                message: path.display().to_string(),
            });
            continue;
        };
        if name.starts_with('.') || name == "__MACOSX" || name == "Thumbs.db" {
            continue; // what file managers leave behind
        }
        if path.is_dir() {
            in_folder(&path, found, warnings)?;
        } else {
            insert(found, name, ImageSource::File(path), warnings);
        }
    }
    Ok(())
}

fn in_zip(
    path: &Path,
    found: &mut BTreeMap<String, ImageSource>,
    warnings: &mut Vec<Warning>,
) -> Result<()> {
    let archive = SharedZip::open(path)?;
    let mut reader = archive.archive.clone();
    for entry in 0..reader.len() {
        let file = reader
            .by_index_raw(entry)
            .map_err(|e| Error::dataset(path, format!("entry {entry}: {e}")))?;
        if file.is_dir() {
            continue;
        }
        // Nothing is ever written to disk, but a name that climbs out is nobody's picture.
        let Some(inside) = file.enclosed_name() else {
            warnings.push(Warning {
                kind: "zip entry that points outside (left out)",
                message: format!("{}: {}", path.display(), file.name().unwrap_or_default()),
            });
            continue;
        };
        let hidden = |p: &Path| {
            p.components().any(|c| {
                let c = c.as_os_str().to_string_lossy();
                c.starts_with('.') || c == "__MACOSX" || c == "Thumbs.db"
            })
        };
        let Some(name) = inside.file_name().map(|n| n.to_string_lossy().into_owned()) else {
            continue;
        };
        if hidden(&inside) {
            continue;
        }
        let source = ImageSource::Zip {
            archive: archive.clone(),
            entry,
        };
        insert(found, name, source, warnings);
    }
    Ok(())
}

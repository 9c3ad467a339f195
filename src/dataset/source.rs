//! Where the bytes of a picture are: a file, or an entry of a zip archive which is read in place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub use super::archive::SharedZip;
use super::finder::{Finder, Found};
use super::{Warning, text};
use crate::error::{Error, Result};
use crate::files;

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
pub(super) const MAX_BYTES: u64 = 1 << 30;

impl ImageSource {
    /// # Errors
    /// [`Error::Picture`] for a missing or damaged entry, [`Error::File`] for what is not a regular file or is
    /// too large, [`Error::Io`] from the system.
    pub fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::File(path) => files::read(path, MAX_BYTES),
            Self::Zip { archive, entry } => archive.read(*entry),
            Self::Missing(_) => Err(Error::picture("there is no such file")),
        }
    }

    /// At most so many of the first bytes.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub(super) fn head(&self, most: u64) -> Result<Vec<u8>> {
        match self {
            Self::File(path) => {
                let size = fs::metadata(path).map_err(Error::io("read", path))?;
                if !size.is_file() {
                    return Err(Error::picture("not a regular file"));
                }
                if size.len() > MAX_BYTES {
                    return Err(Error::picture(format!(
                        "the file has {} bytes, more than {MAX_BYTES}",
                        size.len()
                    )));
                }
                let mut bytes = Vec::new();
                let file = fs::File::open(path).map_err(Error::io("read", path))?;
                file.take(most)
                    .read_to_end(&mut bytes)
                    .map_err(Error::io("read", path))?;
                Ok(bytes)
            }
            Self::Zip { archive, entry } => archive.head(*entry, most),
            Self::Missing(_) => Err(Error::picture("there is no such file")),
        }
    }

    /// For messages.
    pub fn describe(&self) -> String {
        match self {
            Self::File(path) | Self::Missing(path) => path.display().to_string(),
            Self::Zip { archive, entry } => archive.describe(*entry),
        }
    }

    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing(_))
    }
}

/// A file that may be a picture, by its path below a folder or in an archive, with `/`.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub path: String,
    pub source: ImageSource,
}

/// What file managers leave behind.
pub(super) fn is_left_behind(name: &str) -> bool {
    name.starts_with('.')
        || matches!(
            name,
            "__MACOSX" | "Thumbs.db" | "desktop.ini" | "@eaDir" | "$RECYCLE.BIN"
        )
}

/// The pictures of a dataset, to be found by their ids.
pub(super) struct Pictures {
    /// For the paths of pictures that are not there.
    folder: PathBuf,
    sources: Vec<ImageSource>,
    finder: Finder,
}

impl Pictures {
    /// The files below a folder.
    pub fn below(folder: &Path, warnings: &mut Vec<Warning>) -> Result<Self> {
        Ok(Self::new(folder, in_folder(folder, warnings)?))
    }

    /// Those that a folder of tables has beside them: in a folder `ImageData`, or in `ImageData.zip` where there is
    /// no such folder.
    pub fn beside_tables(dir: &Path, warnings: &mut Vec<Warning>) -> Result<Self> {
        let folder = dir.join("ImageData");
        let archive = dir.join("ImageData.zip");
        if folder.is_dir() {
            Self::below(&folder, warnings)
        } else if archive.is_file() {
            let pictures = SharedZip::open(&archive)?.pictures(warnings)?;
            Ok(Self::new(&folder, pictures))
        } else {
            Err(Error::dataset(
                dir,
                "there is no folder ImageData and no ImageData.zip",
            ))
        }
    }

    pub fn new(folder: &Path, pictures: Vec<Picture>) -> Self {
        let (paths, sources) = pictures.into_iter().map(|p| (p.path, p.source)).unzip();
        let (folder, finder) = (folder.to_owned(), Finder::new(paths));
        Self {
            folder,
            sources,
            finder,
        }
    }

    /// Whether any file could be meant by the id.
    pub fn know(&self, id: &str) -> bool {
        self.finder.knows(id)
    }

    /// The picture of each id; `at` says where an id stands, for warnings. What no id means is warned of as
    /// `unused`.
    pub fn of(
        &self,
        ids: &[&str],
        at: impl Fn(&str) -> String,
        unused: &'static str,
        warnings: &mut Vec<Warning>,
    ) -> BTreeMap<String, ImageSource> {
        let mut used = vec![false; self.sources.len()];
        let mut found = BTreeMap::new();
        for (id, meant) in ids.iter().zip(self.finder.find_all(ids)) {
            let describe = |file: usize| self.sources[file].describe();
            let mut warn = |kind, message| warnings.push(Warning { kind, message });
            let source = match meant {
                Found::One(file) => {
                    used[file] = true;
                    Some(self.sources[file].clone())
                }
                Found::None => {
                    warn("id without a picture", at(id));
                    None
                }
                Found::Several(files) => {
                    files.iter().for_each(|&f| used[f] = true);
                    let names: Vec<_> = files.into_iter().map(describe).collect();
                    let message = format!("{}: it could be {}", at(id), names.join(" or "));
                    warn(
                        "id without a picture of its own (several could be meant)",
                        message,
                    );
                    None
                }
                Found::Taken { file, by } => {
                    let message = format!("{}: {} is the picture of {by}", at(id), describe(file));
                    warn(
                        "id without a picture of its own (another id has it)",
                        message,
                    );
                    used[file] = true;
                    None
                }
            };
            let source = source.unwrap_or_else(|| ImageSource::Missing(self.folder.join(id)));
            found.insert((*id).to_owned(), source);
        }
        for (source, _) in self.sources.iter().zip(used).filter(|(_, used)| !used) {
            let message = source.describe();
            warnings.push(Warning {
                kind: unused,
                message,
            });
        }
        found
    }
}

/// The files below a folder, in the order of their paths; folders that cannot be read are warned of.
///
/// # Errors
/// [`Error::Io`] where the folder itself cannot be read.
pub(super) fn in_folder(folder: &Path, warnings: &mut Vec<Warning>) -> Result<Vec<Picture>> {
    let mut paths = Vec::new();
    let mut known = BTreeSet::new(); // links may lead back
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let read = next
            .canonicalize()
            .and_then(|real| match known.insert(real) {
                true => next.read_dir()?.map(|e| Ok(e?.path())).collect(),
                false => Ok(vec![]),
            });
        match read {
            Err(e) if next == folder => return Err(Error::io("read", folder)(e)),
            Err(e) => warnings.push(Warning {
                kind: "folder that cannot be read (left out)",
                message: format!("{}: {e}", next.display()),
            }),
            Ok(entries) => {
                let left_behind = |p: &PathBuf| {
                    p.file_name()
                        .is_some_and(|n| is_left_behind(&n.to_string_lossy()))
                };
                let entries: Vec<PathBuf> = entries;
                let kept = entries.into_iter().filter(|p| !left_behind(p));
                let (inner, files): (Vec<_>, Vec<_>) = kept.partition(|p| p.is_dir());
                folders.extend(inner);
                paths.extend(files);
            }
        }
    }
    paths.sort();
    Ok(paths
        .into_iter()
        .filter_map(|path| named(folder, path, warnings))
        .collect())
}

/// A file by its path below a folder.
fn named(folder: &Path, path: PathBuf, warnings: &mut Vec<Warning>) -> Option<Picture> {
    let below = path.strip_prefix(folder).unwrap_or(&path);
    let Some(name) = text::file_name(below.as_os_str().as_bytes()) else {
        warnings.push(Warning {
            kind: "file whose name is in no known encoding (left out)",
            message: path.display().to_string(),
        });
        return None;
    };
    Some(Picture {
        path: name,
        source: ImageSource::File(path),
    })
}

//! Where the bytes of a picture are: a file, or an entry of a zip archive that is read in place.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::archive::MAX_BYTES;
pub use super::archive::SharedZip;
use super::finder::{Finder, Found};
use super::{Warning, text};
use crate::error::{Error, Result};
use crate::files;

/// Where a picture's bytes are.
#[derive(Clone, Debug)]
pub enum ImageSource {
    /// A file of its own.
    File(PathBuf),
    /// An entry of a zip archive.
    Zip {
        /// The open archive.
        archive: SharedZip,
        /// Index of the entry.
        entry: usize,
    },
    /// The dataset names a picture that does not exist; this is where it should be.
    Missing(PathBuf),
}

impl ImageSource {
    /// Reads all bytes of the picture file.
    ///
    /// # Errors
    /// [`Error::Picture`] for a missing or damaged entry, [`Error::File`] for a path that is not a regular file or
    /// a file that is too large, [`Error::Io`] from the system.
    pub fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::File(path) => files::read(path, MAX_BYTES),
            Self::Zip { archive, entry } => archive.read(*entry),
            Self::Missing(_) => Err(Error::picture("there is no such file")),
        }
    }

    /// Reads at most `most` of the first bytes.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn head(&self, most: u64) -> Result<Vec<u8>> {
        match self {
            Self::File(path) => files::head(path, most),
            Self::Zip { archive, entry } => archive.head(*entry, most),
            Self::Missing(_) => Err(Error::picture("there is no such file")),
        }
    }

    /// The path of the picture, for messages.
    pub fn describe(&self) -> String {
        match self {
            Self::File(path) | Self::Missing(path) => path.display().to_string(),
            Self::Zip { archive, entry } => archive.describe(*entry),
        }
    }

    /// Whether the dataset names the picture but has no file for it.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing(_))
    }
}

/// A file that may be a picture, with its path below a folder or in an archive, with `/`.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub path: String,
    pub source: ImageSource,
}

/// The pictures of a dataset, to be found by their ids.
pub(super) struct Pictures {
    /// Folder of the pictures, for the paths of missing ones.
    folder: PathBuf,
    sources: Vec<ImageSource>,
    finder: Finder,
}

impl Pictures {
    /// The files below a folder.
    pub fn below(folder: &Path, warnings: &mut Vec<Warning>) -> Result<Self> {
        Ok(Self::new(folder, in_folder(folder, warnings)?))
    }

    /// The pictures beside a folder's tables: in its folder `ImageData`, or in `ImageData.zip` if there is no such
    /// folder.
    pub fn beside_tables(dir: &Path, warnings: &mut Vec<Warning>) -> Result<Self> {
        let folder = dir.join("ImageData");
        let archive = dir.join("ImageData.zip");
        if folder.is_dir() {
            Self::below(&folder, warnings)
        } else if archive.is_file() {
            let archive = SharedZip::open(&archive)?;
            let files = archive.files(warnings)?.into_iter();
            let picture = |(path, entry)| Picture {
                path,
                source: ImageSource::Zip {
                    archive: archive.clone(),
                    entry,
                },
            };
            Ok(Self::new(&folder, files.map(picture).collect()))
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

    /// Whether the id could mean any file.
    pub fn know(&self, id: &str) -> bool {
        self.finder.knows(id)
    }

    /// Finds the picture of each id; `at` gives the place of an id for warnings. Files that no id means are
    /// reported as `unused`.
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

/// The files below a folder, sorted by path; folders that cannot be read are reported.
///
/// # Errors
/// [`Error::Io`] if the folder itself cannot be read.
pub(super) fn in_folder(folder: &Path, warnings: &mut Vec<Warning>) -> Result<Vec<Picture>> {
    let found = files::walk(folder, false)?;
    warnings.extend(found.unreadable.into_iter().map(|message| Warning {
        kind: "file or folder that cannot be read (left out)",
        message,
    }));
    let named = |path| named(folder, path, warnings);
    Ok(found.files.into_iter().filter_map(named).collect())
}

/// A file with its path below a folder.
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

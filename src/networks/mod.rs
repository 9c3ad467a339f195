//! Files of networks that others have trained: where they are, and that they are those that this program was made with.
//!
//! They are optional parts, which `tuwen models` fetches. Each file is checked by its SHA-256, and exactly the checked bytes
//! are used. Files are searched where the user says or beside the program, never in the current folder. [`Network`] runs any
//! network in ONNX's format, and [`Pixels`] prepares pictures for it.

mod encoder;
mod known;
#[cfg(feature = "train")]
pub(crate) mod own;
mod pixels;
mod runtime;
mod tokens;

pub use encoder::{Encoder, EncoderParams, Pooling};
pub use known::Known;
pub use pixels::{Colours, Family, Filter, Fit, Layout, Pixels};
pub use runtime::{Element, Network, Port, Value};
pub(crate) use runtime::{LIBRARY, LIBRARY_PART};
pub use tokens::{TextEncoder, TextEncoderParams, Tokens};

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::artifact::{Fingerprint, Spec};
use crate::error::{Error, Result};
use crate::files;

/// A file that this program was made with, identified by its digest.
pub struct Pinned {
    /// Its name, as `tuwen models` writes it.
    pub name: &'static str,
    pub(crate) sha256: &'static str,
    pub(crate) bytes: u64,
}

/// Environment variable with the folder of models; if it is set, no other folder is searched.
const VARIABLE: &str = "TUWEN_MODELS";

/// The folder of a part, as `tuwen models` leaves it.
#[derive(Clone, Debug, PartialEq)]
pub struct Folder {
    /// Where its files may be; the first is named where one is missing.
    places: Vec<PathBuf>,
}

impl Folder {
    /// A part in `folder`, or in the folder of its name within it.
    pub fn within(folder: impl Into<PathBuf>, part: &str) -> Self {
        let folder = folder.into();
        let within = folder.join(part);
        Self {
            places: vec![if within.is_dir() { within } else { folder }],
        }
    }

    /// Finds a part: in the folder that `TUWEN_MODELS` names; otherwise each file in the first that has it of those
    /// beside the program (`data/models` of the checkout it was built in, `share/tuwen/models` of where it is
    /// installed) and of the user's data (`$XDG_DATA_HOME/tuwen/models`, or `~/.local/share/tuwen/models`).
    pub fn find(part: &str) -> Self {
        if let Some(folder) = env::var_os(VARIABLE).filter(|f| !f.is_empty()) {
            return Self::within(folder, part);
        }
        let mut folders = program().map_or(vec![], |p| beside(&p));
        folders.extend(of_the_user());
        if folders.is_empty() {
            return Self::within("/", part);
        }
        Self {
            places: folders.into_iter().map(|f| f.join(part)).collect(),
        }
    }

    /// Adds the digests of all files, as this program was made with them, to a spec.
    ///
    /// # Errors
    /// [`Error::Weights`] if a file is missing.
    pub fn stamp(&self, mut spec: Spec, all: &[&Pinned]) -> Result<Spec> {
        for file in all {
            if !self.path(file).exists() {
                return Err(self.missing(file));
            }
            spec = spec.input(file.name, Fingerprint::of(&file.sha256));
        }
        Ok(spec)
    }

    /// The path of a file: where it is, or where it is looked for first.
    pub fn path(&self, file: &Pinned) -> PathBuf {
        let mut paths = self.places.iter().map(|folder| folder.join(file.name));
        let first = paths.next().expect("a part has a place");
        match first.exists() {
            true => first,
            false => paths.find(|path| path.exists()).unwrap_or(first),
        }
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`Error::Weights`] if it is missing or is another file, [`Error::Io`] if it cannot be read.
    pub fn read(&self, file: &Pinned) -> Result<Vec<u8>> {
        let path = self.path(file);
        let other = |is: String| {
            Error::weights(
                &path,
                format!(
                    "{is}, and this program was made with another: it was not loaded; remove it, and \
                     `tuwen models` fetches the right one"
                ),
            )
        };
        let bytes = match files::read(&path, file.bytes) {
            Ok(bytes) => bytes,
            Err(Error::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                return Err(self.missing(file));
            }
            Err(Error::File { reason, .. }) => return Err(other(format!("it is {reason}"))),
            Err(e) => return Err(e),
        };
        let sha256 = format!("{:x}", Sha256::digest(&bytes));
        if sha256 != file.sha256 {
            return Err(other(format!("its SHA-256 is {sha256}")));
        }
        Ok(bytes)
    }

    fn missing(&self, file: &Pinned) -> Error {
        let also = match &self.places[1..] {
            [] => String::new(),
            others => {
                let others: Vec<_> = others.iter().map(|f| f.display().to_string()).collect();
                format!(", nor in {}", others.join(" or in "))
            }
        };
        let reason = format!(
            "there is no such file{also}; `tuwen models` fetches it, and {VARIABLE} names another folder"
        );
        Error::weights(self.path(file), reason)
    }
}

/// Where parts that are fetched belong: the folder that `TUWEN_MODELS` names, or that of the checkout which the program
/// was built in, or that of the user's data. None where there is not even a home.
pub fn folder_of_fetched() -> Option<PathBuf> {
    let said = env::var_os(VARIABLE).filter(|f| !f.is_empty());
    said.map(PathBuf::from)
        .or_else(|| of_the_checkout(&program()?))
        .or_else(of_the_user)
}

fn program() -> Option<PathBuf> {
    env::current_exe().and_then(|p| p.canonicalize()).ok()
}

/// Folders of models that belong to a program at this path.
fn beside(program: &Path) -> Vec<PathBuf> {
    let bin = program.parent().filter(|d| d.ends_with("bin"));
    let installed = bin
        .and_then(Path::parent)
        .map(|p| p.join("share/tuwen/models"));
    of_the_checkout(program)
        .into_iter()
        .chain(installed)
        .collect()
}

/// The folder of the checkout whose `target/release`, or `target/release/deps`, the program lies in.
fn of_the_checkout(program: &Path) -> Option<PathBuf> {
    let mut above = program.ancestors().skip(1).take(3);
    let target = above.find(|d| d.ends_with("target"))?;
    Some(target.parent()?.join("data/models"))
}

fn of_the_user() -> Option<PathBuf> {
    // a relative path is to be ignored (XDG Base Directory Specification)
    let folder = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|f| f.is_absolute())
    };
    let data = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")))?;
    Some(data.join("tuwen/models"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_lie_beside_the_program() {
        let folders = |p| beside(Path::new(p));
        let checkout = [PathBuf::from("/c/tuwen/data/models")];
        assert_eq!(folders("/c/tuwen/target/release/tuwen"), checkout);
        assert_eq!(folders("/c/tuwen/target/release/deps/golden-1"), checkout);
        assert_eq!(
            folders("/usr/local/bin/tuwen"),
            [PathBuf::from("/usr/local/share/tuwen/models")]
        );
        assert!(folders("/somewhere/tuwen").is_empty());
    }

    #[test]
    fn another_file_is_refused_by_its_digest_and_by_its_size() {
        const FILE: Pinned = Pinned {
            name: "a.onnx",
            sha256: "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
            bytes: 1000,
        };
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::within(dir.path(), "part");
        let missing = folder.read(&FILE).unwrap_err();
        assert!(missing.is_absence(), "{missing}");
        for bytes in [&b"not a network"[..], &vec![0; FILE.bytes as usize + 1]] {
            std::fs::write(dir.path().join(FILE.name), bytes).unwrap();
            let error = folder.read(&FILE).unwrap_err();
            assert!(!error.is_absence());
            let text = error.to_string();
            assert!(
                text.contains(FILE.name) && text.contains("not loaded"),
                "{text}"
            );
        }
    }
}

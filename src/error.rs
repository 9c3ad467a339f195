//! The one error type of the library.
//!
//! A variant names both sides of a disagreement ("codebook has 128 dimensions, descriptor has 32"),
//! so that the message alone says what to change. The binary adds where it was and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// `Result` with this crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong inside the library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused; `action` is a verb ("read", "write").
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        /// Not called `source`, which would print it twice in a chain of causes.
        cause: io::Error,
    },
    /// A file that is not one that can be used: a pipe, a device, too large. Unlike [`Error::Io`], it would be so
    /// again.
    #[error("{}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    /// A picture whose bytes are no longer those that the run began with.
    #[error("{picture} changed during the run; run it again")]
    Changed { picture: String },
    /// A table that cannot be used as it is.
    #[error("{}{}: {reason}", path.display(), line.map(|l| format!(", line {l}")).unwrap_or_default())]
    Table {
        path: PathBuf,
        line: Option<u64>,
        reason: String,
    },
    /// A table without a column that is needed.
    #[error("{} has no column `{column}`; its columns are: {}", path.display(), found.join(", "))]
    MissingColumn {
        path: PathBuf,
        column: String,
        found: Vec<String>,
    },
    /// A folder that is not a dataset, or a dataset without the part that is asked for.
    #[error("{}: {reason}", path.display())]
    Dataset { path: PathBuf, reason: String },
    /// Bytes that are not a picture tuwen can use.
    #[error("{reason}")]
    Picture { reason: String },
    /// A file that is not a whole artifact of this program.
    #[error("{} is not a usable artifact: {reason}", path.display())]
    Artifact { path: PathBuf, reason: String },
    /// A file of weights that is not there or is not a network's.
    #[error("weights {}: {reason}", path.display())]
    Weights { path: PathBuf, reason: String },
    /// What this build of the program leaves out.
    #[error(
        "{what}: this program was built without the feature `{feature}`; cargo build --release --features {feature}"
    )]
    NotBuilt {
        what: &'static str,
        feature: &'static str,
    },
    /// Two stages that were not made for each other.
    #[error("mismatch: {left} is {left_is}, but {right} is {right_is}")]
    Mismatch {
        left: String,
        left_is: String,
        right: String,
        right_is: String,
    },
    /// Too little to learn from.
    #[error("{what}: {needed} needed, {found} found")]
    TooFew {
        what: String,
        needed: usize,
        found: usize,
    },
    /// A recipe that cannot be read or asks for something impossible.
    #[error("recipe {}: {reason}", path.display())]
    Recipe { path: PathBuf, reason: String },
    /// A decomposition that did not converge, or a matrix with a value that is not finite.
    #[error("{what}: {reason}")]
    Numeric { what: &'static str, reason: String },
    /// More pictures than the recipe allows could not be read.
    #[error(
        "{bad} pictures cannot be used and the recipe allows {allowed} (max_bad_images); -v lists them all"
    )]
    TooManyBadImages { bad: usize, allowed: usize },
    #[error("OpenCV: {reason}")]
    OpenCv { reason: String },
    #[error("FAISS: {reason}")]
    Faiss { reason: String },
}

impl From<opencv::Error> for Error {
    fn from(e: opencv::Error) -> Self {
        Self::OpenCv {
            reason: e.to_string(),
        }
    }
}

impl From<faiss::error::Error> for Error {
    fn from(e: faiss::error::Error) -> Self {
        Self::Faiss {
            reason: e.to_string(),
        }
    }
}

impl Error {
    /// Whether something that is needed is not there (weights, imported vectors, a part of the program), and
    /// nothing is wrong.
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Io { cause, .. } => cause.kind() == io::ErrorKind::NotFound,
            Self::Weights { path, .. } => !path.exists(),
            Self::NotBuilt { .. } => true,
            _ => false,
        }
    }

    /// Whether it may be gone the next time, so that nothing must be kept because of it.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Changed { .. })
    }

    /// For `map_err` on an I/O call: `.map_err(Error::io("read", path))`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |cause| Self::Io {
            action,
            path,
            cause,
        }
    }

    pub(crate) fn picture(reason: impl ToString) -> Self {
        Self::Picture {
            reason: reason.to_string(),
        }
    }

    pub(crate) fn dataset(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        Self::Dataset {
            path: path.as_ref().to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn artifact(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        Self::Artifact {
            path: path.as_ref().to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn weights(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        Self::Weights {
            path: path.as_ref().to_owned(),
            reason: reason.into(),
        }
    }

    /// "`left` has `a` dimensions, `right` has `b`".
    pub(crate) fn dimensions(left: &str, a: usize, right: &str, b: usize) -> Self {
        Self::Mismatch {
            left: left.into(),
            left_is: format!("{a}-dimensional"),
            right: right.into(),
            right_is: format!("{b}-dimensional"),
        }
    }
}

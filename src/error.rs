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
    /// The operating system refused a request.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried, a verb such as "read".
        action: &'static str,
        /// File or folder of the request.
        path: PathBuf,
        /// The system's error. The field is not called `source`, which would print it twice in a chain of causes.
        cause: io::Error,
    },
    /// A file that cannot be used: a pipe, a device, too large. Unlike [`Error::Io`], the error would come again.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why it cannot be used.
        reason: String,
    },
    /// A picture whose bytes changed during the run.
    #[error("{picture} changed during the run; run it again")]
    Changed {
        /// Path or id of the picture.
        picture: String,
    },
    /// A table that cannot be used as it is.
    #[error("{}{}: {reason}", path.display(), line.map(|l| format!(", line {l}")).unwrap_or_default())]
    Table {
        /// File of the table.
        path: PathBuf,
        /// Line of the problem, from 1; `None` if it concerns the whole table.
        line: Option<u64>,
        /// What is wrong.
        reason: String,
    },
    /// A table without a required column.
    #[error("{} has no column `{column}`; its columns are: {}", path.display(), found.join(", "))]
    MissingColumn {
        /// File of the table.
        path: PathBuf,
        /// The required column.
        column: String,
        /// The columns that the table has.
        found: Vec<String>,
    },
    /// A folder that is not a dataset, or a dataset without a required part.
    #[error("{}: {reason}", path.display())]
    Dataset {
        /// Folder or file of the dataset.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// Bytes that are not a picture tuwen can use.
    #[error("{reason}")]
    Picture {
        /// Why the picture cannot be used; the caller knows its path.
        reason: String,
    },
    /// A file that is not a complete artifact of this program.
    #[error("{} is not a usable artifact: {reason}", path.display())]
    Artifact {
        /// File of the artifact.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file of network weights that is missing or belongs to something else.
    #[error("weights {}: {reason}", path.display())]
    Weights {
        /// File of the weights.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// A network that could not be trained or run.
    #[error("{0}")]
    Network(String),
    /// Something that this build of the program leaves out.
    #[error(
        "{what}: this program was built without the feature `{feature}`; cargo build --release --features {feature}"
    )]
    NotBuilt {
        /// What was asked for.
        what: &'static str,
        /// Cargo feature that includes it.
        feature: &'static str,
    },
    /// Two stages that were not made for each other.
    #[error("mismatch: {left} is {left_is}, but {right} is {right_is}")]
    Mismatch {
        /// One side, such as "the codebook".
        left: String,
        /// What it is, such as "128-dimensional".
        left_is: String,
        /// The other side.
        right: String,
        /// What that is.
        right_is: String,
    },
    /// Too little to learn from.
    #[error("{what}: {needed} needed, {found} found")]
    TooFew {
        /// The things that are counted, in the plural.
        what: String,
        /// Smallest number that suffices.
        needed: usize,
        /// Number that there are.
        found: usize,
    },
    /// A recipe that cannot be read or asks for something impossible.
    #[error("recipe {}: {reason}", path.display())]
    Recipe {
        /// File of the recipe.
        path: PathBuf,
        /// What is wrong, with the key.
        reason: String,
    },
    /// A decomposition that did not converge, a value that is not finite, or settings that allow no result.
    #[error("{what}: {reason}")]
    Numeric {
        /// The computation.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A question that asks nothing, or something that cannot be answered.
    #[error("{reason}")]
    Query {
        /// Why, and what to do.
        reason: String,
    },
    /// A filter that cannot be read.
    #[error(
        "filter, character {position}: found {found}, expected {expected}; the fields are: {fields}"
    )]
    Filter {
        /// Characters before it, and one.
        position: usize,
        /// What is there.
        found: String,
        /// What could be there.
        expected: String,
        /// All fields that a filter knows.
        fields: String,
    },
    /// More pictures cannot be read than the recipe allows.
    #[error(
        "{bad} pictures cannot be used and the recipe allows {allowed} (max_bad_images); -v lists them all"
    )]
    TooManyBadImages {
        /// Number of pictures that cannot be used.
        bad: usize,
        /// Number that the recipe allows.
        allowed: usize,
    },
    /// An error of OpenCV.
    #[error("OpenCV: {reason}")]
    OpenCv {
        /// OpenCV's message.
        reason: String,
    },
    /// An error of FAISS.
    #[error("FAISS: {reason}")]
    Faiss {
        /// FAISS's message.
        reason: String,
    },
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
    /// Whether the error only says that something is missing: weights, or imported vectors.
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Io { cause, .. } => cause.kind() == io::ErrorKind::NotFound,
            Self::Weights { path, .. } => !path.exists(),
            Self::NotBuilt { .. } => true,
            _ => false,
        }
    }

    /// Whether the error may be gone the next time, so that nothing must be stored because of it.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Changed { .. })
    }

    /// The error of all that wants a network that is trained here, where the program was built without them.
    #[cfg(not(feature = "train"))]
    pub(crate) fn untrained() -> Self {
        Self::NotBuilt {
            what: "a network that is trained here",
            feature: "train",
        }
    }

    /// Converts an I/O error, for `map_err`: `.map_err(Error::io("read", path))`.
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

    /// A folder that is not a dataset, or lacks what is asked for.
    pub fn dataset(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
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

    /// A mismatch: "`left` is `a`-dimensional, but `right` is `b`-dimensional".
    pub(crate) fn dimensions(left: &str, a: usize, right: &str, b: usize) -> Self {
        Self::Mismatch {
            left: left.into(),
            left_is: format!("{a}-dimensional"),
            right: right.into(),
            right_is: format!("{b}-dimensional"),
        }
    }
}

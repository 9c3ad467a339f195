//! The methods that find copies, to choose from.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::index::Index;
use super::pairs::PairsParams;
use super::vectors::VectorsParams;
use super::words::WordsParams;
use crate::error::Result;
use crate::progress::Progress;

/// A method and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MethodParams {
    /// Visual words in an inverted file, verified by geometry.
    Words(WordsParams),
    /// Keypoints of every picture against the query's.
    Pairs(PairsParams),
    /// One vector per picture.
    Vectors(Box<VectorsParams>),
}

impl MethodParams {
    /// Builds the index of some picture files; see [`Index::build`].
    pub fn index(
        &self,
        files: &[PathBuf],
        background: &[PathBuf],
        folder: &Path,
        progress: &dyn Progress,
        bad: &mut Vec<String>,
    ) -> Result<Index> {
        match self {
            Self::Words(p) => Index::build(p, files, background, folder, progress, bad),
            Self::Pairs(p) => Index::build(p, files, background, folder, progress, bad),
            Self::Vectors(p) => Index::build(p.as_ref(), files, background, folder, progress, bad),
        }
    }
}

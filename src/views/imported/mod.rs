//! Vectors that another program made, one per picture, looked up by the picture's id.
//!
//! | file | what it holds | ids |
//! |---|---|---|
//! | `.npy` | n×d, float 16, 32 or 64 | a text file, one id a line, in the order of the rows |
//! | `.safetensors` | the same as a tensor, bfloat 16 too; `tensor` names it where there are several | the same |
//! | `.jsonl` | a line per picture: `{"id": "a.jpg", "vector": [0.1, …]}` | in the lines |
//!
//! Nothing is learned, so that it is the user's to see to it that the vectors owe nothing to the test pairs.

mod formats;

pub use crate::npy::write as write_npy;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use half::f16;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::{Feature, ImageView, Shown};
use crate::artifact::{Artifact, Fingerprint};
use crate::error::{Error, Result};
use crate::picture::Picture;

/// A file of vectors. Paths are from the current folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportedParams {
    /// `.npy`, `.safetensors` or `.jsonl`.
    pub path: PathBuf,
    /// The ids of the rows, one a line; a `.jsonl` file has its own.
    #[serde(default)]
    pub ids: Option<PathBuf>,
    /// Which tensor of a `.safetensors` file.
    #[serde(default)]
    pub tensor: Option<String>,
    /// Scales every vector to unit length, as those of the other views are.
    #[serde(default = "yes")]
    pub normalize: bool,
}

fn yes() -> bool {
    true
}

/// What was read.
struct Imported {
    path: PathBuf,
    /// n×d
    vectors: Array2<f32>,
    /// Row of each id.
    rows: BTreeMap<String, usize>,
}

impl Feature for ImportedParams {
    fn files(&self) -> Result<Vec<(&'static str, Fingerprint)>> {
        let mut files = vec![("vectors", Fingerprint::of_file(&self.path)?)];
        if let Some(ids) = &self.ids {
            files.push(("ids", Fingerprint::of_file(ids)?));
        }
        Ok(files)
    }

    fn fit(&self, artifact: Artifact, _: &[Picture], _: u64) -> Result<Artifact> {
        self.read()?; // says what is wrong with the files before hours of other views
        Ok(artifact)
    }

    /// # Errors
    /// [`Error::Io`] for a file that cannot be read, [`Error::Table`] for one that is not as it should be: ids
    /// that are not as many as rows, an id twice, a value that is not finite.
    fn load(&self, _: &Artifact) -> Result<Box<dyn ImageView>> {
        Ok(Box::new(self.read()?))
    }
}

impl ImportedParams {
    fn read(&self) -> Result<Imported> {
        let formats::Vectors { ids, mut x } = formats::read(self)?;
        let wrong = |row: usize, reason: &str| Error::Table {
            path: self.path.clone(),
            line: None,
            reason: format!("the vector of `{}` {reason}", ids[row]),
        };
        for (i, mut row) in x.outer_iter_mut().enumerate() {
            if row.iter().any(|v| !v.is_finite()) {
                return Err(wrong(i, "holds a value that is not finite"));
            }
            if self.normalize {
                // In f64, where no square of an f32 overflows.
                let square: f64 = row.iter().map(|&v| f64::from(v).powi(2)).sum();
                if square > 0.0 {
                    row.mapv_inplace(|v| (f64::from(v) / square.sqrt()) as f32);
                }
            }
            // Wide vectors are kept in half precision until they are projected.
            if row.iter().any(|v| v.abs() > f16::MAX.to_f32()) {
                return Err(wrong(
                    i,
                    "goes beyond ±65504: scale the vectors, or let `normalize` do it",
                ));
            }
        }
        let mut rows = BTreeMap::new();
        for (i, id) in ids.iter().enumerate() {
            if rows.insert(id.clone(), i).is_some() {
                return Err(Error::Table {
                    path: self.ids.as_ref().unwrap_or(&self.path).clone(),
                    line: Some(i as u64 + 1),
                    reason: format!("duplicate id `{id}`"),
                });
            }
        }
        Ok(Imported {
            path: self.path.clone(),
            vectors: x,
            rows,
        })
    }
}

impl ImageView for Imported {
    fn dim(&self) -> usize {
        self.vectors.ncols()
    }

    fn describe(&self, Shown { name, .. }: Shown) -> Result<Array1<f32>> {
        let row = self.rows.get(name).ok_or_else(|| {
            let file = self.path.file_name().map(Path::new).unwrap_or(&self.path);
            Error::picture(format!("{} has no vector for `{name}`", file.display()))
        })?;
        Ok(self.vectors.row(*row).to_owned())
    }
}

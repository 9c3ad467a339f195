//! Files of weights: the names, shapes and values of tensors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::Array1;
use safetensors::SafeTensors;

use super::tensor::Tensor;
use super::torch;
use crate::artifact::floats;
use crate::error::{Error, Result};
use crate::files;

/// Largest file in bytes: networks that run here are smaller.
const MOST_BYTES: u64 = 8 << 30;

/// The tensors of a network by name.
pub struct Weights {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
}

impl Weights {
    /// Collects tensors; `path` is the file that error messages name.
    pub fn new(path: impl Into<PathBuf>, tensors: BTreeMap<String, Tensor>) -> Self {
        Self {
            path: path.into(),
            tensors,
        }
    }

    /// Reads `.safetensors`, or the format of PyTorch before 1.6 (`.pth`).
    ///
    /// # Errors
    /// [`Error::Io`] if there is no such file, [`Error::File`] if it is not a regular file, [`Error::Weights`] if
    /// it has neither format.
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_bytes(path, &files::read(path, MOST_BYTES)?)
    }

    /// Reads the contents of such a file; integer tensors are left out.
    ///
    /// # Errors
    /// [`Error::Weights`] if the bytes have neither format.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        let tensors = if torch::is_legacy(bytes) {
            torch::read(bytes)
        } else {
            safetensors(bytes)
        };
        let tensors = tensors.map_err(|reason| Error::weights(path, reason))?;
        Ok(Self::new(path, tensors))
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    #[cfg(feature = "deep")]
    pub(super) fn into_tensors(self) -> impl Iterator<Item = (String, Tensor)> {
        self.tensors.into_iter()
    }

    /// The tensor `name`, which must have this shape and finite values.
    ///
    /// # Errors
    /// [`Error::Weights`] if the tensor is missing or different.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<&Tensor> {
        let wrong = |reason| Error::weights(&self.path, reason);
        let tensor = self
            .tensors
            .get(name)
            .ok_or_else(|| wrong(format!("it has no tensor `{name}`")))?;
        if tensor.shape() != shape {
            return Err(wrong(format!(
                "`{name}` has shape {:?}, expected {shape:?}",
                tensor.shape()
            )));
        }
        if tensor.iter().any(|v| !v.is_finite()) {
            return Err(wrong(format!("`{name}` holds a value that is not finite")));
        }
        Ok(tensor)
    }

    pub(super) fn vector(&self, name: &str, len: usize) -> Result<Array1<f32>> {
        Ok(self.get(name, &[len])?.iter().copied().collect())
    }
}

fn safetensors(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, String> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|e| format!("neither a safetensors file nor one of PyTorch before 1.6: {e}"))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        let Some(values) = floats(view.dtype(), view.data()) else {
            continue;
        };
        let tensor = Tensor::from_shape_vec(view.shape(), values).map_err(|e| e.to_string())?;
        tensors.insert(name.to_owned(), tensor);
    }
    Ok(tensors)
}

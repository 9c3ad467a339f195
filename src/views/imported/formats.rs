//! The three formats, to ids and rows.

use std::path::Path;

use ndarray::Array2;
use safetensors::SafeTensors;
use serde::Deserialize;

use super::ImportedParams;
use crate::artifact::floats;
use crate::error::{Error, Result};
use crate::files;
use crate::npy;

/// What a file holds.
pub struct Vectors {
    /// n of them.
    pub ids: Vec<String>,
    /// n×d, in the order of the ids.
    pub x: Array2<f32>,
}

/// Reads the vectors and their ids; there are as many of one as of the other.
pub fn read(params: &ImportedParams) -> Result<Vectors> {
    let path = &params.path;
    let bytes = files::read(path, files::ANY_SIZE)?;
    let wrong = |reason: String| wrong(path, None, reason);
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    let x = match extension {
        "npy" => npy::read(&bytes).map_err(wrong)?,
        "safetensors" => safetensors(&bytes, params.tensor.as_deref()).map_err(wrong)?,
        "jsonl" => return jsonl(params, &bytes),
        _ => {
            return Err(wrong(
                "vectors are read from .npy, .safetensors and .jsonl files".into(),
            ));
        }
    };
    let Some(ids_path) = &params.ids else {
        return Err(wrong(
            "no ids for its rows: set `ids` to a text file with one id per line".into(),
        ));
    };
    let ids = ids(ids_path)?;
    if ids.len() != x.nrows() {
        return Err(Error::Mismatch {
            left: path.display().to_string(),
            left_is: format!("{} rows long", x.nrows()),
            right: ids_path.display().to_string(),
            right_is: format!("{} ids long", ids.len()),
        });
    }
    not_empty(path, Vectors { ids, x })
}

fn wrong(path: &Path, line: Option<usize>, reason: String) -> Error {
    Error::Table {
        path: path.to_owned(),
        line: line.map(|l| l as u64),
        reason,
    }
}

fn not_empty(path: &Path, vectors: Vectors) -> Result<Vectors> {
    if vectors.x.is_empty() {
        return Err(wrong(path, None, "it holds no vectors".into()));
    }
    Ok(vectors)
}

/// One id a line; empty lines at the end do not count.
fn ids(path: &Path) -> Result<Vec<String>> {
    let bytes = files::read(path, files::ANY_SIZE)?;
    let text = String::from_utf8(bytes).map_err(|_| wrong(path, None, "it is not UTF-8".into()))?;
    let text = text.trim_start_matches('\u{feff}').trim_end();
    let ids: Vec<String> = text.lines().map(|l| l.trim().to_owned()).collect();
    match ids.iter().position(String::is_empty) {
        Some(i) => Err(wrong(path, Some(i + 1), "no id in this line".into())),
        None => Ok(ids),
    }
}

fn safetensors(bytes: &[u8], name: Option<&str>) -> Result<Array2<f32>, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let mut names: Vec<&str> = file.names();
    names.sort_unstable();
    let name = match (name, names.as_slice()) {
        (Some(name), _) => name,
        (None, &[only]) => only,
        (None, _) => {
            return Err(format!(
                "`tensor` must say which it is: {}",
                names.join(", ")
            ));
        }
    };
    let tensor = file.tensor(name).map_err(|_| {
        format!(
            "it has no tensor `{name}`; its tensors are: {}",
            names.join(", ")
        )
    })?;
    let &[n, d] = tensor.shape() else {
        return Err(format!(
            "tensor `{name}` has shape {:?}, expected two axes",
            tensor.shape()
        ));
    };
    let dtype = tensor.dtype();
    let values = floats(dtype, tensor.data())
        .ok_or_else(|| format!("tensor `{name}` is of {dtype:?}, not of floats"))?;
    Array2::from_shape_vec((n, d), values).map_err(|e| e.to_string())
}

/// A picture in a `.jsonl` file. The other names are those of Chinese-CLIP's `extract_features.py`.
#[derive(Deserialize)]
struct Line {
    #[serde(alias = "image_id")]
    id: Id,
    #[serde(alias = "features", alias = "feature")]
    vector: Vec<f32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(i64),
}

fn jsonl(params: &ImportedParams, bytes: &[u8]) -> Result<Vectors> {
    let path = &params.path;
    if params.ids.is_some() {
        let reason = "it has the ids in its lines, and takes no `ids` file";
        return Err(wrong(path, None, reason.into()));
    }
    let mut ids = Vec::new();
    let mut values = Vec::new();
    let mut dim = None;
    for (i, line) in bytes.split(|&b| b == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let wrong = |reason| wrong(path, Some(i + 1), reason);
        let line: Line = serde_json::from_slice(line).map_err(|e| wrong(e.to_string()))?;
        let dim = *dim.get_or_insert(line.vector.len());
        if line.vector.len() != dim {
            let found = line.vector.len();
            return Err(wrong(format!("{found} values, {dim} in the lines before")));
        }
        ids.push(match line.id {
            Id::Text(id) => id,
            Id::Number(id) => id.to_string(),
        });
        values.extend(line.vector);
    }
    let x = Array2::from_shape_vec((ids.len(), dim.unwrap_or(0)), values)
        .expect("lines of the same length");
    not_empty(path, Vectors { ids, x })
}

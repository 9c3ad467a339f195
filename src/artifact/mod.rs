//! The one on-disk format: [safetensors](https://huggingface.co/docs/safetensors), which NumPy,
//! PyTorch and candle read too, with what the file was made from in its metadata.
//!
//! The metadata holds one key, `tuwen`, whose value is the JSON of [`Header`]. (One key, because
//! safetensors keeps its metadata in a hash map and files must be the same bytes for the same inputs.)
//! [`Spec::fingerprint`] covers all that determines an artifact: a file whose fingerprint is the wanted
//! one is fresh, any other is rebuilt under its own name, and the two are never mixed.
//!
//! A file is written under a temporary name, synced and renamed, so that it is whole or absent.

mod bundle;
mod bytes;
mod made_from;
mod matrix;
mod store;

pub use bundle::{Bundle, PartSize};
pub use made_from::{Fingerprint, Spec, Stage};
pub use matrix::Matrix;
pub use store::Store;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use half::{bf16, f16};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use safetensors::tensor::{Dtype, SafeTensors, View};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use self::bytes::Bytes;
use crate::error::{Error, Result};
use crate::files;
use crate::timing;

/// Raised when the layout of any artifact changes.
pub const SCHEMA: u32 = 1;
const KEY: &str = "tuwen";
/// Tensors of so many bytes are digested by all threads.
const LARGE: usize = 1 << 20;
/// Parts within parts, of ensembles of fusions over fusions.
const MAX_NESTING: usize = 16;
/// safetensors caps its own header at 100 MB.
const MAX_HEADER: u64 = 100_000_000;

/// The metadata of an artifact file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the layout, [`SCHEMA`].
    pub schema: u32,
    /// What the artifact was made from.
    pub spec: Spec,
    /// What the stage found out and later readers need: chosen settings, vocabularies, unusable items.
    pub notes: serde_json::Value,
    /// Digest of all the rest, so that a flipped bit is noticed.
    pub content: Fingerprint,
}

/// A tensor as bytes, little-endian, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Bytes,
}

impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Element types that artifacts hold.
pub trait Element: bytemuck::Pod {
    /// The type's name in safetensors.
    const DTYPE: Dtype;
    /// Appends the value, little-endian.
    fn push(self, out: &mut Vec<u8>);
    /// Reads a value from as many bytes as it takes.
    fn pull(bytes: &[u8]) -> Self;
}

macro_rules! element {
    ($($t:ty => $d:ident),*) => {$(
        impl Element for $t {
            const DTYPE: Dtype = Dtype::$d;
            fn push(self, out: &mut Vec<u8>) { out.extend_from_slice(&self.to_le_bytes()) }
            fn pull(bytes: &[u8]) -> Self { Self::from_le_bytes(bytes.try_into().expect("chunk of the element's size")) }
        }
    )*};
}
element!(u8 => U8, u32 => U32, u64 => U64, f16 => F16, f32 => F32, f64 => F64);

/// Little-endian floats of any width, in single precision; nothing for other types.
pub(crate) fn floats(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    fn each<const N: usize>(bytes: &[u8], number: fn([u8; N]) -> f32) -> Vec<f32> {
        let (chunks, _) = bytes.as_chunks();
        chunks.iter().map(|&c| number(c)).collect()
    }
    Some(match dtype {
        Dtype::F16 => each(bytes, |b| f16::from_le_bytes(b).to_f32()),
        Dtype::BF16 => each(bytes, |b| bf16::from_le_bytes(b).to_f32()),
        Dtype::F32 => each(bytes, f32::from_le_bytes),
        Dtype::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        _ => return None,
    })
}

/// An artifact in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// What it was made from.
    pub spec: Spec,
    /// What later readers need besides the tensors.
    pub notes: serde_json::Value,
    tensors: BTreeMap<String, Tensor>,
}

impl Artifact {
    /// An artifact without notes and tensors.
    pub fn new(spec: Spec) -> Self {
        Self {
            spec,
            notes: serde_json::Value::Null,
            tensors: BTreeMap::new(),
        }
    }

    /// Replaces the notes.
    pub fn with_notes(mut self, notes: &impl Serialize) -> Self {
        self.notes = serde_json::to_value(notes).expect("notes are plain data");
        self
    }

    fn insert<'a, T: Element + 'a>(
        mut self,
        name: &str,
        shape: &[usize],
        values: impl Iterator<Item = &'a T>,
    ) -> Self {
        let mut bytes = Vec::with_capacity(shape.iter().product::<usize>() * size_of::<T>());
        values.for_each(|v| v.push(&mut bytes));
        let tensor = Tensor {
            dtype: T::DTYPE,
            shape: shape.to_vec(),
            bytes: Bytes::Owned(bytes),
        };
        self.tensors.insert(name.to_owned(), tensor);
        self
    }

    /// Adds a matrix.
    pub fn with_matrix<T: Element>(self, name: &str, m: ArrayView2<T>) -> Self {
        self.insert(name, m.shape(), m.iter())
    }

    /// Adds a vector.
    pub fn with_vector<T: Element>(self, name: &str, v: ArrayView1<T>) -> Self {
        self.insert(name, v.shape(), v.iter())
    }

    /// Takes another artifact in: its tensors under `name/`, what stage it is of, and its notes.
    pub fn with_part(mut self, name: &str, part: Self) -> Self {
        let stage = ArrayView1::from(part.spec.stage.as_bytes());
        self = self.with_vector(&format!("{name}.stage"), stage);
        if !part.notes.is_null() {
            let notes = serde_json::to_vec(&part.notes).expect("notes are plain data");
            self = self.with_vector(&format!("{name}.notes"), ArrayView1::from(&notes));
        }
        let named = |(n, t)| (format!("{name}/{n}"), t);
        self.tensors.extend(part.tensors.into_iter().map(named));
        self
    }

    /// Whether [`Self::with_part`] took a part of this name in.
    pub fn has_part(&self, name: &str) -> bool {
        self.tensors.contains_key(&format!("{name}.stage"))
    }

    /// What [`Self::with_part`] took in.
    pub fn part(&self, name: &str) -> Result<Self> {
        let stage = self.vector::<u8>(&format!("{name}.stage"))?;
        let prefix = format!("{name}/");
        let tensors = self.tensors.iter().filter_map(|(n, t)| {
            let n = n.strip_prefix(&prefix)?;
            Some((n.to_owned(), t.clone()))
        });
        let notes = match self.vector::<u8>(&format!("{name}.notes")) {
            Ok(bytes) => serde_json::from_slice(&bytes.to_vec())
                .map_err(|e| self.wrong(format!("the notes of `{name}`: {e}")))?,
            Err(_) => serde_json::Value::Null,
        };
        Ok(Self {
            spec: Spec {
                stage: String::from_utf8_lossy(&stage.to_vec()).into_owned(),
                ..self.spec.clone()
            },
            notes,
            tensors: tensors.collect(),
        })
    }

    /// Name, element type and shape of every tensor.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, String, &[usize])> {
        self.tensors
            .iter()
            .map(|(n, t)| (n.as_str(), format!("{:?}", t.dtype), t.shape.as_slice()))
    }

    fn get<T: Element, const DIMS: usize>(&self, name: &str) -> Result<(&Bytes, [usize; DIMS])> {
        let t = self
            .tensors
            .get(name)
            .ok_or_else(|| self.wrong(format!("it has no tensor `{name}`")))?;
        let wrong = || {
            let (is, shape, wanted) = (t.dtype, &t.shape, T::DTYPE);
            self.wrong(format!(
                "tensor `{name}` is {is:?} {shape:?}, expected {wanted:?} with {DIMS} axes"
            ))
        };
        let shape = t.shape.as_slice().try_into().map_err(|_| wrong())?;
        match t.dtype == T::DTYPE {
            true => Ok((&t.bytes, shape)),
            false => Err(wrong()),
        }
    }

    pub(crate) fn wrong(&self, reason: String) -> Error {
        Error::artifact(format!("<{}>", self.spec.stage), reason)
    }

    /// The matrix of a name.
    ///
    /// # Errors
    /// [`Error::Artifact`] if there is none of this name and type.
    pub fn matrix<T: Element>(&self, name: &str) -> Result<Array2<T>> {
        let (bytes, shape) = self.get::<T, 2>(name)?;
        Array2::from_shape_vec(shape, pulled(bytes)).map_err(|e| self.wrong(e.to_string()))
    }

    /// The matrix of a name, left where it lies.
    ///
    /// # Errors
    /// As [`Self::matrix`].
    pub fn kept_matrix<T: Element>(&self, name: &str) -> Result<Matrix<T>> {
        let (bytes, shape) = self.get::<T, 2>(name)?;
        Matrix::new(bytes, shape).ok_or_else(|| self.wrong(format!("`{name}` is cut short")))
    }

    /// The vector of a name.
    ///
    /// # Errors
    /// [`Error::Artifact`] if there is none of this name and type.
    pub fn vector<T: Element>(&self, name: &str) -> Result<Array1<T>> {
        let (bytes, _) = self.get::<T, 1>(name)?;
        Ok(pulled(bytes).into())
    }

    /// A vector of one number.
    pub fn number<T: Element>(&self, name: &str) -> Result<T> {
        match self.vector(name)?.as_slice() {
            Some(&[number]) => Ok(number),
            _ => Err(self.wrong(format!("`{name}` is not one number"))),
        }
    }

    /// An error unless what was read fits together: the checksum of a file says that it is as it was written, not that
    /// a stage of this program has written it.
    pub fn require(&self, fits: bool) -> Result<()> {
        match fits {
            true => Ok(()),
            false => Err(self.wrong("its parts do not fit together".into())),
        }
    }

    /// The notes, as the type the stage wrote.
    pub fn read_notes<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(self.notes.clone()).map_err(|e| self.wrong(e.to_string()))
    }

    /// Digest of the spec, the notes and all tensors.
    pub fn content(&self) -> Fingerprint {
        let mut hash = blake3::Hasher::new();
        let header = serde_json::to_vec(&(&self.spec, &self.notes)).expect("plain data");
        hash.update(&header);
        for (name, t) in &self.tensors {
            hash.update(format!("{name} {:?} {:?}\n", t.dtype, t.shape).as_bytes());
            match t.bytes.len() < LARGE {
                true => hash.update(&t.bytes),
                false => hash.update_rayon(&t.bytes),
            };
        }
        Fingerprint::of_hash(hash.finalize())
    }

    /// Writes the file whole or not at all.
    pub fn write(&self, path: &Path) -> Result<()> {
        timing::ARTIFACTS.time(|| self.write_untimed(path))
    }

    fn write_untimed(&self, path: &Path) -> Result<()> {
        let header = Header {
            schema: SCHEMA,
            spec: self.spec.clone(),
            notes: self.notes.clone(),
            content: self.content(),
        };
        write_tensors(path, &header, &self.tensors)
    }

    /// Reads a file and verifies it: it is ours, of this schema, and not a bit of it has changed.
    pub fn read(path: &Path) -> Result<Self> {
        timing::ARTIFACTS.time(|| Self::read_untimed(path))
    }

    fn read_untimed(path: &Path) -> Result<Self> {
        let bytes = files::read(path, files::ANY_SIZE)?;
        let bad = |reason: String| Error::artifact(path, reason);
        let (_, meta) = SafeTensors::read_metadata(&bytes).map_err(|e| bad(e.to_string()))?;
        let header = parse_header(path, meta.metadata())?;
        let st = SafeTensors::deserialize(&bytes).map_err(|e| bad(e.to_string()))?;
        let depth = |name: &str| name.matches('/').count();
        if st.iter().any(|(name, _)| depth(name) > MAX_NESTING) {
            return Err(bad("its parts are nested too deep".into()));
        }
        let tensors = st
            .iter()
            .map(|(name, view)| {
                let t = Tensor {
                    dtype: view.dtype(),
                    shape: view.shape().to_vec(),
                    bytes: Bytes::Owned(view.data().to_vec()),
                };
                (name.to_owned(), t)
            })
            .collect();
        let artifact = Self {
            spec: header.spec,
            notes: header.notes,
            tensors,
        };
        if artifact.content() != header.content {
            return Err(bad("its content does not match its checksum".into()));
        }
        Ok(artifact)
    }

    /// Reads `path` if it is there, whole, and made from exactly `spec`. Anything else counts as absent, and
    /// is reported.
    pub fn read_fresh(path: &Path, spec: &Spec) -> Option<Self> {
        if !path.exists() {
            return None;
        }
        match Self::read(path) {
            Ok(a) if a.spec == *spec => Some(a),
            Ok(_) => {
                tracing::info!("{}: something it was made from has changed", path.display());
                None
            }
            Err(e) => {
                tracing::warn!("{e}; rebuilding it");
                None
            }
        }
    }
}

/// The numbers of little-endian bytes.
fn pulled<T: Element>(bytes: &[u8]) -> Vec<T> {
    bytes.chunks_exact(size_of::<T>()).map(T::pull).collect()
}

fn write_tensors(path: &Path, header: &Header, tensors: &BTreeMap<String, Tensor>) -> Result<()> {
    let json = serde_json::to_string(header).expect("a header is plain data");
    let metadata = HashMap::from([(KEY.to_owned(), json)]);
    let bytes = safetensors::serialize(tensors.iter(), Some(metadata))
        .map_err(|e| Error::artifact(path, e.to_string()))?;
    files::write(path, &bytes)
}

/// Reads only the metadata of an artifact, whatever its size.
pub fn read_header(path: &Path) -> Result<Header> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let bad = |reason: &str| Error::artifact(path, reason);
    if path.is_dir() {
        return Err(bad("it is a folder"));
    }
    let mut len = [0u8; 8];
    file.read_exact(&mut len)
        .map_err(|_| bad("it is shorter than a safetensors header"))?;
    let len = u64::from_le_bytes(len);
    if len > MAX_HEADER {
        return Err(bad("it is not a safetensors file"));
    }
    let mut bytes = vec![0u8; len as usize];
    file.read_exact(&mut bytes)
        .map_err(|_| bad("it is not a safetensors file, or is cut short"))?;
    #[derive(Deserialize)]
    struct Outer {
        #[serde(rename = "__metadata__")]
        metadata: Option<HashMap<String, String>>,
    }
    let outer: Outer =
        serde_json::from_slice(&bytes).map_err(|_| bad("it is not a safetensors file"))?;
    parse_header(path, &outer.metadata)
}

fn parse_header(path: &Path, metadata: &Option<HashMap<String, String>>) -> Result<Header> {
    let json = metadata.as_ref().and_then(|m| m.get(KEY)).ok_or_else(|| {
        Error::artifact(
            path,
            "it is a safetensors file, but was not made by this program",
        )
    })?;
    let header: Header =
        serde_json::from_str(json).map_err(|e| Error::artifact(path, e.to_string()))?;
    if header.schema != SCHEMA {
        return Err(Error::artifact(
            path,
            format!("it has schema {}, this program {SCHEMA}", header.schema),
        ));
    }
    Ok(header)
}

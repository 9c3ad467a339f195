//! Several artifacts in one file that is mapped into memory: each is read, and verified, when it is first asked for.
//!
//! The file is a safetensors file as every artifact is. Its tensors are those of the parts, each named `PART/TENSOR`;
//! the header's notes hold the notes of the whole and, for each part, its spec, its notes and its digest.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use safetensors::tensor::{Dtype, SafeTensors};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::bytes::Bytes;
use super::{Artifact, Fingerprint, Header, SCHEMA, Spec, Tensor, parse_header, write_tensors};
use crate::error::{Error, Result};

/// Artifacts by name, in memory or in a mapped file.
pub struct Bundle {
    path: PathBuf,
    spec: Spec,
    notes: serde_json::Value,
    parts: BTreeMap<String, Part>,
    content: Fingerprint,
}

enum Part {
    Owned(Artifact),
    Mapped(Mapped),
}

/// A part of a file.
struct Mapped {
    file: std::sync::Arc<Mmap>,
    about: About,
    tensors: Vec<(String, Dtype, Vec<usize>, Range<usize>)>,
}

/// What the header says of a part.
#[derive(Clone, Serialize, Deserialize)]
struct About {
    spec: Spec,
    notes: serde_json::Value,
    content: Fingerprint,
}

#[derive(Serialize, Deserialize)]
struct Notes {
    whole: serde_json::Value,
    parts: BTreeMap<String, About>,
}

/// Size of a part, for people.
pub struct PartSize {
    /// Its name in the bundle.
    pub name: String,
    /// The stage that made it.
    pub stage: String,
    /// Bytes of its tensors.
    pub bytes: usize,
}

impl Bundle {
    /// Puts artifacts together. `spec` says what the whole is, `notes` what its readers need.
    pub fn new(spec: Spec, notes: &impl Serialize, parts: BTreeMap<String, Artifact>) -> Self {
        let digests: Vec<_> = parts.iter().map(|(n, a)| (n, a.content())).collect();
        let notes = serde_json::to_value(notes).expect("notes are plain data");
        Self {
            path: PathBuf::from(format!("<{}>", spec.stage)),
            content: Fingerprint::of(&(&spec, &notes, digests)),
            spec,
            notes,
            parts: parts
                .into_iter()
                .map(|(name, artifact)| (name, Part::Owned(artifact)))
                .collect(),
        }
    }

    /// Writes the file whole or not at all.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut about = BTreeMap::new();
        let mut tensors = BTreeMap::new();
        for name in self.parts.keys() {
            let part = self.part(name)?;
            about.insert(
                name.clone(),
                About {
                    content: part.content(),
                    spec: part.spec,
                    notes: part.notes,
                },
            );
            let named = |(n, t)| (format!("{name}/{n}"), t);
            tensors.extend(part.tensors.into_iter().map(named));
        }
        let notes = Notes {
            whole: self.notes.clone(),
            parts: about,
        };
        let header = Header {
            schema: SCHEMA,
            spec: self.spec.clone(),
            notes: serde_json::to_value(&notes).expect("notes are plain data"),
            content: self.content.clone(),
        };
        write_tensors(path, &header, &tensors)
    }

    /// Opens a file without reading its tensors.
    ///
    /// # Errors
    /// [`Error::Artifact`] for a file that is none of this program's, or not of this stage.
    pub fn open(path: &Path, stage: &str) -> Result<Self> {
        let bad = |reason: String| Error::artifact(path, reason);
        let file = File::open(path).map_err(Error::io("read", path))?;
        if !file.metadata().is_ok_and(|m| m.is_file()) {
            return Err(bad("it is not a regular file".into()));
        }
        // SAFETY: files are replaced by renaming, never changed in place, so that what is mapped stays as it is.
        let map = unsafe { Mmap::map(&file) }.map_err(Error::io("read", path))?;
        let not_ours = |e| bad(format!("it is not a safetensors file ({e})"));
        let (size, meta) = SafeTensors::read_metadata(&map).map_err(not_ours)?;
        let header = parse_header(path, meta.metadata())?;
        if header.spec.stage != stage {
            return Err(bad(format!(
                "it is a {}, and a {stage} is wanted",
                header.spec.stage
            )));
        }
        let Notes { whole, parts } =
            serde_json::from_value(header.notes).map_err(|e| bad(e.to_string()))?;
        let digests: Vec<_> = parts.iter().map(|(n, a)| (n, &a.content)).collect();
        if Fingerprint::of(&(&header.spec, &whole, digests)) != header.content {
            return Err(bad("its header does not match its checksum".into()));
        }
        let first = size + size_of::<u64>();
        let mut tensors: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        let all = meta.tensors();
        for (name, info) in &all {
            let (part, tensor) = name
                .split_once('/')
                .ok_or_else(|| bad(format!("its tensor `{name}` is of no part")))?;
            let range = first + info.data_offsets.0..first + info.data_offsets.1;
            if range.end > map.len() {
                return Err(bad("it is cut short".into()));
            }
            let entry = (tensor.to_owned(), info.dtype, info.shape.clone(), range);
            tensors.entry(part).or_default().push(entry);
        }
        let map = std::sync::Arc::new(map);
        let part = |(name, about): (String, About)| {
            let mapped = Mapped {
                file: map.clone(),
                about,
                tensors: tensors.get(name.as_str()).cloned().unwrap_or_default(),
            };
            (name, Part::Mapped(mapped))
        };
        Ok(Self {
            path: path.to_owned(),
            spec: header.spec,
            notes: whole,
            content: header.content,
            parts: parts.into_iter().map(part).collect(),
        })
    }

    /// The notes of the whole, as the type that was written.
    pub fn notes<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(self.notes.clone())
            .map_err(|e| Error::artifact(&self.path, e.to_string()))
    }

    /// Digest of the whole.
    pub fn content(&self) -> &Fingerprint {
        &self.content
    }

    /// What the whole was made from.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Whether there is such a part.
    pub fn has(&self, name: &str) -> bool {
        self.parts.contains_key(name)
    }

    /// A part, verified.
    ///
    /// # Errors
    /// [`Error::Artifact`] where there is none of that name or it is damaged.
    pub fn part(&self, name: &str) -> Result<Artifact> {
        let bad = |reason: String| Error::artifact(&self.path, reason);
        match self.parts.get(name) {
            None => Err(bad(format!("it has no part `{name}`"))),
            Some(Part::Owned(artifact)) => Ok(artifact.clone()),
            Some(Part::Mapped(mapped)) => {
                let artifact = mapped.read();
                if artifact.content() != mapped.about.content {
                    return Err(bad(format!(
                        "its part `{name}` does not match its checksum"
                    )));
                }
                Ok(artifact)
            }
        }
    }

    /// The parts and their sizes, by name.
    pub fn sizes(&self) -> Vec<PartSize> {
        let size = |(name, part): (&String, &Part)| {
            let (stage, bytes) = match part {
                Part::Owned(a) => (
                    &a.spec.stage,
                    a.tensors.values().map(|t| t.bytes.len()).sum(),
                ),
                Part::Mapped(m) => {
                    let lengths = m.tensors.iter().map(|(.., range)| range.len());
                    (&m.about.spec.stage, lengths.sum())
                }
            };
            PartSize {
                name: name.clone(),
                stage: stage.clone(),
                bytes,
            }
        };
        self.parts.iter().map(size).collect()
    }

    /// Verifies all parts.
    pub fn verify(&self) -> Result<()> {
        self.parts
            .keys()
            .try_for_each(|name| self.part(name).map(drop))
    }
}

impl Mapped {
    fn read(&self) -> Artifact {
        let tensor = |(name, dtype, shape, range): &(String, Dtype, Vec<usize>, Range<usize>)| {
            let tensor = Tensor {
                dtype: *dtype,
                shape: shape.clone(),
                bytes: Bytes::Mapped {
                    file: self.file.clone(),
                    range: range.clone(),
                },
            };
            (name.clone(), tensor)
        };
        Artifact {
            spec: self.about.spec.clone(),
            notes: self.about.notes.clone(),
            tensors: self.tensors.iter().map(tensor).collect(),
        }
    }
}

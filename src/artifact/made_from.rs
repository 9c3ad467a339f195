//! What an artifact was made from, and the digest that tells whether it is fresh.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::timing;

/// A BLAKE3 digest in hexadecimal, cut to 128 bits: equal means made from the same things.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Digest of bytes in memory.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::of_hash(timing::DIGEST.time_work(bytes.len() as u64, || blake3::hash(bytes)))
    }

    pub(crate) fn of_hash(hash: blake3::Hash) -> Self {
        Self(hash.to_hex()[..32].to_owned())
    }

    /// Digest of what a file holds.
    pub fn of_file(path: &Path) -> Result<Self> {
        let digest = || {
            let file = File::open(path)?;
            let mut hash = blake3::Hasher::new();
            let bytes = file.metadata()?.len();
            timing::DIGEST.time_work(bytes, || hash.update_reader(file).map(drop))?;
            Ok(Self::of_hash(hash.finalize()))
        };
        digest().map_err(Error::io("read", path))
    }

    /// Digest of anything with a canonical JSON form (no hash maps inside).
    pub fn of(value: &impl Serialize) -> Self {
        let json = serde_json::to_vec(value).expect("plain data always serialises");
        Self::of_bytes(&json)
    }

    /// The first eight digits, for file names.
    pub fn short(&self) -> &str {
        &self.0[..8]
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All that determines an artifact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// What kind of thing it is: `codebook`, `image-features`, `cca`, ...
    pub stage: String,
    /// The settings of the stage.
    pub params: serde_json::Value,
    /// What it was computed from, by name.
    pub inputs: BTreeMap<String, Fingerprint>,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Revision of the stage, which changes when it makes something else of the same things. Files call it `version`:
    /// the first revision of every stage has the name that was the version of the program before stages had their own.
    #[serde(rename = "version")]
    pub revision: String,
}

/// The name of a stage, and its revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    name: String,
    revision: String,
}

/// Of every stage as it was first.
const FIRST: &str = "0.1.0";

impl From<&str> for Stage {
    /// A stage in its first revision.
    fn from(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            revision: FIRST.to_owned(),
        }
    }
}

impl From<(&str, u32)> for Stage {
    /// A stage whose results have changed: revision 2, 3, ... What was made by an earlier one is made again.
    fn from((name, revision): (&str, u32)) -> Self {
        Self {
            name: name.to_owned(),
            revision: revision.to_string(),
        }
    }
}

impl Spec {
    /// A stage, such as `"pca"` or, in its second revision, `("pca", 2)`, with its parameters.
    pub fn new(stage: impl Into<Stage>, params: &impl Serialize, seed: u64) -> Self {
        let Stage { name, revision } = stage.into();
        Self {
            stage: name,
            params: serde_json::to_value(params).expect("parameters are plain data"),
            inputs: BTreeMap::new(),
            seed,
            revision,
        }
    }

    /// Adds something that the artifact is computed from.
    pub fn input(mut self, name: &str, fingerprint: Fingerprint) -> Self {
        self.inputs.insert(name.to_owned(), fingerprint);
        self
    }

    /// Digest of the whole spec: an artifact is fresh if it was made from an equal one.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }
}

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
    /// Version of this crate.
    pub version: String,
}

impl Spec {
    /// A spec without inputs.
    pub fn new(stage: &str, params: &impl Serialize, seed: u64) -> Self {
        Self {
            stage: stage.to_owned(),
            params: serde_json::to_value(params).expect("parameters are plain data"),
            inputs: BTreeMap::new(),
            seed,
            version: env!("CARGO_PKG_VERSION").to_owned(),
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

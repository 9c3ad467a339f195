//! Descriptions of pictures, stored under the digests of their bytes: a picture that is stored already costs
//! nothing, and one that is gone is no longer asked for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ndarray::ArrayView1;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::{Error, Result};

/// A folder of files that hold several pictures each.
pub(super) struct Store {
    folder: PathBuf,
    spec: Spec,
}

impl Store {
    /// `spec` covers everything that determines what is seen in a picture.
    pub fn new(folder: &Path, spec: Spec) -> Self {
        Self {
            folder: folder.join(spec.fingerprint().short()),
            spec,
        }
    }

    /// Reads what is stored of the wanted pictures.
    pub fn read<S: DeserializeOwned>(
        &self,
        wanted: impl Fn(&Fingerprint) -> bool,
    ) -> Result<BTreeMap<Fingerprint, S>> {
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten() {
            let path = entry.map_err(Error::io("read", &self.folder))?.path();
            if is_hidden(&path) {
                continue; // being written, or left by a run that was killed
            }
            let Some(artifact) = Artifact::read_fresh(&path, &self.spec) else {
                continue;
            };
            let seen = artifact.vector::<u8>(SEEN)?.to_vec();
            let seen: Vec<(Fingerprint, S)> =
                postcard::from_bytes(&seen).map_err(|e| Error::artifact(&path, e.to_string()))?;
            all.extend(seen.into_iter().filter(|(digest, _)| wanted(digest)));
        }
        Ok(all)
    }

    /// Adds some pictures.
    pub fn add<S: Serialize>(&self, pictures: &[(Fingerprint, S)]) -> Result<()> {
        let digests: Vec<&Fingerprint> = pictures.iter().map(|(digest, _)| digest).collect();
        let name = format!("{}.safetensors", Fingerprint::of(&digests));
        let path = self.folder.join(name);
        let seen =
            postcard::to_stdvec(pictures).map_err(|e| Error::artifact(&path, e.to_string()))?;
        Artifact::new(self.spec.clone())
            .with_vector(SEEN, ArrayView1::from(&seen))
            .write(&path)
    }
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".")
}

/// The one tensor: pairs of a digest and what was seen, in postcard's wire format
/// (<https://postcard.jamesmunns.com/wire-format>).
const SEEN: &str = "seen";

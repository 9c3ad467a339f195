//! What is kept of pictures, by the digests of their bytes: a picture that is there already costs nothing, wherever it
//! was met before.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ndarray::ArrayView1;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Artifact, Fingerprint, Spec};
use crate::error::{Error, Result};

/// A folder of files that hold several pictures each.
pub struct Store {
    folder: PathBuf,
    spec: Spec,
}

/// The one tensor: pairs of a digest and what is kept, in postcard's wire format
/// (<https://postcard.jamesmunns.com/wire-format>). Files without it have a JSON object in their notes.
const KEPT: &str = "seen";

impl Store {
    /// A store of what is made as `spec` says, in this very folder.
    pub fn new(folder: PathBuf, spec: Spec) -> Self {
        Self { folder, spec }
    }

    /// All that is kept of the pictures for which `wanted` holds. What is damaged, or made in another way, counts as
    /// absent.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder cannot be read, [`Error::Artifact`] for a file of another kind.
    pub fn read<T: DeserializeOwned>(
        &self,
        wanted: impl Fn(&Fingerprint) -> bool,
    ) -> Result<BTreeMap<Fingerprint, T>> {
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten() {
            let path = entry.map_err(Error::io("read", &self.folder))?.path();
            if is_hidden(&path) {
                continue; // being written, or left by a run that was killed
            }
            let Some(artifact) = Artifact::read_fresh(&path, &self.spec) else {
                continue;
            };
            let kept: Vec<(Fingerprint, T)> = match artifact.vector::<u8>(KEPT) {
                Ok(bytes) => postcard::from_bytes(&bytes.to_vec())
                    .map_err(|e| Error::artifact(&path, e.to_string()))?,
                Err(_) => {
                    let notes: BTreeMap<Fingerprint, T> = artifact.read_notes()?;
                    notes.into_iter().collect()
                }
            };
            all.extend(kept.into_iter().filter(|(digest, _)| wanted(digest)));
        }
        Ok(all)
    }

    /// Adds some pictures, as one file.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be written.
    pub fn add<T: Serialize>(&self, pictures: &[(Fingerprint, T)]) -> Result<()> {
        let digests: Vec<&Fingerprint> = pictures.iter().map(|(digest, _)| digest).collect();
        let name = format!("{}.safetensors", Fingerprint::of(&digests));
        let path = self.folder.join(name);
        let kept =
            postcard::to_stdvec(pictures).map_err(|e| Error::artifact(&path, e.to_string()))?;
        Artifact::new(self.spec.clone())
            .with_vector(KEPT, ArrayView1::from(&kept))
            .write(&path)
    }
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".")
}

//! What is kept of pictures, by the digests of their bytes: a picture that is there already costs nothing, and one
//! that is gone is no longer asked for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::vocabulary::Visual;
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::{Error, Result};
use crate::matching::Frame;

/// A picture's keypoints as visual words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    pub frames: Vec<Frame>,
    pub visuals: Vec<Visual>,
    /// At the working size, in pixels; 0 where it cannot be used.
    pub width: u32,
    pub height: u32,
}

/// One in a file of several.
#[derive(Serialize, Deserialize)]
struct Entry {
    digest: Fingerprint,
    width: u32,
    height: u32,
    keypoints: usize,
}

/// A folder of such files.
pub struct Store {
    folder: PathBuf,
    spec: Spec,
}

/// Of a keypoint: x, y, size, angle.
const FRAME: usize = 4;

impl Store {
    /// `spec`: of all that determines what is seen in a picture.
    pub fn new(folder: &Path, spec: Spec) -> Self {
        Self {
            folder: folder.join(spec.fingerprint().short()),
            spec,
        }
    }

    /// All that is kept.
    pub fn read(&self) -> Result<BTreeMap<Fingerprint, Seen>> {
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten() {
            let path = entry.map_err(Error::io("read", &self.folder))?.path();
            if let Some(artifact) = Artifact::read_fresh(&path, &self.spec) {
                load(&artifact, &mut all)?;
            }
        }
        Ok(all)
    }

    /// Adds some pictures.
    pub fn add(&self, pictures: &[(Fingerprint, Seen)]) -> Result<()> {
        let digests: Vec<&Fingerprint> = pictures.iter().map(|(digest, _)| digest).collect();
        let name = format!("{}.safetensors", Fingerprint::of(&digests));
        let entries = pictures.iter().map(|(digest, seen)| Entry {
            digest: digest.clone(),
            width: seen.width,
            height: seen.height,
            keypoints: seen.frames.len(),
        });
        let frames = pictures.iter().flat_map(|(_, seen)| &seen.frames);
        let frames: Vec<f32> = frames.flat_map(|f| [f.x, f.y, f.size, f.angle]).collect();
        let visuals = pictures.iter().flat_map(|(_, seen)| &seen.visuals);
        let words: Array1<u32> = visuals.clone().map(|v| v.word).collect();
        let signatures: Vec<u8> = visuals.flat_map(|v| v.signature.to_le_bytes()).collect();
        let frames = Array2::from_shape_vec((words.len(), FRAME), frames).expect("a frame a word");
        let signatures =
            Array2::from_shape_vec((words.len(), 8), signatures).expect("eight bytes a word");
        Artifact::new(self.spec.clone())
            .with_notes(&entries.collect::<Vec<_>>())
            .with_matrix("frames", frames.view())
            .with_vector("words", words.view())
            .with_matrix("signatures", signatures.view())
            .write(&self.folder.join(name))
    }
}

fn load(artifact: &Artifact, into: &mut BTreeMap<Fingerprint, Seen>) -> Result<()> {
    let entries: Vec<Entry> = artifact.read_notes()?;
    let frames = artifact.matrix::<f32>("frames")?;
    let words = artifact.vector::<u32>("words")?;
    let signatures = artifact.matrix::<u8>("signatures")?;
    let total: usize = entries.iter().map(|e| e.keypoints).sum();
    if [frames.nrows(), words.len(), signatures.nrows()] != [total; 3] {
        return Err(Error::artifact("<copies>", "its parts do not fit together"));
    }
    let mut frames = frames.outer_iter().map(|f| Frame {
        x: f[0],
        y: f[1],
        size: f[2],
        angle: f[3],
    });
    let visuals = words.iter().zip(signatures.outer_iter());
    let mut visuals = visuals.map(|(&word, bytes)| Visual {
        word,
        signature: bytes
            .iter()
            .rev()
            .fold(0, |all, &b| all << 8 | u64::from(b)),
    });
    for entry in entries {
        let seen = Seen {
            frames: frames.by_ref().take(entry.keypoints).collect(),
            visuals: visuals.by_ref().take(entry.keypoints).collect(),
            width: entry.width,
            height: entry.height,
        };
        into.insert(entry.digest, seen);
    }
    Ok(())
}

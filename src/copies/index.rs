//! The index of a folder's pictures, kept from run to run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis, concatenate};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::gallery::{Found, Gallery, Search};
use super::store::{Seen, Store};
use super::vocabulary::Vocabulary;
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::descriptor::SiftParams;
use crate::error::{Error, Result};
use crate::matching::{KeypointParams, Keypoints, Values};
use crate::picture::{Picture, PictureParams};
use crate::progress::Progress;
use crate::sampling::sample_places;

/// Settings of an index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CopiesParams {
    pub picture: PictureParams,
    pub sift: SiftParams,
    /// Visual words; fewer where there are not thirty descriptors for each.
    pub words: usize,
    /// Pictures that words are learned from, evenly spread.
    pub pictures: usize,
    pub seed: u64,
}

impl Default for CopiesParams {
    fn default() -> Self {
        Self {
            picture: PictureParams::default(),
            sift: SiftParams {
                features: 500,
                contrast_threshold: 0.01,
                ..SiftParams::default()
            },
            words: 1024,
            pictures: 1000,
            seed: 2024,
        }
    }
}

/// Pictures by their digests, ready to be searched.
pub struct Index {
    params: CopiesParams,
    vocabulary: Option<Vocabulary>,
    gallery: Gallery,
    /// The files in the order of the gallery, which is that of their digests.
    files: Vec<(Fingerprint, PathBuf)>,
}

/// Pictures that are looked at before what was seen is written.
const BLOCK: usize = 256;
/// Descriptors of a picture that are learned from, at most.
const PER_PICTURE: usize = 200;
/// Descriptors that a word is learned from, at least.
const PER_WORD: usize = 30;

impl CopiesParams {
    /// A picture's keypoints.
    fn detect(&self, bytes: &[u8]) -> Result<Keypoints> {
        let picture = Picture::decode(bytes, &self.picture)?;
        KeypointParams::Sift(self.sift.clone()).detect(&picture)
    }

    /// The index of some picture files. Words are learned from the first gallery that has enough to learn them from and
    /// stay in `folder`, with what was seen in each picture since; a smaller gallery is looked at anew each time. Files
    /// that cannot be used are named in `bad`.
    pub fn index(
        &self,
        files: &[PathBuf],
        folder: &Path,
        progress: &dyn Progress,
        bad: &mut Vec<String>,
    ) -> Result<Index> {
        let digests = digests(files, progress, bad);
        let path = folder.join("vocabulary.safetensors");
        let spec = Spec::new("copies-vocabulary", self, self.seed);
        let mut kept = Artifact::read_fresh(&path, &spec);
        let vocabulary = match &kept {
            Some(artifact) => Some(Vocabulary::load(artifact)?),
            None => self.learn(&digests)?,
        };
        if let (None, Some(learned)) = (&kept, &vocabulary)
            && learned.size() == self.words
        {
            let artifact = learned.store(Artifact::new(spec));
            artifact.write(&path)?;
            kept = Some(artifact);
        }
        let store = kept.map(|artifact| {
            let spec = Spec::new("copies", &(), 0).input("vocabulary", artifact.content());
            Store::new(folder, spec)
        });
        let mut known = store.as_ref().map_or(Ok(BTreeMap::new()), Store::read)?;
        if let Some(vocabulary) = &vocabulary {
            let new = digests.iter().filter(|(d, _)| !known.contains_key(d));
            let new: Vec<(&Fingerprint, &PathBuf)> = new.collect();
            progress.start("looking at pictures", new.len() as u64);
            for block in new.chunks(BLOCK) {
                let seen = self.see_all(vocabulary, block, progress, bad);
                if let Some(store) = &store
                    && !seen.is_empty()
                {
                    store.add(&seen)?;
                }
                known.extend(seen);
            }
            progress.finish();
        }
        let pictures = digests.keys().map(|d| known.remove(d).unwrap_or_default());
        let words = vocabulary.as_ref().map_or(0, Vocabulary::size);
        Ok(Index {
            params: self.clone(),
            gallery: Gallery::new(pictures.collect(), words),
            vocabulary,
            files: digests.into_iter().collect(),
        })
    }

    fn see_all(
        &self,
        vocabulary: &Vocabulary,
        files: &[(&Fingerprint, &PathBuf)],
        progress: &dyn Progress,
        bad: &mut Vec<String>,
    ) -> Vec<(Fingerprint, Seen)> {
        let see = |&(_, path): &(&Fingerprint, &PathBuf)| {
            let seen = read(path).and_then(|bytes| self.see(vocabulary, &bytes));
            progress.step(1);
            seen.map_err(|e| format!("{}: {e}", path.display()))
        };
        let outcomes: Vec<_> = files.par_iter().map(see).collect();
        let mut all = Vec::new();
        for ((digest, _), outcome) in files.iter().zip(outcomes) {
            match outcome {
                Ok(seen) => all.push(((*digest).clone(), seen)),
                Err(e) => bad.push(e),
            }
        }
        all
    }

    fn see(&self, vocabulary: &Vocabulary, bytes: &[u8]) -> Result<Seen> {
        let keypoints = self.detect(bytes)?;
        let Values::Sift(values) = &keypoints.values else {
            return Ok(Seen::default());
        };
        let visuals = vocabulary.see(values.view(), 1)?;
        Ok(Seen {
            visuals: visuals.into_iter().flatten().collect(),
            frames: keypoints.frames,
            width: keypoints.width,
            height: keypoints.height,
        })
    }

    /// None where the pictures have no keypoints.
    fn learn(&self, files: &BTreeMap<Fingerprint, PathBuf>) -> Result<Option<Vocabulary>> {
        let files: Vec<&PathBuf> = files.values().collect();
        let places: Vec<usize> = sample_places(files.len(), self.pictures).collect();
        let values = |&place: &usize| {
            let keypoints = read(files[place])
                .and_then(|bytes| self.detect(&bytes))
                .ok()?;
            match keypoints.values {
                Values::Sift(values) if values.nrows() > 0 => {
                    let some: Vec<usize> = sample_places(values.nrows(), PER_PICTURE).collect();
                    Some(values.select(Axis(0), &some))
                }
                _ => None,
            }
        };
        let values: Vec<Array2<f32>> = places.par_iter().filter_map(values).collect();
        let views: Vec<_> = values.iter().map(|v| v.view()).collect();
        let Ok(x) = concatenate(Axis(0), &views) else {
            return Ok(None);
        };
        let words = self.words.min(x.nrows() / PER_WORD).max(1);
        Vocabulary::fit(words, x.view(), self.seed).map(Some)
    }
}

impl Index {
    /// The file of a picture of the gallery.
    pub fn file(&self, picture: usize) -> &Path {
        &self.files[picture].1
    }

    /// The file that is the same byte for byte.
    pub fn same(&self, bytes: &[u8]) -> Option<&Path> {
        let digest = Fingerprint::of_bytes(bytes);
        let place = self.files.binary_search_by(|(d, _)| d.cmp(&digest));
        place.ok().map(|place| self.file(place))
    }

    /// What shows the same as a picture file, best first.
    pub fn search(&self, bytes: &[u8], how: Search) -> Result<Vec<Found>> {
        let keypoints = self.params.detect(bytes)?;
        match &self.vocabulary {
            Some(vocabulary) => {
                let mirrored = keypoints.mirrored();
                self.gallery
                    .search(vocabulary, &keypoints, mirrored.as_ref(), how)
            }
            None => Ok(vec![]),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(Error::io("read", path))
}

/// The files by their digests; of equal ones the first.
fn digests(
    files: &[PathBuf],
    progress: &dyn Progress,
    bad: &mut Vec<String>,
) -> BTreeMap<Fingerprint, PathBuf> {
    progress.start("checking pictures", files.len() as u64);
    let digest = |path: &PathBuf| {
        progress.step(1);
        Fingerprint::of_file(path)
    };
    let digests: Vec<Result<Fingerprint>> = files.par_iter().map(digest).collect();
    progress.finish();
    let mut found = BTreeMap::new();
    for (path, digest) in files.iter().zip(digests) {
        match digest {
            Ok(digest) => {
                found.entry(digest).or_insert_with(|| path.clone());
            }
            Err(e) => bad.push(e.to_string()),
        }
    }
    found
}

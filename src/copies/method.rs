//! The interface of a method that finds copies.

use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::{Error, Result};
use crate::matching::Comparison;
use crate::picture::{Picture, PictureParams};
use crate::progress::Progress;
use crate::sampling::sample_places;

/// A method that finds copies.
pub trait Method: Sync {
    /// What the method learns from a gallery before it describes pictures.
    type Learned: Sync;
    /// What the method keeps of a picture; the default stands for a picture that cannot be used.
    type Seen: Default + Send + Sync + Serialize + DeserializeOwned;

    /// Everything that determines what is learned and seen, apart from the pictures.
    fn spec(&self) -> Spec;

    /// The size at which pictures are compared.
    fn picture(&self) -> &PictureParams;

    /// Learns from the pictures of a gallery.
    ///
    /// # Errors
    /// [`Error::TooFew`] if nothing can be learned from these pictures.
    fn learn(&self, spec: Spec, pictures: &Pictures) -> Result<Artifact>;

    /// Reads what [`Self::learn`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`] if parts are missing or do not fit together.
    fn load(&self, artifact: &Artifact) -> Result<Self::Learned>;

    /// Whether a gallery of so many pictures was large enough to learn from, so that the result may be kept and
    /// used for other pictures too.
    fn is_settled(&self, learned: &Self::Learned, pictures: usize) -> bool;

    /// Describes a picture at its working size.
    fn see(&self, learned: &Self::Learned, picture: &Picture) -> Result<Self::Seen>;

    /// Builds a searcher over described pictures. `background` holds descriptions of pictures that have nothing to
    /// do with the queries, for methods that calibrate their scores with them; if it is empty, such methods use the
    /// gallery.
    fn searcher(
        &self,
        learned: Self::Learned,
        seen: Vec<Self::Seen>,
        background: Vec<Self::Seen>,
    ) -> Result<Box<dyn Searcher>>;
}

/// Finds similar pictures in a gallery.
pub trait Searcher: Sync + Send {
    /// Searches with a picture at its working size: pictures that show the same thing, best first.
    fn search(&self, picture: &Picture) -> Result<Vec<Found>>;

    /// Searches with the picture at index `place` of the gallery: the others that show the same thing, best first.
    fn like(&self, place: usize) -> Result<Vec<Found>>;
}

/// A picture that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its index in the gallery.
    pub picture: usize,
    /// −log10 of the expected number of equally similar pictures in a gallery of this size, if all were unrelated.
    pub score: f64,
    /// The geometric comparison of the query, or its mirror image, with the picture, if keypoints were compared.
    pub comparison: Option<Comparison>,
}

/// Sorts by falling score and keeps every picture once.
pub(super) fn best_first(found: &mut Vec<Found>) {
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.picture.cmp(&b.picture)));
    let mut known = std::collections::BTreeSet::new();
    found.retain(|f| known.insert(f.picture));
}

/// Picture files to learn from.
pub struct Pictures<'a> {
    /// The files with the digests of their bytes.
    pub(super) files: Vec<(&'a Fingerprint, &'a Path)>,
    pub(super) params: &'a PictureParams,
    pub(super) progress: &'a dyn Progress,
}

impl Pictures<'_> {
    /// Applies `of` to at most `most` pictures, evenly spread. Files that are not pictures are skipped.
    ///
    /// # Errors
    /// Those of reading, which may pass, and [`Error::File`] for a file that has changed: what is learned is kept
    /// and must not depend on either.
    pub fn sample<T: Send>(
        &self,
        most: usize,
        of: impl Fn(Picture) -> Option<T> + Sync,
    ) -> Result<Vec<T>> {
        let places: Vec<usize> = sample_places(self.files.len(), most).collect();
        self.progress
            .start("learning from pictures", places.len() as u64);
        let one = |&place: &usize| {
            let (digest, path) = self.files[place];
            let picture = open(digest, path, self.params);
            self.progress.step(1);
            match picture {
                Ok(picture) => Ok(of(picture)),
                Err(Error::Picture { .. }) => Ok(None),
                Err(e) => Err(e),
            }
        };
        let found: Result<Vec<Option<T>>> = places.par_iter().map(one).collect();
        self.progress.finish();
        Ok(found?.into_iter().flatten().collect())
    }
}

/// Decodes a file whose bytes had that digest.
///
/// # Errors
/// [`Error::Picture`] for a file that is not a picture; others if it cannot be read or has changed.
pub(super) fn open(digest: &Fingerprint, path: &Path, params: &PictureParams) -> Result<Picture> {
    let bytes = crate::picture::read(path)?;
    if Fingerprint::of_bytes(&bytes) != *digest {
        return Err(Error::File {
            path: path.to_owned(),
            reason: "it changed while it was looked at".into(),
        });
    }
    Picture::decode(&bytes, params)
}

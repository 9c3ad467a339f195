//! What a method of finding copies has to say.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::index::Index;
use super::pairs::PairsParams;
use super::vectors::VectorsParams;
use super::words::WordsParams;
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::{Error, Result};
use crate::matching::Comparison;
use crate::picture::{Picture, PictureParams};
use crate::progress::Progress;
use crate::sampling::sample_places;

/// Which method, and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MethodParams {
    Words(WordsParams),
    Pairs(PairsParams),
    Vectors(Box<VectorsParams>),
}

impl MethodParams {
    /// The index of some picture files; see [`Index::build`].
    pub fn index(
        &self,
        files: &[PathBuf],
        background: &[PathBuf],
        folder: &Path,
        progress: &dyn Progress,
        bad: &mut Vec<String>,
    ) -> Result<Index> {
        match self {
            Self::Words(p) => Index::build(p, files, background, folder, progress, bad),
            Self::Pairs(p) => Index::build(p, files, background, folder, progress, bad),
            Self::Vectors(p) => Index::build(p.as_ref(), files, background, folder, progress, bad),
        }
    }
}

/// A way to find copies.
pub trait Method: Sync {
    /// What it learns from a gallery before it looks at pictures.
    type Learned: Sync;
    /// What it keeps of a picture; the default is of one that cannot be used.
    type Seen: Default + Send + Sync + Serialize + DeserializeOwned;

    /// Of all that determines what is learned and seen, but for the pictures.
    fn spec(&self) -> Spec;

    fn picture(&self) -> &PictureParams;

    /// # Errors
    /// [`Error::TooFew`] where nothing can be learned from these pictures.
    fn learn(&self, spec: Spec, pictures: &Pictures) -> Result<Artifact>;

    fn load(&self, artifact: &Artifact) -> Result<Self::Learned>;

    /// Whether a gallery of so many pictures was enough to learn from, so that it may be used for others, too.
    fn is_settled(&self, learned: &Self::Learned, pictures: usize) -> bool;

    fn see(&self, learned: &Self::Learned, picture: &Picture) -> Result<Self::Seen>;

    /// Over pictures as they were seen. `background`: pictures that have nothing to do with the queries, for methods
    /// that judge by how alike such are; the gallery itself where there are none.
    fn searcher(
        &self,
        learned: Self::Learned,
        seen: Vec<Self::Seen>,
        background: Vec<Self::Seen>,
    ) -> Result<Box<dyn Searcher>>;
}

/// Finds what is alike among the pictures of a gallery.
pub trait Searcher: Sync + Send {
    /// What shows the same as a picture at its working size, best first.
    fn search(&self, picture: &Picture) -> Result<Vec<Found>>;

    /// What shows the same as a picture of the gallery, without it, best first.
    fn like(&self, place: usize) -> Result<Vec<Found>>;
}

/// A picture that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its place in the gallery.
    pub picture: usize,
    /// −log10 of how many pictures of such a gallery would be so alike by chance.
    pub score: f64,
    /// Of the query, or its mirror image, with the picture, where keypoints were compared.
    pub comparison: Option<Comparison>,
}

/// Best first, every picture once.
pub(super) fn best_first(found: &mut Vec<Found>) {
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.picture.cmp(&b.picture)));
    let mut known = std::collections::BTreeSet::new();
    found.retain(|f| known.insert(f.picture));
}

/// Picture files to learn from.
pub struct Pictures<'a> {
    /// With the digests of their bytes.
    pub(super) files: Vec<(&'a Fingerprint, &'a Path)>,
    pub(super) params: &'a PictureParams,
    pub(super) progress: &'a dyn Progress,
}

impl Pictures<'_> {
    /// What `of` makes of at most so many pictures, evenly spread. What is no picture is left out.
    ///
    /// # Errors
    /// Those of reading, which may not come again, and [`Error::File`] for a file that has changed: what is learned
    /// stays, and must not depend on either.
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

/// The picture of a file whose bytes had that digest.
///
/// # Errors
/// [`Error::Picture`] for what is none; others where it cannot be read or has changed.
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

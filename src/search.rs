//! Galleries: an index over the usable items of a collection, and what to answer when it has no answer.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::{Error, Result};
use crate::hubness::{asking, charged};
use crate::index::{Faiss, Flat, Hit, Index, IndexParams, best_first, recall};
use crate::scene_text::{TextGallery, Words};

/// The items of one modality of a collection, indexed.
pub struct Gallery {
    index: Faiss,
    /// Index row -> item.
    places: Vec<usize>,
    /// Items that nothing is known of, in the order of the gallery: they answer last.
    rest: Vec<usize>,
    /// What each item is charged, where they are.
    charges: Option<Array1<f32>>,
}

/// What a query gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Best first; fillers have score 0.
    pub hits: Vec<Hit>,
    /// False where the query says nothing (no known word, no keypoint): its hits are then the first items
    /// of the gallery, since any answer is as good as another.
    pub answered: bool,
}

#[derive(Serialize, Deserialize)]
struct Notes {
    ids: Vec<String>,
    faiss: Fingerprint,
}

impl Gallery {
    /// items: n×d, `charges`: n. `sample`: vectors of both modalities for an index that learns.
    pub fn build(
        params: &IndexParams,
        sample: ArrayView2<f32>,
        items: ArrayView2<f32>,
        usable: &[bool],
        charges: Option<Array1<f32>>,
    ) -> Result<Self> {
        let (places, rest): (Vec<usize>, Vec<usize>) = (0..usable.len()).partition(|&i| usable[i]);
        let indexed = indexed(items, &places, charges.as_ref());
        let index = if charges.is_some() {
            let sample = charged(sample, &Array1::zeros(sample.nrows()));
            Faiss::build(params, sample.view(), indexed.view())?
        } else {
            Faiss::build(params, sample, indexed.view())?
        };
        Ok(Self {
            index,
            places,
            rest,
            charges,
        })
    }

    /// Queries as the index wants them.
    fn asking(&self, q: ArrayView2<f32>) -> Array2<f32> {
        match self.charges {
            Some(_) => asking(q),
            None => q.to_owned(),
        }
    }

    /// The `k` best items of each query, q: n×d; all of them where the gallery has fewer. Where words are
    /// searched too, each query's text, and all items as given to [`Gallery::build`].
    pub fn answer(
        &self,
        q: ArrayView2<f32>,
        usable: &[bool],
        k: usize,
        words: Option<(&Words, ArrayView2<f32>)>,
    ) -> Result<Vec<Found>> {
        let mut found = self.index.search(self.asking(q).view(), k)?;
        for (hits, usable) in found.iter_mut().zip(usable) {
            if !usable {
                hits.clear();
            }
            hits.iter_mut().for_each(|h| h.item = self.places[h.item]);
        }
        if let Some((words, items)) = words {
            let rows = found
                .par_iter_mut()
                .zip(q.axis_iter(Axis(0)).into_par_iter());
            rows.zip(usable)
                .zip(&words.asking)
                .for_each(|(((hits, q), &usable), text)| {
                    let shared = |item: usize| {
                        let known = usable && self.places.binary_search(&item).is_ok();
                        let charge = self.charges.as_ref().map_or(0.0, |c| c[item]);
                        known.then(|| q.dot(&items.row(item)) - charge)
                    };
                    *hits = blended(hits, &words.gallery, text, shared, k);
                });
        }
        let answers = found.into_iter().zip(usable);
        Ok(answers
            .map(|(hits, &usable)| self.filled(hits, usable, k))
            .collect())
    }

    /// With items that stand for any, where there are less than `k`: an approximate index may come back with less
    /// than it has.
    fn filled(&self, mut hits: Vec<Hit>, usable: bool, k: usize) -> Found {
        let answered = usable || !hits.is_empty();
        if hits.len() < k {
            let mut others = [&self.places[..], &self.rest].concat();
            if !usable {
                others.sort_unstable();
            }
            let new: Vec<usize> = others
                .into_iter()
                .filter(|i| hits.iter().all(|h| h.item != *i))
                .take(k - hits.len())
                .collect();
            hits.extend(new.into_iter().map(|item| Hit { item, score: 0.0 }));
        }
        Found { hits, answered }
    }

    /// The share of the true k nearest that this index finds; items as given to [`Gallery::build`].
    pub fn recall(&self, items: &Array2<f32>, q: ArrayView2<f32>, k: usize) -> Result<f64> {
        let flat = Flat::new(indexed(items.view(), &self.places, self.charges.as_ref()));
        let q = self.asking(q);
        let (found, all) = (self.index.search(q.view(), k)?, flat.search(q.view(), k)?);
        Ok(recall(&found, &all))
    }

    /// Writes `path` in FAISS's format, and beside it an artifact with the ids.
    pub fn write(&self, path: &Path, spec: Spec, ids: Vec<String>) -> Result<()> {
        let dir = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
        let temporary = path.with_extension("faiss.part");
        self.index.write(&temporary)?;
        File::open(&temporary)
            .and_then(|f| f.sync_all())
            .map_err(Error::io("write", &temporary))?;
        // FAISS does not report a write that fails as it closes the file.
        if Faiss::read(&temporary, "").is_err() {
            let _ = fs::remove_file(&temporary);
            let reason = "it could not be written whole; is the disk full?";
            return Err(Error::artifact(path, reason));
        }
        let notes = Notes {
            ids,
            faiss: Fingerprint::of_file(&temporary)?,
        };
        fs::rename(&temporary, path).map_err(Error::io("write", path))?;
        let vector = |v: &[usize]| {
            v.iter()
                .map(|&i| i as u32)
                .collect::<ndarray::Array1<u32>>()
        };
        let charges = self.charges.clone().unwrap_or_default(); // none: an empty vector
        Artifact::new(spec)
            .with_notes(&notes)
            .with_vector("places", vector(&self.places).view())
            .with_vector("rest", vector(&self.rest).view())
            .with_vector("charges", charges.view())
            .write(&ids_path(path))
    }

    /// Reads what [`Gallery::write`] wrote, if it was made from `spec` and is whole.
    pub fn read_fresh(path: &Path, spec: &Spec, params: &IndexParams) -> Option<Self> {
        let artifact = Artifact::read_fresh(&ids_path(path), spec)?;
        let notes: Notes = artifact.read_notes().ok()?;
        if Fingerprint::of_file(path).ok()? != notes.faiss {
            tracing::warn!("{} is damaged; made again", path.display());
            return None;
        }
        let vector = |name: &str| -> Option<Vec<usize>> {
            let values = artifact.vector::<u32>(name).ok()?;
            Some(values.iter().map(|&i| i as usize).collect())
        };
        let charges = artifact.vector::<f32>("charges").ok()?;
        Some(Self {
            charges: (!charges.is_empty()).then_some(charges),
            index: Faiss::read(path, &params.search).ok()?,
            places: vector("places")?,
            rest: vector("rest")?,
        })
    }
}

/// The `k` best by both the shared space and the words. An item without a word in common is among the first `k`
/// only where it is among the first `k` in the shared space, so these and the matches are all there is to score.
fn blended(
    hits: &[Hit],
    gallery: &TextGallery,
    text: &str,
    shared: impl Fn(usize) -> Option<f32>,
    k: usize,
) -> Vec<Hit> {
    let mut matched: BTreeMap<usize, f32> = hits.iter().map(|h| (h.item, 0.0)).collect();
    matched.extend(gallery.matches(text).into_iter().map(|m| (m.item, m.score)));
    let score = |(item, matched)| Hit {
        item,
        score: gallery.score(shared(item), matched),
    };
    let mut hits: Vec<Hit> = matched.into_iter().map(score).collect();
    hits.sort_unstable_by(best_first);
    hits.truncate(k);
    hits
}

/// What the index holds: n×d -> usable×d, or usable×(d+1) with charges.
fn indexed(items: ArrayView2<f32>, places: &[usize], charges: Option<&Array1<f32>>) -> Array2<f32> {
    let items = items.select(Axis(0), places);
    match charges {
        Some(charges) => charged(items.view(), &charges.select(Axis(0), places)),
        None => items,
    }
}

fn ids_path(path: &Path) -> std::path::PathBuf {
    path.with_extension("safetensors")
}

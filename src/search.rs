//! Galleries: an index over the usable items of a collection, and what to answer when it has no answer.

use std::fs::{self, File};
use std::path::Path;

use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::{Error, Result};
use crate::hubness::{asking, charged};
use crate::index::{Faiss, Flat, Hit, Index, IndexParams, recall};

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

    /// The `k` best items of each query, q: n×d; all of them where the gallery has fewer.
    pub fn answer(&self, q: ArrayView2<f32>, usable: &[bool], k: usize) -> Result<Vec<Found>> {
        let hits = self.index.search(self.asking(q).view(), k)?;
        let all = || {
            let mut all = [&self.places[..], &self.rest].concat();
            all.sort_unstable();
            all
        };
        let answers = hits.into_iter().zip(usable).map(|(hits, &answered)| {
            let mut hits: Vec<Hit> = if answered {
                let place = |h: Hit| Hit {
                    item: self.places[h.item],
                    ..h
                };
                hits.into_iter().map(place).collect()
            } else {
                vec![]
            };
            if hits.len() < k {
                // An approximate index may come back with less than it has.
                let others = if answered {
                    [&self.places[..], &self.rest].concat()
                } else {
                    all()
                };
                let new: Vec<usize> = others
                    .into_iter()
                    .filter(|i| hits.iter().all(|h| h.item != *i))
                    .take(k - hits.len())
                    .collect();
                hits.extend(new.into_iter().map(|item| Hit { item, score: 0.0 }));
            }
            Found { hits, answered }
        });
        Ok(answers.collect())
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

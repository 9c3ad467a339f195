//! Galleries: an index over the usable items of a collection, and what to answer when it has no answer.

use std::collections::BTreeMap;

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;

use crate::error::Result;
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

impl Gallery {
    /// items: n×d, `charges`: n. `sample`: vectors of both modalities, which an index that learns asks for.
    ///
    /// An index is built anew from the vectors each time: FAISS trusts the files that it reads.
    pub fn build(
        params: &IndexParams,
        sample: impl FnOnce() -> Result<Array2<f32>>,
        items: ArrayView2<f32>,
        usable: &[bool],
        charges: Option<Array1<f32>>,
    ) -> Result<Self> {
        let (places, rest): (Vec<usize>, Vec<usize>) = (0..usable.len()).partition(|&i| usable[i]);
        let indexed = indexed(items, &places, charges.as_ref());
        let sample = match (params.is_exact(), &charges) {
            (true, _) => Array2::zeros((0, indexed.ncols())),
            (false, None) => sample()?,
            (false, Some(_)) => {
                let sample = sample()?;
                charged(sample.view(), &Array1::zeros(sample.nrows()))
            }
        };
        let index = Faiss::build(params, sample.view(), indexed.view())?;
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

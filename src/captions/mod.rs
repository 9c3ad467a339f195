//! Captions for pictures that have none, from those of similar pictures: nothing is made up.
//!
//! Of the training captions that are nearest to a picture in the shared space, the one is taken that agrees most with the others
//! (Devlin et al. 2015, Exploring Nearest Neighbor Approaches for Image Captioning: consensus by mutual CIDEr).

mod keywords;
pub mod metrics;

use ndarray::ArrayView1;
use rayon::prelude::*;

use crate::error::Result;
use crate::model::Captions;
use crate::text::Cutter;
pub use keywords::keywords;
use metrics::{Cider, CiderVector};

/// Settings of captions by retrieval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrievalParams {
    /// Nearest training captions among which one is chosen.
    pub candidates: usize,
    /// Other candidates that a caption has to agree with: those that it agrees with most.
    pub agreeing: usize,
}

impl Default for RetrievalParams {
    fn default() -> Self {
        Self {
            candidates: 100,
            agreeing: 50,
        }
    }
}

/// Captions pictures by those of a model.
pub struct Retrieval<'a> {
    captions: &'a Captions,
    params: RetrievalParams,
    cutter: Cutter,
    cider: Cider,
}

impl<'a> Retrieval<'a> {
    /// Cuts the training captions into words and counts how rare their n-grams are.
    ///
    /// # Errors
    /// Those of jieba's dictionary.
    pub fn new(captions: &'a Captions, params: RetrievalParams) -> Result<Self> {
        let cutter = Cutter::of(&captions.texts)?;
        let each = captions.texts.par_iter();
        let references: Vec<Vec<Vec<String>>> = each.map(|c| vec![cutter.words(c)]).collect();
        Ok(Self {
            cider: Cider::new(&references),
            captions,
            params,
            cutter,
        })
    }

    /// What cuts captions into words.
    pub fn cutter(&self) -> &Cutter {
        &self.cutter
    }

    /// A training caption.
    pub fn text(&self, row: usize) -> &str {
        &self.captions.texts[row]
    }

    /// The row of a training caption for a picture at this point of the shared space; none where there are no captions.
    pub fn caption(&self, point: ArrayView1<f32>) -> Option<usize> {
        let nearest = self.nearest(point);
        let words = |&row: &usize| self.cutter.words(&self.captions.texts[row]);
        let vectors: Vec<CiderVector> = nearest
            .iter()
            .map(|r| self.cider.vector(&words(r)))
            .collect();
        let vectors: Vec<&CiderVector> = vectors.iter().collect();
        let best = self.cider.consensus(&vectors, self.params.agreeing)?;
        Some(nearest[best])
    }

    /// Rows of the nearest captions, best first, the first of equals.
    fn nearest(&self, point: ArrayView1<f32>) -> Vec<usize> {
        let keys: Vec<u64> = (0..self.captions.texts.len() as u64).collect();
        let scores = self.captions.rows(&keys).scores(&point.to_vec());
        let mut order: Vec<usize> = (0..scores.len()).collect();
        let by_score = |&a: &usize, &b: &usize| scores[b].total_cmp(&scores[a]).then(a.cmp(&b));
        let most = self.params.candidates.min(order.len());
        if most > 0 && most < order.len() {
            order.select_nth_unstable_by(most - 1, by_score);
            order.truncate(most);
        }
        order.sort_unstable_by(by_score);
        order
    }
}

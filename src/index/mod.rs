//! Nearest neighbours in the shared space, by inner product.
//!
//! [`Flat`] is our own exact index, which tests take as the truth; [`Faiss`] is what runs use.

mod faiss;
mod flat;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

pub use self::faiss::Faiss;
pub use flat::Flat;

use crate::error::Result;

/// Settings of the index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexParams {
    /// A FAISS factory string: `Flat`, `IVF256,Flat`, `HNSW32`, `PQ32np`, ...
    /// (<https://github.com/facebookresearch/faiss/wiki/The-index-factory>).
    pub factory: String,
    /// FAISS search parameters: `nprobe=16`, `efSearch=64`; empty for FAISS's own.
    pub search: String,
    /// At most this many vectors, of both modalities, are learned from by an index that learns.
    pub sample: usize,
}

impl Default for IndexParams {
    fn default() -> Self {
        Self {
            factory: "Flat".into(),
            search: String::new(),
            sample: 100_000,
        }
    }
}

impl IndexParams {
    /// Whether its answers are exact.
    pub fn is_exact(&self) -> bool {
        self.factory == "Flat"
    }
}

/// One answer: the place of a gallery item, and its inner product with the query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Row of the item in the gallery.
    pub item: usize,
    /// Its inner product with the query.
    pub score: f32,
}

/// Best first; of equals, the one that comes first in the gallery.
pub(crate) fn best_first(a: &Hit, b: &Hit) -> std::cmp::Ordering {
    b.score.total_cmp(&a.score).then(a.item.cmp(&b.item))
}

/// Answers nearest-neighbour queries.
pub trait Index: Sync {
    /// Number of gallery items.
    fn len(&self) -> usize;

    /// Whether there is no item.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// For each row of q: n×d, at most `k` hits, best first.
    fn search(&self, q: ArrayView2<f32>, k: usize) -> Result<Vec<Vec<Hit>>>;
}

/// The share of the true `k` nearest that `found` has, averaged over queries.
pub fn recall(found: &[Vec<Hit>], truth: &[Vec<Hit>]) -> f64 {
    let share = |(f, t): (&Vec<Hit>, &Vec<Hit>)| {
        let hit = t
            .iter()
            .filter(|t| f.iter().any(|f| f.item == t.item))
            .count();
        hit as f64 / t.len().max(1) as f64
    };
    found.iter().zip(truth).map(share).sum::<f64>() / found.len().max(1) as f64
}

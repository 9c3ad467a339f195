//! The exact index: every inner product.

use ndarray::{Array2, ArrayView2, Axis};

use super::{Hit, Index, best_first};
use crate::error::{Error, Result};
use crate::linalg::matmul;

/// All vectors, compared one by one.
pub struct Flat {
    items: Array2<f32>,
}

/// Queries per block of scores: bounds the memory to BLOCK × gallery.
const BLOCK: usize = 256;

impl Flat {
    /// items: n×d.
    pub fn new(items: Array2<f32>) -> Self {
        Self { items }
    }
}

impl Index for Flat {
    fn len(&self) -> usize {
        self.items.nrows()
    }

    fn search(&self, q: ArrayView2<f32>, k: usize) -> Result<Vec<Vec<Hit>>> {
        if q.ncols() != self.items.ncols() {
            return Err(Error::dimensions(
                "the index",
                self.items.ncols(),
                "a query",
                q.ncols(),
            ));
        }
        let mut answers = Vec::with_capacity(q.nrows());
        for block in q.axis_chunks_iter(Axis(0), BLOCK) {
            let scores = matmul(block, self.items.t());
            answers.extend(scores.outer_iter().map(|row| {
                let hit = |(item, &score)| Hit { item, score };
                let mut hits: Vec<Hit> = row.iter().enumerate().map(hit).collect();
                let k = k.min(hits.len());
                if k > 0 && k < hits.len() {
                    hits.select_nth_unstable_by(k - 1, best_first);
                }
                hits.truncate(k);
                hits.shrink_to_fit(); // room for the whole gallery would stay with every answer
                hits.sort_by(best_first);
                hits
            }));
        }
        Ok(answers)
    }
}

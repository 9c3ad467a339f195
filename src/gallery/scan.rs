//! Rows with points in half precision, and their inner products with a query, straight from the mapped file.

use half::f16;
use half::slice::HalfFloatSliceExt;
use multiversion::multiversion;
use rayon::prelude::*;

/// Rows of a segment: their keys, their points and what each is charged.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    /// Rising.
    pub keys: &'a [u64],
    /// Row-major, rows × `dim`.
    pub values: &'a [f16],
    /// Dimensions of a point.
    pub dim: usize,
    /// What is taken off the score of each row; empty for nothing.
    pub charges: &'a [f32],
}

/// Rows that one thread takes at a time.
const BLOCK: usize = 256;

impl<'a> Points<'a> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The row of a key, by bisection.
    pub fn row_of(&self, key: u64) -> Option<usize> {
        self.keys.binary_search(&key).ok()
    }

    /// # Panics
    /// Where there is no such row.
    pub fn point(&self, row: usize) -> &'a [f16] {
        &self.values[row * self.dim..][..self.dim]
    }

    /// The scores of all rows. A score depends on its row alone, whatever the number of threads.
    ///
    /// # Panics
    /// If the query has other dimensions than the points.
    pub fn scores(&self, query: &[f32]) -> Vec<f32> {
        assert_eq!(query.len(), self.dim, "dimensions of a query and of points");
        let mut scores = vec![0.0; self.len()];
        scores
            .par_chunks_mut(BLOCK)
            .enumerate()
            .for_each(|(block, scores)| {
                let mut buffer = vec![0.0; self.dim];
                for (i, score) in scores.iter_mut().enumerate() {
                    *score = self.score(block * BLOCK + i, query, &mut buffer);
                }
            });
        scores
    }

    /// The scores of some rows.
    ///
    /// # Panics
    /// If the query has other dimensions than the points, or a row is not there.
    pub fn scores_of(&self, rows: &[u32], query: &[f32]) -> Vec<f32> {
        assert_eq!(query.len(), self.dim, "dimensions of a query and of points");
        let blocks = rows.par_chunks(BLOCK).map(|rows| {
            let mut buffer = vec![0.0; self.dim];
            let score = |&row: &u32| self.score(row as usize, query, &mut buffer);
            rows.iter().map(score).collect::<Vec<_>>()
        });
        blocks.flatten_iter().collect()
    }

    fn score(&self, row: usize, query: &[f32], buffer: &mut [f32]) -> f32 {
        self.point(row).convert_to_f32_slice(buffer);
        dot(buffer, query) - self.charges.get(row).copied().unwrap_or(0.0)
    }
}

/// Sums in lanes of a fixed number, so that every CPU comes to the same.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2", "aarch64+neon"))]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

//! Rows with points in half precision, and their inner products with a query, straight from the mapped file.

use half::f16;
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
                for (i, score) in scores.iter_mut().enumerate() {
                    *score = self.score(block * BLOCK + i, query);
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
        let score = |&row: &u32| self.score(row as usize, query);
        rows.par_iter().with_min_len(BLOCK).map(score).collect()
    }

    fn score(&self, row: usize, query: &[f32]) -> f32 {
        product(self.point(row), query) - self.charges.get(row).copied().unwrap_or(0.0)
    }
}

/// Numbers that are multiplied at a time. Each has a sum of its own, so that every CPU comes to the same.
const LANES: usize = 16;

/// The inner product of a point and a query.
fn product(point: &[f16], query: &[f32]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx") && is_x86_feature_detected!("f16c") {
        // SAFETY: the CPU has both.
        return unsafe { product_f16c(point, query) };
    }
    product_anywhere(point, query)
}

fn product_anywhere(point: &[f16], query: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let ((points, point), (queries, query)) =
        (point.as_chunks::<LANES>(), query.as_chunks::<LANES>());
    for (p, q) in points.iter().zip(queries) {
        for lane in 0..LANES {
            sums[lane] += p[lane].to_f32() * q[lane];
        }
    }
    sums.iter().sum::<f32>() + rest(point, query)
}

/// What is left of a point and a query after the blocks of lanes.
fn rest(point: &[f16], query: &[f32]) -> f32 {
    point.iter().zip(query).map(|(p, q)| p.to_f32() * q).sum()
}

/// Converts and multiplies in registers: half of the time went into a buffer between the two.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx,f16c")]
fn product_f16c(point: &[f16], query: &[f32]) -> f32 {
    use std::arch::x86_64::*;
    let ((points, point), (queries, query)) =
        (point.as_chunks::<LANES>(), query.as_chunks::<LANES>());
    let mut sums = [_mm256_setzero_ps(); 2];
    for (p, q) in points.iter().zip(queries) {
        for (half, sums) in sums.iter_mut().enumerate() {
            // SAFETY: both have 16 numbers, of which 8 are read.
            let (p, q) = unsafe {
                let p = p.as_ptr().add(8 * half).cast();
                (
                    _mm256_cvtph_ps(_mm_loadu_si128(p)),
                    _mm256_loadu_ps(q.as_ptr().add(8 * half)),
                )
            };
            *sums = _mm256_add_ps(*sums, _mm256_mul_ps(p, q));
        }
    }
    let mut lanes = [0.0f32; LANES];
    for (half, sums) in sums.into_iter().enumerate() {
        // SAFETY: there is room for 16 numbers, of which 8 are written.
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr().add(8 * half), sums) };
    }
    lanes.iter().sum::<f32>() + rest(point, query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_comes_to_the_same() {
        let number = |i: usize| ((i * 7919) % 1000) as f32 / 500.0 - 1.0;
        for dim in [0, 1, 15, 16, 17, 100, 1024] {
            let point: Vec<f16> = (0..dim).map(|i| f16::from_f32(number(i))).collect();
            let query: Vec<f32> = (0..dim).map(|i| number(3 * i + 1)).collect();
            let (here, anywhere) = (product(&point, &query), product_anywhere(&point, &query));
            assert_eq!(here.to_bits(), anywhere.to_bits(), "{dim} dimensions");
            let exact: f64 = point
                .iter()
                .zip(&query)
                .map(|(p, q)| p.to_f64() * f64::from(*q))
                .sum();
            assert!((f64::from(here) - exact).abs() < 1e-3, "{here} {exact}");
        }
    }
}

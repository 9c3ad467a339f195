//! Sparse rows, and the two products a truncated SVD needs of them.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

/// (column, value), columns rising.
pub type SparseRow = Vec<(u32, f32)>;

/// A sparse n×d matrix by rows, with its transpose, so that both products run over independent rows.
pub struct Csr {
    rows: Vec<SparseRow>,
    columns: Vec<SparseRow>,
}

impl Csr {
    /// `dim`: number of columns.
    pub fn new(rows: Vec<SparseRow>, dim: usize) -> Self {
        let mut columns = vec![SparseRow::new(); dim];
        for (i, row) in rows.iter().enumerate() {
            for &(j, v) in row {
                columns[j as usize].push((i as u32, v));
            }
        }
        Self { rows, columns }
    }

    /// x·b: (n×d)·(d×l).
    pub fn times(&self, b: ArrayView2<f32>) -> Array2<f32> {
        Self::rows_times(&self.rows, b)
    }

    /// xᵀ·b: (d×n)·(n×l).
    pub fn transposed_times(&self, b: ArrayView2<f32>) -> Array2<f32> {
        Self::rows_times(&self.columns, b)
    }

    /// rows·b, for b with as many rows as `rows` has columns.
    pub fn rows_times(rows: &[SparseRow], b: ArrayView2<f32>) -> Array2<f32> {
        let mut out = Array2::zeros((rows.len(), b.ncols()));
        out.axis_iter_mut(Axis(0))
            .into_par_iter()
            .zip(rows)
            .for_each(|(mut out, row)| {
                for &(j, v) in row {
                    out.scaled_add(v, &b.row(j as usize));
                }
            });
        out
    }
}

//! Sparse rows, and the products that a truncated SVD needs of them.

use std::ops::Range;

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::Operator;

/// A sparse row as (column, value), columns rising.
pub type SparseRow = Vec<(u32, f32)>;

/// A sparse n×d matrix by rows, with its transpose, so that both products run over independent rows.
pub struct Csr {
    rows: Vec<SparseRow>,
    columns: Vec<SparseRow>,
}

/// Columns of b that are multiplied at a time: few enough for the cache to hold all its rows.
const PANEL: usize = 64;
/// Rows that one thread multiplies at a time.
const ROWS: usize = 256;

impl Csr {
    /// Builds a matrix from its rows; `dim` is the number of columns, d.
    pub fn new(rows: Vec<SparseRow>, dim: usize) -> Self {
        let mut columns = vec![SparseRow::new(); dim];
        for (i, row) in rows.iter().enumerate() {
            for &(j, v) in row {
                columns[j as usize].push((i as u32, v));
            }
        }
        Self { rows, columns }
    }

    /// The product rows·b; b has a row for each column of `rows`.
    pub fn rows_times(rows: &[SparseRow], b: ArrayView2<f32>) -> Array2<f32> {
        let b = b.as_standard_layout();
        let width = b.ncols();
        let mut out = Array2::zeros((rows.len(), width));
        if width > 0 {
            let (b, out) = (b.as_slice(), out.as_slice_mut());
            let (b, out) = (b.expect("in rows"), out.expect("made in rows"));
            let out = out.par_chunks_mut(ROWS * width);
            out.zip(rows.par_chunks(ROWS))
                .for_each(|(out, rows)| multiply(rows, b, width, out));
        }
        out
    }
}

/// out += rows·b.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2+fma"))]
fn multiply(rows: &[SparseRow], b: &[f32], width: usize, out: &mut [f32]) {
    for (row, out) in rows.iter().zip(out.chunks_exact_mut(width)) {
        for &(j, v) in row {
            let b = &b[j as usize * width..][..width];
            for (o, b) in out.iter_mut().zip(b) {
                *o += v * b;
            }
        }
    }
}

impl Operator for Csr {
    fn shape(&self) -> (usize, usize) {
        (self.rows.len(), self.columns.len())
    }

    fn rows_times(&self, rows: Range<usize>, b: ArrayView2<f32>) -> Array2<f32> {
        Self::rows_times(&self.rows[rows], b)
    }

    fn square_times(&self, b: ArrayView2<f32>) -> Array2<f32> {
        let mut out = Array2::zeros((self.columns.len(), b.ncols()));
        let panels = b.axis_chunks_iter(Axis(1), PANEL).into_par_iter();
        let places = out.axis_chunks_iter_mut(Axis(1), PANEL).into_par_iter();
        places.zip(panels).for_each(|(mut place, panel)| {
            let times = Self::rows_times(&self.rows, panel);
            place.assign(&Self::rows_times(&self.columns, times.view()));
        });
        out
    }
}

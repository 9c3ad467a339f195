//! xᵀx: half the work of a product of two matrices, in tiles that threads share.

use faer::linalg::matmul::matmul as product;
use faer::traits::ComplexField;
use faer::{Accum, MatMut, Par};
use ndarray::{Array2, ArrayView2, s};
use rayon::prelude::*;

use super::{borrow, contiguous, operations};
use crate::timing;

/// Columns of a tile: enough for a fast product, few enough to distribute.
const TILE: usize = 256;

/// The element types of [`Gram`]: f32 and f64.
pub trait Number: ComplexField + ndarray::LinalgScalar + Into<f64> + Send + Sync {}
impl Number for f32 {}
impl Number for f64 {}

/// The sum of xᵀx over blocks of rows: products in the precision of the rows, sums in f64.
pub struct Gram {
    /// Number of columns of x.
    dim: usize,
    tiles: Vec<Tile>,
}

/// Products of the columns from `i` with those from `j`, where j ≤ i.
struct Tile {
    i: usize,
    j: usize,
    sum: Array2<f64>,
}

impl Gram {
    /// An empty sum for rows of `dim` numbers.
    pub fn new(dim: usize) -> Self {
        let width = |from: usize| TILE.min(dim - from);
        let below = |i: usize| (0..=i).step_by(TILE).map(move |j| (i, j));
        let tiles = (0..dim).step_by(TILE).flat_map(below);
        let tiles = tiles.map(|(i, j)| Tile {
            i,
            j,
            sum: Array2::zeros((width(i), width(j))),
        });
        Self {
            dim,
            tiles: tiles.collect(),
        }
    }

    /// Adds the rows of x: n×d.
    pub fn add<T: Number>(&mut self, x: ArrayView2<T>) {
        assert_eq!(x.ncols(), self.dim, "columns of a Gram matrix");
        let x = contiguous(x);
        let x = borrow(&x);
        self.tiles.par_iter_mut().for_each(|tile| {
            let (height, width) = tile.sum.dim();
            let (a, b) = (x.subcols(tile.i, height), x.subcols(tile.j, width));
            let mut block = Array2::<T>::zeros((height, width));
            let rows = block.as_slice_mut().expect("made in rows");
            let rows = MatMut::from_row_major_slice_mut(rows, height, width);
            timing::PRODUCTS.time_work(operations::<T>(height, x.nrows(), width), || {
                product(rows, Accum::Replace, a.transpose(), b, T::one(), Par::Seq);
            });
            tile.sum.zip_mut_with(&block, |s, &v| *s += v.into());
        });
    }

    /// The sum, d×d, symmetric to the last bit.
    pub fn finish(self) -> Array2<f64> {
        let mut out = Array2::zeros((self.dim, self.dim));
        for Tile { i, j, sum } in &self.tiles {
            let (height, width) = sum.dim();
            out.slice_mut(s![*i..i + height, *j..j + width]).assign(sum);
        }
        for i in 0..self.dim {
            for j in i + 1..self.dim {
                out[[i, j]] = out[[j, i]];
            }
        }
        out
    }
}

/// xᵀx of x: n×d, as d×d.
pub fn gram<T: Number>(x: ArrayView2<T>) -> Array2<f64> {
    let mut sum = Gram::new(x.ncols());
    sum.add(x);
    sum.finish()
}

//! Dense linear algebra whose results do not depend on the number of threads.
//!
//! Every product is cut into blocks of rows of fixed size. A block is one single-threaded product by faer, which
//! chooses its kernels for the CPU at run time; rayon distributes the blocks. Decompositions, by faer too, run on
//! one thread.

mod gram;
mod kernel_map;
mod pca;
mod sparse;
mod svd;

pub use gram::{Gram, gram};
pub use kernel_map::{KernelMap, Nystroem, NystroemParams};
pub use pca::{Pca, PcaParams};
pub use sparse::{Csr, SparseRow};
pub use svd::{Operator, Svd, orthonormal, randomized_svd, symmetric_eigen, thin_svd};

use faer::linalg::matmul::matmul as product;
use faer::traits::ComplexField;
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, CowArray, Ix2, concatenate};
use rayon::prelude::*;

use crate::timing;

/// Rows of the result per product: enough for a fast product, few enough to distribute.
const BLOCK: usize = 256;

/// Number of operations that are worth another thread: some tenths of a millisecond.
const SHARED: u64 = 1 << 25;

/// The product a·b of a: n×d and b: d×m in any layout.
pub fn matmul<T>(a: ArrayView2<T>, b: ArrayView2<T>) -> Array2<T>
where
    T: ComplexField + ndarray::LinalgScalar + Send + Sync,
{
    let mut out = Array2::zeros((a.nrows(), b.ncols()));
    product_into(&mut out, Accum::Replace, a, b);
    out
}

/// x·w + b for x: n×d, w: d×m in any layout and b: m, which is added to each row.
pub fn affine(x: ArrayView2<f32>, w: ArrayView2<f32>, b: &Array1<f32>) -> Array2<f32> {
    // in place before the product adds to it, for a pass over the result less
    let b = b.as_slice().expect("without gaps").repeat(x.nrows());
    let mut out = Array2::from_shape_vec((x.nrows(), w.ncols()), b).expect("b has w's columns");
    product_into(&mut out, Accum::Add, x, w);
    out
}

/// out += a·b for out: n×m in row-major order.
pub fn add_matmul<T>(out: &mut Array2<T>, a: ArrayView2<T>, b: ArrayView2<T>)
where
    T: ComplexField + ndarray::LinalgScalar + Send + Sync,
{
    assert_eq!(out.dim(), (a.nrows(), b.ncols()), "shape of a product");
    product_into(out, Accum::Add, a, b);
}

fn product_into<T>(out: &mut Array2<T>, accum: Accum, a: ArrayView2<T>, b: ArrayView2<T>)
where
    T: ComplexField + ndarray::LinalgScalar + Send + Sync,
{
    assert_eq!(a.ncols(), b.nrows(), "inner dimensions of a product");
    let (n, m) = out.dim();
    if n == 0 || m == 0 {
        return;
    }
    let (a, b) = (contiguous(a), contiguous(b));
    let (a, b) = (borrow(&a), borrow(&b));
    let rows = out.as_slice_mut().expect("the result is in rows");
    let each = operations::<T>(BLOCK, a.ncols(), m).max(1);
    rows.par_chunks_mut(BLOCK * m)
        .enumerate()
        .with_min_len((SHARED / each).max(1) as usize)
        .for_each(|(i, rows)| {
            let height = rows.len() / m;
            let block = a.subrows(i * BLOCK, height);
            let out = MatMut::from_row_major_slice_mut(rows, height, m);
            timing::PRODUCTS.time_work(operations::<T>(height, a.ncols(), m), || {
                product(out, accum, block, b, T::one(), Par::Seq);
            });
        });
}

/// Operations of a product of n×d and d×m; one in f64 counts as two in f32.
fn operations<T>(n: usize, d: usize, m: usize) -> u64 {
    2 * (n * d * m * size_of::<T>() / size_of::<f32>()) as u64
}

/// A row-major or column-major matrix without gaps; anything else is copied.
fn contiguous<T: Clone>(x: ArrayView2<'_, T>) -> CowArray<'_, T, Ix2> {
    if x.is_standard_layout() || x.t().is_standard_layout() {
        x.into()
    } else {
        x.as_standard_layout().into_owned().into()
    }
}

/// A contiguous matrix as faer sees it.
fn borrow<'a, T>(x: &'a CowArray<'_, T, Ix2>) -> MatRef<'a, T> {
    let (n, d) = x.dim();
    match x.as_slice() {
        Some(rows) => MatRef::from_row_major_slice(rows, n, d),
        None => {
            let columns = x.as_slice_memory_order().expect("contiguous");
            MatRef::from_column_major_slice(columns, n, d)
        }
    }
}

/// Stacks rows of one length into a matrix, n×d; 0×0 without rows.
pub fn stacked<'a>(rows: impl Iterator<Item = ArrayView1<'a, f32>>) -> Array2<f32> {
    let rows: Vec<_> = rows.map(|row| row.insert_axis(Axis(0))).collect();
    concatenate(Axis(0), &rows).unwrap_or_default()
}

/// The Euclidean norm of a vector.
pub fn norm(v: ArrayView1<f32>) -> f32 {
    v.dot(&v).sqrt()
}

/// Scales a vector to unit length; zero stays zero.
pub fn l2_normalize(mut v: ndarray::ArrayViewMut1<f32>) {
    let n = norm(v.view());
    if n > 0.0 {
        v /= n;
    }
}

/// Scales every row to unit length; zero rows stay zero.
pub fn l2_normalize_rows(m: &mut Array2<f32>) {
    m.outer_iter_mut().for_each(l2_normalize);
}

/// Replaces each entry v by sign(v)·|v|^p, which reduces the effect of bursts of one repeated pattern (Perronnin et
/// al. 2010, §3.2).
pub fn power_normalize(v: &mut Array1<f32>, p: f32) {
    if p == 0.5 {
        v.mapv_inplace(|x| x.abs().sqrt().copysign(x));
    } else if p != 1.0 {
        v.mapv_inplace(|x| x.abs().powf(p).copysign(x));
    }
}

/// The mean of the rows of x: n×d, accumulated in f64.
pub fn column_means(x: ArrayView2<f32>) -> Array1<f64> {
    let mut sum = Array1::<f64>::zeros(x.ncols());
    for row in x.outer_iter() {
        sum.zip_mut_with(&row, |s, &v| *s += f64::from(v));
    }
    sum / (x.nrows().max(1) as f64)
}

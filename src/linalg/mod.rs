//! Dense linear algebra with answers that do not depend on the number of threads.
//!
//! Every product is cut into blocks of rows of fixed size; a block is one single-threaded BLAS call and
//! the blocks are shared out by rayon. Decompositions (faer) run on one thread.

mod pca;
mod sparse;
mod svd;

pub use pca::{Pca, PcaParams};
pub use sparse::{Csr, SparseRow};
pub use svd::{Svd, orthonormal, randomized_svd, symmetric_eigen, thin_svd};

use std::sync::Once;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, LinalgScalar, s};
use rayon::prelude::*;

// Links OpenBLAS for ndarray.
extern crate blas_src;

/// Rows of the result per BLAS call: large enough for BLAS to be fast, small enough to share out.
const BLOCK: usize = 256;

unsafe extern "C" {
    fn openblas_set_num_threads(n: std::ffi::c_int);
}

/// Keeps OpenBLAS on one thread: rayon shares out the work, and a sum that BLAS splits over threads
/// would round differently for another number of them.
fn single_threaded_blas() {
    static ONCE: Once = Once::new();
    // SAFETY: it takes any number, from any thread, at any time.
    ONCE.call_once(|| unsafe { openblas_set_num_threads(1) });
}

/// a·b, for a: n×d and b: d×m in any layout.
pub fn matmul<T: LinalgScalar + Send + Sync>(a: ArrayView2<T>, b: ArrayView2<T>) -> Array2<T> {
    assert_eq!(a.ncols(), b.nrows(), "inner dimensions of a product");
    single_threaded_blas();
    let mut out = Array2::zeros((a.nrows(), b.ncols()));
    out.axis_chunks_iter_mut(Axis(0), BLOCK)
        .into_par_iter()
        .enumerate()
        .for_each(|(i, mut rows)| {
            let from = i * BLOCK;
            let block = a.slice(s![from..from + rows.nrows(), ..]);
            general_mat_mul(T::one(), &block, &b, T::zero(), &mut rows);
        });
    out
}

/// Euclidean norm.
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

/// sign(v)·|v|^p, which evens out the bursts of one repeated pattern (Perronnin et al. 2010, §3.2).
pub fn power_normalize(v: &mut Array1<f32>, p: f32) {
    if p == 0.5 {
        v.mapv_inplace(|x| x.abs().sqrt().copysign(x));
    } else if p != 1.0 {
        v.mapv_inplace(|x| x.abs().powf(p).copysign(x));
    }
}

/// Blocks of columns laid side by side; all have the same number of rows.
pub fn hstack(blocks: &[ArrayView2<f32>]) -> Array2<f32> {
    ndarray::concatenate(Axis(1), blocks).expect("blocks describe the same items")
}

/// The mean of the rows, accumulated in f64.
pub fn column_means(x: ArrayView2<f32>) -> Array1<f64> {
    let mut sum = Array1::<f64>::zeros(x.ncols());
    for row in x.outer_iter() {
        sum.zip_mut_with(&row, |s, &v| *s += f64::from(v));
    }
    sum / (x.nrows().max(1) as f64)
}

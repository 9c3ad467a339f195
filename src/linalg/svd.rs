//! Singular values, eigenvalues and orthonormal bases, computed by faer on one thread.

use std::ops::Range;

use faer::{Mat, MatRef, Par, Side};
use ndarray::{Array1, Array2, ArrayView2, s};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Gram, gram, matmul};
use crate::error::{Error, Result};

/// A singular value decomposition x ≈ u·diag(s)·vᵀ of x: n×d, with k singular values.
pub struct Svd {
    /// Left singular vectors, n×k.
    pub u: Array2<f64>,
    /// Singular values, falling.
    pub s: Array1<f64>,
    /// Right singular vectors, d×k.
    pub v: Array2<f64>,
}

fn to_faer(x: ArrayView2<f64>) -> Mat<f64> {
    Mat::from_fn(x.nrows(), x.ncols(), |i, j| x[[i, j]])
}

fn to_ndarray(x: MatRef<'_, f64>) -> Array2<f64> {
    Array2::from_shape_fn((x.nrows(), x.ncols()), |(i, j)| x[(i, j)])
}

fn check<T: Into<f64> + Copy>(what: &'static str, x: ArrayView2<T>) -> Result<()> {
    // faer does not promise to return on NaN.
    if x.iter().all(|&v| v.into().is_finite()) {
        return Ok(());
    }
    Err(Error::Numeric {
        what,
        reason: "a value is not finite".into(),
    })
}

fn failed<E: std::fmt::Debug>(what: &'static str) -> impl FnOnce(E) -> Error {
    move |e| Error::Numeric {
        what,
        reason: format!("{e:?}"),
    }
}

/// Makes the entry of largest size in each column positive: the sign of a column is free, and should be the same
/// everywhere.
fn fix_signs(v: &mut Array2<f64>, mut other: Option<&mut Array2<f64>>) {
    for j in 0..v.ncols() {
        let mut largest = 0.0f64;
        for &x in v.column(j) {
            if x.abs() > largest.abs() {
                largest = x;
            }
        }
        if largest < 0.0 {
            v.column_mut(j).mapv_inplace(|x| -x);
            if let Some(u) = other.as_deref_mut() {
                u.column_mut(j).mapv_inplace(|x| -x);
            }
        }
    }
}

/// The thin singular value decomposition.
///
/// # Errors
/// [`Error::Numeric`] if a value is not finite or the decomposition does not converge.
pub fn thin_svd(x: ArrayView2<f64>) -> Result<Svd> {
    check("singular value decomposition", x)?;
    faer::set_global_parallelism(Par::Seq);
    let svd = to_faer(x)
        .thin_svd()
        .map_err(failed("singular value decomposition"))?;
    let mut u = to_ndarray(svd.U());
    let mut v = to_ndarray(svd.V());
    let diagonal = svd.S().column_vector();
    let s = (0..diagonal.nrows()).map(|i| diagonal[i]).collect();
    fix_signs(&mut v, Some(&mut u));
    Ok(Svd { u, s, v })
}

/// Eigenvalues, falling, and eigenvectors as columns, of a symmetric matrix.
///
/// # Errors
/// As [`thin_svd`].
pub fn symmetric_eigen(x: ArrayView2<f64>) -> Result<(Array1<f64>, Array2<f64>)> {
    check("eigendecomposition", x)?;
    faer::set_global_parallelism(Par::Seq);
    let eigen = to_faer(x)
        .self_adjoint_eigen(Side::Lower)
        .map_err(failed("eigendecomposition"))?;
    let n = x.nrows();
    let (values, vectors) = (eigen.S().column_vector(), eigen.U());
    let s = (0..n).map(|i| values[n - 1 - i]).collect();
    let mut v = Array2::from_shape_fn((n, n), |(i, j)| vectors[(i, n - 1 - j)]);
    fix_signs(&mut v, None);
    Ok((s, v))
}

/// An orthonormal basis of the columns of a tall matrix, by Cholesky QR, twice (Yamamoto et al. 2015), which
/// consists of products alone; by Householder's QR if the columns are too nearly dependent.
///
/// # Errors
/// [`Error::Numeric`] if a value is not finite.
pub fn orthonormal(x: ArrayView2<f64>) -> Result<Array2<f64>> {
    check("QR decomposition", x)?;
    let twice = cholesky_qr(x).and_then(|q| cholesky_qr(q.view()));
    match twice {
        Some(q) if q.iter().all(|v| v.is_finite()) => Ok(q),
        _ => {
            faer::set_global_parallelism(Par::Seq);
            Ok(to_ndarray(to_faer(x).qr().compute_thin_Q().as_ref()))
        }
    }
}

/// Smallest pivot, relative to the largest, for which a Cholesky factor is trusted: the condition number of x is
/// then below 1e6, and the second round makes the columns orthonormal up to rounding.
const SMALLEST_PIVOT: f64 = 1e-6;
/// The same for a factor of products in f32.
const SMALLEST_PIVOT_F32: f64 = 1e-3;

/// x·l⁻ᵀ for xᵀx = l·lᵀ.
fn cholesky_qr(x: ArrayView2<f64>) -> Option<Array2<f64>> {
    Some(matmul(x, whitening(gram(x), SMALLEST_PIVOT)?.view()))
}

/// l⁻ᵀ for xᵀx = l·lᵀ, so that the columns of x·l⁻ᵀ are orthonormal; `None` if a pivot is too small.
fn whitening(xx: Array2<f64>, smallest: f64) -> Option<Array2<f64>> {
    faer::set_global_parallelism(Par::Seq);
    let llt = to_faer(xx.view()).llt(Side::Lower).ok()?;
    let l = llt.L();
    let pivots = || (0..l.nrows()).map(|i| l[(i, i)]);
    let (least, most) = pivots().fold((f64::MAX, 0.0f64), |(a, b), p| (a.min(p), b.max(p)));
    if least < smallest * most {
        return None;
    }
    let mut inverse = Mat::<f64>::identity(l.nrows(), l.nrows());
    faer::linalg::triangular_solve::solve_lower_triangular_in_place(l, inverse.as_mut(), Par::Seq);
    Some(to_ndarray(inverse.transpose()))
}

/// A basis of the columns of x, in f32: nearly orthonormal if they are far from dependent.
fn basis(x: ArrayView2<f32>) -> Result<Array2<f32>> {
    check("singular value decomposition", x)?;
    match whitening(gram(x), SMALLEST_PIVOT_F32) {
        Some(w) => Ok(matmul(x, w.mapv(|v| v as f32).view())),
        None => Ok(orthonormal(x.mapv(f64::from).view())?.mapv(|v| v as f32)),
    }
}

/// A matrix x: n×d that is given by its products.
pub trait Operator {
    /// The shape (n, d) of x.
    fn shape(&self) -> (usize, usize);

    /// The product of some rows of x and b: d×l.
    fn rows_times(&self, rows: Range<usize>, b: ArrayView2<f32>) -> Array2<f32>;

    /// The product xᵀ·(x·b) for b: d×l.
    fn square_times(&self, b: ArrayView2<f32>) -> Array2<f32>;
}

impl Operator for ArrayView2<'_, f32> {
    fn shape(&self) -> (usize, usize) {
        self.dim()
    }

    fn rows_times(&self, rows: Range<usize>, b: ArrayView2<f32>) -> Array2<f32> {
        matmul(self.slice(s![rows, ..]), b)
    }

    fn square_times(&self, b: ArrayView2<f32>) -> Array2<f32> {
        matmul(self.t(), matmul(self.view(), b).view())
    }
}

/// Additional columns, and number of power iterations: Halko, Martinsson & Tropp 2011, §1.3 and §4.5.
const OVERSAMPLING: usize = 16;
const POWER_ITERATIONS: usize = 4;
/// Rows of x that are multiplied at a time for the last product.
const CHUNK: usize = 2048;

/// The first `k` singular values (falling) and right singular vectors (d×k) of an n×d matrix, by randomised
/// subspace iteration (Halko, Martinsson & Tropp 2011, §4.5). It starts from random signs and iterates on xᵀx, so
/// that only bases of d rows are orthonormalised; the result is the Rayleigh-Ritz approximation of the last basis.
///
/// # Errors
/// [`Error::Numeric`] if a value is not finite or a decomposition does not converge.
pub fn randomized_svd(
    x: &impl Operator,
    k: usize,
    seed: u64,
) -> Result<(Array1<f64>, Array2<f64>)> {
    let (n, d) = x.shape();
    let l = (k + OVERSAMPLING).min(n).min(d);
    let k = k.min(l);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let sign = || if rng.r#gen() { 1.0 } else { -1.0 };
    let mut z = Array2::<f32>::from_shape_simple_fn((d, l), sign);
    for _ in 1..POWER_ITERATIONS {
        z = basis(x.square_times(z.view()).view())?;
    }
    let power = x.square_times(z.view()).mapv(f64::from);
    let z = orthonormal(power.view())?.mapv(|v| v as f32);
    let mut yy = Gram::new(l); // of y = x·z: yᵀy = w·s²·wᵀ
    for from in (0..n).step_by(CHUNK) {
        let y = x.rows_times(from..(from + CHUNK).min(n), z.view());
        yy.add(y.mapv(f64::from).view());
    }
    let (values, w) = symmetric_eigen(yy.finish().view())?;
    let s = values.iter().take(k).map(|v| v.max(0.0).sqrt()).collect();
    let mut v = matmul(z.mapv(f64::from).view(), w.slice(s![.., ..k]));
    fix_signs(&mut v, None);
    Ok((s, v))
}

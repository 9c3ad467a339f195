//! Singular values, eigenvalues and orthonormal bases, by faer on one thread.

use faer::{Mat, MatRef, Par, Side};
use ndarray::{Array1, Array2, ArrayView2};
use rand::SeedableRng;
use rand::distributions::Distribution;
use rand_chacha::ChaCha8Rng;

use super::matmul;
use crate::error::{Error, Result};

/// x ≈ u·diag(s)·vᵀ; u: n×k, s: k falling, v: d×k.
pub struct Svd {
    pub u: Array2<f64>,
    pub s: Array1<f64>,
    pub v: Array2<f64>,
}

fn to_faer(x: ArrayView2<f64>) -> Mat<f64> {
    Mat::from_fn(x.nrows(), x.ncols(), |i, j| x[[i, j]])
}

fn to_ndarray(x: MatRef<'_, f64>) -> Array2<f64> {
    Array2::from_shape_fn((x.nrows(), x.ncols()), |(i, j)| x[(i, j)])
}

fn check(what: &'static str, x: ArrayView2<f64>) -> Result<()> {
    // faer does not promise to return on NaN.
    if x.iter().all(|v| v.is_finite()) {
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

/// Each column's sign is free; the entry of largest size is made positive, so that it is the same
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

/// An orthonormal basis of the columns of a tall matrix: Cholesky QR, twice (Yamamoto et al. 2015), which is
/// products alone; Householder's QR where the columns are too nearly dependent for it.
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

/// Smallest pivot, against the largest, for which a Cholesky factor is trusted: the condition number of x is
/// then below 1e6, and the second round makes the columns orthonormal to rounding.
const SMALLEST_PIVOT: f64 = 1e-6;

/// x·l⁻ᵀ for xᵀx = l·lᵀ.
fn cholesky_qr(x: ArrayView2<f64>) -> Option<Array2<f64>> {
    faer::set_global_parallelism(Par::Seq);
    let gram = to_faer(matmul(x.t(), x).view());
    let llt = gram.llt(Side::Lower).ok()?;
    let l = llt.L();
    let pivots = || (0..l.nrows()).map(|i| l[(i, i)]);
    let (least, most) = pivots().fold((f64::MAX, 0.0f64), |(a, b), p| (a.min(p), b.max(p)));
    if least < SMALLEST_PIVOT * most {
        return None;
    }
    let mut inverse = Mat::<f64>::identity(l.nrows(), l.nrows());
    faer::linalg::triangular_solve::solve_lower_triangular_in_place(l, inverse.as_mut(), Par::Seq);
    Some(matmul(x, to_ndarray(inverse.as_ref()).t()))
}

/// Columns beyond the wanted ones, and power iterations: Halko, Martinsson & Tropp 2011, §1.3 and §4.5.
const OVERSAMPLING: usize = 16;
const POWER_ITERATIONS: usize = 4;

/// The first `k` singular values (falling) and right singular vectors (d×k) of an n×d operator which is known
/// by its products alone: randomised subspace iteration (Halko, Martinsson & Tropp 2011, §4.5) on xᵀx, so that
/// only bases of d rows are made orthonormal, and the Rayleigh-Ritz values of the last one.
///
/// `times`: d×l -> n×l is x·, `transposed`: n×l -> d×l is xᵀ·.
pub fn randomized_svd(
    (n, d): (usize, usize),
    k: usize,
    seed: u64,
    times: impl Fn(ArrayView2<f32>) -> Array2<f32>,
    transposed: impl Fn(ArrayView2<f32>) -> Array2<f32>,
) -> Result<(Array1<f64>, Array2<f64>)> {
    let l = (k + OVERSAMPLING).min(n).min(d);
    let k = k.min(l);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut z = Array2::from_shape_simple_fn((d, l), || Gaussian.sample(&mut rng));
    for _ in 0..POWER_ITERATIONS {
        let power = transposed(times(z.view()).view());
        z = orthonormal(power.mapv(f64::from).view())?.mapv(|v| v as f32);
    }
    let y = times(z.view()).mapv(f64::from); // n×l
    let (values, w) = symmetric_eigen(matmul(y.t(), y.view()).view())?; // yᵀy = w·s²·wᵀ
    let s = values.iter().take(k).map(|v| v.max(0.0).sqrt()).collect();
    let mut v = matmul(z.mapv(f64::from).view(), w.slice(ndarray::s![.., ..k]));
    fix_signs(&mut v, None);
    Ok((s, v))
}

/// The standard normal distribution by Box and Muller's transform.
struct Gaussian;

impl Distribution<f32> for Gaussian {
    fn sample<R: rand::Rng + ?Sized>(&self, rng: &mut R) -> f32 {
        let radius = (-2.0 * (1.0 - rng.r#gen::<f64>()).ln()).sqrt();
        (radius * (std::f64::consts::TAU * rng.r#gen::<f64>()).cos()) as f32
    }
}

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

/// An orthonormal basis of the columns of a tall matrix (QR).
pub fn orthonormal(x: ArrayView2<f64>) -> Result<Array2<f64>> {
    check("QR decomposition", x)?;
    faer::set_global_parallelism(Par::Seq);
    Ok(to_ndarray(to_faer(x).qr().compute_thin_Q().as_ref()))
}

/// Columns beyond the wanted ones, and power iterations: Halko, Martinsson & Tropp 2011, §1.3 and §4.5.
const OVERSAMPLING: usize = 16;
const POWER_ITERATIONS: usize = 4;

/// The first `k` singular triples of an n×d operator which is known by its products alone, by
/// randomised subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4).
///
/// `times`: d×l -> n×l is x·, `transposed`: n×l -> d×l is xᵀ·.
pub fn randomized_svd(
    n: usize,
    d: usize,
    k: usize,
    seed: u64,
    times: impl Fn(ArrayView2<f32>) -> Array2<f32>,
    transposed: impl Fn(ArrayView2<f32>) -> Array2<f32>,
) -> Result<Svd> {
    let l = (k + OVERSAMPLING).min(n).min(d);
    let k = k.min(l);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let normal = Gaussian;
    let omega = Array2::from_shape_simple_fn((d, l), || normal.sample(&mut rng));
    let basis = |y: Array2<f32>| -> Result<Array2<f32>> {
        Ok(orthonormal(y.mapv(f64::from).view())?.mapv(|v| v as f32))
    };
    let mut q = basis(times(omega.view()))?; // n×l
    for _ in 0..POWER_ITERATIONS {
        let z = basis(transposed(q.view()))?; // d×l
        q = basis(times(z.view()))?;
    }
    let bt = transposed(q.view()).mapv(f64::from); // d×l = xᵀq
    let (values, w) = symmetric_eigen(matmul(bt.t(), bt.view()).view())?; // bbᵀ = w·s²·wᵀ
    let s: Array1<f64> = values.iter().take(k).map(|v| v.max(0.0).sqrt()).collect();
    let w = w.slice(ndarray::s![.., ..k]).to_owned();
    let mut v = matmul(bt.view(), w.view()); // d×k = v·s
    for (mut column, &s) in v.columns_mut().into_iter().zip(&s) {
        if s > 0.0 {
            column /= s;
        }
    }
    let mut u = matmul(q.mapv(f64::from).view(), w.view());
    fix_signs(&mut v, Some(&mut u));
    Ok(Svd { u, s, v })
}

/// The standard normal distribution by Box and Muller's transform.
struct Gaussian;

impl Distribution<f32> for Gaussian {
    fn sample<R: rand::Rng + ?Sized>(&self, rng: &mut R) -> f32 {
        let radius = (-2.0 * (1.0 - rng.r#gen::<f64>()).ln()).sqrt();
        (radius * (std::f64::consts::TAU * rng.r#gen::<f64>()).cos()) as f32
    }
}

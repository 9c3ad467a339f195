//! Gaussian mixtures with diagonal covariances, fitted by expectation-maximisation from k-means centroids
//! (Dempster, Laird & Rubin 1977).

use multiversion::multiversion;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::Codebook;
use crate::artifact::Artifact;
use crate::descriptor::DescriptorKind;
use crate::error::{Error, Result};
use crate::linalg::{affine, matmul};
use crate::timing;

/// A fitted mixture of k Gaussians over d-dimensional descriptors, stamped with the kind of descriptor it was
/// learned from.
#[derive(Clone, Debug, PartialEq)]
pub struct Gmm {
    kind: DescriptorKind,
    weights: Array1<f32>,
    /// k×d
    means: Array2<f32>,
    /// k×d
    variances: Array2<f32>,
    /// 2d×k: log w_k·N(x; k) = [x, x²]·factors + constants.
    factors: Array2<f32>,
    constants: Array1<f32>,
}

/// Smallest variance of a component, as a share of the variance of all descriptors, so that none collapses onto a
/// point.
const LEAST_VARIANCE: f64 = 1e-3;
/// Descriptors per block of the sums, which are added up in a fixed order.
const BLOCK: usize = 4096;

impl Gmm {
    /// Learns from descriptors x: n×d in `rounds` rounds of EM, which start from the codebook's hard assignments.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) if x does not have the codebook's dimension.
    pub fn fit(codebook: &Codebook, x: ArrayView2<f32>, rounds: usize) -> Result<Self> {
        timing::CODEBOOK.time(|| Self::fit_untimed(codebook, x, rounds))
    }

    fn fit_untimed(codebook: &Codebook, x: ArrayView2<f32>, rounds: usize) -> Result<Self> {
        let (n, _) = x.dim();
        let words = codebook.assign(x)?;
        let k = codebook.size();
        let hard = |first: usize, rows: usize| {
            let mut q = Array2::zeros((rows, k));
            for (i, mut q) in q.outer_iter_mut().enumerate() {
                q[words[first + i]] = 1.0;
            }
            q
        };
        let all = Sums::of(x, 1, &|_, rows| Array2::ones((rows.nrows(), 1)));
        let floor = all.variances().row(0).mapv(|v| v * LEAST_VARIANCE);
        let kind = codebook.kind().clone();
        let sums = Sums::of(x, k, &|first, rows| hard(first, rows.nrows()));
        let mut gmm = sums.mixture(kind.clone(), n, &floor, None)?;
        for _ in 0..rounds {
            let sums = Sums::of(x, k, &|_, rows| gmm.posteriors(rows));
            gmm = sums.mixture(kind.clone(), n, &floor, Some(&gmm))?;
        }
        Ok(gmm)
    }

    fn new(
        kind: DescriptorKind,
        weights: Array1<f32>,
        means: Array2<f32>,
        variances: Array2<f32>,
    ) -> Self {
        let (k, d) = means.dim();
        let mut factors = Array2::zeros((2 * d, k));
        let mut constants = Array1::zeros(k);
        for c in 0..k {
            let mut constant = f64::from(weights[c].max(f32::MIN_POSITIVE)).ln();
            for j in 0..d {
                let (m, v) = (f64::from(means[[c, j]]), f64::from(variances[[c, j]]));
                factors[[j, c]] = (m / v) as f32;
                factors[[d + j, c]] = (-0.5 / v) as f32;
                constant -= 0.5 * (m * m / v + (std::f64::consts::TAU * v).ln());
            }
            constants[c] = constant as f32;
        }
        Self {
            kind,
            weights,
            means,
            variances,
            factors,
            constants,
        }
    }

    /// The kind of descriptor that the mixture was learned from.
    pub fn kind(&self) -> &DescriptorKind {
        &self.kind
    }

    /// The number of components, k.
    pub fn size(&self) -> usize {
        self.weights.len()
    }

    /// The mixing weights of the components, k numbers that sum to 1.
    pub fn weights(&self) -> &Array1<f32> {
        &self.weights
    }

    /// The means, k×d.
    pub fn means(&self) -> ArrayView2<'_, f32> {
        self.means.view()
    }

    /// The variances, k×d.
    pub fn variances(&self) -> ArrayView2<'_, f32> {
        self.variances.view()
    }

    /// log w_k·N(x; k) of each row: [`powers`], n×2d -> n×k.
    pub fn log_likelihoods(&self, powers: ArrayView2<f32>) -> Array2<f32> {
        affine(powers, self.factors.view(), &self.constants)
    }

    /// Responsibilities of the components: [`powers`], n×2d -> n×k, rows that sum to 1.
    pub fn posteriors(&self, powers: ArrayView2<f32>) -> Array2<f32> {
        let mut q = self.log_likelihoods(powers);
        for row in q.outer_iter_mut() {
            softmax(
                row.into_slice()
                    .expect("a row of a new matrix is contiguous"),
            );
        }
        q
    }

    /// Adds the mixture to an artifact.
    pub fn store(&self, artifact: Artifact) -> Artifact {
        artifact
            .with_notes(&self.kind)
            .with_vector("gmm.weights", self.weights.view())
            .with_matrix("gmm.means", self.means.view())
            .with_matrix("gmm.variances", self.variances.view())
    }

    /// Reads a mixture from an artifact that [`Self::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let kind: DescriptorKind = artifact.read_notes()?;
        let weights = artifact.vector("gmm.weights")?;
        let (means, variances) = (
            artifact.matrix("gmm.means")?,
            artifact.matrix("gmm.variances")?,
        );
        let (k, d) = means.dim();
        artifact.require(k > 0 && d == kind.dim)?;
        artifact.require(weights.len() == k && variances.dim() == (k, d))?;
        Ok(Self::new(kind, weights, means, variances))
    }
}

#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn softmax(row: &mut [f32]) {
    let most = row.iter().fold(f32::NEG_INFINITY, |m, &v| m.max(v));
    row.iter_mut().for_each(|v| *v = exp(*v - most));
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|v| *v /= sum);
}

/// e^x for x ≤ 0, with a relative error of 1e-5, and 0 below −16, where it is less than the rounding of a sum with
/// 1: the 64th power of the series of e^(x/64). Free of branches and calls, unlike the standard library's.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let t = x / 64.0;
    let series = [
        1.0,
        1.0,
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
    ];
    let sum = series.iter().rev().fold(0.0, |sum, c| sum * t + c);
    let power = (0..6).fold(sum, |power, _| power * power);
    if x < -16.0 { 0.0 } else { power }
}

/// [x, x²] of each row of x: n×d -> n×2d.
pub fn powers(x: ArrayView2<f32>) -> Array2<f32> {
    let (n, d) = x.dim();
    let x = x.as_standard_layout();
    let mut powers = Vec::with_capacity(n * 2 * d);
    for row in x.as_slice().unwrap_or_default().chunks_exact(d.max(1)) {
        powers.extend_from_slice(row);
        powers.extend(row.iter().map(|v| v * v));
    }
    Array2::from_shape_vec((n, 2 * d), powers).expect("2d numbers a row")
}

/// Σqx, Σqx² and Σq of each component.
struct Sums {
    x: Array2<f64>,
    xx: Array2<f64>,
    q: Array1<f64>,
}

impl Sums {
    /// `responsibilities`: (first row, [`powers`]) -> rows×k.
    fn of(
        x: ArrayView2<f32>,
        k: usize,
        responsibilities: &(dyn Fn(usize, ArrayView2<f32>) -> Array2<f32> + Sync),
    ) -> Self {
        let d = x.ncols();
        let blocks: Vec<_> = x
            .axis_chunks_iter(Axis(0), BLOCK)
            .into_par_iter()
            .enumerate()
            .map(|(i, rows)| {
                let powers = powers(rows);
                let q = responsibilities(i * BLOCK, powers.view());
                (matmul(q.t(), powers.view()), q.sum_axis(Axis(0)))
            })
            .collect();
        let (mut sums, mut of_q) = (Array2::<f64>::zeros((k, 2 * d)), Array1::<f64>::zeros(k));
        for (block, q) in blocks {
            sums.zip_mut_with(&block, |s, &v| *s += f64::from(v));
            of_q.zip_mut_with(&q, |s, &v| *s += f64::from(v));
        }
        Self {
            x: sums.slice(s![.., ..d]).to_owned(),
            xx: sums.slice(s![.., d..]).to_owned(),
            q: of_q,
        }
    }

    fn variances(&self) -> Array2<f64> {
        let q = self
            .q
            .mapv(|q| q.max(f64::MIN_POSITIVE))
            .insert_axis(Axis(1));
        let means = &self.x / &q;
        &self.xx / &q - &means * &means
    }

    /// The mixture of maximum likelihood. A component without descriptors stays as it was.
    fn mixture(
        &self,
        kind: DescriptorKind,
        n: usize,
        floor: &Array1<f64>,
        before: Option<&Gmm>,
    ) -> Result<Gmm> {
        let q = self
            .q
            .mapv(|q| q.max(f64::MIN_POSITIVE))
            .insert_axis(Axis(1));
        let mut means = (&self.x / &q).mapv(|v| v as f32);
        let mut variances = self.variances();
        for mut row in variances.outer_iter_mut() {
            row.zip_mut_with(floor, |v, &f| {
                *v = v.max(f).max(f64::from(f32::MIN_POSITIVE))
            });
        }
        let mut variances = variances.mapv(|v| v as f32);
        for (c, _) in self.q.iter().enumerate().filter(|&(_, &q)| q < 1.0) {
            if let Some(before) = before {
                means.row_mut(c).assign(&before.means.row(c));
                variances.row_mut(c).assign(&before.variances.row(c));
            }
        }
        if means.iter().chain(&variances).any(|v| !v.is_finite()) {
            return Err(Error::Numeric {
                what: "Gaussian mixture",
                reason: "a mean or variance is not finite".into(),
            });
        }
        let weights = self.q.mapv(|q| (q / n as f64) as f32);
        Ok(Gmm::new(kind, weights, means, variances))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_the_exponential() {
        for i in 0..=16_000 {
            let x = -16.0 * i as f32 / 16_000.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-5, "{x}: {}", exp(x));
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-17.0), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
    }
}

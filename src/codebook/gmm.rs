//! Gaussian mixtures with diagonal covariances, by expectation-maximisation from k-means centroids
//! (Dempster, Laird & Rubin 1977).

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::Codebook;
use crate::artifact::Artifact;
use crate::descriptor::DescriptorKind;
use crate::error::{Error, Result};
use crate::linalg::matmul;

/// A fitted mixture, stamped with the kind of descriptor it was learned from.
#[derive(Clone, Debug, PartialEq)]
pub struct Gmm {
    kind: DescriptorKind,
    weights: Array1<f32>,
    /// k×d
    means: Array2<f32>,
    /// k×d
    variances: Array2<f32>,
    /// 2d×k and k: log w_k·N(x; k) = [x, x²]·factors + constants.
    factors: Array2<f32>,
    constants: Array1<f32>,
}

/// Least variance of a component, as a share of that of all descriptors, so that none collapses onto a point.
const LEAST_VARIANCE: f64 = 1e-3;
/// Descriptors per block of the sums, which are added up in a fixed order.
const BLOCK: usize = 4096;

impl Gmm {
    /// Learns from x: n×d in `rounds` of EM. The first responsibilities are the hard ones of the codebook.
    pub fn fit(codebook: &Codebook, x: ArrayView2<f32>, rounds: usize) -> Result<Self> {
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

    pub fn kind(&self) -> &DescriptorKind {
        &self.kind
    }

    /// Number of components.
    pub fn size(&self) -> usize {
        self.weights.len()
    }

    pub fn weights(&self) -> &Array1<f32> {
        &self.weights
    }

    /// k×d
    pub fn means(&self) -> ArrayView2<'_, f32> {
        self.means.view()
    }

    /// k×d
    pub fn variances(&self) -> ArrayView2<'_, f32> {
        self.variances.view()
    }

    /// [x, x²] of each row of x: n×d -> n×2d.
    pub fn powers(&self, x: ArrayView2<f32>) -> Array2<f32> {
        let (n, d) = x.dim();
        let mut powers = Array2::zeros((n, 2 * d));
        for (x, mut powers) in x.outer_iter().zip(powers.outer_iter_mut()) {
            for (j, &v) in x.iter().enumerate() {
                powers[j] = v;
                powers[d + j] = v * v;
            }
        }
        powers
    }

    /// log w_k·N(x; k) of each row: [`Gmm::powers`] -> n×k.
    pub fn log_likelihoods(&self, powers: ArrayView2<f32>) -> Array2<f32> {
        let mut logs = matmul(powers, self.factors.view());
        logs += &self.constants;
        logs
    }

    /// Responsibilities of the components for each row of x: n×d -> n×k, rows of sum 1.
    pub fn posteriors(&self, x: ArrayView2<f32>) -> Array2<f32> {
        let mut q = self.log_likelihoods(self.powers(x).view());
        for mut row in q.outer_iter_mut() {
            let most = row.fold(f32::NEG_INFINITY, |m, &v| m.max(v));
            row.mapv_inplace(|v| (v - most).exp());
            let sum = row.sum();
            row /= sum;
        }
        q
    }

    pub fn store(&self, artifact: Artifact) -> Artifact {
        artifact
            .with_notes(&self.kind)
            .with_vector("gmm.weights", self.weights.view())
            .with_matrix("gmm.means", self.means.view())
            .with_matrix("gmm.variances", self.variances.view())
    }

    pub fn load(artifact: &Artifact) -> Result<Self> {
        Ok(Self::new(
            artifact.read_notes()?,
            artifact.vector("gmm.weights")?,
            artifact.matrix("gmm.means")?,
            artifact.matrix("gmm.variances")?,
        ))
    }
}

/// Σq, Σqx and Σqx² of each component.
struct Sums {
    q: Array1<f64>,
    x: Array2<f64>,
    xx: Array2<f64>,
}

impl Sums {
    /// `responsibilities`: (first row, rows) -> rows×k.
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
                let q = responsibilities(i * BLOCK, rows);
                let squares = rows.mapv(|v| v * v);
                let totals = q.sum_axis(Axis(0));
                let x = matmul(q.t(), rows);
                (totals, x, matmul(q.t(), squares.view()))
            })
            .collect();
        let mut sums = Self {
            q: Array1::zeros(k),
            x: Array2::zeros((k, d)),
            xx: Array2::zeros((k, d)),
        };
        for (q, x, xx) in blocks {
            sums.q.zip_mut_with(&q, |s, &v| *s += f64::from(v));
            sums.x.zip_mut_with(&x, |s, &v| *s += f64::from(v));
            sums.xx.zip_mut_with(&xx, |s, &v| *s += f64::from(v));
        }
        sums
    }

    fn variances(&self) -> Array2<f64> {
        let q = self
            .q
            .mapv(|q| q.max(f64::MIN_POSITIVE))
            .insert_axis(Axis(1));
        let means = &self.x / &q;
        &self.xx / &q - &means * &means
    }

    /// The maximum of the likelihood. A component that nothing belongs to stays what it was.
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

//! Fisher vectors: how the log-likelihood of the descriptors under a Gaussian mixture would change with its
//! means and variances (Perronnin & Dance, CVPR 2007), with signed power and L2 normalisation (Perronnin, Sánchez
//! & Mensink, ECCV 2010).

use multiversion::multiversion;
use ndarray::{Array1, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::Encoder;
use crate::codebook::Gmm;
use crate::error::{Error, Result};
use crate::linalg::{l2_normalize, power_normalize};

/// Settings of the Fisher vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FisherParams {
    /// Signed power of each component: 0.5 is the signed square root, 1 leaves it.
    pub power: f32,
    /// Rounds of expectation-maximisation that learn the mixture.
    pub rounds: usize,
}

impl Default for FisherParams {
    fn default() -> Self {
        Self {
            power: 0.5,
            rounds: 20,
        }
    }
}

impl FisherParams {
    pub fn with(self, gmm: Gmm) -> Fisher {
        Fisher {
            deviations: gmm.variances().mapv(f32::sqrt),
            params: self,
            gmm,
        }
    }
}

/// A Fisher encoder over a fitted mixture of k components: vectors of 2·k·d numbers, the gradients of the means
/// (k×d), then those of the variances.
pub struct Fisher {
    params: FisherParams,
    gmm: Gmm,
    /// k×d
    deviations: ndarray::Array2<f32>,
}

/// Responsibilities below this are left out of the sums: with hundreds of components a descriptor belongs to a
/// handful (Sánchez et al., IJCV 2013, §2.3).
const LEAST: f32 = 1e-3;
/// Descriptors whose responsibilities are held at once: few enough for the cache.
const BLOCK: usize = 256;

impl Encoder for Fisher {
    fn dim(&self) -> usize {
        2 * self.gmm.size() * self.gmm.kind().dim
    }

    fn encode(&self, x: ArrayView2<f32>) -> Result<Array1<f32>> {
        let (k, d) = self.deviations.dim();
        if x.ncols() != d {
            let (left, right) = ("the Gaussian mixture", "a descriptor");
            return Err(Error::dimensions(left, d, right, x.ncols()));
        }
        // Σq, and Σqx and Σqx² side by side
        let mut sums = Sums {
            q: vec![0.0; k],
            powers: vec![0.0; k * 2 * d],
            near: Vec::with_capacity(k),
        };
        for rows in x.axis_chunks_iter(Axis(0), BLOCK) {
            let powers = self.gmm.powers(rows);
            let logs = self.gmm.log_likelihoods(powers.view());
            for (powers, logs) in powers.outer_iter().zip(logs.outer_iter()) {
                let row = "a row of a new matrix is contiguous";
                sums.add(powers.to_slice().expect(row), logs.to_slice().expect(row));
            }
        }
        let mut v = Array1::zeros(2 * k * d);
        let n = x.nrows().max(1) as f32;
        for c in 0..k {
            let weight = self.gmm.weights()[c].max(f32::MIN_POSITIVE);
            let (first, second) = (1.0 / (n * weight.sqrt()), 1.0 / (n * (2.0 * weight).sqrt()));
            let (q, powers) = (sums.q[c], &sums.powers[c * 2 * d..][..2 * d]);
            for j in 0..d {
                let (m, s) = (self.gmm.means()[[c, j]], self.deviations[[c, j]]);
                let (qx, qxx) = (powers[j], powers[d + j]);
                v[c * d + j] = first * (qx - q * m) / s;
                let square = qxx - 2.0 * m * qx + m * m * q;
                v[(k + c) * d + j] = second * (square / (s * s) - q);
            }
        }
        power_normalize(&mut v, self.params.power);
        l2_normalize(v.view_mut());
        Ok(v)
    }
}

/// Sums over descriptors, per component.
struct Sums {
    q: Vec<f32>,
    /// Σqx and Σqx² side by side: k×2d.
    powers: Vec<f32>,
    /// The components that a descriptor belongs to, and how much.
    near: Vec<(usize, f32)>,
}

impl Sums {
    fn add(&mut self, powers: &[f32], logs: &[f32]) {
        let most = largest(logs);
        let least = most + LEAST.ln();
        self.near.clear();
        for (c, &l) in logs.iter().enumerate() {
            if l > least {
                self.near.push((c, (l - most).exp()));
            }
        }
        let total: f32 = self.near.iter().map(|(_, q)| q).sum();
        for &(c, q) in &self.near {
            self.q[c] += q / total;
            let sums = &mut self.powers[c * powers.len()..][..powers.len()];
            add(sums, powers, q / total);
        }
    }
}

#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn add(sums: &mut [f32], values: &[f32], q: f32) {
    for (s, v) in sums.iter_mut().zip(values) {
        *s += q * v;
    }
}

#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn largest(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    let chunks = values.chunks_exact(16);
    let rest = chunks.remainder().iter().copied();
    for chunk in chunks {
        for (l, &v) in lanes.iter_mut().zip(chunk) {
            *l = if v > *l { v } else { *l };
        }
    }
    lanes
        .into_iter()
        .chain(rest)
        .fold(f32::NEG_INFINITY, f32::max)
}

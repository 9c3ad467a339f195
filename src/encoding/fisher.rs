//! Fisher vectors: how the log-likelihood of the descriptors under a Gaussian mixture would change with its
//! means and variances (Perronnin & Dance, CVPR 2007), with signed power and L2 normalisation (Perronnin, Sánchez
//! & Mensink, ECCV 2010).

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
        let mut totals = vec![0.0f32; k];
        let mut sums = vec![0.0f32; k * 2 * d];
        let mut powers = vec![0.0f32; 2 * d];
        for rows in x.axis_chunks_iter(Axis(0), BLOCK) {
            let logs = self.gmm.log_likelihoods(rows);
            for (x, logs) in rows.outer_iter().zip(logs.outer_iter()) {
                for (j, &v) in x.iter().enumerate() {
                    powers[j] = v;
                    powers[d + j] = v * v;
                }
                for (c, q) in responsibilities(logs.as_slice().expect("a row of a new matrix")) {
                    totals[c] += q;
                    let sums = &mut sums[c * 2 * d..][..2 * d];
                    for (s, p) in sums.iter_mut().zip(&powers) {
                        *s += q * p;
                    }
                }
            }
        }
        let mut v = Array1::zeros(2 * k * d);
        let n = x.nrows().max(1) as f32;
        for c in 0..k {
            let weight = self.gmm.weights()[c].max(f32::MIN_POSITIVE);
            let (first, second) = (1.0 / (n * weight.sqrt()), 1.0 / (n * (2.0 * weight).sqrt()));
            let sums = &sums[c * 2 * d..][..2 * d];
            for j in 0..d {
                let (m, s) = (self.gmm.means()[[c, j]], self.deviations[[c, j]]);
                let (qx, qxx) = (sums[j], sums[d + j]);
                v[c * d + j] = first * (qx - totals[c] * m) / s;
                let square = qxx - 2.0 * m * qx + m * m * totals[c];
                v[(k + c) * d + j] = second * (square / (s * s) - totals[c]);
            }
        }
        power_normalize(&mut v, self.params.power);
        l2_normalize(v.view_mut());
        Ok(v)
    }
}

/// The components that a descriptor belongs to, and how much.
fn responsibilities(logs: &[f32]) -> impl Iterator<Item = (usize, f32)> {
    let most = logs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let least = most + LEAST.ln();
    let near = logs.iter().enumerate().filter(move |&(_, &l)| l > least);
    let sum: f32 = near.clone().map(|(_, l)| (l - most).exp()).sum();
    near.map(move |(c, l)| (c, (l - most).exp() / sum))
}

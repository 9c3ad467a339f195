//! Fisher vectors: the gradient of the descriptors' log-likelihood under a Gaussian mixture, with respect to its
//! means and variances (Perronnin & Dance, CVPR 2007), with signed power and L2 normalisation (Perronnin, Sánchez &
//! Mensink, ECCV 2010).

use multiversion::multiversion;
use ndarray::{Array1, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::Encoder;
use crate::codebook::{Gmm, exp, powers};
use crate::error::{Error, Result};
use crate::linalg::{l2_normalize, power_normalize};

/// Settings of the Fisher vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FisherParams {
    /// Signed power of each component: 0.5 is the signed square root, 1 changes nothing.
    pub power: f32,
    /// Number of rounds of expectation-maximisation when the mixture is learned.
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
    /// The encoder over a fitted mixture.
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
/// Number of likelihoods that are processed together.
const LANES: usize = 16;
/// Bytes of a u64.
const WORD: usize = 8;

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
        let mut sums = Sums::zeros(k, 2 * d);
        for rows in x.axis_chunks_iter(Axis(0), BLOCK) {
            let powers = powers(rows);
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
            let (sums, q) = (&sums.of_powers[c * 2 * d..][..2 * d], sums.of_shares[c]);
            for j in 0..d {
                let (m, s) = (self.gmm.means()[[c, j]], self.deviations[[c, j]]);
                let (qx, qxx) = (sums[j], sums[d + j]);
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

/// Sums over descriptors.
struct Sums {
    /// Σqx and Σqx² of each component, by rows.
    of_powers: Vec<f32>,
    /// Σq of each component.
    of_shares: Vec<f32>,
    near: Near,
}

/// The components that a descriptor probably belongs to.
struct Near {
    /// 1 for those components, 0 for the others and beyond the last.
    marks: Vec<u8>,
    components: Vec<usize>,
    likelihoods: Vec<f32>,
}

impl Sums {
    fn zeros(k: usize, width: usize) -> Self {
        Self {
            of_powers: vec![0.0; k * width],
            of_shares: vec![0.0; k],
            near: Near {
                marks: vec![0; k.next_multiple_of(WORD)],
                components: Vec::with_capacity(k),
                likelihoods: Vec::with_capacity(k),
            },
        }
    }

    fn add(&mut self, powers: &[f32], logs: &[f32]) {
        search(logs, &mut self.near);
        let (components, likelihoods) = (&self.near.components, &self.near.likelihoods);
        let total: f32 = likelihoods.iter().sum();
        for (&c, likelihood) in components.iter().zip(likelihoods) {
            let q = likelihood / total;
            self.of_shares[c] += q;
            let sums = &mut self.of_powers[c * powers.len()..][..powers.len()];
            add(sums, powers, q);
        }
    }
}

#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn add(sums: &mut [f32], values: &[f32], q: f32) {
    for (s, v) in sums.iter_mut().zip(values) {
        *s += q * v;
    }
}

/// Finds the probable components, with likelihoods relative to the largest.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn search(logs: &[f32], near: &mut Near) {
    let (blocks, rest) = logs.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        for (l, &v) in lanes.iter_mut().zip(block) {
            *l = if v > *l { v } else { *l };
        }
    }
    let most = (lanes.iter().chain(rest)).fold(f32::NEG_INFINITY, |m, &v| m.max(v));
    let least = most + LEAST.ln();
    for (mark, &l) in near.marks.iter_mut().zip(logs) {
        *mark = u8::from(l > least);
    }
    near.components.clear();
    near.likelihoods.clear();
    // the marks of a word at a time: most words have none
    let (words, _) = near.marks.as_chunks::<WORD>();
    for (i, &word) in words.iter().enumerate() {
        let mut word = u64::from_le_bytes(word);
        while word != 0 {
            let c = i * WORD + word.trailing_zeros() as usize / 8;
            near.components.push(c);
            near.likelihoods.push(logs[c] - most);
            word &= word - 1;
        }
    }
    for l in &mut near.likelihoods {
        *l = exp(*l);
    }
}

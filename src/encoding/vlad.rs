//! VLAD: for each visual word, the sum of the differences between its descriptors and the word (Jégou et al., CVPR
//! 2010).

use multiversion::multiversion;
use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::Encoder;
use crate::codebook::Codebook;
use crate::error::Result;
use crate::linalg::{l2_normalize, l2_normalize_rows, power_normalize};

/// Settings of VLAD. The steps are, in this order: residual normalisation, sums, power, per-word L2, global L2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VladParams {
    /// Signed power of each component: 0.5 is the signed square root, 1 changes nothing.
    pub power: f32,
    /// L2-normalise each word's part (intra-normalisation, Arandjelović & Zisserman 2013).
    pub intra: bool,
    /// L2-normalise each residual before it is summed (Delhumeau et al. 2013).
    pub residual: bool,
}

impl Default for VladParams {
    fn default() -> Self {
        Self {
            power: 0.5,
            intra: false,
            residual: false,
        }
    }
}

impl VladParams {
    /// The encoder over a fitted codebook.
    pub fn with(self, codebook: Codebook) -> Vlad {
        Vlad {
            params: self,
            codebook,
        }
    }
}

/// A VLAD encoder over a fitted codebook of k words: k·d numbers.
pub struct Vlad {
    params: VladParams,
    codebook: Codebook,
}

impl Encoder for Vlad {
    fn dim(&self) -> usize {
        self.codebook.size() * self.codebook.kind().dim
    }

    fn encode(&self, descriptors: ArrayView2<f32>) -> Result<Array1<f32>> {
        let centroids = self.codebook.centroids();
        let centroids = centroids.as_standard_layout();
        let words = self.codebook.assign(descriptors)?;
        let mut sums = Array2::<f32>::zeros(centroids.dim());
        let descriptors = descriptors.as_standard_layout();
        for (x, &w) in descriptors.outer_iter().zip(&words) {
            let (c, mut sum) = (centroids.row(w), sums.row_mut(w));
            if self.params.residual {
                let mut r = &x - &c;
                l2_normalize(r.view_mut());
                sum += &r;
            } else {
                let sum = sum.as_slice_mut().expect("made in rows");
                let (x, c) = (x.to_slice(), c.to_slice());
                add_difference(sum, x.expect("in rows"), c.expect("in rows"));
            }
        }
        let dim = sums.dim();
        let mut v = sums.into_flat();
        power_normalize(&mut v, self.params.power);
        if self.params.intra {
            let mut parts = v.into_shape_with_order(dim).expect("as it was before");
            l2_normalize_rows(&mut parts);
            v = parts.into_flat();
        }
        l2_normalize(v.view_mut());
        Ok(v)
    }
}

/// sum += x − c. The differences themselves are summed, so that equal descriptors that form a word of their own
/// leave exactly zero.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn add_difference(sum: &mut [f32], x: &[f32], c: &[f32]) {
    for ((s, x), c) in sum.iter_mut().zip(x).zip(c) {
        *s += x - c;
    }
}

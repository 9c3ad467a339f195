//! VLAD: per visual word, the sum of what its descriptors differ from it by (Jégou et al., CVPR 2010).

use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::Encoder;
use crate::codebook::Codebook;
use crate::error::Result;
use crate::linalg::{l2_normalize, l2_normalize_rows, power_normalize};

/// Settings of VLAD. The order is: residual normalisation, sums, power, per-word L2, global L2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VladParams {
    /// Signed power of each component: 0.5 is the signed square root, 1 leaves it.
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
    pub fn with(self, codebook: Codebook) -> Vlad {
        Vlad {
            params: self,
            codebook,
        }
    }
}

/// A VLAD encoder over a fitted codebook.
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
        let words = self.codebook.assign(descriptors)?;
        let mut sums = Array2::<f32>::zeros(centroids.dim());
        if self.params.residual {
            for (x, &w) in descriptors.outer_iter().zip(&words) {
                let mut r = &x - &centroids.row(w);
                l2_normalize(r.view_mut());
                sums.row_mut(w).scaled_add(1.0, &r);
            }
        } else {
            let mut counts = vec![0.0; centroids.nrows()];
            for (x, &w) in descriptors.outer_iter().zip(&words) {
                sums.row_mut(w).scaled_add(1.0, &x);
                counts[w] += 1.0;
            }
            // Σ (x − c) = Σ x − n·c
            for ((mut sum, c), n) in sums
                .outer_iter_mut()
                .zip(centroids.outer_iter())
                .zip(counts)
            {
                sum.scaled_add(-n, &c);
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

//! Bag of visual words: how often each word occurs (Sivic & Zisserman, ICCV 2003).

use ndarray::{Array1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::Encoder;
use crate::codebook::Codebook;
use crate::error::Result;
use crate::linalg::{l2_normalize, power_normalize};

/// Settings of the bag of words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BowParams {
    /// Power applied to each count: 0.5 turns the Hellinger kernel into an inner product.
    pub power: f32,
}

impl Default for BowParams {
    fn default() -> Self {
        Self { power: 0.5 }
    }
}

impl BowParams {
    /// The encoder over a fitted codebook.
    pub fn with(self, codebook: Codebook) -> Bow {
        Bow {
            params: self,
            codebook,
        }
    }
}

/// A bag-of-words encoder over a fitted codebook of k words: one number per word.
pub struct Bow {
    params: BowParams,
    codebook: Codebook,
}

impl Encoder for Bow {
    fn dim(&self) -> usize {
        self.codebook.size()
    }

    fn encode(&self, descriptors: ArrayView2<f32>) -> Result<Array1<f32>> {
        let mut counts = Array1::zeros(self.dim());
        for word in self.codebook.assign(descriptors)? {
            counts[word] += 1.0;
        }
        power_normalize(&mut counts, self.params.power);
        l2_normalize(counts.view_mut());
        Ok(counts)
    }
}

//! Encodings: the local descriptors of a picture to one vector of fixed length.
//!
//! To add one: a file with its parameters and an [`Encoder`], and a line in [`EncodingParams`] and in
//! [`EncodingParams::encoder`].

mod bow;
mod vlad;

use ndarray::{Array1, ArrayView2};
use serde::{Deserialize, Serialize};

pub use bow::BowParams;
pub use vlad::VladParams;

use crate::codebook::Codebook;
use crate::error::Result;

/// Which encoding, and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum EncodingParams {
    Vlad(VladParams),
    Bow(BowParams),
}

impl EncodingParams {
    pub fn encoder(&self, codebook: Codebook) -> Box<dyn Encoder> {
        match self {
            Self::Vlad(p) => Box::new(p.clone().with(codebook)),
            Self::Bow(p) => Box::new(p.clone().with(codebook)),
        }
    }
}

/// Turns descriptors n×d into one vector.
pub trait Encoder: Sync + Send {
    /// Length of the vector.
    fn dim(&self) -> usize;
    /// No descriptors give the zero vector.
    fn encode(&self, descriptors: ArrayView2<f32>) -> Result<Array1<f32>>;
}

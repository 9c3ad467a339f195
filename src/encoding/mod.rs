//! Encodings: the local descriptors of a picture become one vector of fixed length.
//!
//! To add an encoding, write a file with its parameters and an [`Encoder`], and add a line to [`EncodingParams`]
//! and its methods.

mod bow;
mod fisher;
mod vlad;

use ndarray::{Array1, ArrayView2};
use serde::{Deserialize, Serialize};

pub use bow::BowParams;
pub use fisher::FisherParams;
pub use vlad::VladParams;

use crate::artifact::Artifact;
use crate::codebook::{Codebook, Gmm, KMeansParams};
use crate::descriptor::DescriptorKind;
use crate::error::{Error, Result};

/// An encoding and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum EncodingParams {
    /// Vector of locally aggregated descriptors: k·d numbers.
    Vlad(VladParams),
    /// Bag of visual words: k numbers.
    Bow(BowParams),
    /// Fisher vector: 2·k·d numbers.
    Fisher(FisherParams),
}

impl EncodingParams {
    /// Learns the visual words, or the mixture, from a sample of descriptors, n×d, and adds it to `artifact`.
    ///
    /// # Errors
    /// [`Error::TooFew`] for fewer descriptors than words.
    pub fn fit(
        &self,
        words: &KMeansParams,
        kind: DescriptorKind,
        sample: ArrayView2<f32>,
        seed: u64,
        artifact: Artifact,
    ) -> Result<Artifact> {
        let codebook = words.fit(kind, sample, seed)?;
        match self {
            Self::Vlad(_) | Self::Bow(_) => Ok(codebook.store(artifact)),
            Self::Fisher(p) => Ok(Gmm::fit(&codebook, sample, p.rounds)?.store(artifact)),
        }
    }

    /// Length of the vector for `words` words (or Gaussians) and descriptors of `descriptor` numbers.
    pub fn dim(&self, words: usize, descriptor: usize) -> usize {
        match self {
            Self::Vlad(_) => words * descriptor,
            Self::Bow(_) => words,
            Self::Fisher(_) => 2 * words * descriptor,
        }
    }

    /// The encoder over the words or the mixture in `artifact`, for descriptors of `kind`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if they were learned from another kind of descriptor.
    pub fn load(&self, kind: &DescriptorKind, artifact: &Artifact) -> Result<Box<dyn Encoder>> {
        let learned_from: DescriptorKind = artifact.read_notes()?;
        if learned_from != *kind {
            return Err(Error::Mismatch {
                left: "the codebook".into(),
                left_is: format!("of {}", learned_from.name),
                right: "the descriptor".into(),
                right_is: kind.name.clone(),
            });
        }
        Ok(match self {
            Self::Vlad(p) => Box::new(p.clone().with(Codebook::load(artifact)?)),
            Self::Bow(p) => Box::new(p.clone().with(Codebook::load(artifact)?)),
            Self::Fisher(p) => Box::new(p.clone().with(Gmm::load(artifact)?)),
        })
    }
}

/// Turns the descriptors of a picture, n×d, into one vector.
pub trait Encoder: Sync + Send {
    /// Length of the vector.
    fn dim(&self) -> usize;
    /// Encodes descriptors, n×d; no descriptors give the zero vector.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the descriptors do not have the dimension that the encoder was learned from.
    fn encode(&self, descriptors: ArrayView2<f32>) -> Result<Array1<f32>>;
}

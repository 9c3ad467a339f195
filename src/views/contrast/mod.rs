//! Vectors that small networks learn by contrast, from the pictures alone (SimCLR, siamese networks) or from the captions alone
//! (SimCSE). The networks are built with the feature `train`, their settings always.

#[cfg(feature = "train")]
mod learned;
#[cfg(not(feature = "train"))]
mod unbuilt;

use serde::{Deserialize, Serialize};
use tuwen_nets::params::{PictureContrastParams, TextContrastParams};

#[cfg(feature = "train")]
use learned as of;
#[cfg(not(feature = "train"))]
use unbuilt as of;

use super::text::{TextFeature, TextVectors};
use super::{Feature, ImageView};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::{Error, Result};
use crate::picture::Picture;

/// A network that learns from pictures alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureNetParams {
    /// Training pictures that it sees; they are all in memory while they are made small.
    pub pictures: usize,
    /// The network, and how it learns.
    pub network: PictureContrastParams,
}

impl Default for PictureNetParams {
    fn default() -> Self {
        Self {
            pictures: 2_000,
            network: PictureContrastParams::default(),
        }
    }
}

/// A network that learns from captions alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextNetParams {
    /// Times that a word occurs at least in the training captions.
    pub least: usize,
    /// Number of words, the most frequent ones.
    pub most: usize,
    /// Seed of all that is drawn.
    pub seed: u64,
    /// The network, and how it learns.
    pub network: TextContrastParams,
}

impl Default for TextNetParams {
    fn default() -> Self {
        Self {
            least: 2,
            most: 10_000,
            seed: 2024,
            network: TextContrastParams::default(),
        }
    }
}

impl Feature for PictureNetParams {
    fn check(&self) -> Result<()> {
        let PictureContrastParams {
            side, width, plan, ..
        } = &self.network;
        let fits = *side >= 16 && *width > 0 && plan.batch > 1 && plan.epochs > 0;
        match fits && self.pictures > 1 {
            true => Ok(()),
            false => Err(Error::Numeric {
                what: "`picture-net`",
                reason: "`side` is at least 16, `pictures` and `plan.batch` 2, `width` and `plan.epochs` 1".into(),
            }),
        }
    }

    fn wants(&self) -> usize {
        self.pictures
    }

    fn fit(&self, artifact: Artifact, pictures: &[Picture], seed: u64) -> Result<Artifact> {
        of::learn_pictures(&self.network, artifact, pictures, seed)
    }

    fn load(&self, artifact: &Artifact) -> Result<Box<dyn ImageView>> {
        of::load_pictures(&self.network, artifact)
    }
}

impl TextFeature for TextNetParams {
    fn spec(&self, train: Fingerprint) -> Result<Spec> {
        Ok(Spec::new("text-net", self, self.seed).input("training captions", train))
    }

    fn fit(&self, spec: Spec, captions: &[&str]) -> Result<Artifact> {
        of::learn_texts(self, spec, captions)
    }

    fn load(&self, artifact: &Artifact) -> Result<Box<dyn TextVectors>> {
        of::load_texts(self, artifact)
    }

    fn learns_nothing(&self) -> bool {
        false
    }
}

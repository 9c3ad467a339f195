//! Networks that are trained here, on the captions of a data set: over what others have computed of its pictures, or over
//! hand-crafted features. They are optional: the networks themselves are built with the feature `train`, their settings always.

#[cfg(feature = "train")]
mod captioner;
#[cfg(feature = "train")]
mod networks;
#[cfg(feature = "train")]
mod rerank;
#[cfg(not(feature = "train"))]
mod unbuilt;

use serde::{Deserialize, Serialize};
pub use tuwen_nets::params::{
    CaptionerParams, Contrast, Margin, MatcherParams, Method, Negatives, PictureContrastParams,
    Plan, TextContrastParams,
};

#[cfg(feature = "train")]
pub use captioner::{Captioner, Written, learn_captioner};
#[cfg(feature = "train")]
pub use rerank::{Compared, Reranker, learn_matchers};
#[cfg(not(feature = "train"))]
pub use unbuilt::{Captioner, Compared, Reranker, Written, learn_captioner, learn_matchers};

use crate::artifact::{Artifact, Fingerprint};
use crate::dataset::Collection;
use crate::error::{Error, Result};
use crate::views::{Feature, RegionsParams, Rows};

/// A collection with the cells of its pictures.
pub struct Described<'a> {
    /// Its pictures are not mirrored.
    pub collection: &'a Collection,
    /// The cells of its pictures.
    pub rows: &'a Rows,
}

/// What a network learns from.
pub struct Learned<'a> {
    /// Pictures and captions.
    pub train: Described<'a>,
    /// Digests of the pictures.
    pub contents: &'a [Fingerprint],
    /// What it is judged by while it learns.
    pub val: Option<Described<'a>>,
    /// What describes the cells of a picture.
    pub view: Artifact,
}

/// A Transformer that writes captions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptioningParams {
    /// What it sees of a picture.
    pub regions: RegionsParams,
    /// The words that it knows.
    #[serde(default)]
    pub words: WordsParams,
    /// The network, and how it learns.
    #[serde(default)]
    pub network: CaptionerParams,
}

/// The words that a network knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WordsParams {
    /// Times that a word occurs at least in the training captions.
    pub least: usize,
    /// Number of words, the most frequent ones.
    pub most: usize,
}

impl Default for WordsParams {
    fn default() -> Self {
        Self {
            least: 2,
            most: 10_000,
        }
    }
}

impl CaptioningParams {
    /// Whether the settings go together.
    ///
    /// # Errors
    /// Those of settings that make no network.
    pub fn check(&self) -> Result<()> {
        self.regions.check()?;
        let CaptionerParams {
            width,
            heads,
            length,
            captions,
            beam,
            plan,
            ..
        } = &self.network;
        let wrong = |reason: &str| Error::Numeric {
            what: "`captioner.network`",
            reason: reason.into(),
        };
        if *heads == 0 || *width == 0 || !width.is_multiple_of(*heads) {
            return Err(wrong("`width` is a multiple of `heads`"));
        }
        if *length < 3 || *captions == 0 || *beam == 0 {
            return Err(wrong(
                "`length` is at least 3, `captions` and `beam` at least 1",
            ));
        }
        if plan.batch == 0 || plan.epochs == 0 {
            return Err(wrong("`plan.batch` and `plan.epochs` are at least 1"));
        }
        Ok(())
    }
}

/// A network that compares a picture and a caption as a pair, and ranks the best answers of the fusion again.
///
/// A gallery keeps no cells of its pictures: what is indexed and searched is ranked by the fusion alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RerankParams {
    /// What it sees of a picture.
    pub regions: RegionsParams,
    /// The words that it knows.
    #[serde(default)]
    pub words: WordsParams,
    /// The network, and how it learns.
    #[serde(default)]
    pub network: MatcherParams,
    /// Answers that are ranked again, the best ones; 0 for all.
    #[serde(default = "fifty")]
    pub depth: usize,
    /// How much it counts beside the fusion, both standardised; the best on the validation split, the first where there is none.
    #[serde(default = "one")]
    pub weight: Vec<f32>,
    /// The fusion only chooses what is ranked again, and does not count beside it.
    #[serde(default)]
    pub alone: bool,
    /// Networks that learn from all but one of so many parts of the training pictures each, and whose scores are averaged; 0 for one
    /// network that learns from all.
    #[serde(default)]
    pub folds: u64,
}

fn fifty() -> usize {
    50
}
fn one() -> Vec<f32> {
    vec![1.0]
}

impl RerankParams {
    /// Whether the settings go together.
    ///
    /// # Errors
    /// Those of settings that make no network.
    pub fn check(&self) -> Result<()> {
        self.regions.check()?;
        let MatcherParams {
            width, heads, plan, ..
        } = &self.network;
        let wrong = |reason: &str| Error::Numeric {
            what: "`rerank`",
            reason: reason.into(),
        };
        if *heads == 0 || *width == 0 || !width.is_multiple_of(2 * heads) {
            return Err(wrong(
                "`network.width` is a multiple of twice `network.heads`",
            ));
        }
        if self.network.word == 0 || self.network.length == 0 || plan.batch < 2 || plan.epochs == 0
        {
            return Err(wrong(
                "`network.word`, `network.length` and `plan.epochs` are at least 1, `plan.batch` 2",
            ));
        }
        if self.weight.is_empty() || self.weight.iter().any(|w| *w <= 0.0) {
            return Err(wrong("`weight` is a list of numbers above 0"));
        }
        Ok(())
    }
}

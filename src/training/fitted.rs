//! What a training has learned.

use super::fusion::{Fused, Outcome};
use super::scene_text::SceneText;
use super::{Features, Keep, Training};
use crate::artifact::Fingerprint;
use crate::dataset::{Direction, Split};
use crate::error::Result;
use crate::evaluation;
use crate::fusion::Fusion;
use crate::model::Model;
use crate::trained::Reranker;

/// A fitted fusion, how it was chosen, and what the words in pictures add to it.
pub struct Fitted {
    /// Learned from all training pairs.
    pub fusion: Fusion,
    /// The same with the same settings, that has not learned from the validation data.
    pub validating: Fusion,
    /// How the settings were chosen.
    pub outcome: Outcome,
    /// Of all that the fusion was made from.
    pub fingerprint: Fingerprint,
    /// None where words are not read.
    pub scene_text: Option<SceneText>,
    /// What ranks the best answers again.
    pub reranker: Option<Reranker>,
}

impl Fitted {
    /// How much the words in pictures count in a score: 0 where they are not used.
    pub fn share_of_words(&self) -> f32 {
        self.scene_text.as_ref().map_or(0.0, SceneText::share)
    }
}

impl Training<'_> {
    /// All of it, in order.
    ///
    /// # Errors
    /// Those of every stage.
    pub fn run(&self, keep: Keep) -> Result<Model> {
        let features = self.features()?; // pictures and captions as vectors, learned from the training split
        let fitted = self.fit(&features)?; // both in one space; how far the words in pictures count
        self.model(&features, &fitted, keep) // probabilities, and all of it in one file
    }

    /// The fitted fusion, its settings chosen on the validation split, or on training images that are held out for the
    /// choice and then learned from too.
    ///
    /// # Errors
    /// Those of learning.
    pub fn fit(&self, features: &[Features]) -> Result<Fitted> {
        let Fused {
            fusion,
            validating,
            outcome,
            fingerprint,
        } = self.fuse(features)?;
        let mut fitted = Fitted {
            scene_text: self.scene_text(features, &validating, &fingerprint)?,
            reranker: None,
            fusion,
            validating,
            outcome,
            fingerprint,
        };
        if let Some(params) = &self.recipe.rerank {
            fitted.reranker = Some(self.reranker()?);
            self.weigh(&params.weight, features, &mut fitted)?;
        }
        Ok(fitted)
    }

    /// Chooses how much re-ranking counts, on the validation split.
    fn weigh(&self, weights: &[f32], features: &[Features], fitted: &mut Fitted) -> Result<()> {
        let mut best = None;
        for &weight in weights.iter().filter(|_| weights.len() > 1) {
            if let Some(reranker) = &mut fitted.reranker {
                reranker.weigh(weight);
            }
            let ranking = |d| self.rank(Split::Val, d, features, fitted);
            let (t2i, i2t) = (
                ranking(Direction::TextToImage)?,
                ranking(Direction::ImageToText)?,
            );
            let (Some(t2i), Some(i2t)) = (t2i, i2t) else {
                break;
            };
            let score = evaluation::mean_recall(&t2i, &i2t);
            tracing::info!("re-ranking: mR {score:.2} on val with weight {weight}");
            if best.is_none_or(|(_, b)| score > b) {
                best = Some((weight, score));
            }
        }
        if let (Some(reranker), Some((weight, _))) = (&mut fitted.reranker, best) {
            reranker.weigh(weight);
        }
        Ok(())
    }
}

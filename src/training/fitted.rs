//! What a training has learned.

use super::fusion::{Fused, Outcome};
use super::scene_text::SceneText;
use super::{Features, Keep, Training};
use crate::artifact::Fingerprint;
use crate::error::Result;
use crate::fusion::Fusion;
use crate::model::Model;

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
        Ok(Fitted {
            scene_text: self.scene_text(features, &validating, &fingerprint)?,
            fusion,
            validating,
            outcome,
            fingerprint,
        })
    }
}

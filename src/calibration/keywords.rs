//! How likely a word is to occur in one of a picture's captions.
//!
//! ln(P / (1 − P)) = a·cosine + b·logit(prior) + c, where the cosine is that of picture and word in the shared space
//! and the prior is the share of pictures whose captions have the word.

use serde::{Deserialize, Serialize};

use super::logistic::{Logistic, Prior, Row, sigmoid};
use crate::error::{Error, Result};

/// How probabilities of words are learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeywordParams {
    /// How firmly a word without evidence keeps its prior: the strength of the penalty.
    pub penalty: f64,
}

impl Default for KeywordParams {
    fn default() -> Self {
        Self { penalty: 1.0 }
    }
}

/// A word and a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keyword {
    /// Cosine of the picture and the word in the shared space.
    pub cosine: f32,
    /// Training pictures whose captions have the word.
    pub pictures_with: usize,
    /// All training pictures.
    pub pictures: usize,
}

/// A keyword of which it is known whether a caption has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JudgedKeyword {
    /// The word and the picture.
    pub keyword: Keyword,
    /// Whether a caption of the picture has the word.
    pub occurs: bool,
}

/// What is learned: cosines and document frequencies to probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keywords {
    /// Coefficients of the cosine, the logit of the prior, and 1.
    pub model: Logistic<3>,
}

impl Keyword {
    /// Cosine, logit of the prior, 1.
    fn features(&self) -> [f64; 3] {
        let cosine = match self.cosine.is_nan() {
            true => -1.0,
            false => f64::from(self.cosine).clamp(-1.0, 1.0),
        };
        // Halves keep the logit finite for a word that all pictures have, or none.
        let with = self.pictures_with.min(self.pictures) as f64 + 0.5;
        let without = self.pictures.saturating_sub(self.pictures_with) as f64 + 0.5;
        [cosine, (with / without).ln(), 1.0]
    }
}

impl KeywordParams {
    /// Learns from pictures and words of which it is known whether they go together.
    ///
    /// # Errors
    /// [`Error::TooFew`] where there is nothing to learn from.
    pub fn fit(&self, judged: &[JudgedKeyword]) -> Result<Keywords> {
        if judged.is_empty() {
            return Err(Error::TooFew {
                what: "judged keywords".into(),
                needed: 1,
                found: 0,
            });
        }
        let row = |j: &JudgedKeyword| Row {
            features: j.keyword.features(),
            offset: 0.0,
            right: j.occurs,
        };
        let rows: Vec<Row<3>> = judged.iter().map(row).collect();
        let penalty = if self.penalty.is_finite() {
            self.penalty.max(1e-6)
        } else {
            1.0
        };
        // Without evidence the probability of a word is its prior. Cosines differ by tenths: their coefficient is in
        // the tens, and is penalised less.
        let prior = Prior {
            centre: [0.0, 1.0, 0.0],
            strength: [penalty / 100.0, penalty, penalty / 100.0],
        };
        let (model, _) = Logistic::fit_rising(&rows, &prior, [true, true, false]);
        Ok(Keywords { model })
    }
}

impl Keywords {
    /// The probability that one of the picture's captions has the word.
    pub fn probability(&self, keyword: &Keyword) -> f32 {
        sigmoid(self.model.logit(&keyword.features())) as f32
    }
}

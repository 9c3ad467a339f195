//! The words of captions, for metrics and agreement: jieba's where a language is written without blanks.

use super::metrics::tokens_english;
use crate::error::Result;
use crate::text::{Dictionaries, Segmenter, SegmenterParams};

/// Cuts captions into words.
pub enum Cutter {
    /// With jieba's dictionary.
    Jieba(Box<Segmenter>),
    /// Without any.
    Blanks,
}

impl Cutter {
    /// The one for these captions: jieba where most of them have a Chinese character.
    ///
    /// # Errors
    /// Those of [`SegmenterParams::load`].
    pub fn of(captions: &[String]) -> Result<Self> {
        let chinese = |c: &&String| c.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        match captions.iter().filter(chinese).count() * 2 > captions.len() {
            true => {
                // every word counts, stop words too
                let none = Dictionaries {
                    stop_words: String::new(),
                    user_dictionary: String::new(),
                };
                Ok(Self::Jieba(Box::new(
                    SegmenterParams::default().with(&none)?,
                )))
            }
            false => Ok(Self::Blanks),
        }
    }

    /// How it cuts, for reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Jieba(_) => "jieba",
            Self::Blanks => "blanks",
        }
    }

    /// The words of a caption.
    pub fn words(&self, caption: &str) -> Vec<String> {
        match self {
            Self::Jieba(segmenter) => segmenter.tokens(caption),
            Self::Blanks => tokens_english(caption),
        }
    }
}

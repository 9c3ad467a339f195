//! The words of captions, for metrics and agreement: jieba's where a language is written without blanks.

use super::{Dictionaries, Segmenter, SegmenterParams, tokens_english};
use crate::error::Result;

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
    pub fn of(captions: &[impl AsRef<str>]) -> Result<Self> {
        let chinese = |c: &&_| {
            let caption: &str = AsRef::as_ref(*c);
            caption
                .chars()
                .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
        };
        match captions.iter().filter(chinese).count() * 2 > captions.len() {
            true => Self::named("jieba"),
            false => Ok(Self::Blanks),
        }
    }

    /// The one of a [`Self::name`].
    ///
    /// # Errors
    /// Those of [`SegmenterParams::load`].
    pub fn named(name: &str) -> Result<Self> {
        if name != "jieba" {
            return Ok(Self::Blanks);
        }
        // every word counts, stop words too
        let none = Dictionaries {
            stop_words: String::new(),
            user_dictionary: String::new(),
        };
        let segmenter = SegmenterParams::default().with(&none)?;
        Ok(Self::Jieba(Box::new(segmenter)))
    }

    /// How it cuts, for reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Jieba(_) => "jieba",
            Self::Blanks => "blanks",
        }
    }

    /// Words as one caption.
    pub fn joined(&self, words: &[&str]) -> String {
        match self {
            Self::Jieba(_) => words.concat(),
            Self::Blanks => words.join(" "),
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

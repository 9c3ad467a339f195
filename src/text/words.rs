//! The words that a network knows, and how captions are cut into them.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tuwen_nets::tokens::Vocabulary;

use super::Cutter;
use crate::error::Result;

/// Cuts captions into the numbers of known words.
pub struct Words {
    cutter: Cutter,
    vocabulary: Vocabulary,
}

/// As an artifact holds them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredWords {
    /// [`Cutter::name`]
    words: String,
    vocabulary: Vocabulary,
}

impl Words {
    /// Those that occur at least `least` times in captions, at most `most` of them, the most frequent ones.
    ///
    /// # Errors
    /// Those of [`Cutter::of`].
    pub fn learn(captions: &[&str], least: usize, most: usize) -> Result<Self> {
        let cutter = Cutter::of(captions)?;
        let words: Vec<Vec<String>> = captions.par_iter().map(|c| cutter.words(c)).collect();
        let vocabulary = Vocabulary::learn(words.iter().map(Vec::as_slice), least, most);
        Ok(Self { cutter, vocabulary })
    }

    /// Number of words, with the marks of [`Vocabulary`].
    pub fn count(&self) -> usize {
        self.vocabulary.len()
    }

    /// The numbers of the first `most` words of a caption.
    pub fn numbers(&self, caption: &str, most: usize) -> Vec<u32> {
        self.vocabulary.numbers(&self.cutter.words(caption), most)
    }

    /// The caption of numbers.
    pub fn caption(&self, numbers: &[u32]) -> String {
        self.cutter.joined(&self.vocabulary.words(numbers))
    }

    /// To be kept.
    pub fn stored(&self) -> StoredWords {
        StoredWords {
            words: self.cutter.name().to_owned(),
            vocabulary: self.vocabulary.clone(),
        }
    }
}

impl StoredWords {
    /// The words again.
    ///
    /// # Errors
    /// Those of [`Cutter::named`].
    pub fn load(self) -> Result<Words> {
        Ok(Words {
            cutter: Cutter::named(&self.words)?,
            vocabulary: self.vocabulary,
        })
    }
}

//! Keywords: the words of the training captions, placed in the shared space as if each were a caption.

use ndarray::{Array2, ArrayView1};

use super::TextSide;
use crate::error::Result;

/// A word and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Keyword {
    /// As the segmenter cuts it: Latin words are stems.
    pub word: String,
    /// The share of training captions that have it.
    pub share: f32,
}

/// All words, in the shared space.
pub struct Vocabulary {
    words: Vec<Keyword>,
    /// n×s
    points: Array2<f32>,
}

impl Vocabulary {
    pub(super) fn of(texts: &TextSide) -> Result<Self> {
        let Some(view) = texts.words() else {
            return Ok(Self {
                words: vec![],
                points: Array2::default((0, 0)),
            });
        };
        let terms = view.terms();
        // idf = ln((1 + n)/(1 + df)) + 1 (see `TfIdfParams::fit`), so that (1 + df)/(1 + n) comes back from it.
        let words = terms.terms().zip(terms.idf()).map(|(word, idf)| Keyword {
            word: word.to_owned(),
            share: (1.0 - idf).exp(),
        });
        let words: Vec<Keyword> = words.filter(|k| says_something(&k.word)).collect();
        let texts_of: Vec<&str> = words.iter().map(|k| k.word.as_str()).collect();
        Ok(Self {
            points: texts.embed(&texts_of)?.x,
            words,
        })
    }

    /// Each word with its cosine with a point of the shared space, in the order of the vocabulary.
    pub fn cosines(&self, point: ArrayView1<f32>) -> impl Iterator<Item = (&Keyword, f32)> {
        let cosines = match self.words.is_empty() {
            true => vec![],
            false => self.points.dot(&point).to_vec(),
        };
        self.words.iter().zip(cosines)
    }
}

/// A lone Latin letter or a number names nothing that can be seen.
fn says_something(word: &str) -> bool {
    let long_enough = word.chars().count() > 1 || !word.is_ascii();
    long_enough && !word.chars().all(|c| c.is_ascii_digit())
}

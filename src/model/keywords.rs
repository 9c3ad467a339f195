//! Keywords: the words of the training captions, placed in the shared space as if each were a caption. A model that learned
//! no words has the names of what a network tells apart.

use ndarray::{Array2, ArrayView1};
use serde::Serialize;

use super::{Model, TextSide};
use crate::calibration::keywords::Keyword as Evidence;
use crate::error::Result;
use crate::views::{TermView, class_names};

/// A word for a picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Keyword {
    /// The word as the segmenter cuts it; Latin words are stems.
    pub word: String,
    /// The probability that a caption of the picture has it, if the model can tell it.
    pub probability: Option<f32>,
}

/// A word of the vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// The word as the segmenter cuts it; Latin words are stems.
    pub word: String,
    /// The share of training captions that have it.
    pub share: f32,
}

/// All words, in the shared space.
pub struct Vocabulary {
    words: Vec<Word>,
    /// n×s
    points: Array2<f32>,
}

impl Vocabulary {
    pub(super) fn of(texts: &TextSide) -> Result<Self> {
        let words = texts.words().map_or_else(Word::of_classes, Word::all);
        let texts_of: Vec<&str> = words.iter().map(|k| k.word.as_str()).collect();
        Ok(Self {
            points: texts.embed(&texts_of)?.x,
            words,
        })
    }

    /// Each word with its cosine with a point of the shared space, in the order of the vocabulary.
    pub fn cosines(&self, point: ArrayView1<f32>) -> impl Iterator<Item = (&Word, f32)> {
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

/// Pictures that shares of captions are told of, as a scale for document frequencies.
const SCALE: usize = 1_000_000;

impl Word {
    /// The words of a view that name something.
    pub(crate) fn all(view: &TermView) -> Vec<Self> {
        let terms = view.terms();
        // idf = ln((1 + n)/(1 + df)) + 1 (see `TfIdfParams::fit`), so that (1 + df)/(1 + n) comes back from it.
        let words = terms.terms().zip(terms.idf()).map(|(word, idf)| Self {
            word: word.to_owned(),
            share: (1.0 - idf).exp(),
        });
        words.filter(|w| says_something(&w.word)).collect()
    }

    /// The names of classes, in both languages.
    fn of_classes() -> Vec<Self> {
        let names = class_names().flatten().map(str::to_owned);
        let share = 1.0 / class_names().count() as f32;
        names.map(|word| Self { word, share }).collect()
    }

    /// What the probability of the word for a picture is told from.
    pub(crate) fn evidence(&self, cosine: f32) -> Evidence {
        Evidence {
            cosine,
            pictures_with: (f64::from(self.share) * SCALE as f64) as usize,
            pictures: SCALE,
        }
    }
}

impl Model {
    /// The words that fit a picture file best: by probability where the model tells it, by cosine otherwise.
    ///
    /// # Errors
    /// Those of [`Self::point_of_file`].
    pub fn keywords(&self, bytes: &[u8], top: usize) -> Result<Vec<Keyword>> {
        self.keywords_of(self.point_of_file(bytes)?.view(), top)
    }

    /// The words that fit a point of the shared space best.
    pub fn keywords_of(&self, point: ArrayView1<f32>, top: usize) -> Result<Vec<Keyword>> {
        let calibration = self.about().calibrations.keywords.as_ref();
        let words = self.vocabulary()?.cosines(point).map(|(word, cosine)| {
            let probability = calibration.map(|c| c.probability(&word.evidence(cosine)));
            (word, probability, probability.unwrap_or(cosine))
        });
        let mut words: Vec<(&Word, Option<f32>, f32)> = words.collect();
        words.sort_by(|a, b| b.2.total_cmp(&a.2).then_with(|| a.0.word.cmp(&b.0.word)));
        words.truncate(top);
        Ok(words
            .into_iter()
            .map(|(word, probability, _)| Keyword {
                word: word.word.clone(),
                probability,
            })
            .collect())
    }
}

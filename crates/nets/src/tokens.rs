//! Captions as the numbers of their words.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// Fills a short caption up.
pub const PAD: u32 = 0;
/// Before the first word.
pub const START: u32 = 1;
/// After the last word.
pub const END: u32 = 2;
/// A word that the vocabulary does not have.
pub const UNKNOWN: u32 = 3;

const MARKS: [&str; 4] = ["<pad>", "<start>", "<end>", "<unknown>"];

/// The words that a network knows, the most frequent first, after the four marks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Vocabulary {
    words: Vec<String>,
    places: HashMap<String, u32>,
}

impl From<Vec<String>> for Vocabulary {
    /// The words after the marks.
    fn from(words: Vec<String>) -> Self {
        let words: Vec<String> = MARKS.iter().map(|&m| m.to_owned()).chain(words).collect();
        let places = words.iter().cloned().zip(0..).collect();
        Self { words, places }
    }
}

impl From<Vocabulary> for Vec<String> {
    fn from(mut vocabulary: Vocabulary) -> Self {
        vocabulary.words.split_off(MARKS.len())
    }
}

impl Vocabulary {
    /// Counts the words of captions; those that occur at least `least` times stay, at most `most` of them.
    pub fn learn<'a>(
        captions: impl IntoIterator<Item = &'a [String]>,
        least: usize,
        most: usize,
    ) -> Self {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for word in captions.into_iter().flatten() {
            *counts.entry(word).or_default() += 1;
        }
        let mut words: Vec<(&str, usize)> = counts.into_iter().filter(|c| c.1 >= least).collect();
        words.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        words.truncate(most);
        let words: Vec<String> = words.into_iter().map(|(w, _)| w.to_owned()).collect();
        words.into()
    }

    /// Number of words, marks included.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is no word but the marks.
    pub fn is_empty(&self) -> bool {
        self.words.len() == MARKS.len()
    }

    /// The numbers of words, at most `most` of them, without marks before and after.
    pub fn numbers(&self, words: &[String], most: usize) -> Vec<u32> {
        let number = |word: &String| self.places.get(word).copied().unwrap_or(UNKNOWN);
        words.iter().take(most).map(number).collect()
    }

    /// The words of numbers; unknown ones are left out.
    pub fn words(&self, numbers: &[u32]) -> Vec<&str> {
        let words = numbers.iter().filter(|&&n| n > UNKNOWN);
        words
            .filter_map(|&n| self.words.get(n as usize).map(String::as_str))
            .collect()
    }
}

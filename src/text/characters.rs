//! Character n-grams as terms: they find words that a segmenter cuts wrongly or a vocabulary lacks.

use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};
use serde::{Deserialize, Serialize};

use super::segment::normalize;

/// Settings of the character n-grams. A Latin word, stemmed, counts as one character, so that English captions give
/// word n-grams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CharacterParams {
    /// Shortest n-gram, in characters.
    pub min: usize,
    /// Longest n-gram, in characters.
    pub max: usize,
}

impl Default for CharacterParams {
    fn default() -> Self {
        Self { min: 1, max: 1 }
    }
}

static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

impl CharacterParams {
    /// The n-grams of a sentence, by position, then length. None spans punctuation.
    pub fn tokens(&self, sentence: &str) -> Vec<String> {
        let mut tokens = Vec::new();
        for run in units(sentence) {
            for start in 0..run.len() {
                for n in self.min.max(1)..=self.max {
                    if let Some(gram) = run.get(start..start + n) {
                        tokens.push(joined(gram));
                    }
                }
            }
        }
        tokens
    }
}

/// Characters, or Latin words, between punctuation.
fn units(sentence: &str) -> Vec<Vec<String>> {
    let mut runs = vec![Vec::new()];
    let mut word = String::new();
    let text = normalize(sentence);
    for c in text.chars().chain(" ".chars()) {
        let run = runs.last_mut().expect("never empty");
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            run.push(STEMMER.stem(&word).into_owned());
            word.clear();
        }
        if c.is_alphanumeric() {
            run.push(c.to_string());
        } else if !c.is_whitespace() {
            runs.push(Vec::new());
        }
    }
    runs
}

/// Joins units, with a blank between Latin words.
fn joined(units: &[String]) -> String {
    let mut out = String::new();
    for unit in units {
        let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii());
        if latin(out.chars().last()) && latin(unit.chars().next()) {
            out.push(' ');
        }
        out.push_str(unit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(min: usize, max: usize, sentence: &str) -> Vec<String> {
        CharacterParams { min, max }.tokens(sentence)
    }

    #[test]
    fn runs_end_at_punctuation() {
        assert_eq!(tokens(1, 2, "红花,草"), ["红", "红花", "花", "草"]);
        assert_eq!(tokens(3, 3, "红花,草地"), [""; 0]);
    }

    #[test]
    fn latin_words_are_units() {
        assert_eq!(tokens(2, 2, "Two dogs running"), ["two dog", "dog run"]);
        assert_eq!(
            tokens(2, 2, "一只dog在跑"),
            ["一只", "只dog", "dog在", "在跑"]
        );
    }

    #[test]
    fn traditional_and_full_width_forms_fold() {
        assert_eq!(tokens(1, 1, "黃狗Ａ"), tokens(1, 1, "黄狗a"));
    }
}

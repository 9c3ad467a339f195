//! Sentences to tokens.
//!
//! NFKC first (full-width letters become plain ones), traditional characters become simplified ones; a placeholder such as `<人名>` is one token; Chinese
//! is cut by jieba; Latin words are lowercased and stemmed (Snowball); punctuation and stop words go.

use std::collections::BTreeSet;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use jieba_rs::Jieba;
use rust_stemmers::{Algorithm, Stemmer};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::artifact::Fingerprint;
use crate::error::{Error, Result};

const STOP_WORDS: &str = include_str!("../../vocab/stop_words.txt");
const USER_DICTIONARY: &str = include_str!("../../vocab/user_dictionary.txt");

/// The words of jieba's dictionary that have capitals. Captions are lowercased before they are cut, and all these
/// would fall apart into a letter, which they share with the others, and the rest.
#[rustfmt::skip]
const WITH_CAPITALS: &[&str] = &[
    "4S店", "AA制", "AB型", "AT&T", "A型", "A座", "A股", "A轮", "BB机", "BP机", "B型", "B座", "B股", "B超", "B轮", "C#",
    "C++", "CALL机", "CD机", "CD盒", "C座", "C盘", "C语言", "D座", "D版", "D盘", "E化", "E座", "E盘", "E通", "F座", "F盘",
    "G盘", "H盘", "H股", "IC卡", "IP卡", "IP地址", "IP电话", "I盘", "K党", "K歌之王", "N年", "O型", "PC机", "PH值", "QQ号",
    "Q版", "RSS订阅", "SIM卡", "T台", "T型台", "T恤", "T恤衫", "T盘", "U盘", "VISA卡", "X光", "X光线", "X射线", "Z盘",
    "大S", "小S", "江南Style", "阿Q",
];

/// Settings of the segmenter. Without a path, the file of that name in `vocab/` is used, as it was when
/// the program was built.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SegmenterParams {
    pub stop_words: Option<PathBuf>,
    pub user_dictionary: Option<PathBuf>,
    /// Find words that are in no dictionary by a hidden Markov model.
    pub hmm: bool,
}

impl Default for SegmenterParams {
    fn default() -> Self {
        Self {
            stop_words: None,
            user_dictionary: None,
            hmm: true,
        }
    }
}

/// What a segmenter reads from files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dictionaries {
    /// One word a line.
    pub stop_words: String,
    /// In the format of jieba's user dictionaries.
    pub user_dictionary: String,
}

/// A loaded segmenter. Those with the dictionaries of the program share them.
pub struct Segmenter {
    jieba: Arc<Jieba>,
    stop_words: BTreeSet<String>,
    stemmer: Stemmer,
    hmm: bool,
    fingerprint: Fingerprint,
}

impl SegmenterParams {
    /// The text of the dictionaries.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read.
    pub fn dictionaries(&self) -> Result<Dictionaries> {
        let text = |path: &Option<PathBuf>, built_in: &str| match path {
            None => Ok(built_in.to_owned()),
            Some(p) => fs::read_to_string(p).map_err(Error::io("read", p)),
        };
        Ok(Dictionaries {
            stop_words: text(&self.stop_words, STOP_WORDS)?,
            user_dictionary: text(&self.user_dictionary, USER_DICTIONARY)?,
        })
    }

    /// Loads the dictionaries.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read, [`Error::Table`] for a broken dictionary.
    pub fn load(&self) -> Result<Segmenter> {
        self.with(&self.dictionaries()?)
    }

    /// A segmenter with these dictionaries, wherever they came from.
    ///
    /// # Errors
    /// [`Error::Table`] for a broken dictionary.
    pub fn with(&self, dictionaries: &Dictionaries) -> Result<Segmenter> {
        let Dictionaries {
            stop_words,
            user_dictionary,
        } = dictionaries;
        let parts = (stop_words, user_dictionary, WITH_CAPITALS, self.hmm);
        Ok(Segmenter {
            jieba: match user_dictionary == USER_DICTIONARY {
                true => built_in(),
                false => Arc::new(self.jieba(user_dictionary)?),
            },
            stop_words: entries_normalised(stop_words),
            stemmer: Stemmer::create(Algorithm::English),
            hmm: self.hmm,
            fingerprint: Fingerprint::of(&parts),
        })
    }

    fn jieba(&self, user_dictionary: &str) -> Result<Jieba> {
        jieba(user_dictionary).map_err(|reason| Error::Table {
            path: self
                .user_dictionary
                .clone()
                .unwrap_or_else(|| Path::new("vocab/user_dictionary.txt").into()),
            line: None,
            reason,
        })
    }
}

/// jieba with its own dictionary and one more.
fn jieba(user_dictionary: &str) -> Result<Jieba, String> {
    let mut jieba = Jieba::new();
    let entries: String = entries(user_dictionary)
        .map(|l| format!("{}\n", l.to_lowercase()))
        .collect();
    jieba
        .load_dict(&mut BufReader::new(entries.as_bytes()))
        .map_err(|e| e.to_string())?;
    for word in WITH_CAPITALS {
        jieba.add_word(&word.to_lowercase(), None, None);
    }
    Ok(jieba)
}

/// Loaded once: it takes as long as a hundred searches.
fn built_in() -> Arc<Jieba> {
    static JIEBA: LazyLock<Arc<Jieba>> = LazyLock::new(|| {
        Arc::new(jieba(USER_DICTIONARY).expect("the program's own dictionary is whole"))
    });
    JIEBA.clone()
}

/// Lines that are neither empty nor comments.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
}

fn entries_normalised(text: &str) -> BTreeSet<String> {
    entries(text).map(normalize).collect()
}

/// NFKC, lower case, traditional characters as simplified ones.
pub(super) fn normalize(text: &str) -> String {
    fast2s::convert(&text.nfkc().collect::<String>().to_lowercase())
}

impl Segmenter {
    /// Of the dictionaries and settings, not of the program.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint.clone()
    }

    /// The tokens of a sentence, in order.
    pub fn tokens(&self, sentence: &str) -> Vec<String> {
        let text = normalize(sentence);
        let mut tokens = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, placeholder, after)) = next_placeholder(rest) {
            self.cut(before, &mut tokens);
            tokens.push(placeholder.to_owned());
            rest = after;
        }
        self.cut(rest, &mut tokens);
        tokens
    }

    fn cut(&self, text: &str, tokens: &mut Vec<String>) {
        for word in self.jieba.cut(text, self.hmm) {
            let word = word.word.trim().to_owned();
            if !word.chars().any(char::is_alphanumeric) || self.stop_words.contains(&word) {
                continue;
            }
            let latin = word.chars().all(|c| c.is_ascii_alphabetic());
            tokens.push(if latin {
                self.stemmer.stem(&word).into_owned()
            } else {
                word
            });
        }
    }
}

/// The longest thing in angle brackets that counts as a placeholder, in characters.
const PLACEHOLDER: usize = 8;

/// The first `<…>` with letters alone inside: what is before it, itself, what is after it.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    for (open, _) in text.match_indices('<') {
        let close = open + text[open..].find('>')?;
        let inside = &text[open + 1..close];
        let letters = !inside.is_empty() && inside.chars().all(char::is_alphabetic);
        if letters && inside.chars().count() <= PLACEHOLDER {
            return Some((&text[..open], &text[open..=close], &text[close + 1..]));
        }
    }
    None
}

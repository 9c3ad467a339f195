//! Cuts sentences into tokens.
//!
//! Text is first normalised by NFKC (full-width letters become plain ones), and traditional characters become
//! simplified ones. A placeholder such as `<人名>` is one token. Chinese is cut by jieba; Latin words are lowercased
//! and stemmed (Snowball); punctuation and stop words are removed.

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

/// The words of jieba's dictionary that have capitals. Captions are lowercased before they are cut, and without
/// these entries such words would fall apart into a letter, which many of them share, and the rest.
#[rustfmt::skip]
const WITH_CAPITALS: &[&str] = &[
    "4S店", "AA制", "AB型", "AT&T", "A型", "A座", "A股", "A轮", "BB机", "BP机", "B型", "B座", "B股", "B超", "B轮", "C#",
    "C++", "CALL机", "CD机", "CD盒", "C座", "C盘", "C语言", "D座", "D版", "D盘", "E化", "E座", "E盘", "E通", "F座", "F盘",
    "G盘", "H盘", "H股", "IC卡", "IP卡", "IP地址", "IP电话", "I盘", "K党", "K歌之王", "N年", "O型", "PC机", "PH值", "QQ号",
    "Q版", "RSS订阅", "SIM卡", "T台", "T型台", "T恤", "T恤衫", "T盘", "U盘", "VISA卡", "X光", "X光线", "X射线", "Z盘",
    "大S", "小S", "江南Style", "阿Q",
];

/// Settings of the segmenter. Without a path, the file of that name in `vocab/` is used, as it was when the program
/// was built.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SegmenterParams {
    /// File of stop words, one per line; `#` begins a comment.
    pub stop_words: Option<PathBuf>,
    /// File of additional words for jieba: word, frequency and part of speech, one word per line.
    pub user_dictionary: Option<PathBuf>,
    /// Finds words that are in no dictionary by a hidden Markov model.
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

/// The contents of the files that a segmenter uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dictionaries {
    /// Stop words, one per line; `#` begins a comment.
    pub stop_words: String,
    /// Additional words for jieba: word, frequency and part of speech, one word per line.
    pub user_dictionary: String,
}

/// A segmenter with its dictionaries. Segmenters with the built-in user dictionary share it.
pub struct Segmenter {
    jieba: Arc<Jieba>,
    stop_words: BTreeSet<String>,
    stemmer: Stemmer,
    hmm: bool,
    fingerprint: Fingerprint,
}

impl SegmenterParams {
    /// Reads the dictionaries.
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

    /// Reads the dictionaries and builds a segmenter.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read, [`Error::Table`] for an invalid dictionary.
    pub fn load(&self) -> Result<Segmenter> {
        self.with(&self.dictionaries()?)
    }

    /// Builds a segmenter with given dictionaries.
    ///
    /// # Errors
    /// [`Error::Table`] for an invalid dictionary.
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

/// jieba with its own dictionary and an additional one.
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

/// jieba with the built-in user dictionary. It is loaded once, because loading takes as long as a hundred searches.
fn built_in() -> Arc<Jieba> {
    static JIEBA: LazyLock<Arc<Jieba>> = LazyLock::new(|| {
        Arc::new(jieba(USER_DICTIONARY).expect("the program's own dictionary is whole"))
    });
    JIEBA.clone()
}

/// Loads the built-in dictionary, if no segmenter has yet: a program that does other things meanwhile waits for it less.
pub fn load_dictionary() {
    built_in();
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

/// Normalises by NFKC, to lower case and to simplified characters.
pub(crate) fn normalize(text: &str) -> String {
    fast2s::convert(&text.nfkc().collect::<String>().to_lowercase())
}

impl Segmenter {
    /// Digest of the dictionaries and settings, but not of the program.
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

/// Longest placeholder, in characters within the angle brackets.
const PLACEHOLDER: usize = 8;

/// The first `<…>` with only letters inside: the text before it, the placeholder, the text after it.
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

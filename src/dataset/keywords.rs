//! Keywords of pictures, and queries of them: alone, or after the sentences (RSITMD: Yuan et al. 2022, §IV-E).
//!
//! `keywords.txt` in the folder of a data set has a line for every picture: its name, a tab, and its keywords with blanks or commas
//! between them. Where there is none, they may be taken from the captions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Dataset, ReadOptions, Warning, text, warn_all};
use crate::error::{Error, Result};

const FILE: &str = "keywords.txt";

/// What a text asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Queries {
    /// The caption.
    #[default]
    Sentences,
    /// The keywords of its picture.
    Keywords,
    /// The caption, and the keywords of its picture.
    Joint,
}

/// The keywords of pictures, by their ids.
pub type Keywords = BTreeMap<String, Vec<String>>;

impl Dataset {
    /// Replaces the captions by queries of another kind, in all splits. Texts of pictures without a keyword keep their sentence, or
    /// become empty where keywords are asked for alone.
    pub fn ask(&mut self, queries: Queries, keywords: &Keywords) {
        let mut without = BTreeSet::new();
        for c in &mut self.collections {
            let images = c.images_of_texts();
            for (text, images) in c.texts.iter_mut().zip(images) {
                let of = |i: &usize| keywords.get(&c.images[*i].id.0);
                let words = images.first().and_then(of).cloned().unwrap_or_default();
                if words.is_empty() {
                    without.extend(images.first().map(|&i| c.images[i].id.0.clone()));
                }
                text.caption = match queries {
                    Queries::Sentences => continue,
                    Queries::Keywords => words.join(" "),
                    Queries::Joint if words.is_empty() => continue,
                    Queries::Joint => format!("{} {}", text.caption, words.join(" ")),
                };
            }
        }
        let kind = "picture without a keyword";
        let message = |id| Warning { kind, message: id };
        let warnings: Vec<Warning> = without.into_iter().map(message).collect();
        warn_all(&warnings);
        self.warnings.extend(warnings);
    }

    /// The keywords that the folder of the data set states.
    ///
    /// # Errors
    /// [`Error::Dataset`] if there is no file of keywords, [`Error::Table`] for a line that is none of it.
    pub fn keywords(&mut self, root: &Path, options: &ReadOptions) -> Result<Keywords> {
        let path = root.join(FILE);
        if !fs::exists(&path).unwrap_or(false) {
            return Err(Error::dataset(
                root,
                format!(
                    "it has no {FILE} (a line for each picture: its name, a tab, its keywords); \
                     --keywords-from captions takes them from the captions"
                ),
            ));
        }
        let text = text::read(&path, options.encoding, &mut self.warnings)?.text;
        let mut keywords = Keywords::new();
        for (n, line) in text::lines(&text).enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let Some((name, words)) = line.split_once('\t') else {
                return Err(Error::Table {
                    path,
                    line: Some(n as u64 + 1),
                    reason: "wanted is the name of a picture, a tab, and its keywords".into(),
                });
            };
            let between = |c: char| c.is_whitespace() || ",;、，；".contains(c);
            let words = words.split(between).filter(|w| !w.is_empty());
            keywords.insert(name.trim().to_owned(), words.map(str::to_owned).collect());
        }
        Ok(keywords)
    }
}

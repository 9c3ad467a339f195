//! What is written in a picture, against what is written about it. Web pictures are posters, screenshots, covers
//! and stills with captions: the words read in them often stand in the sentence that goes with them.
//!
//! Both are texts, so nothing is learned but how rare terms are and how far to believe them beside the shared
//! space: score = (1 − share)·(score in the shared space) + share·(match of the terms), a convex combination
//! (Bruch, Gai & Ingber, ACM TOIS 2023). A picture in which nothing is read matches nothing: it keeps the order
//! that the shared space gives it.

mod postings;
mod terms;

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::error::Result;
use crate::ocr::ReaderParams;
pub use postings::{Matching, Postings, norm};
pub use terms::{Bag, Rarity, Term, Terms};

/// Settings of the view; a list of values is a choice to be made on validation data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SceneTextParams {
    /// How text is read.
    pub reader: ReaderParams,
    /// How texts are compared.
    pub matching: Vec<Matching>,
    /// Share of the match in the score: 0 uses the shared space alone, 1 the match alone.
    pub share: Vec<f32>,
    /// Documents by which terms are rare.
    pub idf: Idf,
    /// At most this many pictures are read to choose by, evenly spread: those of the validation data, and then
    /// others that stand beside them in the gallery.
    pub judged: usize,
}

/// The documents by which terms are rare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Idf {
    /// Training captions.
    Training,
    /// The texts that are searched, captions or read in pictures: *transductive*, for comparison.
    Gallery,
}

impl Default for SceneTextParams {
    fn default() -> Self {
        Self {
            reader: ReaderParams::default(),
            // k1 and b: as in Lucene and tantivy
            matching: vec![Matching::Cosine, Matching::Bm25 { k1: 1.2, b: 0.75 }],
            share: vec![0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99],
            idf: Idf::Training,
            judged: 1000,
        }
    }
}

/// One of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// How texts are compared.
    pub matching: Matching,
    /// Share of the match in the score.
    pub share: f32,
}

/// Terms, and how rare they are in training captions.
pub struct Lexicon {
    terms: Terms,
    rarity: Rarity,
    idf: Idf,
}

impl Lexicon {
    /// # Errors
    /// Those of loading the dictionaries.
    pub fn fit(idf: Idf, captions: &[&str]) -> Result<Self> {
        let terms = Terms::load()?;
        let bags: Vec<Bag> = captions.par_iter().map(|c| terms.bag(c)).collect();
        let rarity = Rarity::fit(&bags);
        Ok(Self { terms, rarity, idf })
    }

    /// Cuts texts into terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// How rare terms are in training captions.
    pub fn rarity(&self) -> &Rarity {
        &self.rarity
    }

    /// Adds the lexicon to an artifact, so that [`Self::load`] reads it.
    pub fn store(&self, artifact: Artifact) -> Artifact {
        self.rarity.store(artifact.with_notes(&self.idf))
    }

    /// # Errors
    /// Those of loading the dictionaries, and [`Error::Artifact`](crate::Error::Artifact) for another artifact.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        Ok(Self {
            terms: Terms::load()?,
            rarity: Rarity::load(artifact)?,
            idf: artifact.read_notes()?,
        })
    }

    /// Texts ready to be searched: captions, or the lines read in pictures.
    pub fn gallery(&self, texts: Vec<String>, setting: Setting) -> TextGallery<'_> {
        let bags: Vec<Bag> = texts.par_iter().map(|t| self.terms.bag(t)).collect();
        let rarity = match self.idf {
            Idf::Training => Cow::Borrowed(&self.rarity),
            Idf::Gallery => Cow::Owned(Rarity::fit(&bags)),
        };
        TextGallery {
            terms: &self.terms,
            postings: Postings::new(setting.matching, &bags, &rarity),
            share: setting.share,
            rarity,
            texts,
        }
    }
}

/// Texts that are searched.
pub struct TextGallery<'a> {
    terms: &'a Terms,
    rarity: Cow<'a, Rarity>,
    postings: Postings,
    texts: Vec<String>,
    share: f32,
}

/// An item of a gallery that has something in common with the query, and how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// Row of the item in the gallery.
    pub item: usize,
    /// How well it matches, from 0 to 1.
    pub score: f32,
}

impl TextGallery<'_> {
    /// The items that have a term in common with a text, rising.
    pub fn matches(&self, text: &str) -> Vec<Match> {
        self.postings.matches(&self.terms.bag(text), &self.rarity)
    }

    /// The score of an item that matches so well, where it has that score in the shared space; one without a
    /// place there stands with its match alone.
    pub fn score(&self, shared: Option<f32>, matched: f32) -> f32 {
        (1.0 - self.share) * shared.unwrap_or(0.0) + self.share * matched
    }

    /// Scores in the shared space, −∞ for an item without a place there, to those with the matches.
    pub fn blend(&self, scores: &mut [f32], matches: impl Iterator<Item = Match>) {
        let mut found: Vec<(usize, f32)> = Vec::new();
        for m in matches {
            let shared = Some(scores[m.item]).filter(|s| s.is_finite());
            found.push((m.item, self.score(shared, m.score)));
        }
        for score in scores.iter_mut().filter(|s| s.is_finite()) {
            *score *= 1.0 - self.share;
        }
        found
            .into_iter()
            .for_each(|(item, score)| scores[item] = score);
    }

    /// What a text has in common with an item, for people to read.
    pub fn common(&self, text: &str, item: usize) -> Vec<String> {
        self.terms.common(text, &self.texts[item], &self.rarity)
    }
}

/// Texts that ask, and texts that are searched.
pub struct Words<'a> {
    /// The text of each query.
    pub asking: Vec<String>,
    /// The texts that are searched.
    pub gallery: TextGallery<'a>,
}

impl Words<'_> {
    /// What a query has in common with an item, for people to read.
    pub fn common(&self, query: usize, item: usize) -> Vec<String> {
        self.gallery.common(&self.asking[query], item)
    }
}

//! Text views of terms: words or characters, their weights, and the projection of these.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Rows, TextSource, TextViewParams};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::Result;
use crate::linalg::SparseRow;
use crate::text::{CharacterParams, Dictionaries, Lsa, Segmenter, SegmenterParams, TfIdf};
use crate::timing;

/// The terms that a caption is cut into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TokenParams {
    /// Words of a segmenter.
    Words(SegmenterParams),
    /// Character n-grams.
    Characters(CharacterParams),
}

/// Cuts captions into terms.
pub enum Tokenizer {
    /// At the words of dictionaries.
    Words(Box<Segmenter>),
    /// At characters.
    Characters(CharacterParams),
}

impl TokenParams {
    /// The text of the dictionaries that it reads, where it reads some.
    ///
    /// # Errors
    /// Those of [`SegmenterParams::dictionaries`].
    pub fn dictionaries(&self) -> Result<Option<Dictionaries>> {
        match self {
            Self::Words(p) => Ok(Some(p.dictionaries()?)),
            Self::Characters(_) => Ok(None),
        }
    }

    /// Whether the terms are words, rather than characters.
    pub fn reads_words(&self) -> bool {
        matches!(self, Self::Words(_))
    }

    pub(super) fn load(&self, dictionaries: Option<&Dictionaries>) -> Result<Tokenizer> {
        match (self, dictionaries) {
            (Self::Words(p), Some(d)) => Ok(Tokenizer::Words(Box::new(p.with(d)?))),
            (Self::Words(p), None) => Ok(Tokenizer::Words(Box::new(p.load()?))),
            (Self::Characters(p), _) => Ok(Tokenizer::Characters(p.clone())),
        }
    }
}

impl Tokenizer {
    fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Words(s) => s.fingerprint(),
            Self::Characters(_) => Fingerprint::of(&"no dictionaries"),
        }
    }

    fn tokens(&self, caption: &str) -> Vec<String> {
        match self {
            Self::Words(s) => s.tokens(caption),
            Self::Characters(p) => p.tokens(caption),
        }
    }
}

/// A fitted view of terms.
pub struct TermView {
    tokenizer: Tokenizer,
    tfidf: TfIdf,
    lsa: Lsa,
}

impl Tokenizer {
    /// What the fitted view is made from.
    pub fn spec(&self, params: &TextViewParams, train: Fingerprint, seed: u64) -> Spec {
        let TextSource::Tokens(tokens) = &params.source else {
            unreachable!("a tokenizer is made of tokens")
        };
        let settings = (tokens, &params.tfidf, params.lsa_dim, params.projection);
        Spec::new("text-view", &settings, seed)
            .input("training captions", train)
            .input("dictionaries", self.fingerprint())
    }

    /// Learns from the training captions.
    pub fn fit(&self, params: &TextViewParams, spec: Spec, captions: &[&str]) -> Result<Artifact> {
        let documents: Vec<_> = captions
            .par_iter()
            .map(|c| timing::SEGMENTATION.time(|| self.tokens(c)))
            .collect();
        let tfidf = timing::TF_IDF.time(|| params.tfidf.fit(&documents))?;
        let rows = timing::TF_IDF.time(|| tfidf.transform_all(&documents));
        let (projection, dim) = (params.projection, params.lsa_dim);
        let lsa = timing::LSA.time(|| projection.fit(rows, tfidf.dim(), dim, spec.seed))?;
        Ok(lsa.store(tfidf.store(Artifact::new(spec))))
    }

    /// The fitted view of an artifact that [`Self::fit`] made.
    pub fn load(self, artifact: &Artifact) -> Result<TermView> {
        let (tfidf, lsa) = (TfIdf::load(artifact)?, Lsa::load(artifact)?);
        artifact.require(tfidf.terms().count() == tfidf.dim())?;
        artifact.require(lsa.directions().nrows() == tfidf.dim())?;
        Ok(TermView {
            tokenizer: self,
            tfidf,
            lsa,
        })
    }
}

impl TermView {
    /// The tokens of a caption, in order.
    pub fn tokens(&self, caption: &str) -> Vec<String> {
        self.tokenizer.tokens(caption)
    }

    /// The vocabulary and its weights.
    pub fn terms(&self) -> &TfIdf {
        &self.tfidf
    }

    /// Width of the vectors.
    pub fn dim(&self) -> usize {
        self.lsa.dim()
    }

    pub(super) fn describe(&self, captions: &[&str]) -> Rows {
        let rows: Vec<SparseRow> = captions
            .par_iter()
            .map(|c| {
                let tokens = timing::SEGMENTATION.time(|| self.tokenizer.tokens(c));
                timing::TF_IDF.time(|| self.tfidf.transform(&tokens))
            })
            .collect();
        let x = timing::LSA.time(|| self.lsa.transform(&rows));
        let usable = x
            .outer_iter()
            .map(|r| r.iter().any(|&v| v != 0.0))
            .collect();
        Rows {
            x,
            usable,
            bad: vec![],
        }
    }
}

//! Text views: a caption to one vector.

use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Rows;
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::Result;
use crate::linalg::SparseRow;
use crate::text::{
    CharacterParams, Dictionaries, Lsa, ProjectionParams, Segmenter, SegmenterParams, TfIdf,
    TfIdfParams,
};
use crate::timing;

/// One way to turn a caption into a vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextViewParams {
    /// Name of the view.
    pub name: String,
    /// Factor of this view's vectors beside the others'.
    #[serde(default = "super::one")]
    pub weight: f32,
    /// Terms that captions are cut into.
    pub tokens: TokenParams,
    /// Weights of the terms.
    #[serde(default)]
    pub tfidf: TfIdfParams,
    /// Number of directions that the weighted terms are projected to.
    pub lsa_dim: usize,
    /// How these directions are learned.
    #[serde(default)]
    pub projection: ProjectionParams,
}

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
    Words(Box<Segmenter>),
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

    fn load(&self, dictionaries: Option<&Dictionaries>) -> Result<Tokenizer> {
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

/// A text view that has learned nothing yet: its dictionaries.
pub struct TextViewSetup {
    tokenizer: Tokenizer,
}

/// A fitted text view: tokens, their weights, and the projection of these.
pub struct TextView {
    tokenizer: Tokenizer,
    tfidf: TfIdf,
    lsa: Lsa,
}

impl TextViewSetup {
    /// Loads the dictionaries.
    pub fn new(params: &TextViewParams) -> Result<Self> {
        Self::with(params, None)
    }

    /// With these dictionaries; those of the parameters where there are none.
    pub fn with(params: &TextViewParams, dictionaries: Option<&Dictionaries>) -> Result<Self> {
        Ok(Self {
            tokenizer: params.tokens.load(dictionaries)?,
        })
    }

    /// What the fitted view is made from.
    pub fn spec(&self, params: &TextViewParams, train: Fingerprint, seed: u64) -> Spec {
        let settings = (
            &params.tokens,
            &params.tfidf,
            params.lsa_dim,
            params.projection,
        );
        Spec::new("text-view", &settings, seed)
            .input("training captions", train)
            .input("dictionaries", self.tokenizer.fingerprint())
    }

    /// Learns from the training captions.
    pub fn fit(&self, params: &TextViewParams, spec: Spec, captions: &[&str]) -> Result<Artifact> {
        let documents: Vec<_> = captions
            .par_iter()
            .map(|c| timing::SEGMENTATION.time(|| self.tokenizer.tokens(c)))
            .collect();
        let tfidf = timing::TF_IDF.time(|| params.tfidf.fit(&documents))?;
        let rows = timing::TF_IDF.time(|| tfidf.transform_all(&documents));
        let (projection, dim) = (params.projection, params.lsa_dim);
        let lsa = timing::LSA.time(|| projection.fit(rows, tfidf.dim(), dim, spec.seed))?;
        Ok(lsa.store(tfidf.store(Artifact::new(spec))))
    }

    /// The fitted view of an artifact that [`Self::fit`] made.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) for one that holds no text view.
    pub fn load(self, artifact: &Artifact) -> Result<TextView> {
        let (tfidf, lsa) = (TfIdf::load(artifact)?, Lsa::load(artifact)?);
        artifact.require(tfidf.terms().count() == tfidf.dim())?;
        artifact.require(lsa.directions().nrows() == tfidf.dim())?;
        Ok(TextView {
            tokenizer: self.tokenizer,
            tfidf,
            lsa,
        })
    }
}

impl TextView {
    /// The tokens of a caption, in order.
    pub fn tokens(&self, caption: &str) -> Vec<String> {
        self.tokenizer.tokens(caption)
    }

    /// The vocabulary and its weights.
    pub fn terms(&self) -> &TfIdf {
        &self.tfidf
    }

    /// Width of [`Self::describe`].
    pub fn dim(&self) -> usize {
        self.lsa.dim()
    }

    /// The captions' vectors. A caption of which no word is known is not usable.
    pub fn describe(&self, captions: &[&str]) -> Rows {
        let rows: Vec<SparseRow> = captions
            .par_iter()
            .map(|c| {
                let tokens = timing::SEGMENTATION.time(|| self.tokenizer.tokens(c));
                timing::TF_IDF.time(|| self.tfidf.transform(&tokens))
            })
            .collect();
        let x: Array2<f32> = timing::LSA.time(|| self.lsa.transform(&rows));
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

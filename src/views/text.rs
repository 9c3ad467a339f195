//! Text views: a caption to one vector.

use serde::{Deserialize, Serialize};

use super::Rows;
use super::sentence::{Centre, SentenceParams, SentenceView};
use super::terms::{TermView, TokenParams, Tokenizer};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::Result;
use crate::text::{Dictionaries, ProjectionParams, TfIdfParams};

/// One way to turn a caption into a vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextViewParams {
    /// Name of the view.
    pub name: String,
    /// Factor of this view's vectors beside the others'.
    #[serde(default = "super::one")]
    pub weight: f32,
    /// What captions are described by.
    #[serde(flatten)]
    pub source: TextSource,
    /// Weights of terms.
    #[serde(default)]
    pub tfidf: TfIdfParams,
    /// Number of directions that weighted terms are projected to; 0 where there are no terms.
    #[serde(default, skip_serializing_if = "is_none")]
    pub lsa_dim: usize,
    /// How these directions are learned.
    #[serde(default)]
    pub projection: ProjectionParams,
}

fn is_none(directions: &usize) -> bool {
    *directions == 0
}

/// What captions are described by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextSource {
    /// The terms that they are cut into.
    Tokens(TokenParams),
    /// A network that knows what sentences mean.
    Sentence(SentenceParams),
}

impl TextViewParams {
    /// The text of the dictionaries that it reads, where it reads some.
    ///
    /// # Errors
    /// Those of [`SegmenterParams::dictionaries`](crate::text::SegmenterParams::dictionaries).
    pub fn dictionaries(&self) -> Result<Option<Dictionaries>> {
        match &self.source {
            TextSource::Tokens(tokens) => tokens.dictionaries(),
            TextSource::Sentence(_) => Ok(None),
        }
    }

    /// Whether it is the same whatever the training captions are.
    pub fn learns_nothing(&self) -> bool {
        matches!(&self.source, TextSource::Sentence(s) if s.centre == Centre::None)
    }

    /// Whether captions are cut into words.
    pub fn reads_words(&self) -> bool {
        matches!(&self.source, TextSource::Tokens(tokens) if tokens.reads_words())
    }

    /// Whether the settings go together.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self.source {
            TextSource::Tokens(_) if self.lsa_dim == 0 => Err("missing field `lsa_dim`".into()),
            _ => Ok(()),
        }
    }
}

/// A text view that has learned nothing yet.
pub enum TextViewSetup {
    /// With its dictionaries.
    Terms(Tokenizer),
    /// A network.
    Sentence(SentenceParams),
}

/// A fitted text view.
pub enum TextView {
    /// Terms, their weights, and the projection of these.
    Terms(Box<TermView>),
    /// A network.
    Sentence(Box<SentenceView>),
}

impl TextViewSetup {
    /// Loads the dictionaries.
    pub fn new(params: &TextViewParams) -> Result<Self> {
        Self::with(params, None)
    }

    /// With these dictionaries; those of the parameters where there are none.
    pub fn with(params: &TextViewParams, dictionaries: Option<&Dictionaries>) -> Result<Self> {
        Ok(match &params.source {
            TextSource::Tokens(tokens) => Self::Terms(tokens.load(dictionaries)?),
            TextSource::Sentence(sentence) => Self::Sentence(sentence.clone()),
        })
    }

    /// What the fitted view is made from.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::Error::Weights) where a network is missing.
    pub fn spec(&self, params: &TextViewParams, train: Fingerprint, seed: u64) -> Result<Spec> {
        match self {
            Self::Terms(tokenizer) => Ok(tokenizer.spec(params, train, seed)),
            Self::Sentence(sentence) => sentence.spec(train),
        }
    }

    /// Learns from the training captions.
    pub fn fit(&self, params: &TextViewParams, spec: Spec, captions: &[&str]) -> Result<Artifact> {
        match self {
            Self::Terms(tokenizer) => tokenizer.fit(params, spec, captions),
            Self::Sentence(sentence) => sentence.fit(spec, captions),
        }
    }

    /// The fitted view of an artifact that [`Self::fit`] made.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) for one that holds no text view.
    pub fn load(self, artifact: &Artifact) -> Result<TextView> {
        Ok(match self {
            Self::Terms(tokenizer) => TextView::Terms(Box::new(tokenizer.load(artifact)?)),
            Self::Sentence(_) => TextView::Sentence(Box::new(SentenceView::load(artifact)?)),
        })
    }
}

impl TextView {
    /// The view of terms, if it is one.
    pub fn terms(&self) -> Option<&TermView> {
        match self {
            Self::Terms(terms) => Some(terms),
            Self::Sentence(_) => None,
        }
    }

    /// Width of [`Self::describe`].
    pub fn dim(&self) -> usize {
        match self {
            Self::Terms(terms) => terms.dim(),
            Self::Sentence(_) => crate::sentence::DIM,
        }
    }

    /// The captions' vectors. A caption of which nothing is known is not usable.
    pub fn describe(&self, captions: &[&str]) -> Rows {
        match self {
            Self::Terms(terms) => terms.describe(captions),
            Self::Sentence(sentence) => sentence.describe(captions),
        }
    }
}

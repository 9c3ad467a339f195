//! Text views: a caption to one vector.
//!
//! A network for texts is a file with its parameters, which are a [`TextFeature`], and a line in [`TextSource`] and in
//! [`TextSource::feature`].

use serde::{Deserialize, Serialize};

use super::Rows;
use super::contrast::TextNetParams;
use super::sentence::SentenceParams;
use super::terms::{TermView, TokenParams, Tokenizer};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::Result;
use crate::networks::TextEncoderParams;
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
    /// Any network that others have trained.
    Onnx(TextEncoderParams),
    /// A network that learns from captions alone.
    TextNet(TextNetParams),
}

/// The parameters of a network for texts: how it learns, and how what it learned is read.
pub trait TextFeature {
    /// What the fitted view is made from.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::Error::Weights) where a file is missing.
    fn spec(&self, train: Fingerprint) -> Result<Spec>;

    /// Learns from the training captions.
    fn fit(&self, spec: Spec, captions: &[&str]) -> Result<Artifact>;

    /// The fitted view of an artifact that [`Self::fit`] made.
    fn load(&self, artifact: &Artifact) -> Result<Box<dyn TextVectors>>;

    /// Whether it is the same whatever the training captions are.
    fn learns_nothing(&self) -> bool;
}

/// A network for texts that is ready for use.
pub trait TextVectors: Sync + Send {
    /// Length of a vector.
    fn dim(&self) -> usize;

    /// The captions' vectors. A caption of which nothing is known is not usable.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::Error::Weights) if the network fails.
    fn describe(&self, captions: &[&str]) -> Result<Rows>;
}

impl TextSource {
    /// The network, where captions are not cut into terms.
    fn feature(&self) -> Result<&dyn TextFeature, &TokenParams> {
        match self {
            Self::Tokens(p) => Err(p),
            Self::Sentence(p) => Ok(p),
            Self::Onnx(p) => Ok(p),
            Self::TextNet(p) => Ok(p),
        }
    }
}

impl TextViewParams {
    /// The text of the dictionaries that it reads, where it reads some.
    ///
    /// # Errors
    /// Those of [`SegmenterParams::dictionaries`](crate::text::SegmenterParams::dictionaries).
    pub fn dictionaries(&self) -> Result<Option<Dictionaries>> {
        match self.source.feature() {
            Err(tokens) => tokens.dictionaries(),
            Ok(_) => Ok(None),
        }
    }

    /// Whether it is the same whatever the training captions are.
    pub fn learns_nothing(&self) -> bool {
        self.source.feature().is_ok_and(|f| f.learns_nothing())
    }

    /// Whether captions are cut into words.
    pub fn reads_words(&self) -> bool {
        self.source.feature().is_err_and(TokenParams::reads_words)
    }

    /// Whether the settings go together.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self.source.feature() {
            Err(_) if self.lsa_dim == 0 => Err("missing field `lsa_dim`".into()),
            _ => Ok(()),
        }
    }
}

/// A text view that has learned nothing yet.
pub enum TextViewSetup {
    /// With its dictionaries.
    Terms(Tokenizer),
    /// A network.
    Network(TextSource),
}

/// A fitted text view.
pub enum TextView {
    /// Terms, their weights, and the projection of these.
    Terms(Box<TermView>),
    /// A network.
    Network(Box<dyn TextVectors>),
}

impl TextViewSetup {
    /// Loads the dictionaries.
    pub fn new(params: &TextViewParams) -> Result<Self> {
        Self::with(params, None)
    }

    /// With these dictionaries; those of the parameters where there are none.
    pub fn with(params: &TextViewParams, dictionaries: Option<&Dictionaries>) -> Result<Self> {
        Ok(match params.source.feature() {
            Err(tokens) => Self::Terms(tokens.load(dictionaries)?),
            Ok(_) => Self::Network(params.source.clone()),
        })
    }

    /// What the fitted view is made from.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::Error::Weights) where a network is missing.
    pub fn spec(&self, params: &TextViewParams, train: Fingerprint, seed: u64) -> Result<Spec> {
        match self {
            Self::Terms(tokenizer) => Ok(tokenizer.spec(params, train, seed)),
            Self::Network(source) => network(source).spec(train),
        }
    }

    /// Learns from the training captions.
    pub fn fit(&self, params: &TextViewParams, spec: Spec, captions: &[&str]) -> Result<Artifact> {
        match self {
            Self::Terms(tokenizer) => tokenizer.fit(params, spec, captions),
            Self::Network(source) => network(source).fit(spec, captions),
        }
    }

    /// The fitted view of an artifact that [`Self::fit`] made.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) for one that holds no text view.
    pub fn load(self, artifact: &Artifact) -> Result<TextView> {
        Ok(match self {
            Self::Terms(tokenizer) => TextView::Terms(Box::new(tokenizer.load(artifact)?)),
            Self::Network(source) => TextView::Network(network(&source).load(artifact)?),
        })
    }
}

fn network(source: &TextSource) -> &dyn TextFeature {
    let feature = source.feature();
    feature.unwrap_or_else(|_| unreachable!("terms have a setup of their own"))
}

impl TextView {
    /// The view of terms, if it is one.
    pub fn terms(&self) -> Option<&TermView> {
        match self {
            Self::Terms(terms) => Some(terms),
            Self::Network(_) => None,
        }
    }

    /// Width of [`Self::describe`].
    pub fn dim(&self) -> usize {
        match self {
            Self::Terms(terms) => terms.dim(),
            Self::Network(network) => network.dim(),
        }
    }

    /// The captions' vectors. A caption of which nothing is known is not usable.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::Error::Weights) if a network fails.
    pub fn describe(&self, captions: &[&str]) -> Result<Rows> {
        match self {
            Self::Terms(terms) => Ok(terms.describe(captions)),
            Self::Network(network) => network.describe(captions),
        }
    }
}

//! Fusion: a model learned on pairs that projects both modalities into one shared space, in which the
//! inner product says how well an image and a text go together.
//!
//! To add one: a file, a line in [`FusionParams`], [`Fusion`] and their matches.

mod cca;
mod ensemble;
mod mlp;
mod transfer;

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

pub use cca::{Cca, CcaParams};
pub use ensemble::{Ensemble, EnsembleParams, MemberParams};
pub use mlp::{
    AdamWParams, DynamicTripletParams, InfoNceParams, LossParams, Mlp, MlpParams, TowerParams,
    TripletParams,
};
pub use transfer::{Transfer, TransferParams};

use crate::artifact::{Artifact, Spec};
use crate::dataset::Pair;
use crate::error::{Error, Result};
use crate::timing;

/// A modality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Image,
    Text,
}

/// What a fusion learns from.
#[derive(Clone, Copy)]
pub struct Pairs<'a> {
    /// images × d
    pub x: ArrayView2<'a, f32>,
    /// texts × e
    pub y: ArrayView2<'a, f32>,
    pub pairs: &'a [Pair],
    /// Where x has which view, for fusions of some of them; may be empty where none is asked for by name.
    pub image_views: &'a [Columns],
    /// The same of y.
    pub text_views: &'a [Columns],
    /// For fusions made of others.
    pub memory: Option<&'a dyn Memory>,
}

/// Keeps what the fusions below another one came to, so that none is learned twice.
pub trait Memory {
    /// The choice that was made among `params` on the same data and scores before, or the one that `choose`
    /// makes now.
    fn recall(
        &self,
        params: &FusionParams,
        data: Pairs,
        choose: &dyn Fn() -> Result<Choice>,
    ) -> Result<Choice>;
}

impl<'a> Pairs<'a> {
    /// Of views without names.
    pub fn new(x: ArrayView2<'a, f32>, y: ArrayView2<'a, f32>, pairs: &'a [Pair]) -> Self {
        Self {
            x,
            y,
            pairs,
            image_views: &[],
            text_views: &[],
            memory: None,
        }
    }

    /// The texts of every image that has one, by image, in the order of the pairs.
    fn texts_of_images(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut texts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for p in self.pairs {
            texts.entry(p.image).or_default().push(p.text);
        }
        texts
    }
}

/// The columns that a view takes up among all views side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    pub name: String,
    pub range: Range<usize>,
}

impl Columns {
    /// Of views side by side, from their names and widths.
    pub fn side_by_side<'a>(views: impl IntoIterator<Item = (&'a str, usize)>) -> Vec<Self> {
        let mut start = 0;
        let columns = views.into_iter().map(|(name, width)| {
            let range = start..start + width;
            start = range.end;
            Self {
                name: name.to_owned(),
                range,
            }
        });
        columns.collect()
    }
}

/// Which fusion, and its settings; a list of values is a choice to be made on validation data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FusionParams {
    Cca(CcaParams),
    Mlp(MlpParams),
    Ensemble(EnsembleParams),
    Transfer(TransferParams),
}

/// A fitted fusion.
#[derive(Clone, Debug, PartialEq)]
pub enum Fusion {
    Cca(Box<Cca>),
    Mlp(Box<Mlp>),
    Ensemble(Ensemble),
    Transfer(Box<Transfer>),
}

/// One setting and how it did on validation data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    pub setting: FusionParams,
    pub score: f64,
}

/// What choosing among settings came to.
pub struct Choice {
    pub fusion: Fusion,
    /// The settings without alternatives.
    pub setting: FusionParams,
    /// All that was tried, in the order of the recipe.
    pub trials: Vec<Trial>,
}

/// How good a fusion is on pairs it has not seen.
pub type Score<'a> = &'a dyn Fn(&Fusion) -> Result<f64>;

impl FusionParams {
    /// The stage name of its artifact.
    pub fn stage(&self) -> &'static str {
        match self {
            Self::Cca(_) => cca::STAGE,
            Self::Mlp(_) => mlp::STAGE,
            Self::Ensemble(_) => ensemble::STAGE,
            Self::Transfer(_) => transfer::STAGE,
        }
    }

    /// The names of views that it asks for, image and text.
    pub(crate) fn views(&self) -> (Vec<&String>, Vec<&String>) {
        match self {
            Self::Ensemble(p) => p.views(),
            Self::Transfer(p) => p.of.views(),
            Self::Cca(_) | Self::Mlp(_) => (vec![], vec![]),
        }
    }

    /// Fits every combination of settings and keeps the best (the first of equals).
    pub fn choose(&self, data: Pairs, score: Score) -> Result<Choice> {
        timing::FUSION.time(|| self.choose_untimed(data, score))
    }

    fn choose_untimed(&self, data: Pairs, score: Score) -> Result<Choice> {
        match self {
            Self::Cca(p) => Ok(p.choose(data, score)?.into()),
            Self::Mlp(p) => p.choose(data, score),
            Self::Ensemble(p) => p.choose(data, score),
            Self::Transfer(p) => p.choose(data, score),
        }
    }

    /// As [`Self::choose`], where it was not done before.
    pub(crate) fn recall(&self, data: Pairs, score: Score) -> Result<Choice> {
        let choose = || self.choose(data, score);
        match data.memory {
            Some(memory) => memory.recall(self, data, &choose),
            None => choose(),
        }
    }

    /// Fits the first of every list of settings.
    pub fn fit(&self, data: Pairs) -> Result<Fusion> {
        match self {
            Self::Cca(p) => Ok(Fusion::Cca(Box::new(p.fit(data)?))),
            Self::Mlp(p) => Ok(Fusion::Mlp(Box::new(p.fit(data)?))),
            Self::Ensemble(p) => Ok(Fusion::Ensemble(p.fit(data)?)),
            Self::Transfer(p) => Ok(Fusion::Transfer(Box::new(p.fit(data)?))),
        }
    }
}

impl Fusion {
    /// The stage name of its artifact.
    pub fn stage(&self) -> &'static str {
        match self {
            Self::Cca(_) => cca::STAGE,
            Self::Mlp(_) => mlp::STAGE,
            Self::Ensemble(_) => ensemble::STAGE,
            Self::Transfer(_) => transfer::STAGE,
        }
    }

    /// n×d -> n×s, unit rows (zero rows for what projects to zero).
    pub fn project(&self, side: Side, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        timing::PROJECTION.time(|| self.project_untimed(side, x))
    }

    fn project_untimed(&self, side: Side, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        match self {
            Self::Cca(m) => m.project(side, x),
            Self::Mlp(m) => m.project(side, x),
            Self::Ensemble(m) => m.project(side, x),
            Self::Transfer(m) => m.project(side, x),
        }
    }

    /// Width of the shared space.
    pub fn dim(&self) -> usize {
        match self {
            Self::Cca(m) => m.dim(),
            Self::Mlp(m) => m.dim(),
            Self::Ensemble(m) => m.dim(),
            Self::Transfer(m) => m.dim(),
        }
    }

    pub fn store(&self, spec: Spec) -> Artifact {
        match self {
            Self::Cca(m) => m.store(Artifact::new(spec)),
            Self::Mlp(m) => m.store(Artifact::new(spec)),
            Self::Ensemble(m) => m.store(Artifact::new(spec)),
            Self::Transfer(m) => m.store(Artifact::new(spec)),
        }
    }

    pub fn load(artifact: &Artifact) -> Result<Self> {
        match artifact.spec.stage.as_str() {
            cca::STAGE => Ok(Self::Cca(Box::new(Cca::load(artifact)?))),
            mlp::STAGE => Ok(Self::Mlp(Box::new(Mlp::load(artifact)?))),
            ensemble::STAGE => Ok(Self::Ensemble(Ensemble::load(artifact)?)),
            transfer::STAGE => Ok(Self::Transfer(Box::new(Transfer::load(artifact)?))),
            other => Err(Error::Mismatch {
                left: "a fusion".into(),
                left_is: "wanted".into(),
                right: "the artifact".into(),
                right_is: other.into(),
            }),
        }
    }
}

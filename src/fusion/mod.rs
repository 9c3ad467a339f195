//! Fusion: a model learned on pairs that projects both modalities into one shared space, in which the
//! inner product says how well an image and a text go together.
//!
//! To add one: a file with its settings, which are a `Method`, and what they learn, which is a [`Projector`]; a line in
//! [`FusionParams`], in its `method` and in [`Fusion::load`].

mod cca;
mod ensemble;
mod mlp;
mod transfer;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

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

/// What a kind of fusion has learned: a projection of both modalities into one shared space.
pub trait Projector: fmt::Debug + Send + Sync {
    /// The stage name of its artifact.
    fn stage(&self) -> &'static str;

    /// Width of the shared space.
    fn dim(&self) -> usize;

    /// n×d -> n×s, unit rows (zero rows for what projects to zero).
    fn project(&self, side: Side, x: ArrayView2<f32>) -> Result<Array2<f32>>;

    /// Adds all that [`Fusion::load`] reads.
    fn store(&self, artifact: Artifact) -> Artifact;

    /// A smaller fusion with the same projection of texts, where there is one.
    fn for_texts(&self) -> Option<Fusion> {
        None
    }
}

/// A fitted fusion.
#[derive(Clone, Debug)]
pub struct Fusion(Arc<dyn Projector>);

impl PartialEq for Fusion {
    fn eq(&self, other: &Self) -> bool {
        let content = |f: &Self| f.store(Spec::new(f.stage(), &(), 0)).content();
        content(self) == content(other)
    }
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

/// The settings of a kind of fusion: how it learns.
trait Method {
    fn stage(&self) -> &'static str;

    /// The names of the views that it asks for, image and text.
    fn views(&self) -> (Vec<&String>, Vec<&String>) {
        (vec![], vec![])
    }

    /// Fits every combination of settings and keeps the best (the first of equals).
    fn choose(&self, data: Pairs, score: Score) -> Result<Choice>;

    /// Fits the first of every list of settings.
    fn fit(&self, data: Pairs) -> Result<Fusion>;
}

impl FusionParams {
    fn method(&self) -> &dyn Method {
        match self {
            Self::Cca(p) => p,
            Self::Mlp(p) => p,
            Self::Ensemble(p) => p,
            Self::Transfer(p) => p,
        }
    }

    /// The stage name of its artifact.
    pub fn stage(&self) -> &'static str {
        self.method().stage()
    }

    /// The names of views that it asks for, image and text.
    pub(crate) fn views(&self) -> (Vec<&String>, Vec<&String>) {
        self.method().views()
    }

    /// Fits every combination of settings and keeps the best (the first of equals).
    pub fn choose(&self, data: Pairs, score: Score) -> Result<Choice> {
        timing::FUSION.time(|| self.method().choose(data, score))
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
        self.method().fit(data)
    }
}

impl Fusion {
    /// Takes what a kind of fusion has learned.
    pub fn new(projector: impl Projector + 'static) -> Self {
        Self(Arc::new(projector))
    }

    /// The stage name of its artifact.
    pub fn stage(&self) -> &'static str {
        self.0.stage()
    }

    /// Width of the shared space.
    pub fn dim(&self) -> usize {
        self.0.dim()
    }

    /// n×d -> n×s, unit rows (zero rows for what projects to zero).
    pub fn project(&self, side: Side, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        timing::PROJECTION.time(|| self.0.project(side, x))
    }

    /// The same projection of texts, without what only pictures need.
    pub fn for_texts(&self) -> Self {
        self.0.for_texts().unwrap_or_else(|| self.clone())
    }

    /// As an artifact that [`Self::load`] reads.
    pub fn store(&self, spec: Spec) -> Artifact {
        self.0.store(Artifact::new(spec))
    }

    /// # Errors
    /// [`Error::Mismatch`] for an artifact of another stage, [`Error::Artifact`] for parts that do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        match artifact.spec.stage.as_str() {
            cca::STAGE => Ok(Self::new(Cca::load(artifact)?)),
            mlp::STAGE => Ok(Self::new(Mlp::load(artifact)?)),
            ensemble::STAGE => Ok(Self::new(Ensemble::load(artifact)?)),
            transfer::STAGE => Ok(Self::new(Transfer::load(artifact)?)),
            other => Err(Error::Mismatch {
                left: "a fusion".into(),
                left_is: "wanted".into(),
                right: "the artifact".into(),
                right_is: other.into(),
            }),
        }
    }
}

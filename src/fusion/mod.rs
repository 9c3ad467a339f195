//! Fusion: a model learned from pairs that projects both modalities into one shared space, in which the inner
//! product measures how well an image and a text match.
//!
//! To add a fusion, write a file with its settings, which are a `Method`, and its fitted model, which is a [`Projector`],
//! and add a line to [`FusionParams`], its `method` and [`Fusion::load`].

mod cca;
mod ensemble;
mod joint;
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
pub use joint::{Joint, JointParams};
pub use mlp::{
    AdamWParams, DeepCcaParams, DynamicTripletParams, InfoNceParams, LossParams, Mlp, MlpParams,
    TowerParams, TripletParams,
};
pub use transfer::{Transfer, TransferParams};

use crate::artifact::{Artifact, Spec};
use crate::dataset::Pair;
use crate::error::{Error, Result};
use crate::timing;

/// A modality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Images: rows of x.
    Image,
    /// Texts: rows of y.
    Text,
}

/// The data that a fusion learns from: the views of both modalities and the pairs.
#[derive(Clone, Copy)]
pub struct Pairs<'a> {
    /// Image vectors, images×d: all views side by side.
    pub x: ArrayView2<'a, f32>,
    /// Text vectors, texts×e: all views side by side.
    pub y: ArrayView2<'a, f32>,
    /// Rows of x and y that belong together.
    pub pairs: &'a [Pair],
    /// Columns of each image view in x, for fusions that use only some; may be empty if no view is asked for by
    /// name.
    pub image_views: &'a [Columns],
    /// Columns of each text view in y, likewise.
    pub text_views: &'a [Columns],
    /// Cache for fusions that are made of others.
    pub memory: Option<&'a dyn Memory>,
}

/// Keeps the choices made for the fusions below another one, so that none is learned twice.
pub trait Memory {
    /// Returns the choice among `params` that was made before on the same data and scores, or calls `choose` to
    /// make it.
    fn recall(
        &self,
        params: &FusionParams,
        data: Pairs,
        choose: &dyn Fn() -> Result<Choice>,
    ) -> Result<Choice>;
}

impl<'a> Pairs<'a> {
    /// Data whose views have no names and whose choices are not cached.
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

    /// The texts of every image that has any, by image, in the order of the pairs.
    fn texts_of_images(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut texts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for p in self.pairs {
            texts.entry(p.image).or_default().push(p.text);
        }
        texts
    }
}

/// The columns of one view among all views side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Name of the view.
    pub name: String,
    /// Its columns.
    pub range: Range<usize>,
}

impl Columns {
    /// The columns of views side by side, from their names and widths.
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

/// A fusion and its settings; a list of values is a choice to be made on validation data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FusionParams {
    /// Canonical correlation analysis.
    Cca(CcaParams),
    /// Two towers: an MLP for each modality, initialised from a CCA.
    Mlp(MlpParams),
    /// Weighted sum of other fusions.
    Ensemble(EnsembleParams),
    /// Another fusion whose images move towards the captions of similar training images.
    Transfer(TransferParams),
    /// Two views that can be compared as they are.
    Joint(JointParams),
}

/// A fitted model of one kind of fusion: projections of both modalities into one shared space.
pub trait Projector: fmt::Debug + Send + Sync {
    /// Stage name of the fusion's artifact.
    fn stage(&self) -> &'static str;

    /// Width of the shared space, s.
    fn dim(&self) -> usize;

    /// Projects the rows of one modality: n×d -> n×s, unit rows (zero rows for rows that project to zero).
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the rows do not have the width that was learned from.
    fn project(&self, side: Side, x: ArrayView2<f32>) -> Result<Array2<f32>>;

    /// Adds everything that [`Fusion::load`] reads to an artifact.
    fn store(&self, artifact: Artifact) -> Artifact;

    /// A smaller fusion with the same projection of texts; `None` if there is none.
    fn for_texts(&self) -> Option<Fusion> {
        None
    }
}

/// A fitted fusion, cheap to clone. Two fusions are equal if they store the same content.
#[derive(Clone, Debug)]
pub struct Fusion(Arc<dyn Projector>);

impl PartialEq for Fusion {
    fn eq(&self, other: &Self) -> bool {
        let content = |f: &Self| f.store(Spec::new(f.stage(), &(), 0)).content();
        content(self) == content(other)
    }
}

/// One setting with its score on validation data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The settings, one value for each.
    pub setting: FusionParams,
    /// Value of the [`Score`]; higher is better.
    pub score: f64,
}

/// The result of choosing among settings.
pub struct Choice {
    /// The best fusion, fitted.
    pub fusion: Fusion,
    /// Its settings, one value for each.
    pub setting: FusionParams,
    /// All settings that were tried, in the order of the recipe.
    pub trials: Vec<Trial>,
}

/// Scores a fusion on pairs that it has not seen; higher is better.
pub type Score<'a> = &'a dyn Fn(&Fusion) -> Result<f64>;

/// The settings of one kind of fusion, which fit it.
trait Method {
    fn stage(&self) -> &'static str;

    /// The names of the image and text views that it asks for.
    fn views(&self) -> (Vec<&String>, Vec<&String>) {
        (vec![], vec![])
    }

    /// Fits every combination of settings and keeps the best, the first of equals.
    fn choose(&self, data: Pairs, score: Score) -> Result<Choice>;

    /// Fits one fusion, with the first value of every list of settings.
    fn fit(&self, data: Pairs) -> Result<Fusion>;
}

impl FusionParams {
    fn method(&self) -> &dyn Method {
        match self {
            Self::Cca(p) => p,
            Self::Mlp(p) => p,
            Self::Ensemble(p) => p,
            Self::Transfer(p) => p,
            Self::Joint(p) => p,
        }
    }

    /// Stage name of the fusion's artifact.
    pub fn stage(&self) -> &'static str {
        self.method().stage()
    }

    /// The names of the image and text views that it asks for.
    pub(crate) fn views(&self) -> (Vec<&String>, Vec<&String>) {
        self.method().views()
    }

    /// Fits every combination of settings and keeps the best, the first of equals.
    ///
    /// # Errors
    /// [`Error::Numeric`] for impossible settings or data, [`Error::TooFew`] for too few pairs, [`Error::Mismatch`]
    /// for the name of an unknown view; those of `score`.
    pub fn choose(&self, data: Pairs, score: Score) -> Result<Choice> {
        timing::FUSION.time(|| self.method().choose(data, score))
    }

    /// Like [`Self::choose`], unless the memory of `data` has the choice already.
    pub(crate) fn recall(&self, data: Pairs, score: Score) -> Result<Choice> {
        let choose = || self.choose(data, score);
        match data.memory {
            Some(memory) => memory.recall(self, data, &choose),
            None => choose(),
        }
    }

    /// Fits one fusion, with the first value of every list of settings.
    ///
    /// # Errors
    /// As [`Self::choose`].
    pub fn fit(&self, data: Pairs) -> Result<Fusion> {
        self.method().fit(data)
    }
}

impl Fusion {
    /// Wraps a fitted model.
    pub fn new(projector: impl Projector + 'static) -> Self {
        Self(Arc::new(projector))
    }

    /// Stage name of the fusion's artifact.
    pub fn stage(&self) -> &'static str {
        self.0.stage()
    }

    /// Width of the shared space, s.
    pub fn dim(&self) -> usize {
        self.0.dim()
    }

    /// Projects the rows of one modality: n×d -> n×s, unit rows (zero rows for rows that project to zero).
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the rows do not have the width that was learned from.
    pub fn project(&self, side: Side, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        timing::PROJECTION.time(|| self.0.project(side, x))
    }

    /// The same, with zero rows for items of which nothing is known: less the mean, they would be points like any others.
    ///
    /// # Errors
    /// Those of [`Self::project`].
    pub fn points(&self, side: Side, x: ArrayView2<f32>, known: &[bool]) -> Result<Array2<f32>> {
        let mut points = self.project(side, x)?;
        for (mut point, _) in points.outer_iter_mut().zip(known).filter(|(_, k)| !**k) {
            point.fill(0.0);
        }
        Ok(points)
    }

    /// The same projection of texts, without the parts that only pictures need.
    pub fn for_texts(&self) -> Self {
        self.0.for_texts().unwrap_or_else(|| self.clone())
    }

    /// Stores the fusion as an artifact with the given spec.
    pub fn store(&self, spec: Spec) -> Artifact {
        self.0.store(Artifact::new(spec))
    }

    /// Reads a fusion from an artifact that [`Self::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the artifact is not a fusion's, [`Error::Artifact`] if parts are missing or do not
    /// fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        match artifact.spec.stage.as_str() {
            cca::STAGE => Ok(Self::new(Cca::load(artifact)?)),
            mlp::STAGE => Ok(Self::new(Mlp::load(artifact)?)),
            ensemble::STAGE => Ok(Self::new(Ensemble::load(artifact)?)),
            transfer::STAGE => Ok(Self::new(Transfer::load(artifact)?)),
            joint::STAGE => Ok(Self::new(Joint::load(artifact)?)),
            other => Err(Error::Mismatch {
                left: "a fusion".into(),
                left_is: "wanted".into(),
                right: "the artifact".into(),
                right_is: other.into(),
            }),
        }
    }
}

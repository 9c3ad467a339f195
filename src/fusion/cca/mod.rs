//! Regularised canonical correlation analysis (Hotelling 1936; Vinod 1976), by SVD of the whitened
//! cross-covariance, in f64.
//!
//! Every pair is a sample: an image with five captions counts five times. r·mean(diagonal) is added to the
//! diagonals of the covariances. Scores are cosines after each canonical direction is scaled by a power of its
//! correlation (Gong et al., IJCV 2014, §3.3: "eigenvalue scaling").

mod moments;
mod third;

use std::sync::OnceLock;

use ndarray::{Array1, Array2, ArrayView2, s};
use serde::{Deserialize, Serialize};

use super::{Choice, Fusion, FusionParams, Method, Pairs, Projector, Score, Side, Trial};
use crate::artifact::Artifact;
use crate::dataset::Pair;
use crate::error::{Error, Result};
use crate::linalg::{l2_normalize_rows, matmul};
use moments::Moments;

pub(super) const STAGE: &str = "cca";

/// Settings of CCA. If a list has several values, the best combination on validation data is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CcaParams {
    /// Number of canonical directions kept.
    pub dims: Vec<usize>,
    /// Regularisation r, relative to the mean of a covariance's diagonal.
    pub regularization: Vec<f64>,
    /// Power of the correlations by which the directions are scaled.
    pub power: Vec<f64>,
    /// Number of clusters of captions that serve as a third view while learning; 0 for none.
    pub clusters: usize,
    /// Learns from each picture once, paired with the mean of its captions, rather than from each caption.
    pub pooled: bool,
}

impl Default for CcaParams {
    fn default() -> Self {
        Self {
            dims: vec![64, 128, 256],
            regularization: vec![0.01, 0.03, 0.1, 0.3, 1.0],
            power: vec![1.0],
            clusters: 0,
            pooled: false,
        }
    }
}

/// One modality's affine map.
#[derive(Clone, Debug, PartialEq)]
struct Map {
    mean: Array1<f64>,
    /// d×k
    weights: Array2<f64>,
}

/// A fitted CCA.
#[derive(Clone, Debug, PartialEq)]
pub struct Cca {
    image: Map,
    text: Map,
    /// Canonical correlations of the regularised problem, falling.
    correlations: Array1<f64>,
    power: f64,
    scaled: Scaled,
}

/// The weights of both sides as rows are multiplied with them, made when they are first needed: to make them takes longer
/// than to project a row. They follow from the rest, so that they are no part of what a CCA is.
#[derive(Debug, Default)]
struct Scaled([OnceLock<Array2<f32>>; 2]);

impl Clone for Scaled {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Scaled {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl CcaParams {
    fn check(&self) -> Result<()> {
        let bad = self.clusters == 1 // tells no pair from another
            || self.dims.is_empty()
            || self.dims.contains(&0)
            || self.regularization.is_empty()
            || self
                .regularization
                .iter()
                .any(|&r| !(r >= 0.0 && r.is_finite()))
            || self.power.is_empty()
            || self.power.iter().any(|p| !p.is_finite());
        if bad {
            return Err(Error::Numeric {
                what: "CCA",
                reason: "`dims`, `regularization` and `power` need positive values, `clusters` at least 2 or 0".into(),
            });
        }
        Ok(())
    }

    /// The moments of the pairs, or of pooled pairs if `pooled` is set.
    fn moments(&self, data: Pairs) -> Result<Moments> {
        if !self.pooled {
            return Moments::of(data, self.clusters);
        }
        let mut means = Array2::zeros((data.x.nrows(), data.y.ncols()));
        let mut counts = vec![0.0f32; data.x.nrows()];
        for p in data.pairs {
            means.row_mut(p.image).scaled_add(1.0, &data.y.row(p.text));
            counts[p.image] += 1.0;
        }
        let mut pairs = Vec::new();
        for (image, &count) in counts.iter().enumerate().filter(|&(_, &c)| c > 0.0) {
            means.row_mut(image).mapv_inplace(|v| v / count);
            pairs.push(Pair { image, text: image });
        }
        Moments::of(
            Pairs::new(data.x.view(), means.view(), &pairs),
            self.clusters,
        )
    }

    /// Fits one CCA, with the first value of every list of settings.
    ///
    /// # Errors
    /// [`Error::Numeric`] for impossible settings or data, [`Error::TooFew`] for too few pairs.
    pub fn fit(&self, data: Pairs) -> Result<Cca> {
        self.check()?;
        let solution = self.moments(data)?.solve(self.regularization[0])?;
        Ok(solution.cut(self.dims[0], self.power[0]))
    }

    pub(super) fn choose(&self, data: Pairs, score: Score) -> Result<CcaChoice> {
        self.check()?;
        let moments = self.moments(data)?;
        let mut trials = Vec::new();
        let mut best: Option<(f64, Cca, Self)> = None;
        for &r in &self.regularization {
            let solution = moments.solve(r)?;
            for &dims in &self.dims {
                for &power in &self.power {
                    let cca = solution.clone().cut(dims, power);
                    let setting = Self {
                        dims: vec![dims],
                        regularization: vec![r],
                        power: vec![power],
                        clusters: self.clusters,
                        pooled: self.pooled,
                    };
                    let score = score(&Fusion::new(cca.clone()))?;
                    tracing::debug!("r {r}, {dims} dimensions, power {power}: {score:.3}");
                    trials.push((setting.clone(), score));
                    if best.as_ref().is_none_or(|(b, ..)| score > *b) {
                        best = Some((score, cca, setting));
                    }
                }
            }
        }
        let (score, cca, setting) = best.expect("every list has a value");
        Ok(CcaChoice {
            cca,
            setting,
            score,
            trials,
        })
    }
}

impl Method for CcaParams {
    fn stage(&self) -> &'static str {
        STAGE
    }

    fn choose(&self, data: Pairs, score: Score) -> Result<Choice> {
        Ok(self.choose(data, score)?.into())
    }

    fn fit(&self, data: Pairs) -> Result<Fusion> {
        Ok(Fusion::new(self.fit(data)?))
    }
}

/// The result of choosing among the settings.
pub(super) struct CcaChoice {
    pub cca: Cca,
    pub setting: CcaParams,
    pub score: f64,
    pub trials: Vec<(CcaParams, f64)>,
}

impl From<CcaChoice> for Choice {
    fn from(choice: CcaChoice) -> Self {
        let trial = |(setting, score)| Trial {
            setting: FusionParams::Cca(setting),
            score,
        };
        Self {
            fusion: Fusion::new(choice.cca),
            setting: FusionParams::Cca(choice.setting),
            trials: choice.trials.into_iter().map(trial).collect(),
        }
    }
}

impl Projector for Cca {
    fn stage(&self) -> &'static str {
        STAGE
    }

    fn dim(&self) -> usize {
        self.correlations.len()
    }

    fn project(&self, side: Side, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        let map = self.map(side);
        if x.ncols() != map.mean.len() {
            return Err(Error::dimensions(
                "the CCA",
                map.mean.len(),
                "the input",
                x.ncols(),
            ));
        }
        let Scaled(ready) = &self.scaled;
        let scaled = || self.scaled_weights(side).mapv(|v| v as f32);
        let weights = ready[side as usize].get_or_init(scaled);
        let centred = &x - &map.mean.mapv(|v| v as f32);
        let mut z = matmul(centred.view(), weights.view());
        l2_normalize_rows(&mut z);
        Ok(z)
    }

    fn store(&self, artifact: Artifact) -> Artifact {
        artifact
            .with_vector("image.mean", self.image.mean.view())
            .with_matrix("image.weights", self.image.weights.view())
            .with_vector("text.mean", self.text.mean.view())
            .with_matrix("text.weights", self.text.weights.view())
            .with_vector("correlations", self.correlations.view())
            .with_vector("power", Array1::from_elem(1, self.power).view())
    }
}

impl Cca {
    /// Keeps the first `dims` directions, to be scaled by a power of their correlations.
    fn cut(mut self, dims: usize, power: f64) -> Self {
        let k = dims.min(self.correlations.len());
        for map in [&mut self.image, &mut self.text] {
            map.weights = map.weights.slice(s![.., ..k]).to_owned();
        }
        self.correlations = self.correlations.slice(s![..k]).to_owned();
        self.power = power;
        self.scaled = Scaled::default();
        self
    }

    /// The canonical correlations of the regularised problem, falling.
    pub fn correlations(&self) -> &Array1<f64> {
        &self.correlations
    }

    fn map(&self, side: Side) -> &Map {
        match side {
            Side::Image => &self.image,
            Side::Text => &self.text,
        }
    }

    /// The canonical weights of a modality, d×k, unscaled.
    pub fn weights(&self, side: Side) -> ArrayView2<'_, f64> {
        self.map(side).weights.view()
    }

    /// The mean of a modality over the pairs.
    pub(super) fn mean(&self, side: Side) -> &Array1<f64> {
        &self.map(side).mean
    }

    /// The canonical weights of a modality, d×k, each direction scaled by a power of its correlation.
    pub(super) fn scaled_weights(&self, side: Side) -> Array2<f64> {
        let scale = self.correlations.mapv(|c| c.max(0.0).powf(self.power));
        &self.map(side).weights * &scale
    }

    /// Reads a CCA from an artifact that [`Projector::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`] if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let correlations: Array1<f64> = artifact.vector("correlations")?;
        let map = |side: &str| -> Result<Map> {
            let map = Map {
                mean: artifact.vector(&format!("{side}.mean"))?,
                weights: artifact.matrix(&format!("{side}.weights"))?,
            };
            artifact.require(map.weights.dim() == (map.mean.len(), correlations.len()))?;
            Ok(map)
        };
        Ok(Self {
            image: map("image")?,
            text: map("text")?,
            power: artifact.number("power")?,
            scaled: Scaled::default(),
            correlations,
        })
    }
}

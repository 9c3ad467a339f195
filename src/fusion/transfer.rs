//! Captions by retrieval: a picture moves towards the captions of its nearest training pictures in the shared space
//! of another fusion (transfer of captions from neighbours, Ordonez, Kulkarni & Berg, NIPS 2011; here of their
//! vectors). Texts stay where they are.
//!
//! z' = unit(z + w·unit(Σ aₙ·cₙ)): cₙ is the mean vector of neighbour n's captions, and aₙ is the softmax of the
//! cosines with z over a temperature.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Choice, Fusion, FusionParams, Method, Pairs, Projector, Score, Side, Trial};
use crate::artifact::{Artifact, Matrix, Spec};
use crate::error::{Error, Result};
use crate::linalg::{l2_normalize, matmul};
use crate::sampling::sample_places;

pub(super) const STAGE: &str = "transfer";

/// Settings of the transfer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferParams {
    /// Number of nearest training pictures whose captions count.
    #[serde(default = "default_neighbours")]
    pub neighbours: usize,
    /// Weight w; of several, the best on validation data is taken. 0 disables the transfer.
    #[serde(default = "default_weight")]
    pub weight: Vec<f32>,
    /// Temperature of the softmax over neighbours: lower values favour the nearest.
    #[serde(default = "default_temperature")]
    pub temperature: f32,
    /// Largest number of training pictures that are kept, evenly spread; each takes 8 bytes per dimension of the
    /// space.
    #[serde(default = "default_keep")]
    pub keep: usize,
    /// The fusion that defines the shared space.
    pub of: Box<FusionParams>,
}

fn default_neighbours() -> usize {
    10
}

fn default_weight() -> Vec<f32> {
    vec![0.0, 0.1, 0.2, 0.3]
}

fn default_temperature() -> f32 {
    0.05
}

fn default_keep() -> usize {
    20_000
}

/// A fitted transfer.
#[derive(Clone, Debug, PartialEq)]
pub struct Transfer {
    of: Fusion,
    neighbours: usize,
    weight: f32,
    temperature: f32,
    /// Vectors of the training pictures, n×s, unit rows.
    pictures: Matrix<f32>,
    /// Mean vector of each training picture's captions, n×s.
    captions: Matrix<f32>,
}

impl TransferParams {
    fn check(&self) -> Result<()> {
        let bad = |w: &f32| !(*w >= 0.0 && w.is_finite());
        let reason = if self.weight.is_empty() || self.weight.iter().any(bad) {
            "`weight` needs values, none of them negative"
        } else if self.neighbours == 0 || self.keep == 0 {
            "`neighbours` and `keep` must be at least 1"
        } else if !(self.temperature > 0.0 && self.temperature.is_finite()) {
            "`temperature` must be above 0"
        } else {
            return Ok(());
        };
        Err(Error::Numeric {
            what: "transfer of captions",
            reason: reason.into(),
        })
    }

    fn settled(&self, of: FusionParams, weight: f32) -> FusionParams {
        FusionParams::Transfer(Self {
            weight: vec![weight],
            of: Box::new(of),
            ..self.clone()
        })
    }

    fn learn(&self, of: Fusion, data: Pairs) -> Result<Transfer> {
        let texts = data.texts_of_images();
        let all: Vec<(&usize, &Vec<usize>)> = texts.iter().collect();
        let kept = sample_places(all.len(), self.keep).map(|i| all[i]);
        let (images, texts): (Vec<usize>, Vec<_>) = kept.map(|(&i, t)| (i, t)).unzip();
        let pictures = of.project(Side::Image, data.x.select(Axis(0), &images).view())?;
        let z = of.project(Side::Text, data.y)?;
        let mut captions = Array2::zeros(pictures.dim());
        for (mut mean, texts) in captions.outer_iter_mut().zip(texts) {
            for &t in texts {
                mean.scaled_add(1.0 / texts.len() as f32, &z.row(t));
            }
        }
        Ok(Transfer {
            of,
            neighbours: self.neighbours.min(images.len()),
            weight: self.weight[0],
            temperature: self.temperature,
            pictures: pictures.into(),
            captions: captions.into(),
        })
    }
}

impl Method for TransferParams {
    fn stage(&self) -> &'static str {
        STAGE
    }

    fn views(&self) -> (Vec<&String>, Vec<&String>) {
        self.of.views()
    }

    /// Fits with the first weight.
    fn fit(&self, data: Pairs) -> Result<Fusion> {
        self.check()?;
        Ok(Fusion::new(self.learn(self.of.fit(data)?, data)?))
    }

    /// Chooses the settings of the fusion below by itself, then the weight.
    fn choose(&self, data: Pairs, score: Score) -> Result<Choice> {
        self.check()?;
        let below = self.of.choose(data, score)?;
        let mut trials: Vec<Trial> = below
            .trials
            .into_iter()
            .map(|t| Trial {
                setting: self.settled(t.setting, 0.0),
                score: t.score,
            })
            .collect();
        let mut transfer = self.learn(below.fusion, data)?;
        let mut best: Option<(f64, f32)> = None;
        for &weight in &self.weight {
            transfer.weight = weight;
            let fusion = Fusion::new(transfer.clone());
            let score = score(&fusion)?;
            tracing::debug!("transfer of captions {weight}: {score:.3}");
            trials.push(Trial {
                setting: self.settled(below.setting.clone(), weight),
                score,
            });
            if best.is_none_or(|(s, _)| score > s) {
                best = Some((score, weight));
            }
        }
        transfer.weight = best.expect("weights were checked").1;
        Ok(Choice {
            setting: self.settled(below.setting, transfer.weight),
            fusion: Fusion::new(transfer),
            trials,
        })
    }
}

/// Number of pictures moved at a time, to bound memory.
const BLOCK: usize = 512;

impl Projector for Transfer {
    fn stage(&self) -> &'static str {
        STAGE
    }

    fn dim(&self) -> usize {
        self.of.dim()
    }

    fn project(&self, side: Side, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        let mut z = self.of.project(side, x)?;
        if side == Side::Text || self.weight == 0.0 {
            return Ok(z);
        }
        for mut block in z.axis_chunks_iter_mut(Axis(0), BLOCK) {
            let scores = matmul(block.view(), self.pictures.view().t());
            let rows = block.axis_iter_mut(Axis(0)).into_par_iter();
            rows.zip(scores.axis_iter(Axis(0)).into_par_iter())
                .for_each(|(mut z, scores)| z.assign(&self.moved(z.view(), scores)));
        }
        Ok(z)
    }

    fn store(&self, artifact: Artifact) -> Artifact {
        let below = self.of.store(Spec::new(self.of.stage(), &(), 0));
        let one = |v: f32| Array1::from_elem(1, v);
        artifact
            .with_part("of", below)
            .with_vector(
                "neighbours",
                Array1::from_elem(1, self.neighbours as u32).view(),
            )
            .with_vector("weight", one(self.weight).view())
            .with_vector("temperature", one(self.temperature).view())
            .with_matrix("pictures", self.pictures.view())
            .with_matrix("captions", self.captions.view())
    }

    fn for_texts(&self) -> Option<Fusion> {
        Some(self.of.for_texts())
    }
}

impl Transfer {
    /// Moves a picture's vector z, given its cosine with every training picture.
    fn moved(&self, z: ArrayView1<f32>, scores: ArrayView1<f32>) -> Array1<f32> {
        if z.iter().all(|&v| v == 0.0) {
            return z.to_owned();
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        // the first of equals: which are taken does not depend on how they are found
        let nearer = |&a: &usize, &b: &usize| scores[b].total_cmp(&scores[a]).then(a.cmp(&b));
        order.select_nth_unstable_by(self.neighbours - 1, nearer);
        order.truncate(self.neighbours);
        order.sort_unstable_by(nearer);
        let most = scores[order[0]];
        let captions = self.captions.view();
        let mut sum = Array1::zeros(z.len());
        for &n in &order {
            let share = ((scores[n] - most) / self.temperature).exp();
            sum.scaled_add(share, &captions.row(n));
        }
        l2_normalize(sum.view_mut());
        let mut moved = &z + &(sum * self.weight);
        l2_normalize(moved.view_mut());
        moved
    }

    /// Reads a transfer from an artifact that [`Projector::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`] if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let transfer = Self {
            of: Fusion::load(&artifact.part("of")?)?,
            neighbours: artifact.number::<u32>("neighbours")? as usize,
            weight: artifact.number("weight")?,
            temperature: artifact.number("temperature")?,
            pictures: artifact.kept_matrix("pictures")?,
            captions: artifact.kept_matrix("captions")?,
        };
        let (pictures, width) = transfer.pictures.dim();
        artifact.require(transfer.captions.dim() == (pictures, width))?;
        artifact.require(width == transfer.of.dim())?;
        artifact.require((1..=pictures).contains(&transfer.neighbours))?;
        Ok(transfer)
    }
}

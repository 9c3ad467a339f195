//! Two towers: for each modality a network with one hidden layer beside the linear map of a CCA, trained so that
//! the vectors of a pair point the same way. Both towers are initialised from the CCA.
//!
//! z = x·a + gelu(x·w1 + b1)·w2 + b2, scaled to unit length (a residual connection around the hidden layer, He et
//! al. 2016). a begins as the canonical directions and w2 as zero, so that before the first step the towers rank
//! like the CCA. A batch holds one caption per picture; items whose vector equals that of the right answer are not
//! wrong answers and do not count. The gradients are written by hand on [`crate::linalg::matmul`], in f32.

mod correlation;
mod dropout;
#[cfg(test)]
mod gradients;
mod loss;
mod optimizer;
mod real;
mod tower;
mod training;

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub use correlation::DeepCcaParams;
pub use loss::{DynamicTripletParams, InfoNceParams, LossParams, TripletParams};
pub use optimizer::AdamWParams;

use super::{
    Cca, CcaParams, Choice, Fusion, FusionParams, Method, Pairs, Projector, Score, Side, Trial,
};
use crate::artifact::{Artifact, Spec};
use crate::error::{Error, Result};
use tower::{Tower, Weights};
use training::Trainer;

pub(super) const STAGE: &str = "mlp";

/// The part of a linear CCA of the outputs.
const CANONICAL: &str = "canonical";

/// Settings of the two towers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpParams {
    /// The CCA from which the towers are initialised; if its lists have several values, the best on validation
    /// data.
    pub start: CcaParams,
    /// Settings of the image tower.
    pub image: TowerParams,
    /// Settings of the text tower.
    pub text: TowerParams,
    /// The loss that is minimised.
    pub loss: LossParams,
    /// Settings of the optimiser.
    pub optimizer: AdamWParams,
    /// Largest number of pictures in a batch, each with one of its captions.
    pub batch: usize,
    /// Number of passes over all pictures, after which the learning rate reaches 0.
    pub epochs: usize,
    /// The epoch after which training stops; `None` for the best on validation data, or the last if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<usize>,
    /// Number of epochs between two evaluations on validation data.
    pub checkpoint: usize,
    /// Seed of the initial weights, the batches and the dropout.
    pub seed: u64,
}

impl Default for MlpParams {
    fn default() -> Self {
        Self {
            start: CcaParams {
                dims: vec![800],
                regularization: vec![0.1, 0.3, 1.0],
                power: vec![0.5],
                ..CcaParams::default()
            },
            image: TowerParams::default(),
            text: TowerParams::default(),
            loss: LossParams::InfoNce(InfoNceParams::default()),
            optimizer: AdamWParams::default(),
            batch: 3000,
            epochs: 160,
            stop: None,
            checkpoint: 10,
            seed: 2024,
        }
    }
}

/// Settings of one tower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TowerParams {
    /// Number of units in the hidden layer.
    pub hidden: usize,
    /// Share of the inputs that dropout zeroes in a step.
    pub input_dropout: f64,
    /// Share of the hidden units that dropout zeroes in a step.
    pub hidden_dropout: f64,
}

impl Default for TowerParams {
    fn default() -> Self {
        Self {
            hidden: 512,
            input_dropout: 0.2,
            hidden_dropout: 0.5,
        }
    }
}

/// The two fitted towers.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    image: Tower<f32>,
    text: Tower<f32>,
    /// A linear CCA of the outputs, where the loss does not ask that those of a pair point the same way.
    canonical: Option<Cca>,
}

impl MlpParams {
    fn check(&self) -> Result<()> {
        let towers = [&self.image, &self.text];
        let rates = towers
            .iter()
            .flat_map(|t| [t.input_dropout, t.hidden_dropout]);
        let reason = if let Err(reason) = self.loss.check().and_then(|()| self.optimizer.check()) {
            reason
        } else if towers.iter().any(|t| t.hidden == 0) || self.checkpoint == 0 {
            "`hidden` and `checkpoint` must be at least 1"
        } else if rates.into_iter().any(|r| !(0.0..1.0).contains(&r)) {
            "dropouts must be from 0 to below 1"
        } else if self.batch < 2 {
            "`batch` must be at least 2: other pairs are the wrong answers"
        } else if self.stop.is_some_and(|s| s > self.epochs) {
            "`stop` must not be above `epochs`"
        } else {
            return Ok(());
        };
        Err(numeric(reason))
    }

    fn last(&self) -> usize {
        self.stop.unwrap_or(self.epochs)
    }

    fn trainer<'a>(&self, data: Pairs<'a>, start: &Cca) -> Trainer<'a> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let (x, y) = (
            data.pairs.iter().map(|p| data.x.row(p.image)),
            data.pairs.iter().map(|p| data.y.row(p.text)),
        );
        let mlp = Mlp {
            image: first(start, Side::Image, x, self.image.hidden, &mut rng),
            text: first(start, Side::Text, y, self.text.hidden, &mut rng),
            canonical: None,
        };
        Trainer::new(self.clone(), data, mlp, rng)
    }

    fn learn(&self, data: Pairs) -> Result<Mlp> {
        self.check()?;
        let mut trainer = self.trainer(data, &self.start.fit(data)?);
        for epoch in 1..=self.last() {
            let loss = trainer.epoch();
            tracing::debug!("epoch {epoch}: loss {loss:.4}");
        }
        self.finished(trainer.average(), data)
    }

    /// The towers, and a linear CCA of their outputs where the loss wants one.
    fn finished(&self, mlp: Mlp, data: Pairs) -> Result<Mlp> {
        let mlp = mlp.checked()?;
        if !matches!(self.loss, LossParams::DeepCca(_)) {
            return Ok(mlp);
        }
        let (x, y) = (
            mlp.project(Side::Image, data.x)?,
            mlp.project(Side::Text, data.y)?,
        );
        let linear = CcaParams {
            dims: vec![mlp.dim()],
            regularization: self.start.regularization[..1].to_vec(),
            power: self.start.power[..1].to_vec(),
            ..self.start.clone()
        };
        let canonical = linear.fit(Pairs::new(x.view(), y.view(), data.pairs))?;
        Ok(Mlp {
            canonical: Some(canonical),
            ..mlp
        })
    }
}

impl Method for MlpParams {
    fn stage(&self) -> &'static str {
        STAGE
    }

    /// Chooses the CCA to start from, then the epoch to stop after; 0 is the start itself.
    fn choose(&self, data: Pairs, score: Score) -> Result<Choice> {
        self.check()?;
        let start = self.start.choose(data, score)?;
        let at = |start: &CcaParams, stop| {
            FusionParams::Mlp(Self {
                start: start.clone(),
                stop: Some(stop),
                ..self.clone()
            })
        };
        let untrained = |(setting, score): &(CcaParams, f64)| Trial {
            setting: at(setting, 0),
            score: *score,
        };
        let mut trials: Vec<Trial> = start.trials.iter().map(untrained).collect();
        let mut trainer = self.trainer(data, &start.cca);
        let mut best = (start.score, trainer.average(), 0);
        for epoch in 1..=self.last() {
            let loss = trainer.epoch();
            if epoch % self.checkpoint != 0 && epoch != self.last() {
                continue;
            }
            let mlp = self.finished(trainer.average(), data)?;
            let fusion = Fusion::new(mlp.clone());
            let score = score(&fusion)?;
            tracing::debug!("epoch {epoch}: loss {loss:.4}, {score:.3}");
            trials.push(Trial {
                setting: at(&start.setting, epoch),
                score,
            });
            if score > best.0 {
                best = (score, mlp, epoch);
            }
        }
        let (_, mlp, stop) = best;
        Ok(Choice {
            fusion: Fusion::new(mlp),
            setting: at(&start.setting, stop),
            trials,
        })
    }

    fn fit(&self, data: Pairs) -> Result<Fusion> {
        Ok(Fusion::new(self.learn(data)?))
    }
}

fn numeric(reason: &str) -> Error {
    Error::Numeric {
        what: "MLP",
        reason: reason.into(),
    }
}

/// A tower that does what the CCA does to a modality; `rows` are its vectors in the pairs.
fn first<'a>(
    cca: &Cca,
    side: Side,
    rows: impl Iterator<Item = ndarray::ArrayView1<'a, f32>>,
    hidden: usize,
    rng: &mut ChaCha8Rng,
) -> Tower<f32> {
    let mean = cca.mean(side).mapv(|v| v as f32);
    let (mut total, mut n) = (0.0, 0);
    for row in rows {
        let squares = row
            .iter()
            .zip(&mean)
            .map(|(&v, &m)| f64::from(v - m).powi(2));
        total += squares.sum::<f64>().sqrt();
        n += 1;
    }
    let length = total / f64::from(n); // above 0: a CCA was fitted on these rows
    let a = cca.scaled_weights(side).mapv(|v| (v * length) as f32);
    let (d, o) = a.dim();
    // Of variance 1: what goes into a hidden unit then has variance 1 too, as the input has length 1.
    let bound = 3.0f32.sqrt();
    Tower {
        mean,
        scale: (1.0 / length) as f32,
        weights: Weights {
            a,
            w1: Array2::from_shape_simple_fn((d, hidden), || rng.gen_range(-bound..bound)),
            b1: Array1::zeros(hidden),
            w2: Array2::zeros((hidden, o)),
            b2: Array1::zeros(o),
        },
    }
}

/// Rows projected at a time, to bound memory.
const BLOCK: usize = 4096;

impl Projector for Mlp {
    fn stage(&self) -> &'static str {
        STAGE
    }

    fn dim(&self) -> usize {
        let canonical = self.canonical.as_ref().map(Projector::dim);
        canonical.unwrap_or(self.image.weights.b2.len())
    }

    fn project(&self, side: Side, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        let tower = self.tower(side);
        let d = tower.mean.len();
        if x.ncols() != d {
            return Err(Error::dimensions("the MLP", d, "the input", x.ncols()));
        }
        let mut z = Array2::zeros((x.nrows(), self.image.weights.b2.len()));
        for (x, mut z) in x
            .axis_chunks_iter(Axis(0), BLOCK)
            .zip(z.axis_chunks_iter_mut(Axis(0), BLOCK))
        {
            let rows: Vec<usize> = (0..x.nrows()).collect();
            let pass = tower.forward(tower.input(x, &rows, None), None);
            z.slice_mut(s![.., ..]).assign(&pass.unit);
        }
        match &self.canonical {
            Some(canonical) => canonical.project(side, z.view()),
            None => Ok(z),
        }
    }

    fn store(&self, mut artifact: Artifact) -> Artifact {
        if let Some(canonical) = &self.canonical {
            let part = canonical.store(Artifact::new(Spec::new(canonical.stage(), &(), 0)));
            artifact = artifact.with_part(CANONICAL, part);
        }
        for (side, tower) in [("image", &self.image), ("text", &self.text)] {
            let w = &tower.weights;
            artifact = artifact
                .with_vector(&format!("{side}.mean"), tower.mean.view())
                .with_vector(
                    &format!("{side}.scale"),
                    Array1::from_elem(1, tower.scale).view(),
                )
                .with_matrix(&format!("{side}.a"), w.a.view())
                .with_matrix(&format!("{side}.w1"), w.w1.view())
                .with_vector(&format!("{side}.b1"), w.b1.view())
                .with_matrix(&format!("{side}.w2"), w.w2.view())
                .with_vector(&format!("{side}.b2"), w.b2.view());
        }
        artifact
    }
}

impl Mlp {
    fn tower(&self, side: Side) -> &Tower<f32> {
        match side {
            Side::Image => &self.image,
            Side::Text => &self.text,
        }
    }

    /// Checks that training has not diverged.
    fn checked(self) -> Result<Self> {
        let finite = |t: &Tower<f32>| {
            let arrays = t.weights.arrays();
            arrays.iter().all(|a| a.iter().all(|v| v.is_finite()))
        };
        if !(finite(&self.image) && finite(&self.text)) {
            return Err(numeric("a weight is not finite; lower `learning_rate`"));
        }
        Ok(self)
    }

    /// Reads both towers from an artifact that [`Projector::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`] if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let tower = |side: &str| -> Result<Tower<f32>> {
            let weights = Weights {
                a: artifact.matrix(&format!("{side}.a"))?,
                w1: artifact.matrix(&format!("{side}.w1"))?,
                b1: artifact.vector(&format!("{side}.b1"))?,
                w2: artifact.matrix(&format!("{side}.w2"))?,
                b2: artifact.vector(&format!("{side}.b2"))?,
            };
            let mean: Array1<f32> = artifact.vector(&format!("{side}.mean"))?;
            artifact.require(weights.fit(mean.len()))?;
            Ok(Tower {
                mean,
                scale: artifact.number(&format!("{side}.scale"))?,
                weights,
            })
        };
        let (image, text) = (tower("image")?, tower("text")?);
        artifact.require(image.weights.b2.len() == text.weights.b2.len())?;
        let canonical = match artifact.has_part(CANONICAL) {
            true => Some(Cca::load(&artifact.part(CANONICAL)?)?),
            false => None,
        };
        Ok(Self {
            image,
            text,
            canonical,
        })
    }
}

//! AdamW (Loshchilov & Hutter 2019) with warm-up and cosine decay, and a moving average of the weights.

use std::f64::consts::PI;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::tower::Weights;

/// Settings of the optimiser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWParams {
    /// The highest learning rate.
    pub learning_rate: f64,
    /// Number of steps in which the learning rate rises from 0; then it falls to 0 along a cosine (Loshchilov &
    /// Hutter 2017).
    pub warm_up: usize,
    /// Share of a weight that is subtracted in each step, times the learning rate; biases do not decay.
    pub weight_decay: f64,
    /// Largest norm of the gradient of both towers together; a longer gradient is shortened to it. 0 for no limit.
    pub clip: f64,
    /// Share of the old value in the moving average of the weights, which is the result of training (Polyak &
    /// Juditsky 1992).
    pub average: f64,
}

impl Default for AdamWParams {
    fn default() -> Self {
        Self {
            learning_rate: 5e-4,
            warm_up: 100,
            weight_decay: 0.1,
            clip: 0.0,
            average: 0.95,
        }
    }
}

impl AdamWParams {
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let rates = [self.learning_rate, self.weight_decay, self.clip];
        if rates.iter().any(|r| !(*r >= 0.0 && r.is_finite())) {
            return Err("`learning_rate`, `weight_decay` and `clip` must not be negative");
        }
        if !(0.0..1.0).contains(&self.average) {
            return Err("`average` must be from 0 to below 1");
        }
        Ok(())
    }

    /// The learning rate of a step, counted from 0, in a run of `steps`.
    pub(super) fn rate(&self, step: usize, steps: usize) -> f64 {
        let warm_up = self.warm_up.min(steps);
        let shape = if step < warm_up {
            (step + 1) as f64 / warm_up as f64
        } else {
            let past = (step - warm_up) as f64 / (steps - warm_up).max(1) as f64;
            0.5 * (1.0 + (PI * past).cos())
        };
        self.learning_rate * shape
    }

    /// The factor by which a gradient is shortened.
    pub(super) fn shortening(&self, gradients: &[&Weights<f32>]) -> f32 {
        if self.clip == 0.0 {
            return 1.0;
        }
        let arrays = gradients.iter().flat_map(|g| g.arrays());
        let squares = arrays.map(|a| a.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>());
        let length = squares.sum::<f64>().sqrt();
        (self.clip / length.max(self.clip)) as f32
    }
}

/// Kingma & Ba 2015, algorithm 1.
const BETA: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;
/// Which of a, w1, b1, w2 and b2 decay.
const DECAYED: [bool; 5] = [true, true, false, true, false];
/// Weights per unit of work.
const CHUNK: usize = 1 << 14;

/// The optimiser's state for one tower.
pub struct AdamW {
    /// Moving averages of the gradient and of its square.
    m: Weights<f32>,
    v: Weights<f32>,
    /// The moving average of the weights.
    pub average: Weights<f32>,
}

impl AdamW {
    pub fn new(start: &Weights<f32>) -> Self {
        Self {
            m: start.zeros_like(),
            v: start.zeros_like(),
            average: start.clone(),
        }
    }

    /// Moves the weights against `shortening` times their gradient. `step` counts from 0.
    pub fn step(
        &mut self,
        params: &AdamWParams,
        (step, rate): (usize, f64),
        weights: &mut Weights<f32>,
        (gradient, shortening): (&Weights<f32>, f32),
    ) {
        let [b1, b2] = BETA;
        // The averages begin at zero; that is made up for.
        let bias = BETA.map(|b| (1.0 - f64::from(b).powi(step as i32 + 1)) as f32);
        let kept = params.average as f32;
        let arrays = weights.arrays_mut().into_iter().zip(gradient.arrays());
        let state = self.m.arrays_mut().into_iter().zip(self.v.arrays_mut());
        let state = state.zip(self.average.arrays_mut());
        for (((w, g), ((m, v), average)), decayed) in arrays.zip(state).zip(DECAYED) {
            let lost = if decayed {
                rate * params.weight_decay
            } else {
                0.0
            } as f32;
            let rate = rate as f32;
            w.par_chunks_mut(CHUNK)
                .zip(g.par_chunks(CHUNK))
                .zip(m.par_chunks_mut(CHUNK).zip(v.par_chunks_mut(CHUNK)))
                .zip(average.par_chunks_mut(CHUNK))
                .for_each(|(((w, g), (m, v)), average)| {
                    for i in 0..w.len() {
                        let g = shortening * g[i];
                        m[i] = b1 * m[i] + (1.0 - b1) * g;
                        v[i] = b2 * v[i] + (1.0 - b2) * g * g;
                        let way = (m[i] / bias[0]) / ((v[i] / bias[1]).sqrt() + EPSILON);
                        w[i] -= rate * way + lost * w[i];
                        average[i] = kept * average[i] + (1.0 - kept) * w[i];
                    }
                });
        }
    }
}

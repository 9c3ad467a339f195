//! The softmax posterior of a hit, whose sum over the gallery is estimated from a sample of it.

use serde::{Deserialize, Serialize};

/// Scores are cosines and their like: what is larger than this, infinite or no number is cut to it, so that sums
/// stay finite.
const MOST: f64 = 1e4;
/// Odds beyond e^±30 are certainty.
const MOST_LOGIT: f64 = 30.0;
/// The quartiles of a normal distribution are 1.349 standard deviations apart.
const QUARTILES: f64 = 1.349;
/// A hit that stands out by more standard deviations than these is no more certain.
const MOST_DEVIATIONS: f64 = 12.0;

/// Best hits whose scores are told, at least, where there are so many: more than are shown make the sum over the gallery
/// more exact.
pub const TOLD: usize = 20;
/// Rows of a gallery whose scores are drawn, at most.
pub const SAMPLE: usize = 1024;

/// What is known of a query's scores against a gallery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryScores {
    /// The scores of the best hits, falling. More than are shown make the sum over the gallery more exact.
    pub top: Vec<f32>,
    /// The share of the query's words that each of these hits matches, from 0 to 1; empty where there are no words.
    pub words: Vec<f32>,
    /// The scores of some rows of the gallery that were drawn once at random. The best hits may be among them.
    pub sample: Vec<f32>,
    /// The rows of the gallery.
    pub rows: usize,
}

impl QueryScores {
    /// The match of words of a hit; 0 where there are none.
    pub fn words_of(&self, hit: usize) -> f64 {
        let words = f64::from(self.words.get(hit).copied().unwrap_or(0.0));
        if words.is_finite() {
            words.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// The scores as finite numbers in double precision, and what the gallery's scores are like.
    pub(super) fn cleaned(&self) -> Cleaned {
        let top: Vec<f64> = self.top.iter().map(|&s| clean(s)).collect();
        let lowest = top.iter().copied().fold(f64::INFINITY, f64::min);
        let all = self.sample.iter().map(|&s| clean(s));
        let sample: Vec<f64> = match self.rows > top.len() {
            true => all.filter(|&s| s < lowest).collect(),
            false => Vec::new(),
        };
        let known = if sample.is_empty() { &top } else { &sample };
        let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
        let (middle, spread) = self.middle_and_spread();
        Cleaned {
            rest: self.rows.saturating_sub(top.len()),
            top,
            sample,
            mean,
            middle,
            spread,
        }
    }

    /// The median of the sample, and the standard deviation of a normal distribution with its quartiles: a few right
    /// answers in a small gallery do not move them.
    fn middle_and_spread(&self) -> (f64, f64) {
        let mut sorted: Vec<f64> = self.sample.iter().map(|&s| clean(s)).collect();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else {
            return (0.0, 0.0);
        };
        let at = |quarters: usize| sorted[last * quarters / 4];
        (at(2), (at(3) - at(1)) / QUARTILES)
    }
}

/// A query's scores, all of them finite.
pub(super) struct Cleaned {
    pub top: Vec<f64>,
    /// Those of rows that are not among the best hits.
    pub sample: Vec<f64>,
    /// How many rows are not among the best hits.
    rest: usize,
    /// Of the sample; of the best hits where it is empty.
    mean: f64,
    middle: f64,
    /// 0 where nothing is known of it.
    pub spread: f64,
}

impl Cleaned {
    /// The logits of the posteriors of the first hits: s/T − ln Σ exp(s'/T) over all other rows and one that stands
    /// for "nothing in this gallery", whose score is the mean.
    pub fn logits(&self, temperature: f64, hits: usize) -> Vec<f64> {
        let scaled = |s: &f64| s / temperature;
        let all = self.top.iter().chain(&self.sample);
        let most = all
            .map(scaled)
            .chain([scaled(&self.mean)])
            .fold(f64::NEG_INFINITY, f64::max);
        let weight = |s: &f64| (scaled(s) - most).exp();
        let top: Vec<f64> = self.top.iter().map(weight).collect();
        let background = weight(&self.mean) + self.rest as f64 * self.mean_weight(weight);
        let logit = |i: usize| {
            // Summed without the hit, as a difference of sums would lose it.
            let others: f64 = top[..i].iter().chain(&top[i + 1..]).sum();
            let logit = scaled(&self.top[i]) - most - (background + others).ln();
            logit.clamp(-MOST_LOGIT, MOST_LOGIT)
        };
        (0..hits.min(top.len())).map(logit).collect()
    }

    /// z²/2 of the first hits, where z is by how many standard deviations a hit stands above the middle of the sample.
    pub fn outstanding(&self, hits: usize) -> Vec<f64> {
        let of = |score: &f64| {
            let z = (score - self.middle) / self.spread;
            let z = if z.is_finite() { z } else { 0.0 };
            z.clamp(0.0, MOST_DEVIATIONS).powi(2) / 2.0
        };
        self.top.iter().take(hits).map(of).collect()
    }

    /// The mean weight of a row that is not among the best hits. Without a sample of them they count as much as the
    /// last of the best hits, which is the most that they can.
    fn mean_weight(&self, weight: impl Fn(&f64) -> f64) -> f64 {
        match (self.sample.is_empty(), self.top.last()) {
            (true, Some(last)) => weight(last),
            (true, None) => 0.0,
            (false, _) => {
                let sum: f64 = self.sample.iter().map(weight).sum();
                sum / self.sample.len() as f64
            }
        }
    }
}

/// A score as a finite number; what is no number counts as the lowest.
fn clean(score: f32) -> f64 {
    match score.is_nan() {
        true => -MOST,
        false => f64::from(score).clamp(-MOST, MOST),
    }
}

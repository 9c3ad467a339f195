//! How likely a hit is to be right.
//!
//! A score of a hit says little by itself: 0.3 is high for one query and low for another, and among a million
//! pictures some score 0.3 by chance. The evidence for a hit is its softmax posterior over the whole gallery,
//! ln p = s/T − ln Σ exp(s'/T), whose sum over the rows that are not among the best hits is estimated from a sample
//! of them. A larger gallery has a larger sum, and that alone makes its hits less likely. Then
//!
//! ln(P / (1 − P)) = logit of that posterior + a·z²/2 + b·(match of words) + c,
//!
//! where z says by how many standard deviations the hit stands out of the gallery. The softmax posterior is exact
//! where the scores of right and of wrong rows are spread alike; those of right rows are spread more, for which z²
//! stands. The posterior has the coefficient 1: with any other, the odds would not fall as one over the size of
//! the gallery, and what is learned in a gallery of one size would be wrong in another. T, a, b and c are those of
//! the highest likelihood on judged hits (Platt 1999), with a weak penalty. Where there are very many of these, an
//! isotonic regression follows (Zadrozny & Elkan 2002), for galleries of about the same size.
//!
//! [`Reliability`] says how far the probabilities are to be believed.

mod drawing;
mod good;
mod isotonic;
pub mod keywords;
mod logistic;
mod reliability;
mod scores;

pub use isotonic::Isotonic;
pub use logistic::Logistic;
pub use reliability::{Bin, Reliability, ece};
pub use scores::{QueryScores, SAMPLE, TOLD};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use logistic::{Prior, Row, sigmoid};
use scores::Cleaned;

/// How probabilities are learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalibrationParams {
    /// The best hits of a query that are learned from: those that people look at.
    pub hits: usize,
    /// An isotonic regression follows where there are more judged hits than these.
    pub isotonic_above: usize,
}

impl Default for CalibrationParams {
    fn default() -> Self {
        Self {
            hits: 5,
            isotonic_above: 2000,
        }
    }
}

/// A query whose hits were judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The scores of its hits.
    pub scores: QueryScores,
    /// Whether each of the best hits is right, in their order.
    pub right: Vec<bool>,
}

/// What is learned: scores to probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The temperature T of the softmax.
    pub temperature: f64,
    /// Coefficients of z²/2, the match of words, and 1.
    pub model: Logistic<3>,
    /// A correction of the probabilities, learned if there were enough judged hits.
    pub isotonic: Option<Isotonic>,
    /// Rows of the smallest and the largest gallery of the judged queries: the isotonic curve is for such.
    pub galleries: [usize; 2],
    /// Hits of at least this probability are good: the threshold with the highest F1 over the judged hits.
    pub good_from: f32,
}

/// Of z²/2, the match of words, and 1, in the order of the model. Without evidence nothing is added to the softmax
/// posterior; the strengths count as some tens of judged hits.
const PRIOR: Prior<3> = Prior {
    centre: [0.25, 0.0, 0.0],
    strength: [10.0, 0.05, 1.0],
};
/// Standing out and matching words make no hit less likely.
const RISING: [bool; 3] = [true, true, false];
/// Temperatures, as multiples of the standard deviation of the gallery's scores.
const COLDEST: f64 = 0.125;
/// Of the square of the logarithm of that multiple: it is seldom more than twice or less than half.
const TEMPERATURE_PENALTY: f64 = 4.0;
const STEP: f64 = std::f64::consts::SQRT_2;
const STEPS: i32 = 13;
/// Steps of the golden section between two temperatures of the grid: to within a thousandth.
const SECTIONS: usize = 12;

impl CalibrationParams {
    /// Learns from judged hits.
    ///
    /// # Errors
    /// [`Error::TooFew`] where no hit was judged.
    pub fn fit(&self, queries: &[Judged]) -> Result<Calibration> {
        let cases: Vec<Case> = queries.iter().map(|q| Case::new(q, self.hits)).collect();
        let judged: usize = cases.iter().map(|c| c.right.len()).sum();
        if judged == 0 {
            return Err(Error::TooFew {
                what: "judged hits for probabilities".into(),
                needed: 1,
                found: 0,
            });
        }
        let temperature = best_temperature(&cases);
        let (model, _) = fit_at(&cases, temperature);
        let rows = queries.iter().map(|q| q.scores.rows);
        let mut calibration = Calibration {
            temperature,
            model,
            isotonic: None,
            galleries: [rows.clone().min().unwrap_or(0), rows.max().unwrap_or(0)],
            good_from: 1.0,
        };
        let right: Vec<bool> = cases.iter().flat_map(|c| c.right).copied().collect();
        let of_all = |calibration: &Calibration| -> Vec<f32> {
            let each = cases.iter();
            each.flat_map(|c| calibration.of_cleaned(&c.cleaned, c.scores, c.right.len()))
                .collect()
        };
        if judged > self.isotonic_above {
            calibration.isotonic = Some(Isotonic::fit(&of_all(&calibration), &right));
        }
        calibration.good_from = good::threshold(&of_all(&calibration), &right);
        Ok(calibration)
    }
}

impl Calibration {
    /// The probability that each of the best hits is right.
    pub fn probabilities(&self, scores: &QueryScores) -> Vec<f32> {
        self.of_cleaned(&scores.cleaned(), scores, scores.top.len())
    }

    fn of_cleaned(&self, cleaned: &Cleaned, scores: &QueryScores, hits: usize) -> Vec<f32> {
        let logits = cleaned.logits(self.temperature, hits);
        let outstanding = cleaned.outstanding(hits);
        let isotonic = self.isotonic.as_ref().filter(|_| self.is_like(scores.rows));
        let all = logits.into_iter().zip(outstanding).enumerate();
        all.map(|(hit, (logit, outstanding))| {
            let features = [outstanding, scores.words_of(hit), 1.0];
            let p = sigmoid(logit + self.model.logit(&features)) as f32;
            isotonic.map_or(p, |isotonic| isotonic.of(p))
        })
        .collect()
    }

    /// Whether a gallery is about as large as those that were judged. The model is for any size; what it is wrong by
    /// in one, which the isotonic curve sets right, it is not in another.
    fn is_like(&self, rows: usize) -> bool {
        let [smallest, largest] = self.galleries;
        smallest / 2 <= rows && rows <= largest.saturating_mul(2)
    }

    /// How many of the first hits are good: where a list may be cut.
    pub fn good_ones(&self, probabilities: &[f32]) -> usize {
        let good = |p: &&f32| **p >= self.good_from;
        probabilities.iter().take_while(good).count()
    }
}

/// A judged query, ready to be learned from.
struct Case<'a> {
    cleaned: Cleaned,
    scores: &'a QueryScores,
    /// Of the hits that are learned from.
    right: &'a [bool],
    outstanding: Vec<f64>,
}

impl<'a> Case<'a> {
    fn new(query: &'a Judged, hits: usize) -> Self {
        let hits = hits.min(query.right.len()).min(query.scores.top.len());
        let cleaned = query.scores.cleaned();
        Self {
            outstanding: cleaned.outstanding(hits),
            cleaned,
            scores: &query.scores,
            right: &query.right[..hits],
        }
    }

    fn rows(&self, temperature: f64) -> impl Iterator<Item = Row<3>> {
        let logits = self.cleaned.logits(temperature, self.right.len());
        logits.into_iter().enumerate().map(|(hit, offset)| Row {
            features: [self.outstanding[hit], self.scores.words_of(hit), 1.0],
            offset,
            right: self.right[hit],
        })
    }
}

fn fit_at(cases: &[Case], temperature: f64) -> (Logistic<3>, f64) {
    let rows: Vec<Row<3>> = cases.iter().flat_map(|c| c.rows(temperature)).collect();
    Logistic::fit_rising(&rows, &PRIOR, RISING)
}

/// The temperature of the highest likelihood: the best of a grid, refined between its neighbours.
fn best_temperature(cases: &[Case]) -> f64 {
    let mut spreads: Vec<f64> = cases.iter().map(|c| c.cleaned.spread).collect();
    spreads.retain(|&s| s > 0.0);
    spreads.sort_by(f64::total_cmp);
    let Some(&spread) = spreads.get(spreads.len() / 2) else {
        return 1.0; // Scores that are all equal are the same at any temperature.
    };
    // In logarithms of multiples of the spread, with a pull towards 1.
    let likelihood = |ln: f64| fit_at(cases, spread * ln.exp()).1 - TEMPERATURE_PENALTY * ln * ln;
    let grid = (0..STEPS).map(|i| COLDEST.ln() + f64::from(i) * STEP.ln());
    let (best, _) = grid
        .map(|ln| (ln, likelihood(ln)))
        .fold(
            (0.0, f64::NEG_INFINITY),
            |a, b| if b.1 > a.1 { b } else { a },
        );
    spread * golden_section(best - STEP.ln(), best + STEP.ln(), likelihood).exp()
}

/// Where a function with one peak in an interval is highest.
fn golden_section(mut low: f64, mut high: f64, value: impl Fn(f64) -> f64) -> f64 {
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let inner = |low: f64, high: f64| (high - ratio * (high - low), low + ratio * (high - low));
    let (mut a, mut b) = inner(low, high);
    let (mut at_a, mut at_b) = (value(a), value(b));
    for _ in 0..SECTIONS {
        if at_a >= at_b {
            (high, b, at_b) = (b, a, at_a);
            a = inner(low, high).0;
            at_a = value(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = inner(low, high).1;
            at_b = value(b);
        }
    }
    (low + high) / 2.0
}

//! Losses on a batch of pairs: s_ij, the cosine of image i and text j, should be large for i = j.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::correlation::{DeepCcaParams, deep_cca};
use super::real::Real;
use crate::linalg::matmul;

/// A loss and its settings. Every loss is the mean over both directions and all items of the batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LossParams {
    /// InfoNCE: −ln softmax(s/τ)_ii, over rows and over columns (van den Oord et al. 2018; symmetric: Radford et
    /// al. 2021).
    InfoNce(InfoNceParams),
    /// Triplet loss: \[m + s_ij − s_ii\]₊ for the hardest j alone (VSE++, Faghri et al. 2018).
    Triplet(TripletParams),
    /// The triplet loss with a separate margin for every negative pair, smaller if its caption resembles the right
    /// one, after the idea of AMFMN (Yuan et al. 2022, "Exploring a fine-grained multiscale method for cross-modal
    /// remote sensing image retrieval"): m·(1 − k·max(0, cos)) of the captions' centred inputs.
    DynamicTriplet(DynamicTripletParams),
    /// Deep CCA: the correlation of the outputs (Andrew et al. 2013). A linear CCA of the outputs follows the towers.
    DeepCca(DeepCcaParams),
}

/// Settings of [`LossParams::InfoNce`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InfoNceParams {
    /// Temperature τ.
    pub temperature: f64,
}

impl Default for InfoNceParams {
    fn default() -> Self {
        Self { temperature: 0.1 }
    }
}

/// Settings of [`LossParams::Triplet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TripletParams {
    /// Margin m, a difference of cosines.
    pub margin: f64,
}

impl Default for TripletParams {
    fn default() -> Self {
        Self { margin: 0.2 } // Faghri et al. 2018, §4
    }
}

/// Settings of [`LossParams::DynamicTriplet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DynamicTripletParams {
    /// Largest margin m, a difference of cosines.
    pub margin: f64,
    /// Strength k of the similarity of captions, from 0 to 1.
    pub strength: f64,
}

impl Default for DynamicTripletParams {
    fn default() -> Self {
        Self {
            margin: 0.2,
            strength: 0.5,
        }
    }
}

/// exp((s − 1)/τ) of s = −1 must stay a normal f32: 2/0.025 is 80, and the smallest is e^−87.
const LEAST_TEMPERATURE: f64 = 0.025;

/// The value of a loss and its gradient.
pub struct Loss<T> {
    pub value: f64,
    /// Gradient for the images' unit rows, B×o.
    pub d_images: Array2<T>,
    /// Gradient for the texts' unit rows, B×o.
    pub d_texts: Array2<T>,
}

impl LossParams {
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::InfoNce(p) if p.temperature >= LEAST_TEMPERATURE => Ok(()),
            Self::InfoNce(_) => Err("`temperature` must be at least 0.025"),
            Self::Triplet(p) if p.margin > 0.0 => Ok(()),
            Self::DeepCca(p) if p.regularization > 0.0 => Ok(()),
            Self::DeepCca(_) => Err("`regularization` must be above 0"),
            Self::DynamicTriplet(p) if p.margin > 0.0 && (0.0..=1.0).contains(&p.strength) => {
                Ok(())
            }
            _ => Err("`margin` must be above 0 and `strength` from 0 to 1"),
        }
    }

    /// Computes the loss. images, texts: B×o, unit rows. `captions`: B×e, the inputs of the texts, for the loss
    /// that needs them. `equal` holds pairs (i, j), i ≠ j, of which neither is a wrong answer to the other: they do
    /// not count.
    pub fn of<T: Real>(
        &self,
        images: ArrayView2<T>,
        texts: ArrayView2<T>,
        captions: impl FnOnce() -> Array2<T>,
        equal: &[(usize, usize)],
    ) -> Loss<T> {
        let mut s = matmul(images, texts.t());
        let value = match self {
            Self::DeepCca(p) => return deep_cca(images, texts, p),
            Self::InfoNce(p) => info_nce(&mut s, p.temperature, equal),
            Self::Triplet(p) => triplet(&mut s, p.margin, equal),
            Self::DynamicTriplet(p) => {
                // What is taken off the margin is taken off the score.
                let own = s.diag().to_owned();
                let discount = T::of(p.margin * p.strength);
                let prior = cosines(captions());
                s.zip_mut_with(&prior, |s, &c| *s -= discount * c.max(T::zero()));
                s.diag_mut().assign(&own);
                triplet(&mut s, p.margin, equal)
            }
        };
        Loss {
            value,
            d_images: matmul(s.view(), texts),
            d_texts: matmul(s.t(), images),
        }
    }
}

fn cosines<T: Real>(mut unit: Array2<T>) -> Array2<T> {
    for mut row in unit.outer_iter_mut() {
        let length = row.dot(&row).sqrt();
        if length > T::zero() {
            row /= length;
        }
    }
    matmul(unit.view(), unit.t())
}

/// Runs `f` on every row, with its index.
fn each_row<T: Real>(s: &mut Array2<T>, f: impl Fn(usize, &mut [T]) + Sync) {
    let width = s.ncols().max(1);
    let rows = s.as_slice_mut().expect("scores are in rows");
    rows.par_chunks_mut(width)
        .enumerate()
        .for_each(|(i, row)| f(i, row));
}

/// Replaces the scores by the gradient of the loss; returns the loss.
fn info_nce<T: Real>(s: &mut Array2<T>, temperature: f64, equal: &[(usize, usize)]) -> f64 {
    let n = s.nrows();
    let scale = T::of(1.0 / temperature);
    let own = s.diag().to_owned();
    // Scores are at most 1, which takes the place of the largest in every row and column alike.
    each_row(s, |_, row| {
        row.iter_mut()
            .for_each(|v| *v = ((*v - T::one()) * scale).exponential());
    });
    equal.iter().for_each(|&(i, j)| s[[i, j]] = T::zero());
    let rows: Array1<T> = s.sum_axis(Axis(1));
    let columns: Array1<T> = s.sum_axis(Axis(0));
    let mut value = 0.0;
    for i in 0..n {
        let sums = (rows[i].wide() * columns[i].wide()).ln();
        value += 0.5 * sums - (own[i].wide() - 1.0) / temperature;
    }
    let half = T::of(0.5 / (temperature * n as f64));
    let inverse = columns.mapv(|v| half / v);
    each_row(s, |i, row| {
        let of_row = half / rows[i];
        for (v, &of_column) in row.iter_mut().zip(&inverse) {
            *v *= of_row + of_column;
        }
        row[i] -= half + half;
    });
    value / n as f64
}

/// The largest score except one's own, with its index.
#[derive(Clone, Copy)]
struct Hardest<T> {
    score: T,
    place: usize,
}

/// See [`info_nce`].
fn triplet<T: Real>(s: &mut Array2<T>, margin: f64, equal: &[(usize, usize)]) -> f64 {
    let n = s.nrows();
    let own = s.diag().to_owned();
    s.diag_mut().fill(T::neg_infinity());
    equal
        .iter()
        .for_each(|&(i, j)| s[[i, j]] = T::neg_infinity());
    let none = Hardest {
        score: T::neg_infinity(),
        place: 0,
    };
    let (mut by_row, mut by_column) = (vec![none; n], vec![none; n]);
    for (i, row) in s.outer_iter().enumerate() {
        for ((j, &score), of_column) in row.iter().enumerate().zip(&mut by_column) {
            if score > by_row[i].score {
                by_row[i] = Hardest { score, place: j };
            }
            if score > of_column.score {
                *of_column = Hardest { score, place: i };
            }
        }
    }
    s.fill(T::zero());
    let share = T::of(0.5 / n as f64);
    let mut value = 0.0;
    for i in 0..n {
        let cells = [(i, by_row[i].place), (by_column[i].place, i)];
        for (cell, hardest) in cells.into_iter().zip([by_row[i], by_column[i]]) {
            let violation = margin + (hardest.score - own[i]).wide();
            if violation > 0.0 {
                value += violation;
                s[cell] += share;
                s[[i, i]] -= share;
            }
        }
    }
    value * 0.5 / n as f64
}

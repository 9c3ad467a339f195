//! Hubs: items near to everything, which crowd the right answers out of the first places in many dimensions
//! (Radovanović, Nanopoulos & Ivanović, JMLR 2010). Each gallery item is charged for how well it suits other
//! queries: querybank normalisation (QB-Norm, Bogolin et al., CVPR 2022) with a bank of training queries.
//!
//! The charge depends on the item alone. So score − charge is one inner product, of (query, 1) and
//! (item, −charge), and one index still answers.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, concatenate};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::{Artifact, Matrix};
use crate::error::Result;
use crate::linalg::matmul;

/// Settings of the charge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HubnessParams {
    /// Queries that items are charged by.
    pub bank: Bank,
    /// At most this many training captions charge pictures...
    pub texts: usize,
    /// ...and this many training pictures charge texts, evenly spread.
    pub images: usize,
    /// How a charge is computed.
    pub charge: Charge,
}

/// Who else asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bank {
    /// Training captions and training pictures.
    Training,
    /// A picture of each class that the image views know by name. They charge texts, and nothing charges pictures; nothing is
    /// learned.
    Classes,
    /// All queries of the evaluation: *transductive*, for comparison alone, since a query that comes by itself
    /// has no others.
    Queries,
}

/// What an item is charged for the scores s₁ … sₘ of the bank's queries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Charge {
    /// (γσ/β)·ln Σ exp(βsⱼ/σ), σ being the standard deviation of all the bank's scores. With γ = 1 this is the
    /// inverted softmax (Smith et al., ICLR 2017).
    Softmax {
        /// β: how much the largest scores count.
        beta: f32,
        /// γ: factor of the charge.
        gamma: f32,
    },
    /// Half the mean of the `neighbours` largest scores: CSLS (Conneau et al., ICLR 2018).
    Csls {
        /// Number of scores.
        neighbours: usize,
    },
}

impl Default for HubnessParams {
    fn default() -> Self {
        Self {
            bank: Bank::Training,
            texts: 6000,
            images: 3000,
            charge: Charge::Softmax {
                beta: 1.0,
                gamma: 1.0,
            },
        }
    }
}

/// Items per block of scores.
const BLOCK: usize = 256;

/// Training queries that charge items.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryBank {
    charge: Charge,
    /// m×s
    queries: Matrix<f32>,
    /// Standard deviation of the scores of queries and items.
    sigma: f32,
}

impl QueryBank {
    /// A bank of m×s queries whose scores are scaled by their deviation over `items`, n×s, such as are charged.
    pub fn new(charge: Charge, queries: Array2<f32>, items: ArrayView2<f32>) -> Self {
        let sigma = match queries.nrows().min(items.nrows()) {
            0 => 1.0,
            _ => deviation(items, queries.view()).max(f32::MIN_POSITIVE),
        };
        Self {
            charge,
            queries: queries.into(),
            sigma,
        }
    }

    /// The charge of each of n×s items; 0 for an empty bank. It depends on the item alone.
    pub fn charges(&self, items: ArrayView2<f32>) -> Array1<f32> {
        if self.queries.dim().0 == 0 {
            return Array1::zeros(items.nrows());
        }
        let mut charges = Vec::with_capacity(items.nrows());
        for items in items.axis_chunks_iter(Axis(0), BLOCK) {
            let scores = matmul(items, self.queries.view().t());
            let rows = scores.axis_iter(Axis(0)).into_par_iter();
            charges.par_extend(rows.map(|row| self.charge.of_scores(row, self.sigma)));
        }
        charges.into()
    }

    /// Adds the bank to an artifact, so that [`Self::load`] reads it.
    pub fn store(&self, artifact: Artifact) -> Artifact {
        artifact
            .with_notes(&self.charge)
            .with_matrix("queries", self.queries.view())
            .with_vector("sigma", Array1::from_elem(1, self.sigma).view())
    }

    /// Reads a bank for a space of so many dimensions.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) for an artifact that is not such a bank.
    pub fn load(artifact: &Artifact, dim: usize) -> Result<Self> {
        let queries: Matrix<f32> = artifact.kept_matrix("queries")?;
        artifact.require(queries.dim().1 == dim)?;
        Ok(Self {
            charge: artifact.read_notes()?,
            queries,
            sigma: artifact.number("sigma")?,
        })
    }
}

impl Charge {
    /// The charge of each of `items`, n×s, for the queries of `bank`, m×s, whose scores are scaled by their deviation
    /// over these very items; 0 for an empty bank.
    pub fn of(self, items: ArrayView2<f32>, bank: ArrayView2<f32>) -> Array1<f32> {
        QueryBank::new(self, bank.to_owned(), items).charges(items)
    }

    fn of_scores(self, scores: ArrayView1<f32>, sigma: f32) -> f32 {
        match self {
            Self::Softmax { beta, gamma } => {
                let most = scores.fold(f32::NEG_INFINITY, |m, &s| m.max(s));
                let exp = |&s: &f32| f64::from((s - most) * beta / sigma).exp();
                let sum = scores.iter().map(exp).sum::<f64>();
                gamma * (most + sigma / beta * sum.ln() as f32)
            }
            Self::Csls { neighbours } => {
                let mut sorted = scores.to_vec();
                sorted.sort_unstable_by(|a, b| b.total_cmp(a));
                let k = neighbours.clamp(1, sorted.len());
                sorted[..k].iter().sum::<f32>() / (2 * k) as f32
            }
        }
    }
}

/// Standard deviation of all inner products of the rows of a and b, from their first two moments.
fn deviation(a: ArrayView2<f32>, b: ArrayView2<f32>) -> f32 {
    let moments = |x: ArrayView2<f32>| {
        let x = x.mapv(f64::from);
        let n = x.nrows().max(1) as f64;
        (x.sum_axis(Axis(0)) / n, matmul(x.t(), x.view()) / n)
    };
    let ((mean_a, aa), (mean_b, bb)) = (moments(a), moments(b));
    // E (aᵀb)² = trace(E aaᵀ · E bbᵀ)
    let variance = (&aa * &bb).sum() - mean_a.dot(&mean_b).powi(2);
    variance.max(0.0).sqrt() as f32
}

/// Gallery items with their charges: n×s -> n×(s+1).
pub fn charged(items: ArrayView2<f32>, charges: &Array1<f32>) -> Array2<f32> {
    let last = charges.mapv(|c| -c).insert_axis(Axis(1));
    concatenate![Axis(1), items, last]
}

/// Queries for a charged gallery: n×s -> n×(s+1).
pub fn asking(queries: ArrayView2<f32>) -> Array2<f32> {
    concatenate![Axis(1), queries, Array2::ones((queries.nrows(), 1))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn deviation_is_that_of_the_scores() {
        let (a, b) = (
            array![[1.0, 2.0], [3.0, -1.0]],
            array![[0.5, 1.0], [2.0, 0.0], [1.0, 1.0]],
        );
        let scores = a.dot(&b.t());
        assert!((deviation(a.view(), b.view()) - scores.std(0.0)).abs() < 1e-6);
    }

    #[test]
    fn charges_follow_their_definitions() {
        let (items, bank) = (
            array![[1.0f32, 0.0], [0.0, 1.0]],
            array![[0.2f32, 0.9], [0.4, 0.1]],
        );
        let sigma = items.dot(&bank.t()).std(0.0);
        let charge = Charge::Softmax {
            beta: 2.0,
            gamma: 0.5,
        };
        let sum = |a: f32, b: f32| (2.0 * a / sigma).exp() + (2.0 * b / sigma).exp();
        let expected = [sum(0.2, 0.4), sum(0.9, 0.1)].map(|s| 0.5 * sigma / 2.0 * s.ln());
        for (found, expected) in charge.of(items.view(), bank.view()).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        let csls = Charge::Csls { neighbours: 1 }.of(items.view(), bank.view());
        assert_eq!(csls, array![0.2, 0.45]);
        let none = Array2::zeros((0, 2));
        assert_eq!(charge.of(items.view(), none.view()), array![0.0, 0.0]);
    }

    #[test]
    fn a_charge_is_subtracted_by_the_inner_product() {
        let (items, queries) = (array![[1.0f32, 0.5]], array![[0.5f32, 1.0]]);
        let score = asking(queries.view()).dot(&charged(items.view(), &array![0.25]).t());
        assert_eq!(score, array![[0.75]]);
    }
}

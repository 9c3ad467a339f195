//! How similar unrelated pictures are, so that a similarity can be judged.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use crate::linalg::matmul;

/// The distribution of similarities between unrelated pictures. Each similarity is reduced by the median and
/// divided by the spread of its picture's similarities to a background (zero normalisation: Auckenthaler, Carey &
/// Lloyd-Thomas, Digital Signal Processing 2000, here by quantiles); the tail is exponential (peaks over threshold:
/// Pickands, Annals of Statistics 1975).
#[derive(Clone, Debug, PartialEq)]
pub struct Chance {
    /// Background vectors, b×d.
    background: Array2<f32>,
    /// Share of unrelated pairs that exceed the start of the tail.
    rate: f64,
    start: f64,
    /// Mean excess beyond the start.
    scale: f64,
}

/// Share of pairs beyond the far quantile, and its ratio to the share beyond the start of the tail. Both quantiles
/// are far enough in that related pairs within the background do not matter.
const FAR_RATE: f64 = 0.01;
const START_BY_FAR: f64 = 5.0;
/// Smallest number of background pictures.
pub(super) const LEAST: usize = 50;
/// Smallest spread: similarities closer than this are equal.
const RESOLUTION: f64 = 1e-3;

impl Chance {
    /// Learns from a background of unit rows, b×d; `None` for fewer than fifty rows. `related` is the number of
    /// related pictures that each may have: the background may be the folder whose duplicates are searched.
    pub fn fit(background: Array2<f32>, related: usize) -> Option<Self> {
        let n = background.nrows();
        if n < LEAST {
            return None;
        }
        let chance = Self {
            background,
            rate: 1.0,
            start: 0.0,
            scale: 1.0,
        };
        let alike = chance.similarities(chance.background.view());
        let mut all: Vec<f64> = Vec::with_capacity(n * (n - 1));
        for (i, row) in alike.outer_iter().enumerate() {
            let others = row.iter().enumerate().filter(|&(j, _)| j != i);
            let others: Vec<f32> = others.map(|(_, &s)| s).collect();
            let usual = Usual::of(ArrayView1::from(&others));
            all.extend(others.iter().map(|&s| usual.normalize(s)));
        }
        all.sort_unstable_by(|a, b| b.total_cmp(a));
        let quantile = |rate: f64| all[(rate * all.len() as f64) as usize];
        let far = FAR_RATE.max(related as f64 / (n - 1) as f64);
        let rate = START_BY_FAR * far;
        let (start, far) = (quantile(rate), quantile(far));
        Some(Self {
            rate,
            start,
            scale: ((far - start) / START_BY_FAR.ln()).max(RESOLUTION),
            ..chance
        })
    }

    fn similarities(&self, rows: ArrayView2<f32>) -> Array2<f32> {
        matmul(rows, self.background.t())
    }

    /// How a query, a unit vector, usually compares with unrelated pictures.
    pub fn usual(&self, query: ArrayView1<f32>) -> Usual {
        let alike = self.similarities(query.insert_axis(Axis(0)));
        Usual::of(alike.row(0))
    }

    /// log10 of the probability that an unrelated picture is at least this similar to the query. The tail's formula
    /// is also used below its start, where only the order matters.
    pub fn log_probability(&self, usual: &Usual, similarity: f32) -> f64 {
        let excess = (usual.normalize(similarity) - self.start) / self.scale;
        self.rate.log10() - excess * std::f64::consts::LOG10_E
    }
}

/// Median and spread of a query's similarities to the background.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    median: f64,
    deviation: f64,
}

/// Distance between the outer deciles of a normal distribution, in standard deviations.
const TENTHS: f64 = 2.563;

impl Usual {
    fn of(similarities: ArrayView1<f32>) -> Self {
        let mut all = similarities.to_vec();
        all.sort_unstable_by(f32::total_cmp);
        let quantile = |q: f64| {
            let place = (q * all.len() as f64) as usize;
            f64::from(all.get(place).copied().unwrap_or(0.0))
        };
        Self {
            median: quantile(0.5),
            deviation: ((quantile(0.9) - quantile(0.1)) / TENTHS).max(RESOLUTION),
        }
    }

    fn normalize(&self, similarity: f32) -> f64 {
        (f64::from(similarity) - self.median) / self.deviation
    }
}

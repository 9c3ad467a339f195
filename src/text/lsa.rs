//! Latent semantic analysis (Deerwester et al. 1990): the leading right singular vectors of the caption × term
//! matrix, which brings words that occur with the same words close together.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::artifact::{Artifact, Matrix};
use crate::error::Result;
use crate::linalg::{Csr, SparseRow, randomized_svd};

/// How the directions of the projection are learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProjectionParams {
    /// Latent semantic analysis.
    #[default]
    Lsa,
    /// Word vectors from the training captions alone: the leading singular vectors of the positive pointwise mutual
    /// information of terms in one caption (Levy & Goldberg, NIPS 2014, §3.3), each scaled by the square root of
    /// its singular value. A caption is the weighted sum of its terms' vectors.
    WordVectors,
}

impl ProjectionParams {
    /// Learns at most `dim` directions from sparse rows over `terms` columns.
    ///
    /// # Errors
    /// [`Error::Numeric`](crate::Error::Numeric) if the decomposition fails.
    pub fn fit(self, rows: Vec<SparseRow>, terms: usize, dim: usize, seed: u64) -> Result<Lsa> {
        match self {
            Self::Lsa => Lsa::fit(rows, terms, dim, seed),
            Self::WordVectors => Lsa::word_vectors(&rows, terms, dim, seed),
        }
    }
}

/// A fitted projection x·v from terms to k directions.
#[derive(Clone, Debug, PartialEq)]
pub struct Lsa {
    /// terms×k
    v: Matrix<f32>,
}

impl Lsa {
    /// Learns at most `dim` directions of latent semantic analysis from sparse rows over `terms` columns.
    ///
    /// # Errors
    /// As [`ProjectionParams::fit`].
    pub fn fit(rows: Vec<SparseRow>, terms: usize, dim: usize, seed: u64) -> Result<Self> {
        let (s, v) = randomized_svd(&Csr::new(rows, terms), dim, seed)?;
        let floor = 1e-6 * s.first().copied().unwrap_or(0.0);
        let k = s.iter().take_while(|&&s| s > floor).count();
        Ok(Self {
            v: v.slice(ndarray::s![.., ..k]).mapv(|v| v as f32).into(),
        })
    }

    fn word_vectors(rows: &[SparseRow], terms: usize, dim: usize, seed: u64) -> Result<Self> {
        let pmi = Csr::new(positive_pmi(rows, terms), terms);
        let (s, v) = randomized_svd(&pmi, dim, seed)?;
        let scale = s.mapv(f64::sqrt);
        Ok(Self {
            v: (v * scale).mapv(|v| v as f32).into(),
        })
    }

    /// The number of directions, k.
    pub fn dim(&self) -> usize {
        self.v.dim().1
    }

    /// The directions, terms×k.
    pub fn directions(&self) -> ArrayView2<'_, f32> {
        self.v.view()
    }

    /// Projects n sparse rows to n×k.
    pub fn transform(&self, rows: &[SparseRow]) -> Array2<f32> {
        Csr::rows_times(rows, self.v.view())
    }

    /// Adds the projection to an artifact.
    pub fn store(&self, artifact: Artifact) -> Artifact {
        artifact.with_matrix("v", self.v.view())
    }

    /// Reads a projection from an artifact that [`Self::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        Ok(Self {
            v: artifact.kept_matrix("v")?,
        })
    }
}

/// max(0, ln(p(a, b) / (p(a)·p(b)))) of terms that occur in one caption, terms×terms.
fn positive_pmi(rows: &[SparseRow], terms: usize) -> Vec<SparseRow> {
    let mut together = vec![BTreeMap::<u32, f64>::new(); terms];
    let mut total = vec![0.0; terms];
    for row in rows {
        for &(a, _) in row {
            for &(b, _) in row.iter().filter(|&&(b, _)| b != a) {
                *together[a as usize].entry(b).or_default() += 1.0;
                total[a as usize] += 1.0;
            }
        }
    }
    let all: f64 = total.iter().sum();
    let row = |(a, others): (usize, &BTreeMap<u32, f64>)| -> SparseRow {
        let pmi = |(&b, n): (&u32, &f64)| {
            let pmi = (n * all / (total[a] * total[b as usize])).ln();
            (pmi > 0.0).then_some((b, pmi as f32))
        };
        others.iter().filter_map(pmi).collect()
    };
    together.iter().enumerate().map(row).collect()
}

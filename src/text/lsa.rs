//! Latent semantic analysis (Deerwester et al. 1990): the leading right singular vectors of the
//! caption × term matrix, which brings words that share their company together.

use ndarray::{Array2, ArrayView2};

use crate::artifact::Artifact;
use crate::error::Result;
use crate::linalg::{Csr, SparseRow, randomized_svd};

/// A fitted projection x·v.
#[derive(Clone, Debug, PartialEq)]
pub struct Lsa {
    /// terms×k
    v: Array2<f32>,
}

impl Lsa {
    /// Learns at most `dim` directions from sparse rows over `terms` columns.
    pub fn fit(rows: Vec<SparseRow>, terms: usize, dim: usize, seed: u64) -> Result<Self> {
        let n = rows.len();
        let x = Csr::new(rows, terms);
        let (s, v) = randomized_svd(
            (n, terms),
            dim,
            seed,
            |b| x.times(b),
            |b| x.transposed_times(b),
        )?;
        let floor = 1e-6 * s.first().copied().unwrap_or(0.0);
        let k = s.iter().take_while(|&&s| s > floor).count();
        Ok(Self {
            v: v.slice(ndarray::s![.., ..k]).mapv(|v| v as f32),
        })
    }

    /// Number of directions.
    pub fn dim(&self) -> usize {
        self.v.ncols()
    }

    pub fn directions(&self) -> ArrayView2<'_, f32> {
        self.v.view()
    }

    /// n sparse rows -> n×k.
    pub fn transform(&self, rows: &[SparseRow]) -> Array2<f32> {
        Csr::rows_times(rows, self.v.view())
    }

    pub fn store(&self, artifact: Artifact) -> Artifact {
        artifact.with_matrix("v", self.v.view())
    }

    pub fn load(artifact: &Artifact) -> Result<Self> {
        Ok(Self {
            v: artifact.matrix("v")?,
        })
    }
}

//! Principal component analysis with whitening.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use super::{affine, column_means, gram, matmul, randomized_svd, symmetric_eigen};
use crate::artifact::{Artifact, Matrix};
use crate::error::{Error, Result};
use crate::timing;

/// Settings of [`Pca`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PcaParams {
    /// Number of components kept; fewer if the data has fewer. 0 leaves rows as they are, and learns nothing.
    pub dim: usize,
    /// Whitening: each component is divided by its standard deviation to this power. 0 rotates only, 1 whitens
    /// (Jégou & Chum 2012).
    pub whiten: f64,
    /// At most this many training rows are used.
    pub sample: usize,
}

impl Default for PcaParams {
    fn default() -> Self {
        Self {
            dim: 256,
            whiten: 1.0,
            sample: 10_000,
        }
    }
}

/// Largest input width for which the whole covariance matrix is decomposed; wider inputs use random projection.
const EXACT_UP_TO: usize = 512;

/// A fitted projection (x − mean)·v·diag(scale), from d numbers to k.
#[derive(Clone, Debug, PartialEq)]
pub struct Pca {
    mean: Array1<f32>,
    /// d×k, scaled.
    projection: Matrix<f32>,
    /// −mean·projection
    offset: Array1<f32>,
    /// Variance of each component over the training rows.
    variance: Array1<f64>,
}

impl PcaParams {
    /// Learns from the rows of x: n×d. Components whose variance is below 1e-9 of the first are dropped.
    ///
    /// # Errors
    /// [`Error::TooFew`] for fewer than two rows.
    pub fn fit(&self, x: ArrayView2<f32>, seed: u64) -> Result<Pca> {
        timing::PCA.time(|| self.fit_untimed(x, seed))
    }

    fn fit_untimed(&self, x: ArrayView2<f32>, seed: u64) -> Result<Pca> {
        let (n, d) = x.dim();
        if self.dim == 0 {
            return Ok(Pca::new(
                Array1::zeros(d),
                Array2::eye(d).into(),
                Array1::ones(d),
            ));
        }
        if n < 2 {
            return Err(Error::TooFew {
                what: "rows to learn principal components from".into(),
                needed: 2,
                found: n,
            });
        }
        let mean = column_means(x).mapv(|m| m as f32);
        let centred = &x - &mean;
        let (variance, v) = if d <= EXACT_UP_TO {
            let c = centred.mapv(f64::from);
            symmetric_eigen((gram(c.view()) / (n - 1) as f64).view())?
        } else {
            let (s, v) = randomized_svd(&centred.view(), self.dim, seed)?;
            (s.mapv(|s| s * s / (n - 1) as f64), v)
        };
        let floor = 1e-9 * variance.first().copied().unwrap_or(0.0);
        let k = variance
            .iter()
            .take(self.dim.min(n - 1))
            .take_while(|&&v| v > floor)
            .count();
        let variance = variance.slice(s![..k]).to_owned();
        let scale = variance.mapv(|v| v.sqrt().powf(-self.whiten));
        let projection = (&v.slice(s![.., ..k]) * &scale).mapv(|v| v as f32);
        Ok(Pca::new(mean, projection.into(), variance))
    }
}

impl Pca {
    fn new(mean: Array1<f32>, projection: Matrix<f32>, variance: Array1<f64>) -> Self {
        Self {
            offset: -matmul(mean.view().insert_axis(Axis(0)), projection.view())
                .remove_axis(Axis(0)),
            mean,
            projection,
            variance,
        }
    }

    /// Length of the rows that it projects, d.
    pub fn input_dim(&self) -> usize {
        self.mean.len()
    }

    /// Number of components kept, k.
    pub fn dim(&self) -> usize {
        self.projection.dim().1
    }

    /// Variance of each component over the training rows, falling.
    pub fn variance(&self) -> &Array1<f64> {
        &self.variance
    }

    /// Projects rows: n×d -> n×k.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the rows do not have length [`Self::input_dim`].
    pub fn transform(&self, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        if x.ncols() != self.input_dim() {
            return Err(Error::dimensions(
                "the PCA",
                self.input_dim(),
                "the input",
                x.ncols(),
            ));
        }
        // (x − mean)·p = x·p − mean·p, without a copy of x
        Ok(timing::PCA.time(|| affine(x, self.projection.view(), &self.offset)))
    }

    /// Adds the projection to an artifact.
    pub fn store(&self, artifact: Artifact) -> Artifact {
        artifact
            .with_vector("mean", self.mean.view())
            .with_matrix("projection", self.projection.view())
            .with_vector("variance", self.variance.view())
    }

    /// Reads a projection from an artifact that [`Self::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`] if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let (mean, variance) = (artifact.vector("mean")?, artifact.vector("variance")?);
        let projection: Matrix<f32> = artifact.kept_matrix("projection")?;
        artifact.require(projection.dim() == (mean.len(), variance.len()))?;
        Ok(Self::new(mean, projection, variance))
    }
}

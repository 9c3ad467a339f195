//! Explicit feature maps of kernels: the inner products of mapped rows are kernel values, exactly or approximately,
//! so that linear methods (PCA, CCA) work in the kernel's space.

use std::f32::consts::PI;

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{matmul, symmetric_eigen};
use crate::artifact::Artifact;
use crate::error::{Error, Result};

/// The kernel for which the rows of an image view are mapped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum KernelMap {
    /// The inner product; rows stay as they are.
    #[default]
    Linear,
    /// Hellinger kernel, Σ√(xy) of the L1-normalised raw vectors: signed square roots.
    Hellinger,
    /// χ² kernel, Σ2xy/(x+y) of the L1-normalised raw vectors, approximately: three numbers per entry (Vedaldi &
    /// Zisserman, PAMI 2012).
    Chi2,
    /// Gaussian kernel of the rows after PCA, approximately: see [`Nystroem`].
    Nystroem(NystroemParams),
}

/// Distance of the samples of the χ² kernel's spectrum: 2π over the period 5.86·√n + 3.65 of VLFeat's homogeneous
/// kernel map with its uniform window, where n samples, here 1, stand beside the one at zero.
const INTERVAL: f32 = 2.0 * PI / (5.86 + 3.65);

impl KernelMap {
    /// Applies the maps that treat each entry by itself and learn nothing; for other kernels the rows stay as they
    /// are. n×d -> n×d, or n×3d for χ²: first the first number of every entry, then all second ones, then all third
    /// ones.
    pub fn additive(&self, mut x: Array2<f32>) -> Array2<f32> {
        match self {
            Self::Linear | Self::Nystroem(_) => x,
            Self::Hellinger => {
                l1_normalize_rows(&mut x);
                x.mapv_into(|v| v.abs().sqrt().copysign(v))
            }
            Self::Chi2 => {
                l1_normalize_rows(&mut x);
                let d = x.ncols();
                let mut mapped = Array2::zeros((x.nrows(), 3 * d));
                for (from, mut to) in x.outer_iter().zip(mapped.outer_iter_mut()) {
                    for (j, &v) in from.iter().enumerate().filter(|(_, v)| **v != 0.0) {
                        for (i, number) in chi2(v.abs()).into_iter().enumerate() {
                            to[i * d + j] = number * v.signum(); // odd, as VLFeat has it
                        }
                    }
                }
                mapped
            }
        }
    }
}

/// √(Lκ₀x), √(2Lκ_L x)·cos(L ln x), √(2Lκ_L x)·sin(L ln x) with L the interval and κ_λ = sech(πλ).
fn chi2(x: f32) -> [f32; 3] {
    let size = (2.0 * INTERVAL * x / (PI * INTERVAL).cosh()).sqrt();
    let (sin, cos) = (INTERVAL * x.ln()).sin_cos();
    [(INTERVAL * x).sqrt(), size * cos, size * sin]
}

/// Divides every row by the sum of its absolute values; zero rows stay zero.
fn l1_normalize_rows(x: &mut Array2<f32>) {
    for mut row in x.outer_iter_mut() {
        let sum: f32 = row.iter().map(|v| v.abs()).sum();
        if sum > 0.0 {
            row /= sum;
        }
    }
}

/// Settings of [`Nystroem`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NystroemParams {
    /// Number of training rows that other rows are compared with; all rows if there are fewer.
    pub landmarks: usize,
    /// Width of the kernel exp(−|x−y|²/(width·m)), where m is the mean of |x−y|² over pairs of landmarks.
    pub width: f64,
}

impl Default for NystroemParams {
    fn default() -> Self {
        Self {
            landmarks: 512,
            width: 1.0,
        }
    }
}

/// The Gaussian kernel through landmarks (Williams & Seeger, NIPS 2000): the inner products of mapped rows equal
/// the kernel if one of the two is a landmark, and approximate it otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Nystroem {
    /// Landmarks, m×d.
    landmarks: Array2<f32>,
    /// The inverse square root of the landmarks' kernel matrix, m×k.
    projection: Array2<f32>,
    gamma: f64,
}

/// Eigenvalues of the kernel matrix below this share of the largest are rounding.
const LEAST_EIGENVALUE: f64 = 1e-7;

impl NystroemParams {
    /// Takes landmarks from the rows of x: n×d.
    ///
    /// # Errors
    /// [`Error::TooFew`] for fewer than two rows, [`Error::Numeric`] for rows that are all equal, or a width that
    /// is not positive.
    pub fn fit(&self, x: ArrayView2<f32>, seed: u64) -> Result<Nystroem> {
        let n = x.nrows();
        let m = n.min(self.landmarks);
        if m < 2 {
            return Err(Error::TooFew {
                what: "landmarks of the Nyström map".into(),
                needed: 2,
                found: m,
            });
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut chosen = rand::seq::index::sample(&mut rng, n, m).into_vec();
        chosen.sort_unstable();
        let landmarks = x.select(Axis(0), &chosen);
        let squares = squared_distances(landmarks.view(), landmarks.view());
        let gamma = (m * (m - 1)) as f64 / (self.width * squares.sum());
        if !(gamma > 0.0 && gamma.is_finite()) {
            return Err(Error::Numeric {
                what: "Nyström map",
                reason: "the landmarks are all the same, or `width` is not positive".into(),
            });
        }
        let (values, vectors) = symmetric_eigen(squares.mapv(|s| (-gamma * s).exp()).view())?;
        let least = LEAST_EIGENVALUE * values[0];
        let k = values.iter().take_while(|&&v| v > least).count();
        let scale = values.slice(s![..k]).mapv(|v| v.sqrt().recip());
        let projection = (&vectors.slice(s![.., ..k]) * &scale).mapv(|v| v as f32);
        Ok(Nystroem {
            landmarks,
            projection,
            gamma,
        })
    }
}

impl Nystroem {
    /// Length of a mapped row, k.
    pub fn dim(&self) -> usize {
        self.projection.ncols()
    }

    /// The parameter γ of the kernel exp(−γ|x−y|²).
    pub fn gamma(&self) -> f64 {
        self.gamma
    }

    /// Maps rows: n×d -> n×k.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the rows do not have the landmarks' dimension.
    pub fn transform(&self, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        let (d, found) = (self.landmarks.ncols(), x.ncols());
        if found != d {
            return Err(Error::dimensions("the Nyström map", d, "the input", found));
        }
        let squares = squared_distances(x, self.landmarks.view());
        let kernel = squares.mapv(|s| (-self.gamma * s).exp() as f32);
        Ok(matmul(kernel.view(), self.projection.view()))
    }

    /// Adds the map to an artifact.
    pub fn store(&self, artifact: Artifact) -> Artifact {
        artifact
            .with_matrix("nystroem.landmarks", self.landmarks.view())
            .with_matrix("nystroem.projection", self.projection.view())
            .with_vector("nystroem.gamma", Array1::from_elem(1, self.gamma).view())
    }

    /// Reads a map from an artifact that [`Self::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`] if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let map = Self {
            landmarks: artifact.matrix("nystroem.landmarks")?,
            projection: artifact.matrix("nystroem.projection")?,
            gamma: artifact.number("nystroem.gamma")?,
        };
        artifact.require(map.projection.nrows() == map.landmarks.nrows())?;
        Ok(map)
    }
}

/// |x−y|² for the rows of x: n×d and y: m×d, as n×m, in f64 because γ may be large.
fn squared_distances(x: ArrayView2<f32>, y: ArrayView2<f32>) -> Array2<f64> {
    let (x, y) = (x.mapv(f64::from), y.mapv(f64::from));
    let norms = |m: &Array2<f64>| m.map_axis(Axis(1), |r| r.dot(&r));
    let mut squares = matmul(x.view(), y.t()) * -2.0;
    squares += &norms(&x).insert_axis(Axis(1));
    squares += &norms(&y);
    squares.mapv_into(|s| s.max(0.0))
}

//! The layers of the encoder.

use ndarray::{Array1, Array2, s};

use crate::artifact::Artifact;
use crate::error::Result;
use crate::linalg::affine;

/// x·w + b
pub struct Dense {
    /// inputs×outputs
    pub weights: Array2<f32>,
    pub bias: Array1<f32>,
}

/// Each row to mean 0 and variance 1, scaled and shifted (Ba, Kiros & Hinton 2016).
pub struct Normalization {
    scale: Array1<f32>,
    shift: Array1<f32>,
    epsilon: f32,
}

/// A projection; then, after a normalisation over all branches, two convolutions over a window of pieces, each added to what
/// goes into it.
pub struct Branch {
    width: usize,
    before: usize,
    project: Dense,
    convolutions: [Dense; 2],
}

impl Dense {
    pub fn load(artifact: &Artifact, names: [&str; 2], shape: [usize; 2]) -> Result<Self> {
        let dense = Self {
            weights: artifact.matrix(names[0])?,
            bias: artifact.vector(names[1])?,
        };
        artifact.require(dense.weights.dim() == shape.into() && dense.bias.len() == shape[1])?;
        Ok(dense)
    }

    fn apply(&self, x: &Array2<f32>) -> Array2<f32> {
        affine(x.view(), self.weights.view(), &self.bias)
    }
}

impl Normalization {
    pub fn load(artifact: &Artifact, names: [&str; 2], n: usize, epsilon: f32) -> Result<Self> {
        let [scale, shift] = names.map(|name| artifact.vector(name));
        let (scale, shift): (Array1<f32>, Array1<f32>) = (scale?, shift?);
        artifact.require(scale.len() == n && shift.len() == n)?;
        Ok(Self {
            scale,
            shift,
            epsilon,
        })
    }

    /// Of blocks of columns side by side.
    pub fn side_by_side(blocks: Vec<Self>) -> Self {
        let all = |of: fn(&Self) -> &Array1<f32>| blocks.iter().flat_map(of).copied().collect();
        Self {
            scale: all(|n| &n.scale),
            shift: all(|n| &n.shift),
            epsilon: blocks[0].epsilon,
        }
    }

    pub fn apply(&self, x: &mut Array2<f32>) {
        let n = x.ncols() as f32;
        for mut row in x.outer_iter_mut() {
            row -= row.sum() / n;
            let variance = row.dot(&row) / n;
            row /= (variance + self.epsilon).sqrt();
            row *= &self.scale;
            row += &self.shift;
        }
    }
}

impl Branch {
    /// Of convolutions over `width` pieces, `before` of them before the one in question.
    pub fn load(
        artifact: &Artifact,
        width: usize,
        before: usize,
        [inputs, channels]: [usize; 2],
    ) -> Result<Self> {
        let name = |part: &str| format!("{part}{width}");
        let convolution = |i: usize| {
            let [weights, bias] = [name(&format!("w{i}_")), name(&format!("b{i}_"))];
            Dense::load(artifact, [&weights, &bias], [width * channels, channels])
        };
        Ok(Self {
            width,
            before,
            project: Dense::load(
                artifact,
                [&name("proj"), &name("proj_b")],
                [inputs, channels],
            )?,
            convolutions: [convolution(1)?, convolution(2)?],
        })
    }

    /// Vectors of pieces, n×inputs, to n×channels.
    pub fn project(&self, x: &Array2<f32>) -> Array2<f32> {
        self.project.apply(x)
    }

    /// `lengths` are those of the sentences whose pieces the rows are.
    pub fn convolve(&self, mut x: Array2<f32>, lengths: &[usize]) -> Array2<f32> {
        for convolution in &self.convolutions {
            let seen = convolution.apply(&self.windows(&x, lengths));
            x.zip_mut_with(&seen, |x, &v| *x += v.max(0.0));
        }
        x
    }

    /// For each piece the rows of its window side by side; zeros beyond the ends of its sentence.
    fn windows(&self, x: &Array2<f32>, lengths: &[usize]) -> Array2<f32> {
        let d = x.ncols();
        let mut windows = Array2::zeros((x.nrows(), self.width * d));
        let mut first = 0;
        for &n in lengths {
            for piece in 0..n {
                for slot in 0..self.width {
                    let Some(seen) = (piece + slot).checked_sub(self.before).filter(|&i| i < n)
                    else {
                        continue;
                    };
                    windows
                        .slice_mut(s![first + piece, slot * d..(slot + 1) * d])
                        .assign(&x.row(first + seen));
                }
            }
            first += n;
        }
        windows
    }
}

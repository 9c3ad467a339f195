//! The one type of numbers that networks are made of.

use ndarray::ArrayD;

/// A tensor in single precision, row-major.
pub type Tensor = ArrayD<f32>;

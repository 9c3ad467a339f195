//! Perceptual hash (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, §3.2): which
//! of the lowest frequencies of the luma exceed their median.

use std::f32::consts::PI;

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::{Appearance, normalized, square, wrong};
use crate::error::Result;
use crate::picture::Picture;

/// Settings of the perceptual hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PhashParams {
    /// Number of frequencies along each side; the hash has its square in bits.
    pub frequencies: usize,
    /// Side in pixels of the square that every picture is scaled to.
    pub side: u32,
}

impl Default for PhashParams {
    fn default() -> Self {
        Self {
            frequencies: 8,
            side: 32,
        }
    }
}

impl PhashParams {
    pub(super) fn checked(&self) -> Result<Self> {
        if self.frequencies < 2 || self.frequencies > self.side as usize {
            let reason = "`frequencies` must be from 2 to `side`";
            return Err(wrong("perceptual hash", reason));
        }
        Ok(self.clone())
    }

    /// The lowest frequencies of the cosine transform (DCT-II), by rows.
    fn transform(&self, picture: &Picture) -> Array2<f32> {
        let (side, n) = (self.side as usize, self.frequencies);
        let luma = square(picture, self.side);
        let luma = Array2::from_shape_fn((side, side), |(y, x)| {
            f32::from(luma.get_pixel(x as u32, y as u32).0[0])
        });
        let basis = Array2::from_shape_fn((n, side), |(u, x)| {
            (PI * u as f32 * (2 * x + 1) as f32 / (2 * side) as f32).cos()
        });
        basis.dot(&luma).dot(&basis.t())
    }
}

impl Appearance for PhashParams {
    fn dim(&self) -> usize {
        self.frequencies * self.frequencies
    }

    /// Entries of equal size whose signs are the bits: an inner product p means a Hamming distance of dim·(1 −
    /// p)/2.
    fn describe(&self, picture: &Picture) -> Array1<f32> {
        let low = self.transform(picture);
        // the mean brightness would be the largest by far
        let mut others: Vec<f32> = low.iter().skip(1).copied().collect();
        let middle = others.len() / 2;
        let median = *others.select_nth_unstable_by(middle, f32::total_cmp).1;
        let flat = others
            .iter()
            .all(|v| v.abs() < FLAT * low[[0, 0]].abs().max(1.0));
        let bit = |&v: &f32| match (flat, v > median) {
            (true, _) => 0.0,
            (_, true) => 1.0,
            (_, false) => -1.0,
        };
        normalized(low.iter().map(bit), 1.0)
    }
}

/// Below this share of its brightness, the frequencies of a picture are rounding: the picture has one colour.
const FLAT: f32 = 1e-5;

//! The pixels themselves: the luma of a small square, evened out window by window. The inner product of two such vectors is the
//! mean of the windows' correlations: the structure of SSIM (Wang et al., IEEE TIP 2004, eq. 10), or for one window the
//! normalised cross-correlation, which falls as the squared error between evened-out pictures grows.

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::{Appearance, normalized, square, wrong};
use crate::error::Result;
use crate::picture::Picture;

/// Settings of the pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PixelsParams {
    /// Side in pixels of the square that every picture is scaled to.
    pub side: u32,
    /// Windows along each side; `side` is a multiple of it.
    pub windows: u32,
}

impl Default for PixelsParams {
    fn default() -> Self {
        Self {
            side: 32,
            windows: 1,
        }
    }
}

/// Deviation of a window's luma below which it counts as even, and says nothing.
const EVEN: f32 = 1.0;

impl PixelsParams {
    pub(super) fn checked(&self) -> Result<Self> {
        if self.windows == 0
            || self.side < 2 * self.windows
            || !self.side.is_multiple_of(self.windows)
        {
            let reason = "`side` must be a multiple of `windows`, twice at least";
            return Err(wrong("pixels", reason));
        }
        Ok(self.clone())
    }
}

impl Appearance for PixelsParams {
    fn dim(&self) -> usize {
        (self.side * self.side) as usize
    }

    fn describe(&self, picture: &Picture) -> Array1<f32> {
        let luma = square(picture, self.side);
        let wide = self.side / self.windows;
        let mut all = Vec::with_capacity(self.dim());
        for window in 0..self.windows * self.windows {
            let (left, top) = (window % self.windows * wide, window / self.windows * wide);
            let pixel = |i: u32| f32::from(luma.get_pixel(left + i % wide, top + i / wide).0[0]);
            let values: Array1<f32> = (0..wide * wide).map(pixel).collect();
            let mean = values.sum() / values.len() as f32;
            let off = values - mean;
            let deviation = (off.dot(&off) / off.len() as f32).sqrt();
            let scale = if deviation < EVEN {
                0.0
            } else {
                1.0 / deviation
            };
            all.extend(off * scale);
        }
        normalized(all, 1.0)
    }
}

//! Census transform histograms (CENTRIST: Wu & Rehg, PAMI 2011) over the regions of a spatial pyramid: for each
//! pixel, which of its eight neighbours are at most as bright.

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::{Appearance, Regions, normalized, wrong};
use crate::error::Result;
use crate::picture::Picture;

/// Settings of CENTRIST.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CentristParams {
    /// Grids of the pyramid, [columns, rows] each; every region has its own histogram.
    pub regions: Vec<[usize; 2]>,
    /// Power applied to each share of pixels.
    pub power: f32,
}

impl Default for CentristParams {
    fn default() -> Self {
        Self {
            regions: vec![[1, 1], [2, 2]],
            power: 0.5,
        }
    }
}

/// Values of the transform without 0 and 255, which mostly come from flat regions (Wu & Rehg 2011, §3.3).
const BINS: usize = 254;

/// The neighbours, from left to right and from top to bottom; the first gives the highest bit (§3.1).
const NEIGHBOURS: [[isize; 2]; 8] = [
    [-1, -1],
    [0, -1],
    [1, -1],
    [-1, 0],
    [1, 0],
    [-1, 1],
    [0, 1],
    [1, 1],
];

impl CentristParams {
    pub(super) fn checked(&self) -> Result<Self> {
        if self.regions.is_empty() || self.regions.iter().flatten().any(|&n| n == 0) {
            return Err(wrong(
                "CENTRIST",
                "`regions` need grids of positive numbers",
            ));
        }
        Ok(self.clone())
    }
}

impl Appearance for CentristParams {
    fn dim(&self) -> usize {
        self.regions.iter().map(|[c, r]| c * r * BINS).sum()
    }

    /// Pixels at the border lack neighbours and are skipped.
    fn describe(&self, picture: &Picture) -> Array1<f32> {
        let grids = self.regions.iter();
        let mut levels: Vec<Regions> = grids.map(|&g| Regions::new(g, BINS)).collect();
        let size = [picture.gray.width(), picture.gray.height()].map(|s| s as usize);
        let [w, h] = size;
        let pixels = picture.gray.as_raw();
        for y in 1..h.saturating_sub(1) {
            for x in 1..w.saturating_sub(1) {
                let at = y * w + x;
                let census = NEIGHBOURS.iter().fold(0, |census, [dx, dy]| {
                    let neighbour = pixels[at.wrapping_add_signed(dy * w as isize + dx)];
                    census << 1 | usize::from(pixels[at] >= neighbour)
                });
                let bin = census.checked_sub(1).filter(|&b| b < BINS);
                for level in &mut levels {
                    level.add([x, y], size, bin);
                }
            }
        }
        normalized(levels.iter().flat_map(Regions::shares), self.power)
    }
}

//! Histograms of oriented gradients (Dalal & Triggs, CVPR 2005) over the whole picture, scaled to one size.
//!
//! As in scikit-image: unsigned orientations, each pixel in one cell and one orientation, blocks normalised by
//! L2-Hys. There is no smoothing, which the paper found best.

use image::GrayImage;
use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::{Appearance, normalized, square, wrong};
use crate::error::Result;
use crate::picture::Picture;

/// Settings of HOG.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HogParams {
    /// Side of a cell in pixels.
    pub cell: usize,
    /// Number of orientations from 0° to 180°.
    pub orientations: usize,
    /// Side of a block in cells; blocks overlap by all but one cell.
    pub block: usize,
    /// Side in pixels of the square that every picture is scaled to.
    pub side: u32,
}

impl Default for HogParams {
    fn default() -> Self {
        Self {
            cell: 16,
            orientations: 9, // Dalal & Triggs 2005, §6.3
            block: 2,        // §6.4
            side: 128,
        }
    }
}

/// Largest component after the first normalisation of a block (L2-Hys: Dalal & Triggs 2005, §6.4).
const CLIP: f32 = 0.2;
/// Keeps the norm of a block without gradients above zero, as in scikit-image.
const EPSILON: f32 = 1e-5;

impl HogParams {
    pub(super) fn checked(&self) -> Result<Self> {
        if self.cell == 0 || self.orientations == 0 || self.block == 0 || self.blocks() == 0 {
            let reason = "`side` needs room for a block of positive size, and orientations";
            return Err(wrong("HOG", reason));
        }
        Ok(self.clone())
    }

    /// Number of cells along a side.
    fn cells(&self) -> usize {
        self.side as usize / self.cell
    }

    /// Number of blocks along a side.
    fn blocks(&self) -> usize {
        (self.cells() + 1).saturating_sub(self.block)
    }

    /// The mean gradient of each orientation in each cell, by rows.
    fn histograms(&self, image: &GrayImage) -> Vec<f32> {
        let (cells, side) = (self.cells(), self.side as usize);
        let pixels = image.as_raw();
        let at = |x: usize, y: usize| f32::from(pixels[y * side + x]);
        let mut sums = vec![0.0; cells * cells * self.orientations];
        let share = 1.0 / (self.cell * self.cell) as f32;
        for y in 0..cells * self.cell {
            for x in 0..cells * self.cell {
                // none at the border
                let inside = |i: usize| i > 0 && i + 1 < side;
                let dx = if inside(x) {
                    at(x + 1, y) - at(x - 1, y)
                } else {
                    0.0
                };
                let dy = if inside(y) {
                    at(x, y + 1) - at(x, y - 1)
                } else {
                    0.0
                };
                let turns = (dy.atan2(dx) / std::f32::consts::PI).rem_euclid(1.0);
                let orientation = ((turns * self.orientations as f32) as usize) % self.orientations;
                let cell = y / self.cell * cells + x / self.cell;
                sums[cell * self.orientations + orientation] += dx.hypot(dy) * share;
            }
        }
        sums
    }
}

impl Appearance for HogParams {
    fn dim(&self) -> usize {
        (self.blocks() * self.block).pow(2) * self.orientations
    }

    fn describe(&self, picture: &Picture) -> Array1<f32> {
        let histograms = self.histograms(&square(picture, self.side));
        let cells: Vec<&[f32]> = histograms.chunks_exact(self.orientations).collect();
        let mut v = Vec::with_capacity(self.dim());
        for block in 0..self.blocks() * self.blocks() {
            let (row, column) = (block / self.blocks(), block % self.blocks());
            let first = v.len();
            for y in row..row + self.block {
                for x in column..column + self.block {
                    v.extend_from_slice(cells[y * self.cells() + x]);
                }
            }
            let block = &mut v[first..];
            normalize(block);
            block.iter_mut().for_each(|x| *x = x.min(CLIP));
            normalize(block);
        }
        normalized(v, 1.0)
    }
}

fn normalize(v: &mut [f32]) {
    let norm = (v.iter().map(|x| x * x).sum::<f32>() + EPSILON * EPSILON).sqrt();
    v.iter_mut().for_each(|x| *x /= norm);
}

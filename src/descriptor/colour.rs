//! Local colour statistics on a grid: mean and standard deviation of each channel in the 4×4 cells of a patch,
//! 96 numbers (Clinchant, Csurka, Perronnin & Renders, ImagEval 2007; Perronnin, Sánchez & Mensink, ECCV 2010).

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::cells::{Grid, Lanes, Planes, SIDE};
use super::{DescriptorKind, Descriptors, Extractor};
use crate::error::Result;
use crate::picture::Picture;
use crate::timing;

const CHANNELS: usize = 3;
const DIM: usize = SIDE * SIDE * CHANNELS * 2;

/// Settings of the local colour statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColourParams {
    /// Pixels between neighbouring patches.
    pub step: usize,
    /// Sides in pixels of a patch's 4×4 cells, one grid of patches for each.
    pub cells: Vec<usize>,
}

impl Default for ColourParams {
    fn default() -> Self {
        Self {
            step: 4,
            cells: vec![4, 6, 8, 10],
        }
    }
}

impl Extractor for ColourParams {
    fn kind(&self) -> DescriptorKind {
        DescriptorKind {
            name: "colour-statistics".into(),
            dim: DIM,
        }
    }

    fn extract(&self, picture: &Picture) -> Result<Descriptors> {
        timing::COLOUR.time(|| self.describe(picture))
    }
}

impl ColourParams {
    fn describe(&self, picture: &Picture) -> Result<Descriptors> {
        let planes = moments(picture);
        let grids = self.cells.iter().map(|&cell| Grid::new(self.step, cell));
        let grids: Vec<Grid> = grids.collect();
        let places = Grid::all_places(&grids, planes.width, planes.height);
        let mut values = vec![0.0; places.nrows() * DIM];
        let mut rows = values.chunks_exact_mut(DIM);
        for grid in &grids {
            let cells = grid.cells(&planes);
            let patches = grid.patches(planes.width, planes.height);
            for (i, row) in rows.by_ref().take(patches).enumerate() {
                for (cell, out) in cells
                    .patch(i)
                    .iter()
                    .zip(row.chunks_exact_mut(2 * CHANNELS))
                {
                    for c in 0..CHANNELS {
                        let (mean, square) = (cell[c], cell[CHANNELS + c]);
                        out[c] = mean;
                        out[CHANNELS + c] = (square - mean * mean).max(0.0).sqrt();
                    }
                }
            }
        }
        let values = Array2::from_shape_vec((places.nrows(), DIM), values);
        Ok(Descriptors {
            values: values.expect("16 cells of 6 numbers per patch"),
            places,
        })
    }
}

/// Red, green and blue from 0 to 1, and their squares.
fn moments(picture: &Picture) -> Planes {
    let pixel = |p: &[u8]| -> Lanes {
        let [r, g, b] = [0, 1, 2].map(|c| f32::from(p[c]) / 255.0);
        [r, g, b, r * r, g * g, b * b, 0.0, 0.0]
    };
    Planes {
        width: picture.rgb.width() as usize,
        height: picture.rgb.height() as usize,
        pixels: picture.rgb.as_raw().chunks_exact(3).map(pixel).collect(),
    }
}

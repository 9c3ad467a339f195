//! Whole-picture features: one vector per picture, without learning.
//!
//! To add a feature, write a file with its parameters and an [`Appearance`], and add a line to [`AppearanceParams`]
//! and [`AppearanceParams::appearance`].

mod centrist;
mod gist;
mod histogram;
mod hog;
mod lbp;
mod phash;
mod pixels;

use image::GrayImage;
use image::imageops::{self, FilterType};
use ndarray::Array1;
use serde::{Deserialize, Serialize};

pub use centrist::CentristParams;
pub use gist::GistParams;
pub use histogram::{ColourSpace, HistogramParams};
pub use hog::HogParams;
pub use lbp::LbpParams;
pub use phash::PhashParams;
pub use pixels::PixelsParams;

use crate::error::{Error, Result};
use crate::linalg::{l2_normalize, power_normalize};
use crate::picture::Picture;

/// A whole-picture feature and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AppearanceParams {
    /// Colour histogram.
    Histogram(HistogramParams),
    /// Histogram of oriented gradients.
    Hog(HogParams),
    /// GIST descriptor of the scene.
    Gist(GistParams),
    /// Histogram of local binary patterns.
    Lbp(LbpParams),
    /// Census transform histogram.
    Centrist(CentristParams),
    /// Perceptual hash, one number per bit.
    Phash(PhashParams),
    /// The pixels of a small square.
    Pixels(PixelsParams),
}

impl AppearanceParams {
    /// Prepares the feature: filters and tables that do not depend on the picture.
    ///
    /// # Errors
    /// [`Error::Numeric`] for settings that give an empty vector or more than a million numbers.
    pub fn appearance(&self) -> Result<Box<dyn Appearance>> {
        let appearance: Box<dyn Appearance> = match self {
            Self::Histogram(p) => Box::new(p.checked()?),
            Self::Hog(p) => Box::new(p.checked()?),
            Self::Gist(p) => Box::new(p.filters()?),
            Self::Lbp(p) => Box::new(p.pattern()?),
            Self::Centrist(p) => Box::new(p.checked()?),
            Self::Phash(p) => Box::new(p.checked()?),
            Self::Pixels(p) => Box::new(p.checked()?),
        };
        let dim = appearance.dim();
        if dim > MAX_DIM {
            let reason = format!("{dim} numbers a picture, more than {MAX_DIM}");
            return Err(wrong("whole-picture feature", &reason));
        }
        Ok(appearance)
    }
}

/// Longest vector; a longer one is a mistake in the recipe.
const MAX_DIM: usize = 1_000_000;

/// Turns a picture into one vector of unit length, or into the zero vector if the picture has no such feature.
pub trait Appearance: Sync + Send {
    /// Length of the vector.
    fn dim(&self) -> usize;
    /// Computes the vector of a picture, [`Self::dim`] numbers.
    fn describe(&self, picture: &Picture) -> Array1<f32>;
}

fn wrong(what: &'static str, reason: &str) -> Error {
    Error::Numeric {
        what,
        reason: reason.into(),
    }
}

/// Histograms of the regions of a grid, [columns, rows]: row by row, as shares of each region's pixels.
struct Regions {
    grid: [usize; 2],
    bins: usize,
    counts: Vec<u32>,
    pixels: Vec<u32>,
}

impl Regions {
    fn new(grid: [usize; 2], bins: usize) -> Self {
        let regions = grid[0] * grid[1];
        Self {
            grid,
            bins,
            counts: vec![0; regions * bins],
            pixels: vec![0; regions],
        }
    }

    /// Counts the pixel at (x, y) of a picture of that size; without a bin it counts only towards the region's
    /// pixels.
    fn add(&mut self, [x, y]: [usize; 2], size: [usize; 2], bin: Option<usize>) {
        let [column, row] = [x * self.grid[0] / size[0], y * self.grid[1] / size[1]];
        let region = row * self.grid[0] + column;
        self.pixels[region] += 1;
        if let Some(bin) = bin {
            self.counts[region * self.bins + bin] += 1;
        }
    }

    fn shares(&self) -> impl Iterator<Item = f32> {
        let regions = self.counts.chunks_exact(self.bins).zip(&self.pixels);
        regions.flat_map(|(counts, &n)| counts.iter().map(move |&c| c as f32 / n.max(1) as f32))
    }
}

/// Applies the power and scales to unit length.
fn normalized(v: impl IntoIterator<Item = f32>, power: f32) -> Array1<f32> {
    let mut v: Array1<f32> = v.into_iter().collect();
    power_normalize(&mut v, power);
    l2_normalize(v.view_mut());
    v
}

/// The luma scaled to side×side pixels, whatever the shape of the picture, so that vectors have one length.
fn square(picture: &Picture, side: u32) -> GrayImage {
    if picture.gray.dimensions() == (side, side) {
        return picture.gray.clone();
    }
    imageops::resize(&picture.gray, side, side, FilterType::Triangle)
}

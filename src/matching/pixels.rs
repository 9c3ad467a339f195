//! How alike two pictures of one size are, pixel by pixel.

use image::GrayImage;
use image::imageops::{self, FilterType};
use ndarray::{Array2, Zip};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::picture::Picture;

/// Deviation of SSIM's Gaussian window, and how far it reaches (Wang et al., IEEE TIP 2004, section III-B).
const SIGMA: f64 = 1.5;
const REACH: usize = 5;
/// Constants of SSIM (same place): (0.01 · 255)² and (0.03 · 255)².
const C1: f64 = 2.55 * 2.55;
const C2: f64 = 7.65 * 7.65;

/// Measures of two pictures' luma.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PixelSimilarity {
    /// Mean squared error, from 0 for equal pictures to 255².
    pub mse: f64,
    /// Peak signal-to-noise ratio in decibels; `None` for equal pictures, where it is infinite.
    pub psnr: Option<f64>,
    /// Structural similarity, mean over all places where the window fits: 1 for equal pictures, about 0 for unrelated ones.
    pub ssim: f64,
}

impl PixelSimilarity {
    /// Compares two pictures; the second is scaled to the size of the first.
    ///
    /// # Errors
    /// [`Error::Numeric`] for a first picture smaller than 11×11 pixels.
    pub fn of(a: &Picture, b: &Picture) -> Result<Self> {
        let (w, h) = a.gray.dimensions();
        match b.gray.dimensions() == (w, h) {
            true => pixel_similarity(&a.gray, &b.gray),
            false => {
                let scaled = imageops::resize(&b.gray, w, h, FilterType::Triangle);
                pixel_similarity(&a.gray, &scaled)
            }
        }
    }
}

/// Compares two pictures of one size.
///
/// # Errors
/// [`Error::Numeric`] for pictures of different sizes, or smaller than the window of SSIM (11×11).
pub fn pixel_similarity(a: &GrayImage, b: &GrayImage) -> Result<PixelSimilarity> {
    let wrong = |reason: String| Error::Numeric {
        what: "pixel similarity",
        reason,
    };
    if a.dimensions() != b.dimensions() {
        return Err(wrong("the pictures are of different sizes".into()));
    }
    let window = 2 * REACH + 1;
    if (a.width().min(a.height()) as usize) < window {
        return Err(wrong(format!(
            "a picture is smaller than {window}x{window} pixels"
        )));
    }
    let [a, b] = [a, b].map(|p| {
        let at = |(y, x): (usize, usize)| f64::from(p.get_pixel(x as u32, y as u32).0[0]);
        Array2::from_shape_fn((p.height() as usize, p.width() as usize), at)
    });
    let mse = (&a - &b).mapv(|d| d * d).mean().unwrap_or(0.0);
    Ok(PixelSimilarity {
        mse,
        psnr: (mse > 0.0).then(|| 10.0 * (255.0 * 255.0 / mse).log10()),
        ssim: ssim(&a, &b),
    })
}

/// SSIM, equation 13, with weights of the Gaussian window and the mean over places.
fn ssim(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    let (mean_a, mean_b) = (blurred(a), blurred(b));
    let (squares_a, squares_b, products) =
        (blurred(&(a * a)), blurred(&(b * b)), blurred(&(a * b)));
    let mut sum = 0.0;
    let means = Zip::from(&mean_a).and(&mean_b);
    means
        .and(&squares_a)
        .and(&squares_b)
        .and(&products)
        .for_each(|&ma, &mb, &aa, &bb, &ab| {
            let (va, vb, covariance) = (aa - ma * ma, bb - mb * mb, ab - ma * mb);
            let alike = (2.0 * ma * mb + C1) * (2.0 * covariance + C2);
            sum += alike / ((ma * ma + mb * mb + C1) * (va + vb + C2));
        });
    sum / mean_a.len() as f64
}

/// Means under the Gaussian window, at the places where it fits: h×w to (h − 10)×(w − 10).
fn blurred(x: &Array2<f64>) -> Array2<f64> {
    let weight = |i: usize| {
        let off = i as f64 - REACH as f64;
        (-off * off / (2.0 * SIGMA * SIGMA)).exp()
    };
    let weights: Vec<f64> = (0..=2 * REACH).map(weight).collect();
    let total: f64 = weights.iter().sum();
    let along = |x: &Array2<f64>| {
        let (h, w) = x.dim();
        let sum = |(y, left): (usize, usize)| {
            let window = weights.iter().enumerate();
            window
                .map(|(i, weight)| weight * x[[y, left + i]])
                .sum::<f64>()
                / total
        };
        Array2::from_shape_fn((h, w - 2 * REACH), sum)
    };
    along(&along(x).reversed_axes()).reversed_axes()
}

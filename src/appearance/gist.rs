//! GIST: the energy of Gabor filters in the blocks of a grid (Oliva & Torralba, IJCV 2001), with the filters, the
//! whitening and the constants of the authors' program, `LMgist`.
//!
//! The filters are defined and applied in the Fourier domain.

use std::f32::consts::PI;
use std::sync::Arc;

use image::GrayImage;
use ndarray::Array1;
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlannerScalar};
use serde::{Deserialize, Serialize};

use super::{Appearance, normalized, square, wrong};
use crate::error::Result;
use crate::picture::Picture;

/// Settings of GIST.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GistParams {
    /// Side in pixels of the square that every picture is scaled to.
    pub side: u32,
    /// Number of frequency bands, about an octave each, from high to low.
    pub scales: usize,
    /// Number of directions per scale.
    pub orientations: usize,
    /// Number of blocks along a side; the energy is averaged in each block.
    pub blocks: usize,
}

impl Default for GistParams {
    fn default() -> Self {
        Self {
            side: 128,
            scales: 4,
            orientations: 8,
            blocks: 4,
        }
    }
}

// The constants of LMgist.
/// Pixels by which the picture is mirrored beyond its border, for the filters and for the whitening.
const MARGIN: usize = 32;
const WHITENING_MARGIN: usize = 5;
/// Cut-off of the whitening, in cycles per picture: lower frequencies are removed.
const CUT_OFF: f32 = 4.0;
/// Keeps the local contrast of flat regions from being amplified.
const CONTRAST_FLOOR: f32 = 0.2;
/// Highest frequency in cycles per pixel, and the factor from one scale to the next lower.
const HIGHEST: f32 = 0.3;
const RATIO: f32 = 1.85;
/// Width of the filters: in frequency, and in angle for 32 directions.
const RADIAL: f32 = 10.0 * 0.35;
const ANGULAR: f32 = 2.0 * 16.0 / (32.0 * 32.0);
/// Largest side: the filters of a larger one would not pay.
const MOST: u32 = 1024;

/// The filters for one picture size.
pub struct Gist {
    params: GistParams,
    whitening: Spectral,
    /// Low-pass filter of the whitening, in the order of its spectrum.
    low_pass: Vec<f32>,
    filtering: Spectral,
    gabors: Vec<Vec<f32>>,
}

impl GistParams {
    pub(super) fn filters(&self) -> Result<Gist> {
        let most = 1..=self.side as usize;
        if self.scales == 0 || self.orientations == 0 || !most.contains(&self.blocks) {
            return Err(wrong(
                "GIST",
                "`scales`, `orientations` and `blocks` need positive numbers",
            ));
        }
        if self.side > MOST {
            return Err(wrong("GIST", "`side` is above 1024"));
        }
        let side = self.side as usize;
        let whitening = Spectral::new(side + 2 * WHITENING_MARGIN);
        let filtering = Spectral::new(side + 2 * MARGIN);
        // half power at the cut-off
        let spread = CUT_OFF * CUT_OFF / std::f32::consts::LN_2;
        let low_pass = whitening.response(|fx, fy| (-(fx * fx + fy * fy) / spread).exp());
        let gabors = (0..self.scales * self.orientations).map(|i| {
            let (scale, direction) = (i / self.orientations, i % self.orientations);
            self.gabor(&filtering, scale, direction)
        });
        Ok(Gist {
            gabors: gabors.collect(),
            params: self.clone(),
            whitening,
            low_pass,
            filtering,
        })
    }

    fn gabor(&self, filtering: &Spectral, scale: usize, direction: usize) -> Vec<f32> {
        let n = self.orientations as f32;
        let frequency = HIGHEST / RATIO.powi(scale as i32) * filtering.side as f32;
        let turn = PI / n * direction as f32;
        filtering.response(|fx, fy| {
            let radius = (fx * fx + fy * fy).sqrt() / frequency - 1.0;
            let angle = fy.atan2(fx) + turn;
            let angle = if angle > PI { angle - 2.0 * PI } else { angle };
            (-RADIAL * radius * radius - ANGULAR * n * n * PI * angle * angle).exp()
        })
    }
}

impl Appearance for Gist {
    fn dim(&self) -> usize {
        self.gabors.len() * self.params.blocks.pow(2)
    }

    fn describe(&self, picture: &Picture) -> Array1<f32> {
        let side = self.params.side as usize;
        let white = self.whitened(&square(picture, self.params.side));
        let spectrum = self.filtering.forward(&mirrored(&white, side, MARGIN));
        let mut v = Vec::with_capacity(self.dim());
        for gabor in &self.gabors {
            let filtered = self.filtering.inverse(&spectrum, gabor);
            let energy: Vec<f32> = filtered.iter().map(|z| z.norm()).collect();
            let energy = inner(&energy, side, MARGIN);
            v.extend(self.block_means(&energy));
        }
        normalized(v, 1.0)
    }
}

impl Gist {
    /// The structure above the cut-off frequency, with local contrast normalised.
    fn whitened(&self, image: &GrayImage) -> Vec<f32> {
        let side = self.params.side as usize;
        // The whitening takes a constant away; taken away before, a flat picture is zero to the last digit.
        let constant = f32::from(image.as_raw()[0]).ln_1p();
        let logs: Vec<f32> = image
            .as_raw()
            .iter()
            .map(|&v| f32::from(v).ln_1p() - constant)
            .collect();
        let logs = mirrored(&logs, side, WHITENING_MARGIN);
        let smooth = |x: &[f32]| {
            let spectrum = self.whitening.forward(x);
            self.whitening.inverse(&spectrum, &self.low_pass)
        };
        let means = smooth(&logs);
        let fine: Vec<f32> = logs.iter().zip(means).map(|(v, m)| v - m.re).collect();
        let squares: Vec<f32> = fine.iter().map(|v| v * v).collect();
        let contrasts = smooth(&squares);
        let white = fine.iter().zip(contrasts);
        let white: Vec<f32> = white
            .map(|(v, c)| v / (CONTRAST_FLOOR + c.re.abs().sqrt()))
            .collect();
        inner(&white, side, WHITENING_MARGIN)
    }

    fn block_means(&self, x: &[f32]) -> impl Iterator<Item = f32> {
        let (side, blocks) = (self.params.side as usize, self.params.blocks);
        let edge = move |i: usize| i * side / blocks;
        (0..blocks * blocks).map(move |b| {
            let (rows, columns) = (edge(b / blocks)..edge(b / blocks + 1), b % blocks);
            let columns = edge(columns)..edge(columns + 1);
            let n = (rows.len() * columns.len()) as f32;
            let sums = rows.map(|y| x[y * side..][columns.clone()].iter().sum::<f32>());
            sums.sum::<f32>() / n
        })
    }
}

/// The picture mirrored beyond its border; border pixels appear twice.
fn mirrored(x: &[f32], side: usize, margin: usize) -> Vec<f32> {
    let from = |i: usize| {
        let i = (i as isize - margin as isize).rem_euclid(2 * side as isize) as usize;
        i.min(2 * side - 1 - i)
    };
    let wide = side + 2 * margin;
    (0..wide * wide)
        .map(|i| x[from(i / wide) * side + from(i % wide)])
        .collect()
}

/// The picture without its margin.
fn inner(x: &[f32], side: usize, margin: usize) -> Vec<f32> {
    let wide = side + 2 * margin;
    let rows = (margin..margin + side).map(|y| &x[y * wide + margin..][..side]);
    rows.flatten().copied().collect()
}

/// Fourier transforms of square pictures. A spectrum is kept with its columns as rows: one transposition less.
struct Spectral {
    side: usize,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
}

impl Spectral {
    fn new(side: usize) -> Self {
        // The same bits on every CPU, and a quarter of the code to build.
        let mut planner = FftPlannerScalar::new();
        Self {
            side,
            forward: planner.plan_fft_forward(side),
            inverse: planner.plan_fft_inverse(side),
        }
    }

    /// A filter from its response to the frequencies (x, y), in cycles per picture.
    fn response(&self, of: impl Fn(f32, f32) -> f32) -> Vec<f32> {
        let n = self.side;
        let frequency = |i: usize| {
            let signed = if i < n.div_ceil(2) {
                i as isize
            } else {
                i as isize - n as isize
            };
            signed as f32
        };
        (0..n * n)
            .map(|i| of(frequency(i / n), frequency(i % n)))
            .collect()
    }

    fn forward(&self, x: &[f32]) -> Vec<Complex32> {
        let mut z: Vec<Complex32> = x.iter().map(|&v| Complex32::new(v, 0.0)).collect();
        self.forward.process(&mut z);
        let mut z = transposed(&z, self.side);
        self.forward.process(&mut z);
        z
    }

    fn inverse(&self, spectrum: &[Complex32], filter: &[f32]) -> Vec<Complex32> {
        let scale = 1.0 / (self.side * self.side) as f32;
        let products = spectrum.iter().zip(filter).map(|(z, f)| z * (f * scale));
        let mut z: Vec<Complex32> = products.collect();
        self.inverse.process(&mut z);
        let mut z = transposed(&z, self.side);
        self.inverse.process(&mut z);
        z
    }
}

fn transposed(z: &[Complex32], side: usize) -> Vec<Complex32> {
    let mut out = vec![Complex32::default(); z.len()];
    for (y, row) in z.chunks_exact(side).enumerate() {
        for (x, &v) in row.iter().enumerate() {
            out[x * side + y] = v;
        }
    }
    out
}

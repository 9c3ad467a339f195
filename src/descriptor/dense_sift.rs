//! SIFT on a grid, at several patch sizes: on luma, or on the opponent colours (van de Sande, Gevers & Snoek, PAMI
//! 2010, §3.2.3).
//!
//! Gradients are computed once per size, as in VLFeat's `dsift` with its flat window (Vedaldi & Fulkerson 2008);
//! the descriptors equal those of VLFeat.

use std::f32::consts::{FRAC_PI_2, FRAC_PI_4};

use multiversion::multiversion;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::cells::{Cells, Grid, LANES, Lanes, Planes, SIDE};
use super::{DescriptorKind, Descriptors, Extractor};
use crate::error::Result;
use crate::picture::Picture;
use crate::timing;

/// Numbers in a descriptor of one channel.
const DIM: usize = SIDE * SIDE * LANES;

/// Settings of dense SIFT.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DenseSiftParams {
    /// Pixels between neighbouring patches.
    pub step: usize,
    /// Sides in pixels of a patch's 4×4 cells, one grid of patches for each.
    pub cells: Vec<usize>,
    /// Channels that are described; each adds 128 numbers.
    pub channels: Channels,
    /// Takes square roots of the L1-normalised vector (RootSIFT, Arandjelović & Zisserman 2012).
    pub root: bool,
}

/// The channels whose gradients are described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channels {
    /// Luma alone: 128 numbers.
    Luma,
    /// (R−G)/√2, (R+G−2B)/√6, (R+G+B)/√3, each described and normalised separately: 384 numbers.
    Opponent,
}

impl Default for DenseSiftParams {
    fn default() -> Self {
        Self {
            step: 4,
            cells: vec![4, 6, 8, 10], // VLFeat's `phow`
            channels: Channels::Luma,
            root: true,
        }
    }
}

/// Gaussian smoothing for a patch size: cell/6 (VLFeat's `phow`), less the blur that a pixel already has.
const MAGNIFICATION: f32 = 6.0;
const OWN_BLUR: f32 = 0.5;
/// Largest component after the first normalisation (Lowe 2004, §6.1).
const CLIP: f32 = 0.2;
/// Where a Gaussian is cut, in standard deviations.
const RADIUS: f32 = 4.0;
/// Spread of the patch's Gaussian window, in cells (VLFeat's default).
const WINDOW: f32 = 2.0;

impl Extractor for DenseSiftParams {
    fn kind(&self) -> DescriptorKind {
        let channels = match self.channels {
            Channels::Luma => "",
            Channels::Opponent => "opponent-",
        };
        let root = if self.root { "root-" } else { "" };
        DescriptorKind {
            name: format!("dense-{channels}{root}sift"),
            dim: DIM * self.channels.count(),
        }
    }

    fn extract(&self, picture: &Picture) -> Result<Descriptors> {
        timing::DENSE_SIFT.time(|| self.describe(picture))
    }
}

impl DenseSiftParams {
    fn describe(&self, picture: &Picture) -> Result<Descriptors> {
        let (w, h) = (
            picture.gray.width() as usize,
            picture.gray.height() as usize,
        );
        let grids = self.cells.iter().map(|&cell| Grid::new(self.step, cell));
        let grids: Vec<Grid> = grids.collect();
        let places = Grid::all_places(&grids, w, h);
        let dim = self.kind().dim;
        let mut values = vec![0.0; places.nrows() * dim];
        for (c, channel) in self.channels.of(picture).iter().enumerate() {
            let mut rows = values.chunks_exact_mut(dim);
            for grid in &grids {
                let cells = grid.cells(&orientations(&smooth(channel, w, h, grid.cell), w, h));
                let window = window(grid.cell);
                for (i, row) in rows.by_ref().take(grid.patches(w, h)).enumerate() {
                    describe(&cells, i, &window, self.root, &mut row[c * DIM..][..DIM]);
                }
            }
        }
        let values = Array2::from_shape_vec((places.nrows(), dim), values);
        Ok(Descriptors {
            values: values.expect("a row per patch"),
            places,
        })
    }
}

impl Channels {
    fn count(self) -> usize {
        match self {
            Self::Luma => 1,
            Self::Opponent => 3,
        }
    }

    fn of(self, picture: &Picture) -> Vec<Vec<f32>> {
        match self {
            Self::Luma => vec![
                picture
                    .gray
                    .as_raw()
                    .iter()
                    .map(|&v| f32::from(v))
                    .collect(),
            ],
            Self::Opponent => {
                let mix = |weights: [f32; 3]| {
                    let norm = weights.iter().map(|w| w * w).sum::<f32>().sqrt();
                    let mixed = |p: &[u8]| {
                        let products = p.iter().zip(weights).map(|(&v, w)| f32::from(v) * w);
                        products.sum::<f32>() / norm
                    };
                    picture.rgb.as_raw().chunks_exact(3).map(mixed).collect()
                };
                vec![
                    mix([1.0, -1.0, 0.0]),
                    mix([1.0, 1.0, -2.0]),
                    mix([1.0, 1.0, 1.0]),
                ]
            }
        }
    }
}

/// The descriptor of one patch.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn describe(cells: &Cells, patch: usize, window: &[f32; SIDE], root: bool, out: &mut [f32]) {
    let mut v = cells.patch(patch);
    let mut squares = [0.0; LANES];
    for (c, lanes) in v.iter_mut().enumerate() {
        let weight = window[c % SIDE] * window[c / SIDE];
        for (l, s) in lanes.iter_mut().zip(&mut squares) {
            *l *= weight;
            *s += *l * *l;
        }
    }
    let scale = 1.0 / (sum(squares).sqrt() + f32::EPSILON);
    let (mut squares, mut total) = ([0.0; LANES], [0.0; LANES]);
    for lanes in &mut v {
        for ((l, s), t) in lanes.iter_mut().zip(&mut squares).zip(&mut total) {
            let clipped = *l * scale;
            *l = if clipped < CLIP { clipped } else { CLIP };
            *s += *l * *l;
            *t += *l;
        }
    }
    if root {
        // Hellinger distance becomes Euclidean (RootSIFT, Arandjelović & Zisserman 2012)
        let scale = 1.0 / (sum(total) + f32::EPSILON);
        for (lanes, out) in v.iter().zip(out.chunks_exact_mut(LANES)) {
            for (l, o) in lanes.iter().zip(out) {
                *o = (*l * scale).sqrt();
            }
        }
    } else {
        let scale = 1.0 / (sum(squares).sqrt() + f32::EPSILON);
        for (lanes, out) in v.iter().zip(out.chunks_exact_mut(LANES)) {
            for (l, o) in lanes.iter().zip(out) {
                *o = *l * scale;
            }
        }
    }
}

#[inline(always)]
fn sum(lanes: [f32; LANES]) -> f32 {
    lanes.iter().sum()
}

/// The patch's Gaussian window, averaged over each cell along one side.
fn window(cell: usize) -> [f32; SIDE] {
    let sigma = WINDOW * cell as f32;
    let half = cell as i32 - 1;
    std::array::from_fn(|i| {
        let centre = cell as f32 * (i as f32 - (SIDE - 1) as f32 / 2.0);
        let values = (-half..=half).map(|d| {
            let z = (d as f32 - centre) / sigma;
            (-z * z / 2.0).exp()
        });
        values.sum::<f32>() / (2 * half + 1) as f32
    })
}

/// Gaussian smoothing of a channel for patches with cells of that size; border pixels are repeated outwards.
fn smooth(channel: &[f32], w: usize, h: usize, cell: usize) -> Vec<f32> {
    let variance = (cell as f32 / MAGNIFICATION).powi(2) - OWN_BLUR.powi(2);
    if variance <= 0.0 {
        return channel.to_vec();
    }
    let sigma = variance.sqrt();
    let radius = (RADIUS * sigma).ceil() as usize;
    let mut kernel: Vec<f32> = (0..=2 * radius)
        .map(|i| {
            let z = (i as f32 - radius as f32) / sigma;
            (-z * z / 2.0).exp()
        })
        .collect();
    let sum: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|k| *k /= sum);
    let mut down = vec![0.0; w * h];
    for (y, out) in down.chunks_exact_mut(w).enumerate() {
        for (i, &k) in kernel.iter().enumerate() {
            let from = (y + i).saturating_sub(radius).min(h - 1);
            add(out, &channel[from * w..][..w], k);
        }
    }
    let mut smoothed = vec![0.0; w * h];
    let mut line = vec![0.0; w + 2 * radius];
    for (row, out) in down.chunks_exact(w).zip(smoothed.chunks_exact_mut(w)) {
        line[..radius].fill(row[0]);
        line[radius..radius + w].copy_from_slice(row);
        line[radius + w..].fill(row[w - 1]);
        for (i, &k) in kernel.iter().enumerate() {
            add(out, &line[i..i + w], k);
        }
    }
    smoothed
}

#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn add(sum: &mut [f32], values: &[f32], weight: f32) {
    for (s, v) in sum.iter_mut().zip(values) {
        *s += v * weight;
    }
}

/// The gradient of each pixel: its magnitude, shared between the two nearest of eight orientations.
fn orientations(channel: &[f32], w: usize, h: usize) -> Planes {
    let mut pixels = vec![[0.0; LANES]; w * h];
    let mut angles = vec![0.0f32; w];
    let mut sizes = vec![0.0f32; w];
    let mut dx = vec![0.0f32; w];
    for y in 0..h {
        let row = &channel[y * w..][..w];
        let (above, below) = (y.saturating_sub(1), (y + 1).min(h - 1));
        let (up, down) = (&channel[above * w..][..w], &channel[below * w..][..w]);
        // central differences, one-sided at the border
        let scale_y = 1.0 / (below - above).max(1) as f32;
        if w > 2 {
            for (d, pair) in dx[1..w - 1].iter_mut().zip(row.windows(3)) {
                *d = (pair[2] - pair[0]) / 2.0;
            }
        }
        let last = w.saturating_sub(2);
        (dx[0], dx[w - 1]) = (row[1.min(w - 1)] - row[0], row[w - 1] - row[last]);
        gradients(&dx, up, down, scale_y, &mut sizes, &mut angles);
        share(&sizes, &angles, &mut pixels[y * w..][..w]);
    }
    Planes {
        width: w,
        height: h,
        pixels,
    }
}

/// Magnitudes and angles (in eighths of a turn) of the gradients of a row.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn gradients(
    dx: &[f32],
    up: &[f32],
    down: &[f32],
    scale: f32,
    sizes: &mut [f32],
    angles: &mut [f32],
) {
    let n = dx.len();
    let (up, down) = (&up[..n], &down[..n]);
    let (sizes, angles) = (&mut sizes[..n], &mut angles[..n]);
    for x in 0..n {
        let dy = (down[x] - up[x]) * scale;
        sizes[x] = (dx[x] * dx[x] + dy * dy).sqrt();
        angles[x] = eighths(dy, dx[x]);
    }
}

/// Shares each gradient between the two orientations nearest to its angle: a gradient at k is in k alone, and
/// nothing of it in k ± 1.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn share(sizes: &[f32], angles: &[f32], pixels: &mut [Lanes]) {
    for ((&size, &angle), pixel) in sizes.iter().zip(angles).zip(pixels) {
        for (k, v) in pixel.iter_mut().enumerate() {
            let apart = (angle - k as f32).abs();
            let around = LANES as f32 - apart;
            let near = 1.0 - if apart < around { apart } else { around };
            *v = size * if near > 0.0 { near } else { 0.0 };
        }
    }
}

/// The angle of (x, y) in eighths of a turn, from 0 to 8, within 1e-4: the arc tangent of the smaller side over the
/// larger by a polynomial (Abramowitz & Stegun 1964, 4.4.49), then reflected. Free of branches.
#[inline(always)]
fn eighths(y: f32, x: f32) -> f32 {
    let (ax, ay) = (x.abs(), y.abs());
    let (small, large) = if ax < ay { (ax, ay) } else { (ay, ax) };
    let t = small / if large > 0.0 { large } else { 1.0 };
    let t2 = t * t;
    let series = [
        -0.333_314_53,
        0.199_935_5,
        -0.142_089,
        0.106_562_64,
        -0.075_289_64,
        0.042_909_61,
        -0.016_165_737,
        0.002_866_225_7,
    ];
    let sum = series.iter().rev().fold(0.0, |sum, c| (sum + c) * t2);
    let a = t + t * sum;
    let a = if ay > ax { FRAC_PI_2 - a } else { a };
    let a = if x < 0.0 { 4.0 * FRAC_PI_4 - a } else { a };
    let a = if y < 0.0 { 8.0 * FRAC_PI_4 - a } else { a };
    a / FRAC_PI_4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eighths_are_the_angle() {
        for i in 0..3600 {
            let angle = f64::from(i) * std::f64::consts::TAU / 3600.0;
            let (y, x) = angle.sin_cos();
            let expected = angle / std::f64::consts::FRAC_PI_4;
            let found = f64::from(eighths(y as f32, x as f32));
            let distance = (found - expected).abs();
            assert!(
                distance.min(8.0 - distance) < 1e-4,
                "{i}: {found} {expected}"
            );
        }
        assert_eq!(eighths(0.0, 0.0), 0.0);
    }
}

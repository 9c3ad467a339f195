//! Random views of pictures: parts of them, mirrored, in other colours (Chen et al. 2020, §3 and appendix A).

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Small pictures, of which parts are cut.
#[derive(Clone, Debug)]
pub struct Thumbnails {
    side: usize,
    /// n×side×side×3
    values: Vec<u8>,
}

/// Area of a part, and its height over its width.
const AREA: (f32, f32) = (0.3, 1.0);
const SHAPE: (f32, f32) = (3.0 / 4.0, 4.0 / 3.0);
/// How far brightness, contrast and saturation go up and down.
const STRENGTH: f32 = 0.4;
/// How often colours are changed, and taken away.
const CHANGED: f64 = 0.8;
const GREY: f64 = 0.2;

impl Thumbnails {
    /// No picture yet.
    pub fn new(side: usize) -> Self {
        Self {
            side,
            values: vec![],
        }
    }

    /// Adds a picture of side×side×3 bytes.
    pub fn push(&mut self, picture: &[u8]) {
        debug_assert_eq!(picture.len(), self.side * self.side * 3);
        self.values.extend_from_slice(picture);
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.values.len() / (self.side * self.side * 3)
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Bilinear; x and y in pixels.
    fn at(&self, picture: usize, x: f32, y: f32) -> [f32; 3] {
        let last = (self.side - 1) as f32;
        let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.side - 1), (top + 1).min(self.side - 1));
        let (u, v) = (x - left as f32, y - top as f32);
        let pixel = |x: usize, y: usize| {
            &self.values[((picture * self.side + y) * self.side + x) * 3..][..3]
        };
        let corners =
            [(left, top), (right, top), (left, bottom), (right, bottom)].map(|(x, y)| pixel(x, y));
        let weights = [(1.0 - u) * (1.0 - v), u * (1.0 - v), (1.0 - u) * v, u * v];
        let mut mixed = [0.0; 3];
        for (pixel, weight) in corners.iter().zip(weights) {
            mixed
                .iter_mut()
                .zip(*pixel)
                .for_each(|(m, &p)| *m += weight * f32::from(p) / 255.0);
        }
        mixed
    }

    /// A part of a picture, scaled to `to`×`to`, as rows of pixels.
    fn part(
        &self,
        picture: usize,
        [left, top, width, height]: [f32; 4],
        to: usize,
    ) -> Vec<[f32; 3]> {
        let mut pixels = Vec::with_capacity(to * to);
        for row in 0..to {
            for column in 0..to {
                let x = left + (column as f32 + 0.5) * width / to as f32 - 0.5;
                let y = top + (row as f32 + 0.5) * height / to as f32 - 0.5;
                pixels.push(self.at(picture, x, y));
            }
        }
        pixels
    }
}

/// The whole picture: 3×side×side numbers from −1 to 1.
pub fn plain(thumbnails: &Thumbnails, picture: usize, side: usize) -> Vec<f32> {
    let whole = thumbnails.side as f32;
    planes(&thumbnails.part(picture, [0.0, 0.0, whole, whole], side))
}

/// A random view of each picture, one after the other as [`plain`].
pub fn varied(
    thumbnails: &Thumbnails,
    pictures: &[usize],
    side: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<f32> {
    pictures
        .iter()
        .flat_map(|&p| view(thumbnails, p, side, rng))
        .collect()
}

fn view(thumbnails: &Thumbnails, picture: usize, side: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let whole = thumbnails.side as f32;
    let area = rng.gen_range(AREA.0..=AREA.1) * whole * whole;
    let shape = rng.gen_range(SHAPE.0.ln()..=SHAPE.1.ln()).exp();
    let (width, height) = (
        (area / shape).sqrt().min(whole),
        (area * shape).sqrt().min(whole),
    );
    let left = rng.gen_range(0.0..=whole - width);
    let top = rng.gen_range(0.0..=whole - height);
    let mut pixels = thumbnails.part(picture, [left, top, width, height], side);
    if rng.gen_bool(0.5) {
        pixels.chunks_mut(side).for_each(<[_]>::reverse);
    }
    let mut factor = || rng.gen_range(1.0 - STRENGTH..=1.0 + STRENGTH);
    let (brightness, contrast, saturation) = (factor(), factor(), factor());
    if rng.gen_bool(CHANGED) {
        let mean = pixels.iter().map(grey).sum::<f32>() / pixels.len() as f32;
        for pixel in &mut pixels {
            let grey = grey(pixel);
            for v in pixel {
                let lively = grey + (*v - grey) * saturation;
                *v = ((mean + (lively - mean) * contrast) * brightness).clamp(0.0, 1.0);
            }
        }
    }
    if rng.gen_bool(GREY) {
        pixels.iter_mut().for_each(|p| *p = [grey(p); 3]);
    }
    planes(&pixels)
}

/// Luma (ITU-R BT.601).
fn grey(&[r, g, b]: &[f32; 3]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

fn planes(pixels: &[[f32; 3]]) -> Vec<f32> {
    (0..3)
        .flat_map(|c| pixels.iter().map(move |p| 2.0 * p[c] - 1.0))
        .collect()
}

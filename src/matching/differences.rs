//! How much of two aligned pictures differs. Two receipts on one form agree only in the form: many keypoints match,
//! and yet neither is a copy of the other.

use image::{GrayImage, imageops};
use ndarray::Array2;

use super::geometry::{Transform, apply};

/// Side in pixels of the cells that are compared.
const CELL: usize = 16;
/// Standard deviation of a cell with structure, in grey levels: above the noise of JPEG.
const STRUCTURE: f64 = 8.0;
/// Normalised cross-correlation from which two cells show the same thing.
const SAME: f64 = 0.5;
/// Tolerance in the position of a cell, in pixels: the transformation is only as exact as its keypoints.
const SLACK: isize = 2;
/// Smallest number of cells with structure for a result.
const LEAST_CELLS: usize = 8;
/// Standard deviation in pixels of the blur applied to both pictures, because they may have been scaled and
/// re-encoded.
const BLUR: f32 = 1.0;

/// The share, from 0 to 1, of differing cells within the overlap of the pictures, among the cells with structure in
/// either picture. `transform` leads from `a` to `b`. `None` if too little overlaps.
pub fn differing(a: &GrayImage, b: &GrayImage, transform: &Transform) -> Option<f64> {
    let b = levels(b);
    let a = warped(&levels(a), inverse(transform)?, b.dim());
    let (mut structured, mut different) = (0, 0);
    for top in (0..b.nrows().saturating_sub(CELL - 1)).step_by(CELL) {
        for left in (0..b.ncols().saturating_sub(CELL - 1)).step_by(CELL) {
            let own = cell(&b, top as isize, left as isize).expect("within the picture");
            let Some(other) = cell(&a, top as isize, left as isize) else {
                continue; // beyond the edge of the first picture
            };
            if deviation(&own).max(deviation(&other)) < STRUCTURE {
                continue;
            }
            structured += 1;
            different += usize::from(best_correlation(&own, &a, top, left) < SAME);
        }
    }
    (structured >= LEAST_CELLS).then(|| different as f64 / structured as f64)
}

/// Grey levels row by row, slightly blurred.
fn levels(picture: &GrayImage) -> Array2<f32> {
    let blurred = imageops::blur(picture, BLUR);
    let (w, h) = (blurred.width() as usize, blurred.height() as usize);
    Array2::from_shape_fn((h, w), |(y, x)| f32::from(blurred.as_raw()[y * w + x]))
}

/// The picture warped by a transformation that leads from positions in the result to its own; NaN beyond its edge.
fn warped(picture: &Array2<f32>, back: Transform, size: (usize, usize)) -> Array2<f32> {
    let (h, w) = picture.dim();
    Array2::from_shape_fn(size, |(y, x)| {
        let (x, y) = apply(&back, x as f64, y as f64);
        let (left, top) = (x.floor(), y.floor());
        if !(left >= 0.0 && top >= 0.0 && left + 1.0 < w as f64 && top + 1.0 < h as f64) {
            return f32::NAN;
        }
        let (dx, dy) = ((x - left) as f32, (y - top) as f32);
        let at = |i: usize, j: usize| picture[[top as usize + i, left as usize + j]];
        let upper = at(0, 0) * (1.0 - dx) + at(0, 1) * dx;
        let lower = at(1, 0) * (1.0 - dx) + at(1, 1) * dx;
        upper * (1.0 - dy) + lower * dy
    })
}

/// The inverse by the adjugate; `None` if there is none.
fn inverse([[a, b, c], [d, e, f], [g, h, i]]: &Transform) -> Option<Transform> {
    let adjugate = [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ];
    let determinant = a * adjugate[0][0] + b * adjugate[1][0] + c * adjugate[2][0];
    let inverse = adjugate.map(|row| row.map(|v| v / determinant));
    inverse
        .iter()
        .flatten()
        .all(|v| v.is_finite())
        .then_some(inverse)
}

/// The values of a cell; `None` if it is not entirely known.
fn cell(picture: &Array2<f32>, top: isize, left: isize) -> Option<Vec<f64>> {
    let (top, left) = (usize::try_from(top).ok()?, usize::try_from(left).ok()?);
    if top + CELL > picture.nrows() || left + CELL > picture.ncols() {
        return None;
    }
    let part = picture.slice(ndarray::s![top..top + CELL, left..left + CELL]);
    let values: Vec<f64> = part.iter().map(|&v| f64::from(v)).collect();
    values.iter().all(|v| v.is_finite()).then_some(values)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    (squares / values.len() as f64).sqrt()
}

/// The normalised cross-correlation, from −1 to 1; 0 if one of them is flat.
fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (mean(x), mean(y));
    let product: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
    let scale = deviation(x) * deviation(y) * x.len() as f64;
    if scale > 0.0 { product / scale } else { 0.0 }
}

/// The best correlation of a cell with the cells near its position in another picture.
fn best_correlation(own: &[f64], other: &Array2<f32>, top: usize, left: usize) -> f64 {
    let shifts = (-SLACK..=SLACK).flat_map(|y| (-SLACK..=SLACK).map(move |x| (y, x)));
    let near = shifts.filter_map(|(y, x)| cell(other, top as isize + y, left as isize + x));
    near.map(|cell| correlation(own, &cell))
        .fold(-1.0, f64::max)
}

#[cfg(test)]
mod tests {
    use image::Luma;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Blobs of ink on paper.
    fn ink(seed: u64, width: u32, height: u32) -> GrayImage {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut page = GrayImage::from_pixel(width, height, Luma([250]));
        for _ in 0..width * height / 60 {
            let (x, y) = (rng.gen_range(0..width - 4), rng.gen_range(0..height - 4));
            for (i, j) in (0..12).map(|k| (k % 4, k / 4)) {
                page.put_pixel(x + i, y + j, Luma([30]));
            }
        }
        page
    }

    const IDENTITY: Transform = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

    #[test]
    fn a_copy_is_the_same_where_it_overlaps() {
        let page = ink(1, 320, 240);
        assert_eq!(differing(&page, &page, &IDENTITY), Some(0.0));
        let small = imageops::resize(&page, 160, 120, imageops::FilterType::Triangle);
        let half = [[0.5, 0.0, -0.25], [0.0, 0.5, -0.25], [0.0, 0.0, 1.0]];
        assert!(differing(&page, &small, &half).unwrap() < 0.05);
        let part = imageops::crop_imm(&page, 100, 60, 150, 120).to_image();
        let moved = [[1.0, 0.0, -100.0], [0.0, 1.0, -60.0], [0.0, 0.0, 1.0]];
        assert_eq!(differing(&page, &part, &moved), Some(0.0));
    }

    #[test]
    fn other_contents_on_one_form_differ() {
        let filled = |seed: u64| {
            let mut form = ink(7, 320, 240);
            imageops::replace(&mut form, &ink(seed, 288, 112), 16, 96);
            form
        };
        let share = differing(&filled(1), &filled(2), &IDENTITY).unwrap();
        let area = 288.0 * 112.0 / (320.0 * 240.0);
        assert!((share - area).abs() < 0.12, "{share}, not {area}");
    }

    #[test]
    fn too_little_says_nothing() {
        let page = ink(1, 320, 240);
        let away = [[1.0, 0.0, 400.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        assert_eq!(differing(&page, &page, &away), None);
        assert_eq!(differing(&page, &page, &[[0.0; 3]; 3]), None);
        let flat = GrayImage::from_pixel(320, 240, Luma([90]));
        assert_eq!(differing(&flat, &flat, &IDENTITY), None);
    }
}

//! SURF at detected keypoints (Bay, Ess, Tuytelaars & Van Gool, CVIU 110, 2008), by integral images. OpenCV as Debian builds it has
//! none: the method was patented until 2020.

use std::f64::consts::{FRAC_PI_3, TAU};

use image::GrayImage;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::integral::Integral;
use super::{DescriptorKind, Descriptors, Extractor, places_of, too_small};
use crate::error::Result;
use crate::picture::Picture;
use crate::timing;

const DIM: usize = 64;

/// Settings of SURF.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SurfParams {
    /// Number of keypoints kept, those with the strongest response; 0 keeps all.
    pub features: usize,
    /// Number of octaves, each of which doubles the filters and the distance between them.
    pub octaves: usize,
    /// Number of filter sizes in an octave; keypoints are found at all but the first and the last.
    pub layers: usize,
    /// Least determinant of the Hessian, of grey levels from 0 to 255.
    pub response: f64,
    /// Balance of the mixed derivative against the others, w of equation 3.
    pub balance: f64,
}

impl Default for SurfParams {
    fn default() -> Self {
        Self {
            features: 500,
            octaves: 4,    // Bay et al. 2008, figure 7
            layers: 4,     // the same
            response: 1.0, // leaves about as many keypoints as SIFT's defaults do
            balance: 0.9,  // equation 3
        }
    }
}

/// A place where the determinant of the Hessian is highest, in space and scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blob {
    /// Horizontal position in pixels.
    pub x: f64,
    /// Vertical position in pixels, downwards.
    pub y: f64,
    /// Standard deviation of the Gaussian that the filter stands for, in pixels.
    pub scale: f64,
    /// Determinant of the Hessian.
    pub response: f64,
    /// Whether it is darker than what is around it: the trace of the Hessian is positive.
    pub dark: bool,
}

impl Extractor for SurfParams {
    fn kind(&self) -> DescriptorKind {
        DescriptorKind {
            name: "surf".into(),
            dim: DIM,
        }
    }

    fn extract(&self, picture: &Picture) -> Result<Descriptors> {
        let (blobs, _, values) = self.detect(&picture.gray);
        let points = blobs.iter().map(|b| [b.x as f32, b.y as f32]);
        Ok(Descriptors {
            values,
            places: places_of(points, &picture.gray),
        })
    }
}

/// The side of a filter's lobe.
fn lobe(octave: usize, layer: f64) -> f64 {
    f64::from(2 << octave) * (layer + 1.0) + 1.0
}

/// The responses of an octave: one plane for each size of the filter, signed by the trace of the Hessian.
struct Octave {
    /// Pixels between neighbouring responses.
    step: i64,
    columns: usize,
    rows: usize,
    planes: Vec<Vec<f64>>,
    /// Responses at each side, of each plane, for which the filter does not lie in the picture.
    borders: Vec<usize>,
}

impl Octave {
    fn of(integral: &Integral, octave: usize, params: &SurfParams) -> Self {
        let step = 1 << octave;
        let (columns, rows) = (integral.width() / step, integral.height() / step);
        let (mut planes, mut borders) = (Vec::new(), Vec::new());
        for layer in 0..params.layers {
            let lobe = lobe(octave, layer as f64) as i64;
            let border = (3 * lobe / 2 + step) / step;
            let mut plane = vec![0.0; (columns * rows) as usize];
            for row in border..rows - border {
                for column in border..columns - border {
                    plane[(row * columns + column) as usize] =
                        response(integral, column * step, row * step, lobe, params.balance);
                }
            }
            planes.push(plane);
            borders.push(border as usize);
        }
        Self {
            step,
            columns: columns as usize,
            rows: rows as usize,
            planes,
            borders,
        }
    }

    fn at(&self, layer: usize, row: usize, column: usize) -> f64 {
        self.planes[layer][row * self.columns + column].abs()
    }

    /// Whether no neighbour in space and scale is higher; of equal ones the first is the highest.
    fn is_highest(&self, layer: usize, row: usize, column: usize) -> bool {
        let own = self.at(layer, row, column);
        for l in layer - 1..=layer + 1 {
            for r in row - 1..=row + 1 {
                for c in column - 1..=column + 1 {
                    let other = self.at(l, r, c);
                    let before = (l, r, c) < (layer, row, column);
                    if other > own || (before && other == own) {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// The top of the parabola through a response and its neighbours (Brown & Lowe, BMVC 2002): layers, rows and columns from it;
    /// `None` if it lies nearer to another response.
    fn top(&self, layer: usize, row: usize, column: usize) -> Option<[f64; 3]> {
        let at = |l: i64, r: i64, c: i64| {
            let moved = |place: usize, by: i64| place.wrapping_add_signed(by as isize);
            self.at(moved(layer, l), moved(row, r), moved(column, c))
        };
        let axes = [(1, 0, 0), (0, 1, 0), (0, 0, 1)];
        let own = at(0, 0, 0);
        let mut gradient = [0.0; 3];
        let mut hessian = [[0.0; 3]; 3];
        for (i, &(l, r, c)) in axes.iter().enumerate() {
            let (after, before) = (at(l, r, c), at(-l, -r, -c));
            gradient[i] = (after - before) / 2.0;
            hessian[i][i] = after + before - 2.0 * own;
            for (j, &(l2, r2, c2)) in axes.iter().enumerate().skip(i + 1) {
                let same = at(l + l2, r + r2, c + c2) + at(-l - l2, -r - r2, -c - c2);
                let cross = at(l - l2, r - r2, c - c2) + at(l2 - l, r2 - r, c2 - c);
                hessian[i][j] = (same - cross) / 4.0;
                hessian[j][i] = hessian[i][j];
            }
        }
        let offset = solved(hessian, gradient)?.map(|v| -v);
        offset.iter().all(|v| v.abs() < 0.5).then_some(offset)
    }
}

/// The determinant of the Hessian in box filters, with the sign of its trace.
fn response(integral: &Integral, x: i64, y: i64, lobe: i64, balance: f64) -> f64 {
    let long = 2 * lobe - 1;
    let second = |across: i64, along: i64| {
        // the whole less three times the middle: 1, -2, 1
        let whole = match across {
            0 => integral.around(x, y, 3 * lobe, along),
            _ => integral.around(x, y, along, 3 * lobe),
        };
        let middle = match across {
            0 => integral.around(x, y, lobe, along),
            _ => integral.around(x, y, along, lobe),
        };
        whole - 3 * middle
    };
    let (xx, yy) = (second(0, long), second(1, long));
    let apart = lobe / 2 + 1;
    let square = |dx: i64, dy: i64| integral.around(x + dx * apart, y + dy * apart, lobe, lobe);
    let xy = square(-1, 1) + square(1, -1) - square(-1, -1) - square(1, 1);
    let area = (9 * lobe * lobe) as f64;
    let [xx, yy, xy] = [xx, yy, xy].map(|v| v as f64 / area);
    let determinant = (xx * yy - (balance * xy).powi(2)).max(0.0);
    match xx + yy < 0.0 {
        true => -determinant,
        false => determinant,
    }
}

/// The solution of a·x = b by Cramer's rule; `None` where there is none.
fn solved(a: [[f64; 3]; 3], b: [f64; 3]) -> Option<[f64; 3]> {
    let determinant = |m: [[f64; 3]; 3]| {
        let minor = |i: usize, j: usize| m[1][i] * m[2][j] - m[1][j] * m[2][i];
        m[0][0] * minor(1, 2) - m[0][1] * minor(0, 2) + m[0][2] * minor(0, 1)
    };
    let whole = determinant(a);
    if whole == 0.0 {
        return None;
    }
    let with = |column: usize| {
        let mut changed = a;
        for (row, &value) in changed.iter_mut().zip(&b) {
            row[column] = value;
        }
        determinant(changed) / whole
    };
    Some([with(0), with(1), with(2)])
}

/// The wavelet of Haar in both directions, of an even side: right less left, lower less upper.
fn haar(integral: &Integral, x: f64, y: f64, side: f64) -> [f64; 2] {
    let half = ((side / 2.0).round() as i64).max(1);
    let (x, y) = (x.round() as i64, y.round() as i64);
    let sum = |dx: i64, dy: i64| integral.sum(x + dx * half, y + dy * half, half, half) as f64;
    let [[a, b], [c, d]] = [[sum(-1, -1), sum(0, -1)], [sum(-1, 0), sum(0, 0)]];
    [b + d - a - c, c + d - a - b]
}

fn gaussian(x: f64, y: f64, sigma: f64) -> f64 {
    (-(x * x + y * y) / (2.0 * sigma * sigma)).exp()
}

/// The direction in which the longest sum of gradients within a sixth of the circle points (§4.1).
fn direction(integral: &Integral, blob: &Blob) -> f64 {
    let s = blob.scale;
    let mut gradients: Vec<(f64, [f64; 2])> = Vec::new();
    for row in -6..=6 {
        for column in -6..=6_i32 {
            if row * row + column * column >= 36 {
                continue;
            }
            let (u, v) = (f64::from(column), f64::from(row));
            let weight = gaussian(u, v, 2.0);
            let [dx, dy] = haar(integral, blob.x + u * s, blob.y + v * s, 4.0 * s);
            let [dx, dy] = [weight * dx, weight * dy];
            gradients.push((dy.atan2(dx), [dx, dy]));
        }
    }
    let mut longest = (0.0, 0.0);
    for &(from, _) in &gradients {
        let within = |angle: f64| (angle - from).rem_euclid(TAU) < FRAC_PI_3;
        let inside = gradients.iter().filter(|g| within(g.0));
        let [x, y] = inside.fold([0.0, 0.0], |[x, y], (_, [dx, dy])| [x + dx, y + dy]);
        let square = x * x + y * y;
        if square > longest.0 {
            longest = (square, y.atan2(x));
        }
    }
    longest.1
}

/// Sums of gradients and of their sizes in 4×4 cells of 5×5 samples, turned with the keypoint (§4.2): unit length.
fn described(integral: &Integral, blob: &Blob, angle: f64) -> [f32; DIM] {
    let Blob { x, y, scale: s, .. } = *blob;
    let (sin, cos) = angle.sin_cos();
    let mut values = [0.0_f64; DIM];
    for row in 0..20 {
        for column in 0..20 {
            let (u, v) = (f64::from(column) - 9.5, f64::from(row) - 9.5);
            let (px, py) = (x + (u * cos - v * sin) * s, y + (u * sin + v * cos) * s);
            let [dx, dy] = haar(integral, px, py, 2.0 * s);
            let weight = gaussian(u, v, 3.3);
            let (du, dv) = (
                weight * (dx * cos + dy * sin),
                weight * (dy * cos - dx * sin),
            );
            let cell = (row / 5 * 4 + column / 5) as usize * 4;
            for (value, add) in values[cell..cell + 4]
                .iter_mut()
                .zip([du, dv, du.abs(), dv.abs()])
            {
                *value += add;
            }
        }
    }
    let length = values.iter().map(|v| v * v).sum::<f64>().sqrt();
    values.map(|v| (v / length.max(f64::MIN_POSITIVE)) as f32)
}

impl SurfParams {
    /// The blobs of a picture, those with the strongest response first.
    pub fn blobs(&self, image: &GrayImage) -> Vec<Blob> {
        let mut blobs = Vec::new();
        if too_small(image) {
            return blobs;
        }
        let integral = Integral::of(image);
        for number in 0..self.octaves {
            let octave = Octave::of(&integral, number, self);
            for layer in 1..self.layers.saturating_sub(1) {
                let border = octave.borders[layer + 1] + 1;
                for row in border..octave.rows.saturating_sub(border) {
                    for column in border..octave.columns.saturating_sub(border) {
                        let response = octave.at(layer, row, column);
                        if response <= self.response || !octave.is_highest(layer, row, column) {
                            continue;
                        }
                        let Some([dl, dr, dc]) = octave.top(layer, row, column) else {
                            continue;
                        };
                        let step = octave.step as f64;
                        blobs.push(Blob {
                            x: (column as f64 + dc) * step,
                            y: (row as f64 + dr) * step,
                            // a filter of 9 pixels stands for a deviation of 1.2 (§3.2)
                            scale: 1.2 / 9.0 * 3.0 * lobe(number, layer as f64 + dl),
                            response,
                            dark: octave.planes[layer][row * octave.columns + column] > 0.0,
                        });
                    }
                }
            }
        }
        let place = |b: &Blob| (b.y, b.x, b.scale);
        blobs.sort_by(|a, b| {
            let by_place = || place(a).partial_cmp(&place(b)).expect("places are numbers");
            b.response.total_cmp(&a.response).then_with(by_place)
        });
        if self.features > 0 {
            blobs.truncate(self.features);
        }
        blobs
    }

    /// Detects keypoints, with a direction and a row of 64 numbers for each.
    pub(crate) fn detect(&self, image: &GrayImage) -> (Vec<Blob>, Vec<f64>, Array2<f32>) {
        timing::KEYPOINTS.time(|| {
            let blobs = self.blobs(image);
            let (angles, values) = describe_blobs(image, &blobs);
            (blobs, angles, values)
        })
    }
}

/// The directions of blobs, in radians from the x axis towards the y axis, which points down, and their descriptors: n×64, unit
/// rows.
pub fn describe_blobs(image: &GrayImage, blobs: &[Blob]) -> (Vec<f64>, Array2<f32>) {
    let integral = Integral::of(image);
    let angles: Vec<f64> = blobs.iter().map(|b| direction(&integral, b)).collect();
    let mut values = Array2::zeros((blobs.len(), DIM));
    for ((mut row, blob), &angle) in values.outer_iter_mut().zip(blobs).zip(&angles) {
        row.assign(&ndarray::aview1(&described(&integral, blob, angle)));
    }
    (angles, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_found_between_the_pixels() {
        for (x, y, deviation) in [(40.3_f64, 37.6_f64, 3.0_f64), (52.8, 44.1, 5.0)] {
            let image = GrayImage::from_fn(100, 90, |px, py| {
                let square = (f64::from(px) - x).powi(2) + (f64::from(py) - y).powi(2);
                image::Luma([(200.0 * (-square / (2.0 * deviation.powi(2))).exp()) as u8])
            });
            let blob = SurfParams::default().blobs(&image)[0];
            assert!((blob.x - x).hypot(blob.y - y) < 0.5, "{blob:?}");
            assert!(!blob.dark);
            // boxes answer most to blobs that are a third wider than what they stand for (the same in NumPy)
            let ratio = blob.scale / deviation;
            assert!((0.7..0.8).contains(&ratio), "{blob:?}");
        }
    }
}

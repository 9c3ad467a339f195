//! Cuts lines out of a picture.

use opencv::core::{self, BORDER_REPLICATE, Mat, Point2f, Rect, Scalar, Size, Vector};
use opencv::imgproc;
use opencv::prelude::*;

use super::quad::Quad;
use crate::error::Result;

/// Ratio of height to width from which a box is a column, or a line on its side.
const TALL: f32 = 1.5;
/// Lines longer than this are read in parts, in heights of the line: the cost of the network is quadratic in its
/// input.
const LONGEST: i32 = 100;
const PART: i32 = 40;
/// Width of a gap between parts, in heights of the line, that separates words.
const GAP: f32 = 0.2;
/// Largest difference of pixels, of 255, within a column without letters.
const QUIET: u8 = 48;

pub fn is_tall(quad: &Quad) -> bool {
    let (w, h) = sides(quad);
    h / w >= TALL
}

fn sides(quad: &Quad) -> (f32, f32) {
    let side = |pixels: f32| pixels.max(1.0).floor();
    (side(quad.width()), side(quad.height()))
}

/// The contents of a box, unrotated.
pub fn cut_out(picture: &Mat, quad: &Quad) -> Result<Mat> {
    let (w, h) = sides(quad);
    let points = |points: [[f32; 2]; 4]| -> Vector<Point2f> {
        points.iter().map(|p| Point2f::new(p[0], p[1])).collect()
    };
    let (from, to) = (
        points(quad.0),
        points([[0.0, 0.0], [w, 0.0], [w, h], [0.0, h]]),
    );
    let perspective = imgproc::get_perspective_transform(&from, &to, core::DECOMP_LU)?;
    let mut line = Mat::default();
    imgproc::warp_perspective(
        picture,
        &mut line,
        &perspective,
        Size::new(w as i32, h as i32),
        imgproc::INTER_CUBIC,
        BORDER_REPLICATE,
        Scalar::default(),
    )?;
    Ok(line)
}

/// Rotates a line by `core::ROTATE_…`.
pub fn turned(line: &Mat, by: i32) -> Result<Mat> {
    let mut turned = Mat::default();
    core::rotate(line, &mut turned, by)?;
    Ok(turned)
}

/// A part of a line.
pub struct Part {
    pub picture: Mat,
    /// Begin and length, as shares of the whole line.
    pub begin: f32,
    pub share: f32,
    /// Whether a gap between words precedes it.
    pub after_gap: bool,
}

/// Divides a line into parts of a length that can be read, cut between letters.
pub fn parts(line: &Mat) -> Result<Vec<Part>> {
    let (w, h) = (line.cols(), line.rows());
    if w <= LONGEST.saturating_mul(h) {
        return Ok(vec![Part {
            picture: line.try_clone()?,
            begin: 0.0,
            share: 1.0,
            after_gap: false,
        }]);
    }
    let quiet = quiet_columns(line)?;
    let mut parts = Vec::new();
    let (mut begin, mut after_gap) = (0, false);
    while begin < w {
        let (end, gap) = if w - begin <= PART * h {
            (w, 0)
        } else {
            cut(&quiet, begin + PART * h / 2, begin + PART * h)
        };
        let part = Mat::roi(line, Rect::new(begin, 0, end - begin, h))?;
        parts.push(Part {
            picture: part.try_clone()?,
            begin: begin as f32 / w as f32,
            share: (end - begin) as f32 / w as f32,
            after_gap,
        });
        (begin, after_gap) = (end, gap as f32 > GAP * h as f32);
    }
    Ok(parts)
}

/// The middle and the length of the longest run of quiet columns in a range; the end of the range if there is none.
fn cut(quiet: &[bool], from: i32, to: i32) -> (i32, i32) {
    let (mut best, mut run) = ((to, 0), 0);
    for x in from..to {
        run = if quiet[x as usize] { run + 1 } else { 0 };
        if run > best.1 {
            best = (x + 1 - run / 2, run);
        }
    }
    best
}

fn quiet_columns(line: &Mat) -> Result<Vec<bool>> {
    let mut gray = Mat::default();
    imgproc::cvt_color_def(line, &mut gray, imgproc::COLOR_BGR2GRAY)?;
    let width = gray.cols() as usize;
    let mut range = vec![(u8::MAX, u8::MIN); width];
    for row in gray.data_bytes()?.chunks_exact(width) {
        for (range, &v) in range.iter_mut().zip(row) {
            *range = (range.0.min(v), range.1.max(v));
        }
    }
    Ok(range
        .into_iter()
        .map(|(low, high)| high - low <= QUIET)
        .collect())
}

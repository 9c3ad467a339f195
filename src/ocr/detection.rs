//! Finds text: a network gives every pixel the probability of text, and connected areas become boxes
//! (Differentiable Binarization, Liao et al., AAAI 2020).

use ndarray::{Array2, Array4, Ix4};
use opencv::core::{
    self, BORDER_CONSTANT, Mat, Point as CvPoint, Point2f, RotatedRect, Scalar, Size, Vector,
};
use opencv::imgproc;
use opencv::prelude::*;

use super::models::{DETECTION, Models};
use super::quad::Quad;
use crate::error::Result;
use crate::networks::Network;

/// The network that finds lines of text.
pub struct Detector(Network);

// Settings of RapidOCR 1.4.4, which took them from PaddleOCR, but for the first.
/// Smaller pictures are scaled up until their shorter side has this many pixels: with 736, as in RapidOCR, the texts of 505 web
/// pictures find no more captions,
const SHORT_SIDE: f32 = 608.0;
/// but no further than until their longer side has this many: a very narrow picture would take all memory.
const LONG_SIDE: f32 = 4096.0;
/// The network halves its input five times.
const MULTIPLE: f32 = 32.0;
/// Least probability of text in a pixel.
const PIXEL: f32 = 0.3;
/// Least mean probability of text in a box.
const BOX: f32 = 0.5;
/// A box grows on all sides by its area times this over its circumference, because the network marks the cores of
/// lines.
const GROWTH: f32 = 1.6;
/// Least side of a box, in pixels of the map, before and after growing.
const LEAST: f32 = 3.0;
const LEAST_GROWN: f32 = 5.0;
/// Least side of a box that can be read, in pixels of the picture.
const LEAST_READABLE: f32 = 4.0;
const MOST_BOXES: usize = 1000;

impl Detector {
    pub fn load(models: &Models) -> Result<Self> {
        Ok(Self(models.network(&DETECTION)?))
    }

    /// Finds the lines of a picture (blue, green, red), in no particular order, in pixels.
    pub fn detect(&self, picture: &Mat) -> Result<Vec<Quad>> {
        let (w, h) = (picture.cols(), picture.rows());
        let ratio = (SHORT_SIDE / w.min(h) as f32).max(1.0);
        let ratio = ratio.min(LONG_SIDE / w.max(h) as f32);
        let side = |pixels: i32| {
            let scaled = (pixels as f32 * ratio).floor();
            ((scaled / MULTIPLE).round_ties_even() * MULTIPLE).max(MULTIPLE) as i32
        };
        let scaled = resized(picture, side(w), side(h))?;
        let map = self.0.answer::<Ix4>(&planes(&scaled, scaled.cols())?)?;
        let map = map.slice(ndarray::s![0, 0, .., ..]).to_owned();
        let scale = [w as f32 / map.ncols() as f32, h as f32 / map.nrows() as f32];
        boxes(&map, scale, [w, h])
    }
}

/// The picture as 1×3×h×width from −1 to 1, at the left, with zeros beyond it.
pub fn planes(picture: &Mat, width: i32) -> Result<Array4<f32>> {
    let (w, h) = (picture.cols() as usize, picture.rows() as usize);
    let pixels = picture.data_bytes()?;
    let mut planes = Array4::zeros((1, 3, h, width as usize));
    for (y, row) in pixels.chunks_exact(3 * w).enumerate() {
        for (x, pixel) in row.chunks_exact(3).enumerate() {
            for (c, &v) in pixel.iter().enumerate() {
                planes[[0, c, y, x]] = f32::from(v) / 127.5 - 1.0;
            }
        }
    }
    Ok(planes)
}

pub fn resized(picture: &Mat, width: i32, height: i32) -> Result<Mat> {
    let mut out = Mat::default();
    let size = Size::new(width, height);
    imgproc::resize(picture, &mut out, size, 0.0, 0.0, imgproc::INTER_LINEAR)?;
    Ok(out)
}

/// The areas of text in a map, as boxes in a picture that is `scale` times as large.
fn boxes(map: &Array2<f32>, scale: [f32; 2], size: [i32; 2]) -> Result<Vec<Quad>> {
    let (h, w) = map.dim();
    let values = map.as_slice().expect("a new array is contiguous");
    let map = Mat::new_rows_cols_with_data(h as i32, w as i32, values)?;
    let text: Vec<u8> = values.iter().map(|&v| u8::from(v > PIXEL) * 255).collect();
    let text = Mat::new_rows_cols_with_data(h as i32, w as i32, &text)?;
    let mut grown = Mat::default();
    let cross = Mat::ones(2, 2, core::CV_8U)?.to_mat()?;
    let anchor = CvPoint::new(-1, -1);
    let border = imgproc::morphology_default_border_value()?;
    imgproc::dilate(
        &text,
        &mut grown,
        &cross,
        anchor,
        1,
        BORDER_CONSTANT,
        border,
    )?;
    let mut contours: Vector<Vector<CvPoint>> = Vector::new();
    let (mode, method) = (imgproc::RETR_LIST, imgproc::CHAIN_APPROX_SIMPLE);
    imgproc::find_contours(&grown, &mut contours, mode, method, CvPoint::default())?;
    let mut quads = Vec::new();
    for contour in contours.iter().take(MOST_BOXES) {
        let area = imgproc::min_area_rect(&contour)?;
        if short_side(&area) < LEAST || mean_within(&map, &area)? < BOX {
            continue;
        }
        let area = grow(&area)?;
        if short_side(&area) < LEAST_GROWN {
            continue;
        }
        let last = size.map(|s| (s - 1) as f32);
        let inside =
            |p: [f32; 2], c: usize| (p[c] * scale[c]).round_ties_even().clamp(0.0, last[c]);
        let quad = Quad::ordered(corners(&area)?).map(|p| [inside(p, 0), inside(p, 1)]);
        if quad.least_side() >= LEAST_READABLE {
            quads.push(quad);
        }
    }
    Ok(quads)
}

fn short_side(area: &RotatedRect) -> f32 {
    area.size.width.min(area.size.height)
}

fn corners(area: &RotatedRect) -> Result<[[f32; 2]; 4]> {
    let mut points = [Point2f::default(); 4];
    area.points(&mut points)?;
    Ok(points.map(|p| [p.x, p.y]))
}

/// The box with all sides moved outwards.
fn grow(area: &RotatedRect) -> Result<RotatedRect> {
    let size = area.size;
    let by = size.width * size.height * GROWTH / (2.0 * (size.width + size.height));
    let grown = core::Size2f::new(size.width + 2.0 * by, size.height + 2.0 * by);
    Ok(RotatedRect::new(area.center, grown, area.angle)?)
}

/// The mean of the map within a box.
fn mean_within(map: &impl MatTraitConst, area: &RotatedRect) -> Result<f32> {
    let corners = corners(area)?;
    let edge = |c: usize, most: i32| {
        let of = corners.map(|p| p[c]);
        let low = of.iter().fold(f32::MAX, |a, &b| a.min(b)).floor();
        let high = of.iter().fold(f32::MIN, |a, &b| a.max(b)).ceil();
        let inside = |v: f32| (v as i32).clamp(0, most - 1);
        (inside(low), inside(high))
    };
    let ((left, right), (top, bottom)) = (edge(0, map.cols()), edge(1, map.rows()));
    let around = core::Rect::new(left, top, right - left + 1, bottom - top + 1);
    let mut mask = Mat::zeros(around.height, around.width, core::CV_8U)?.to_mat()?;
    let points = corners.map(|[x, y]| CvPoint::new(x as i32 - left, y as i32 - top));
    let points: Vector<Vector<CvPoint>> = Vector::from_iter([Vector::from_slice(&points)]);
    imgproc::fill_poly(
        &mut mask,
        &points,
        Scalar::all(1.0),
        imgproc::LINE_8,
        0,
        CvPoint::default(),
    )?;
    Ok(core::mean(&Mat::roi(map, around)?, &mask)?[0] as f32)
}

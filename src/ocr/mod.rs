//! Reads text in pictures: a segmentation network finds text, each line is cut out upright, another network tells
//! whether it is upside down, and a recognition network spells it.
//!
//! The networks are those of PP-OCR (Apache-2.0), which were trained on Chinese and English: the detector of version 4, and
//! the tiny recognizer of version 6, which takes an eighth of the time of version 4's and reads as well. They run in ONNX
//! Runtime, a shared library that is loaded when first needed. `tuwen models` fetches both, and [`Models`] says
//! where they are searched. This module does what happens between the networks: scaling, long strips in pieces,
//! boxes from the map of text, perspective, rotation, decoding, widely spaced letters, reading order.

mod angle;
mod crop;
mod detection;
mod models;
mod order;
mod pieces;
mod quad;
mod recognition;
mod spaced;
mod turns;

use image::RgbImage;
use opencv::core::{self, BORDER_CONSTANT, CV_8UC3, Mat, Scalar, Size};
use opencv::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::Spec;
use crate::error::Result;
use crate::picture::{PictureParams, decode_rgb, limits};
use crate::timing;
use angle::AngleClassifier;
use detection::Detector;
pub use models::Models;
use quad::Point;
pub use quad::Quad;
use recognition::Recognizer;
use turns::{Read, Turn};

/// Settings for reading pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct ReaderParams {
    /// Least mean probability of a line's characters, from 0 to 1; other lines are left out.
    pub confidence: f32,
    /// Largest number of pixels; larger pictures are refused from their header.
    pub max_pixels: u64,
    /// Longer side in pixels to which larger pictures are scaled down; long strips are read in pieces of this
    /// length instead.
    pub max_side: i32,
    /// Most lines that are spelled in a picture, the tallest; 0 for all. Small print seldom says what a picture is
    /// about.
    pub lines: usize,
}

/// The settings as a recipe may write them.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    models: Option<serde::de::IgnoredAny>,
    confidence: f32,
    max_pixels: u64,
    max_side: i32,
    lines: usize,
}

impl Default for Written {
    fn default() -> Self {
        let ReaderParams {
            confidence,
            max_pixels,
            max_side,
            lines,
        } = ReaderParams::default();
        Self {
            models: None,
            confidence,
            max_pixels,
            max_side,
            lines,
        }
    }
}

impl TryFrom<Written> for ReaderParams {
    type Error = &'static str;

    fn try_from(written: Written) -> std::result::Result<Self, Self::Error> {
        match written.models {
            None => Ok(Self {
                confidence: written.confidence,
                max_pixels: written.max_pixels,
                max_side: written.max_side,
                lines: written.lines,
            }),
            // code is loaded from there, and a recipe is data
            Some(_) => Err(
                "a recipe cannot say where the networks that read text are: take out \
                            `models`, and set the environment variable TUWEN_MODELS instead",
            ),
        }
    }
}

impl Default for ReaderParams {
    fn default() -> Self {
        Self {
            confidence: 0.5, // as in RapidOCR 1.4.4
            max_pixels: PictureParams::default().max_pixels,
            max_side: 2000,
            lines: 24,
        }
    }
}

/// A line of text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What it says.
    pub text: String,
    /// Mean probability of its characters, from 0 to 1.
    pub confidence: f32,
    /// Its position in the picture, in pixels.
    pub quad: Quad,
}

/// Lines as one text.
pub fn joined(lines: &[Line]) -> String {
    lines.iter().map(|l| format!("{}\n", l.text)).collect()
}

/// Reads pictures; threads may share it.
pub struct Reader {
    params: ReaderParams,
    detector: Detector,
    angle: AngleClassifier,
    recognizer: Recognizer,
}

impl ReaderParams {
    /// Loads the networks and the runtime.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::Error::Weights) if one of them is missing or is not the file that this program was
    /// made with.
    pub fn load(&self, models: &Models) -> Result<Reader> {
        Ok(Reader {
            detector: Detector::load(models)?,
            angle: AngleClassifier::load(models)?,
            recognizer: Recognizer::load(models)?,
            params: self.clone(),
        })
    }

    /// Everything that determines what is read in a picture.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::Error::Weights) if a file is missing.
    pub fn spec(&self, models: &Models) -> Result<Spec> {
        let Self {
            confidence,
            max_pixels,
            max_side,
            lines,
        } = self;
        let params = &(VERSION, confidence, max_pixels, max_side, lines);
        models.stamp(limits::stamp(Spec::new("scene-text", params, 0)))
    }
}

/// Raised when the same networks give other results.
const VERSION: u32 = 4;

/// Pictures with a shorter side are padded, because the networks want some room around a line.
const LEAST_HEIGHT: i32 = 30;
/// Pictures wider than this many times their height are padded too.
const WIDEST: i32 = 8;

impl Reader {
    /// Reads the lines of a picture file, in reading order; empty if there is no text.
    ///
    /// # Errors
    /// [`Error::Picture`](crate::Error::Picture) for bytes that are not a picture.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<Line>> {
        timing::READING.time(|| self.read_untimed(bytes))
    }

    fn read_untimed(&self, bytes: &[u8]) -> Result<Vec<Line>> {
        let rgb = decode_rgb(bytes, self.params.max_pixels)?;
        let (picture, scale) = self.scaled(as_mat(&rgb)?)?;
        let (picture, quads, above) = self.find(picture)?;
        let lines = self.spell(&picture, &quads)?;
        let least = self.params.confidence;
        let lines = spaced::joined(lines, least)?;
        let most = Turn::of_most(&lines, least);
        let lines = order::of_lines(lines, most).into_iter();
        let sure = lines.filter(|l| l.spelling.confidence >= least);
        let placed = sure.map(|Read { quad, spelling, .. }| Line {
            text: spelling.text,
            confidence: spelling.confidence,
            quad: quad.moved(0.0, -above as f32).scaled(1.0 / scale),
        });
        Ok(placed.collect())
    }

    /// The picture scaled to at most `max_side` pixels in length, or in width for a strip, with the factor.
    fn scaled(&self, picture: Mat) -> Result<(Mat, f32)> {
        let (w, h) = (picture.cols(), picture.rows());
        let is_strip = pieces::is_strip(w, h, self.params.max_side);
        let side = if is_strip { w.min(h) } else { w.max(h) };
        if side <= self.params.max_side {
            return Ok((picture, 1.0));
        }
        let scale = self.params.max_side as f32 / side as f32;
        let size = |side: i32| ((side as f32 * scale).round() as i32).max(1);
        Ok((detection::resized(&picture, size(w), size(h))?, scale))
    }

    /// The padded picture, its boxes of text in reading order, and the number of rows added above.
    fn find(&self, picture: Mat) -> Result<(Mat, Vec<Quad>, i32)> {
        let (w, h) = (picture.cols(), picture.rows());
        let (picture, quads, above) = if pieces::is_strip(w, h, self.params.max_side) {
            let quads = self.find_in_pieces(&picture)?;
            (picture, quads, 0)
        } else {
            let (padded, above) = padded(picture)?;
            let quads = self.detector.detect(&padded)?;
            (padded, quads, above)
        };
        let quads = self.tallest(quads);
        let corners: Vec<Point> = quads.iter().map(|q| q.0[0]).collect();
        let order = order::of_corners(&corners).into_iter();
        let quads = order.map(|i| quads[i]).collect();
        Ok((picture, quads, above))
    }

    /// As many as are spelled.
    fn tallest(&self, mut quads: Vec<Quad>) -> Vec<Quad> {
        let most = self.params.lines;
        if most > 0 && quads.len() > most {
            quads.sort_by(|a, b| b.least_side().total_cmp(&a.least_side()));
            quads.truncate(most);
        }
        quads
    }

    fn find_in_pieces(&self, strip: &Mat) -> Result<Vec<Quad>> {
        let pieces = pieces::pieces(strip.cols(), strip.rows(), self.params.max_side);
        let found = pieces.into_iter().map(|place| {
            let (piece, above) = padded(Mat::roi(strip, place)?.try_clone()?)?;
            let quads = self.detector.detect(&piece)?.into_iter();
            let (x, y) = (place.x as f32, (place.y - above) as f32);
            Ok((place, quads.map(|q| q.moved(x, y)).collect()))
        });
        pieces::merged(found.collect::<Result<_>>()?)
    }
}

/// Adds black rows above and below a flat or narrow picture; also returns the number added above.
fn padded(picture: Mat) -> Result<(Mat, i32)> {
    let (h, w) = (picture.rows(), picture.cols());
    if h > LEAST_HEIGHT && w <= WIDEST * h {
        return Ok((picture, 0));
    }
    let height = (w / WIDEST).max(LEAST_HEIGHT) * 2;
    let border = (height - h).abs() / 2;
    let mut padded = Mat::default();
    let black = Scalar::default();
    core::copy_make_border(
        &picture,
        &mut padded,
        border,
        border,
        0,
        0,
        BORDER_CONSTANT,
        black,
    )?;
    Ok((padded, border))
}

/// The pixels in the order that the networks were trained on: blue, green, red.
fn as_mat(rgb: &RgbImage) -> Result<Mat> {
    let size = Size::new(rgb.width() as i32, rgb.height() as i32);
    let mut mat = Mat::new_size_with_default(size, CV_8UC3, Scalar::default())?;
    for (to, from) in mat
        .data_bytes_mut()?
        .chunks_exact_mut(3)
        .zip(rgb.as_raw().chunks_exact(3))
    {
        to.copy_from_slice(&[from[2], from[1], from[0]]);
    }
    Ok(mat)
}

//! Reading what is written in a picture: text is found by a segmentation network, each line is cut out upright,
//! and a recognition network spells it.
//!
//! The networks are those of PP-OCRv4 (Apache-2.0), which were trained on Chinese and English. They run in
//! ONNX Runtime, a shared library that is loaded when first asked for; `make ocr-models` fetches both. Here is
//! what happens between them: scaling, boxes from the map of text, perspective, reading order, decoding.

mod detection;
mod quad;
mod recognition;
mod runtime;

use std::path::{Path, PathBuf};

use image::RgbImage;
use opencv::core::{self, BORDER_CONSTANT, CV_8UC3, Mat, Scalar, Size};
use opencv::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::{Fingerprint, Spec};
use crate::error::{Error, Result};
use crate::picture::{PictureParams, decode_rgb};
use crate::timing;
use detection::Detector;
pub use quad::Quad;
use recognition::Recognizer;
use runtime::Runtime;

/// What a picture is read with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReaderParams {
    /// Folder of the networks and of ONNX Runtime, as `make ocr-models` leaves it.
    pub models: PathBuf,
    /// Lines that are read with less confidence are left out.
    pub confidence: f32,
    /// Larger pictures are refused from their header.
    pub max_pixels: u64,
    /// Larger pictures are scaled down until their longer side has this many pixels.
    pub max_side: i32,
}

impl Default for ReaderParams {
    fn default() -> Self {
        Self {
            models: "data/models/ocr".into(),
            confidence: 0.5, // as in RapidOCR 1.4.4
            max_pixels: PictureParams::default().max_pixels,
            max_side: 2000,
        }
    }
}

/// A line of text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub text: String,
    /// Mean probability of its characters.
    pub confidence: f32,
    /// Where it is in the picture, in pixels.
    pub quad: Quad,
}

/// Reads pictures; shared by threads.
pub struct Reader {
    params: ReaderParams,
    detector: Detector,
    recognizer: Recognizer,
}

impl ReaderParams {
    /// # Errors
    /// [`Error::Weights`] where a network or the runtime is missing or is not what it should be.
    pub fn load(&self) -> Result<Reader> {
        let runtime = Runtime::load(&self.models)?;
        Ok(Reader {
            detector: Detector::load(&runtime, &self.file(DETECTION))?,
            recognizer: Recognizer::load(&runtime, &self.file(RECOGNITION))?,
            params: self.clone(),
        })
    }

    /// Of all that determines what is read in a picture.
    ///
    /// # Errors
    /// [`Error::Weights`] where a file is not there.
    pub fn spec(&self) -> Result<Spec> {
        let mut spec = Spec::new(
            "scene-text",
            &(self.confidence, self.max_pixels, self.max_side),
            0,
        );
        for name in [DETECTION, RECOGNITION, runtime::LIBRARY] {
            let path = self.file(name);
            let digest = Fingerprint::of_file(&path);
            spec = spec.input(name, digest.map_err(|e| missing_or_wrong(&path, e))?);
        }
        Ok(spec)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.models.join(name)
    }
}

const DETECTION: &str = "detection.onnx";
const RECOGNITION: &str = "recognition.onnx";

/// Shorter sides are padded: the networks want some room around a line.
const LEAST_HEIGHT: i32 = 30;
/// Pictures wider than this many times their height are padded too.
const WIDEST: i32 = 8;

impl Reader {
    /// The lines of a picture file, from top to bottom and left to right; none where there is no text.
    ///
    /// # Errors
    /// [`Error::Picture`] for what is not a picture.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<Line>> {
        timing::READING.time(|| self.read_untimed(bytes))
    }

    fn read_untimed(&self, bytes: &[u8]) -> Result<Vec<Line>> {
        let rgb = decode_rgb(bytes, self.params.max_pixels)?;
        let (picture, scale) = self.scaled(as_mat(&rgb)?)?;
        let (padded, above) = padded(picture)?;
        let quads = self.detector.detect(&padded)?;
        let lines = self.recognizer.read(&padded, &quads)?;
        let read = quads
            .iter()
            .zip(lines)
            .map(|(quad, (text, confidence))| Line {
                text,
                confidence,
                quad: quad.moved(-above as f32).scaled(1.0 / scale),
            });
        let sure = |line: &Line| line.confidence >= self.params.confidence;
        Ok(read.filter(sure).collect())
    }

    /// At most `max_side` pixels long, and by what factor.
    fn scaled(&self, picture: Mat) -> Result<(Mat, f32)> {
        let longest = picture.rows().max(picture.cols());
        if longest <= self.params.max_side {
            return Ok((picture, 1.0));
        }
        let scale = self.params.max_side as f32 / longest as f32;
        let size = |side: i32| ((side as f32 * scale).round() as i32).max(1);
        let (rows, cols) = (size(picture.rows()), size(picture.cols()));
        Ok((detection::resized(&picture, cols, rows)?, scale))
    }
}

/// Black rows above and below a flat or narrow picture, and how many above.
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

/// As the networks were trained: blue, green, red.
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

/// Of a network or the runtime.
fn missing_or_wrong(path: &Path, reason: impl ToString) -> Error {
    if path.exists() {
        Error::weights(path, reason.to_string())
    } else {
        Error::weights(path, "there is no such file; `make ocr-models` fetches it")
    }
}

//! Pictures as Python has them: a path, the bytes of a file, an array, or a picture of Pillow.

use std::io::Cursor;
use std::path::PathBuf;

use image::{ImageFormat, RgbImage};
use numpy::{PyReadonlyArray2, PyReadonlyArray3, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::raised;

/// Modes of Pillow that a PNG holds as they are.
const OF_PNG: [&str; 7] = ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"];

/// What was given for a picture.
pub enum Given {
    Path(PathBuf),
    Bytes(Vec<u8>),
    Pixels(RgbImage),
}

impl Given {
    /// # Errors
    /// `TypeError` for what is no picture, `ValueError` for an array of another shape.
    pub fn of(any: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(path) = any.cast::<PyString>() {
            return Ok(Self::Path(path.extract()?));
        }
        if let Ok(bytes) = any.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.as_bytes().to_vec()));
        }
        if let Ok(rgb) = any.extract::<PyReadonlyArray3<u8>>() {
            let &[height, width, channels] = rgb.shape() else {
                return Err(wrong_shape());
            };
            if channels != 3 {
                return Err(wrong_shape());
            }
            let pixels = rgb.as_array().iter().copied().collect();
            return Self::pixels(width, height, pixels);
        }
        if let Ok(grey) = any.extract::<PyReadonlyArray2<u8>>() {
            let &[height, width] = grey.shape() else {
                return Err(wrong_shape());
            };
            let pixels = grey.as_array().iter().flat_map(|&v| [v; 3]).collect();
            return Self::pixels(width, height, pixels);
        }
        if any.hasattr("convert")? && any.hasattr("size")? {
            return Self::of_pillow(any);
        }
        match any.extract::<PathBuf>() {
            Ok(path) => Ok(Self::Path(path)),
            Err(_) => Err(PyTypeError::new_err(format!(
                "a picture is a path, bytes, a picture of Pillow or an array of uint8 (height, width, 3), not {}",
                any.get_type().name()?
            ))),
        }
    }

    /// The file that Pillow writes of a picture: upright as its camera says, and with what is transparent, so that it is
    /// treated as its own file would be.
    fn of_pillow(any: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = any.py();
        let mut picture = py
            .import("PIL.ImageOps")?
            .call_method1("exif_transpose", (any,))?;
        let mode: String = picture.getattr("mode")?.extract()?;
        if !OF_PNG.contains(&mode.as_str()) {
            picture = picture.call_method1("convert", ("RGB",))?;
        }
        let file = py.import("io")?.call_method0("BytesIO")?;
        let kwargs = PyDict::new(py);
        kwargs.set_item("compress_level", 1)?;
        picture.call_method("save", (&file, "PNG"), Some(&kwargs))?;
        let bytes = file.call_method0("getvalue")?;
        Ok(Self::Bytes(bytes.cast::<PyBytes>()?.as_bytes().to_vec()))
    }

    /// # Errors
    /// `TypeError` for what is one picture, and no list of them, besides those of [`Self::of`].
    pub fn all(pictures: &Bound<'_, PyAny>) -> PyResult<Vec<Self>> {
        let is_one = pictures.is_instance_of::<PyString>()
            || pictures.is_instance_of::<PyBytes>()
            || pictures
                .cast::<PyUntypedArray>()
                .is_ok_and(|a| a.ndim() < 4);
        if is_one {
            return Err(PyTypeError::new_err(
                "pictures are given as a list: [picture] where there is one",
            ));
        }
        let of = |(i, picture): (usize, PyResult<Bound<'_, PyAny>>)| {
            // a long list is worth leaving, too
            if i % 1024 == 0 {
                pictures.py().check_signals()?;
            }
            Self::of(&picture?)
        };
        pictures.try_iter()?.enumerate().map(of).collect()
    }

    fn pixels(width: usize, height: usize, pixels: Vec<u8>) -> PyResult<Self> {
        let side = |n: usize| u32::try_from(n).ok().filter(|&n| n > 0);
        let image = side(width)
            .zip(side(height))
            .and_then(|(w, h)| RgbImage::from_raw(w, h, pixels));
        image.map(Self::Pixels).ok_or_else(wrong_shape)
    }

    /// The bytes of its file; pixels become those of a PNG, so that they are treated as files are.
    pub fn bytes(&self) -> tuwen::Result<Vec<u8>> {
        match self {
            Self::Path(path) => tuwen::picture::read(path),
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::Pixels(image) => {
                let mut bytes = Cursor::new(Vec::new());
                image
                    .write_to(&mut bytes, ImageFormat::Png)
                    .expect("memory takes a PNG of any pixels");
                Ok(bytes.into_inner())
            }
        }
    }

    /// How a message names it.
    pub fn name(&self, number: usize) -> String {
        match self {
            Self::Path(path) => tuwen::files::printable(path),
            _ => format!("picture {number}"),
        }
    }
}

/// The bytes of one picture.
pub fn bytes_of(any: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    Given::of(any)?.bytes().map_err(raised)
}

fn wrong_shape() -> PyErr {
    PyValueError::new_err(
        "an array of pixels has the shape (height, width, 3) or (height, width), and no side of 0",
    )
}

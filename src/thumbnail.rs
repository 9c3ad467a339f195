//! Small JPEGs of pictures, for pages.

use std::io::Cursor;

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use tuwen::picture::decode;

const QUALITY: u8 = 82;

/// A small JPEG of a picture file, its longer side at most so many pixels.
///
/// # Errors
/// [`tuwen::Error::Picture`] for bytes that cannot be decoded.
pub fn jpeg(bytes: &[u8], most: u32) -> tuwen::Result<Vec<u8>> {
    // It was within the limits before.
    let decoded = decode(bytes, u64::MAX, Some(2 * most))?;
    of_pixels(&decoded.rgb, most)
}

/// The same of a picture that is decoded.
///
/// # Errors
/// [`tuwen::Error::Picture`] for a picture without pixels.
pub fn of_pixels(rgb: &RgbImage, most: u32) -> tuwen::Result<Vec<u8>> {
    let scale = f64::from(most) / f64::from(rgb.width().max(rgb.height()));
    let side = |v: u32| ((f64::from(v) * scale.min(1.0)).round() as u32).max(1);
    let (width, height) = (side(rgb.width()), side(rgb.height()));
    let small = imageops::resize(rgb, width, height, FilterType::Triangle);
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(&small)
        .map_err(|e| tuwen::Error::Picture {
            reason: e.to_string(),
        })?;
    Ok(jpeg.into_inner())
}

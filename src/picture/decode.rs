//! Decodes any picture file to RGB.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageReader, Limits, Rgb, RgbImage, Rgba};

use super::jpeg::Jpeg;
use super::limits::{self, Held};
use super::tiff::{self, Tiff};
use super::{format, ico, png};
use crate::error::{Error, Result};

/// Number of pixels from which a JPEG is decoded at a reduced scale if its working size allows. It is fixed, so
/// that the result does not depend on the limits.
const REDUCED_FROM: u64 = 100_000_000;

/// A decoded picture.
pub struct Decoded {
    /// Pixels, upright, and at full size unless a smaller one was asked for.
    pub rgb: RgbImage,
    /// Width and height of the whole picture, upright.
    pub size: (u32, u32),
    pub(super) held: Held,
}

/// Decodes a picture file at full size.
///
/// # Errors
/// See [`decode`].
pub fn decode_rgb(bytes: &[u8], max_pixels: u64) -> Result<RgbImage> {
    Ok(decode(bytes, max_pixels, None)?.rgb)
}

/// Decodes a picture file. Very large JPEGs are decoded at a reduced scale if `side` pixels of the longer side are
/// enough.
///
/// # Errors
/// [`Error::Picture`] for bytes that are not a complete picture, for more than `max_pixels` pixels, or if decoding
/// needs more memory than all decoders may hold.
pub fn decode(bytes: &[u8], max_pixels: u64, side: Option<u32>) -> Result<Decoded> {
    if bytes.is_empty() {
        return Err(Error::picture("the file is empty"));
    }
    // A decoder that panics on hostile bytes has found a bad picture, not ended our run.
    catch_unwind(AssertUnwindSafe(|| unguarded(bytes, max_pixels, side)))
        .unwrap_or_else(|_| Err(Error::picture("the decoder panicked")))
}

fn unguarded(bytes: &[u8], max_pixels: u64, side: Option<u32>) -> Result<Decoded> {
    let stored = if Jpeg::is(bytes) {
        of_jpeg(&Jpeg::open(bytes)?, max_pixels, side)?
    } else if tiff::is(bytes) {
        of_tiff(&Tiff::open(bytes)?, max_pixels)?
    } else if let Some(picture) = ico::largest(bytes) {
        of_others(&picture, max_pixels)?
    } else {
        of_others(bytes, max_pixels)?
    };
    let Stored {
        mut image,
        size: (w, h),
        orientation,
        held,
    } = stored;
    image.apply_orientation(orientation);
    Ok(Decoded {
        rgb: laid_on_background(image),
        size: if is_turned(orientation) {
            (h, w)
        } else {
            (w, h)
        },
        held,
    })
}

/// A picture as it is stored in the file.
struct Stored {
    image: DynamicImage,
    size: (u32, u32),
    orientation: Orientation,
    held: Held,
}

fn of_jpeg(jpeg: &Jpeg, max_pixels: u64, side: Option<u32>) -> Result<Stored> {
    let size = jpeg.dimensions();
    limits::check(size, max_pixels)?;
    let many = u64::from(size.0) * u64::from(size.1) > REDUCED_FROM;
    let side = side.filter(|_| many);
    let held = limits::hold(jpeg.memory(side), size)?;
    Ok(Stored {
        image: jpeg.decode(side)?,
        size,
        orientation: jpeg.orientation(),
        held,
    })
}

fn of_tiff(tiff: &Tiff, max_pixels: u64) -> Result<Stored> {
    let size = tiff.dimensions();
    limits::check(size, max_pixels)?;
    let held = limits::hold(tiff.memory(), size)?;
    Ok(Stored {
        image: tiff.decode()?,
        size,
        orientation: tiff.orientation(),
        held,
    })
}

/// Decodes what the image crate can.
fn of_others(bytes: &[u8], max_pixels: u64) -> Result<Stored> {
    let closed = png::closed(bytes);
    let reader = ImageReader::new(Cursor::new(&*closed));
    let mut reader = reader.with_guessed_format().map_err(Error::picture)?;
    if !reader.format().is_some_and(|f| f.reading_enabled()) {
        return Err(format::unknown(bytes));
    }
    let mut own = Limits::no_limits();
    own.max_alloc = Some(limits::memory()); // for what decoders hold beside the pixels
    reader.limits(own);
    let mut decoder = reader.into_decoder().map_err(Error::picture)?;
    let size = decoder.dimensions();
    limits::check(size, max_pixels)?;
    let held = limits::hold(memory(&decoder), size)?;
    let orientation = decoder.orientation().map_err(Error::picture)?;
    Ok(Stored {
        image: DynamicImage::from_decoder(decoder).map_err(Error::picture)?,
        size,
        orientation,
        held,
    })
}

/// Bytes that decoding holds at once: the pixels as stored, and every form they take until they are RGB.
fn memory(decoder: &impl ImageDecoder) -> u64 {
    let (w, h) = decoder.dimensions();
    let stored = match decoder.color_type() {
        ColorType::Rgb8 => 3,
        ColorType::Rgba8 => 4 + 3,
        colour if colour.has_alpha() => u64::from(colour.bytes_per_pixel()) + 4 + 3,
        colour => u64::from(colour.bytes_per_pixel()) + 3,
    };
    u64::from(w) * u64::from(h) * stored
}

/// Whether an orientation exchanges width and height.
fn is_turned(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(
        orientation,
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH
    )
}

/// Mean luma, from 0 to 255, from which the visible part of a transparent picture would be lost on white.
const LIGHT: u64 = 208;

/// Lays transparency on white, or on black if the visible part is light.
fn laid_on_background(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    let (mut sum, mut weight) = (0, 0);
    for &Rgba([r, g, b, a]) in rgba.pixels() {
        sum += u64::from(super::luma([r, g, b])) * u64::from(a);
        weight += u64::from(a);
    }
    let light = weight > 0 && sum > LIGHT * weight;
    let background: u32 = if light { 0 } else { 255 };
    let (w, h) = rgba.dimensions();
    let over = |&Rgba([r, g, b, a]): &Rgba<u8>| {
        let a = u32::from(a);
        let over = |c: u8| ((u32::from(c) * a + background * (255 - a) + 127) / 255) as u8;
        Rgb([r, g, b].map(over))
    };
    RgbImage::from_fn(w, h, |x, y| over(rgba.get_pixel(x, y)))
}

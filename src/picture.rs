//! Picture files to pixels: any common format by its content, in memory-safe code.
//!
//! - the size is checked in the header before anything is decoded (decompression bombs);
//! - EXIF orientation is applied; transparency is laid on white; 16 bits become 8; CMYK and palettes
//!   become RGB; of an animation the first frame counts;
//! - a JPEG that breaks off is refused, where most decoders fill the rest with grey.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::imageops;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageReader, Luma, Rgb, RgbImage};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::timing;

/// How pictures are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureParams {
    /// Larger pictures are refused from their header.
    pub max_pixels: u64,
    /// Larger pictures are scaled down until their longer side has this many pixels.
    pub max_side: u32,
    /// Smaller pictures are scaled up until their longer side has this many pixels (0: never).
    pub min_side: u32,
}

impl Default for PictureParams {
    fn default() -> Self {
        Self {
            max_pixels: 100_000_000,
            max_side: 512,
            min_side: 0,
        }
    }
}

/// A decoded picture at its working size.
pub struct Picture {
    pub rgb: RgbImage,
    /// Luma of the same size.
    pub gray: GrayImage,
}

impl Picture {
    pub fn from_rgb(rgb: RgbImage) -> Self {
        let gray = GrayImage::from_fn(rgb.width(), rgb.height(), |x, y| {
            Luma([luma(rgb.get_pixel(x, y).0)])
        });
        Self { rgb, gray }
    }

    /// Left and right exchanged.
    pub fn mirrored(&self) -> Self {
        Self {
            rgb: imageops::flip_horizontal(&self.rgb),
            gray: imageops::flip_horizontal(&self.gray),
        }
    }

    /// Decodes the bytes of a picture file and brings it to working size.
    ///
    /// # Errors
    /// [`Error::Picture`] for what is not a whole picture of at most `max_pixels`.
    pub fn decode(bytes: &[u8], params: &PictureParams) -> Result<Self> {
        let rgb = timing::DECODE.time(|| decode_rgb(bytes, params.max_pixels))?;
        timing::DECODE.did(u64::from(rgb.width()) * u64::from(rgb.height()));
        Ok(timing::SCALE.time(|| Self::at_working_size(rgb, params)))
    }

    fn at_working_size(rgb: RgbImage, params: &PictureParams) -> Self {
        let side = rgb.width().max(rgb.height());
        let target = side.min(params.max_side).max(params.min_side);
        if side == target {
            return Self::from_rgb(rgb);
        }
        let scale = |v: u32| {
            ((u64::from(v) * u64::from(target) + u64::from(side) / 2) / u64::from(side)).max(1)
                as u32
        };
        let (w, h) = (scale(rgb.width()), scale(rgb.height()));
        Self::from_rgb(resized(&rgb, w, h))
    }
}

/// By a triangle that is as wide as the step between pixels, so that all of them count when shrinking.
fn resized(rgb: &RgbImage, width: u32, height: u32) -> RgbImage {
    const EXPECT: &str = "three bytes a pixel, and some pixels";
    let (w, h) = rgb.dimensions();
    let source = ImageRef::new(w, h, rgb, PixelType::U8x3).expect(EXPECT);
    let mut target = Image::new(width, height, PixelType::U8x3);
    let triangle = ResizeAlg::Convolution(FilterType::Bilinear);
    let options = ResizeOptions::new().resize_alg(triangle);
    let done = Resizer::new().resize(&source, &mut target, &options);
    done.expect(EXPECT);
    RgbImage::from_raw(width, height, target.into_vec()).expect(EXPECT)
}

/// ITU-R BT.601 luma, which JPEG uses, in the 15-bit fixed point of OpenCV's `cvtColor`: its
/// descriptors then come out the same.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    ((9798 * u32::from(r) + 19235 * u32::from(g) + 3735 * u32::from(b) + (1 << 14)) >> 15) as u8
}

/// Decodes at full size.
pub fn decode_rgb(bytes: &[u8], max_pixels: u64) -> Result<RgbImage> {
    if bytes.is_empty() {
        return Err(Error::picture("the file is empty"));
    }
    if is_cut_jpeg(bytes) {
        return Err(Error::picture("the JPEG breaks off"));
    }
    // A decoder that panics on hostile bytes has found a bad picture, not ended our run.
    catch_unwind(AssertUnwindSafe(|| decode_unguarded(bytes, max_pixels)))
        .unwrap_or_else(|_| Err(Error::picture("the decoder gave up")))
}

fn decode_unguarded(bytes: &[u8], max_pixels: u64) -> Result<RgbImage> {
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(Error::picture)?;
    if reader.format().is_none() {
        return Err(Error::picture("not a picture in a known format"));
    }
    let mut decoder = reader.into_decoder().map_err(Error::picture)?;
    let (w, h) = decoder.dimensions();
    if u64::from(w) * u64::from(h) > max_pixels {
        return Err(Error::picture(format!(
            "{w}x{h} pixels, more than max_pixels = {max_pixels}"
        )));
    }
    if w == 0 || h == 0 {
        return Err(Error::picture("it has no pixels"));
    }
    let orientation = decoder.orientation().map_err(Error::picture)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(Error::picture)?;
    image.apply_orientation(orientation);
    Ok(on_white(image))
}

fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0.map(u32::from);
        let over = |c: u32| ((c * a + 255 * (255 - a) + 127) / 255) as u8;
        Rgb([over(r), over(g), over(b)])
    })
}

/// Whether a JPEG ends before its end-of-image marker (ITU-T T.81, annex B). What follows that marker does
/// not matter: phones append films to pictures.
fn is_cut_jpeg(bytes: &[u8]) -> bool {
    const START_OF_IMAGE: u8 = 0xd8;
    const END_OF_IMAGE: u8 = 0xd9;
    const START_OF_SCAN: u8 = 0xda;
    if !bytes.starts_with(&[0xff, START_OF_IMAGE]) {
        return false;
    }
    let mut at = 2;
    let mut in_scan = false;
    while let (Some(&first), Some(&marker)) = (bytes.get(at), bytes.get(at + 1)) {
        match (first, marker) {
            (0xff, END_OF_IMAGE) => return false,
            (0xff, 0xff) => at += 1,                      // fill
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => at += 2, // a stuffed byte, or a marker that stands alone
            (0xff, _) => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else {
                    return true;
                };
                at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2);
                in_scan = in_scan || marker == START_OF_SCAN;
            }
            _ if in_scan => at += 1, // compressed data
            _ => return false,       // not a JPEG as it should be: the decoder will say
        }
    }
    true
}

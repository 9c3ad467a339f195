//! Picture files become pixels: any common format, recognised by its content and decoded by memory-safe code.
//!
//! - The size is checked in the header before anything is decoded (decompression bombs), and all decoders together
//!   respect a memory limit ([`limits`]): large pictures wait for each other.
//! - EXIF orientation is applied. Transparency is laid on white, or on black if the visible part is light. 16 bits
//!   become 8, CMYK and palettes become RGB, floats are scaled. The first frame of an animation counts.
//! - A truncated JPEG is refused, while most decoders fill the rest with grey.
//! - Formats that are recognised but not read (HEIC, AVIF, camera raw) are named.

mod decode;
pub mod exif;
mod format;
mod ico;
mod jpeg;
pub mod limits;
mod png;
mod refused;
mod tiff;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::imageops;
use image::{GrayImage, Luma, RgbImage};
use serde::{Deserialize, Serialize};

pub use decode::{Decoded, decode, decode_rgb};
pub use format::{check_head, format_name, is_picture, read};

use crate::error::Result;
use crate::timing;

/// Settings for reading pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureParams {
    /// Largest number of pixels; larger pictures are refused from their header.
    pub max_pixels: u64,
    /// Longer side in pixels to which larger pictures are scaled down.
    pub max_side: u32,
    /// Longer side in pixels to which smaller pictures are scaled up; 0 for never.
    pub min_side: u32,
}

impl Default for PictureParams {
    fn default() -> Self {
        Self {
            max_pixels: 250_000_000, // phone cameras have 200 million
            max_side: 512,
            min_side: 0,
        }
    }
}

impl PictureParams {
    /// The settings that determine a picture's pixels: `max_side` and `min_side`, but not the limits.
    pub fn size(&self) -> (u32, u32) {
        (self.max_side, self.min_side)
    }
}

/// A decoded picture at its working size.
pub struct Picture {
    /// Colours, upright.
    pub rgb: RgbImage,
    /// Luma (ITU-R BT.601) of the same size.
    pub gray: GrayImage,
}

impl Picture {
    /// Takes pixels as they are and computes their luma.
    pub fn from_rgb(rgb: RgbImage) -> Self {
        let gray = GrayImage::from_fn(rgb.width(), rgb.height(), |x, y| {
            Luma([luma(rgb.get_pixel(x, y).0)])
        });
        Self { rgb, gray }
    }

    /// The mirror image: left and right are exchanged.
    pub fn mirrored(&self) -> Self {
        Self {
            rgb: imageops::flip_horizontal(&self.rgb),
            gray: imageops::flip_horizontal(&self.gray),
        }
    }

    /// Decodes the bytes of a picture file and scales it to its working size.
    ///
    /// # Errors
    /// [`Error::Picture`](crate::Error::Picture) for bytes that are not a complete picture of at most `max_pixels`
    /// pixels.
    pub fn decode(bytes: &[u8], params: &PictureParams) -> Result<Self> {
        Ok(Self::decode_with_size(bytes, params)?.0)
    }

    /// As [`Self::decode`], with the picture's own width and height in pixels.
    ///
    /// # Errors
    /// Those of [`Self::decode`].
    pub fn decode_with_size(bytes: &[u8], params: &PictureParams) -> Result<(Self, (u32, u32))> {
        // twice as much is enough for scaling down
        let side = params.max_side.max(params.min_side).saturating_mul(2);
        let decoded = timing::DECODE.time(|| decode(bytes, params.max_pixels, Some(side)))?;
        let Decoded { rgb, size, held } = decoded;
        timing::DECODE.did(u64::from(size.0) * u64::from(size.1));
        let picture = timing::SCALE.time(|| Self::at_working_size(rgb, params));
        drop(held);
        Ok((picture, size))
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
        Self::from_rgb(resized(&rgb, w, h, FilterType::Bilinear))
    }
}

/// Scales by a filter that is as wide as the step between pixels, so that all pixels count when shrinking.
pub(crate) fn resized(rgb: &RgbImage, width: u32, height: u32, filter: FilterType) -> RgbImage {
    const EXPECT: &str = "three bytes a pixel, and some pixels";
    let (w, h) = rgb.dimensions();
    let mut pixels = RgbImage::new(width, height);
    let source = TypedImageRef::<U8x3>::from_buffer(w, h, rgb).expect(EXPECT);
    let mut target = TypedImage::<U8x3>::from_buffer(width, height, &mut pixels).expect(EXPECT);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    // By its type, so that the code for other types of pixels is not built.
    let done = Resizer::new().resize_typed(&source, &mut target, &options);
    done.expect(EXPECT);
    drop(target);
    pixels
}

/// ITU-R BT.601 luma, which JPEG uses, in the 15-bit fixed point of OpenCV's `cvtColor`, so that descriptors equal
/// OpenCV's.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    ((9798 * u32::from(r) + 19235 * u32::from(g) + 3735 * u32::from(b) + (1 << 14)) >> 15) as u8
}

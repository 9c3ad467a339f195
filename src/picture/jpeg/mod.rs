//! JPEG: chooses the decoder that gets the pixels right, and checks whether the file is complete.
//!
//! zune-jpeg, through the image crate, is the fast decoder, and right for what nearly every encoder writes: one
//! frame of 8 bits whose first scan holds all components, with the usual sampling. Other files go to jpeg-decoder,
//! which also decodes at a reduced scale. What neither can decode is named.

mod bits;
mod header;
pub(super) mod marker;
mod scans;

use std::borrow::Cow;
use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageBuffer, Luma, RgbImage};

use self::header::Header;
pub(super) use self::header::{Next, segment};
use crate::error::{Error, Result};

const BREAKS_OFF: &str = "truncated JPEG";

/// A JPEG file whose header was read.
pub struct Jpeg<'a> {
    bytes: &'a [u8],
    header: Header,
}

impl<'a> Jpeg<'a> {
    pub fn is(bytes: &[u8]) -> bool {
        bytes.starts_with(&[0xff, marker::SOI])
    }

    /// Reads the header.
    ///
    /// # Errors
    /// [`Error::Picture`] for bytes without a frame that can be decoded.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let header = Header::read(bytes).map_err(Error::picture)?;
        let refused = match (header.process, header.precision) {
            (marker::SOF0..=marker::SOF2, 8) | (marker::SOF3, 2..=16) => None,
            (marker::SOF0..=marker::SOF2, bits) => Some(format!("JPEG with {bits} bits a sample")),
            (0xc9..=0xcb, _) => Some("JPEG with arithmetic coding".to_owned()),
            _ => Some("hierarchical JPEG".to_owned()),
        };
        match refused {
            Some(what) => Err(super::refused::not_supported(&what)),
            None => Ok(Self { bytes, header }),
        }
    }

    /// Width and height as stored, before the picture is turned upright.
    pub fn dimensions(&self) -> (u32, u32) {
        (self.header.width.into(), self.header.height.into())
    }

    pub fn orientation(&self) -> Orientation {
        self.header.orientation
    }

    /// Bytes that decoding holds at once: planes and pixels at their scale, and all coefficients of progressive
    /// scans.
    pub fn memory(&self, side: Option<u32>) -> u64 {
        let (w, h) = self.dimensions();
        let pixels = u64::from(w) * u64::from(h);
        let (most_h, most_v) = self.header.most();
        let area = |h: u8, v: u8| u64::from(h) * u64::from(v);
        let areas: u64 = self
            .header
            .components
            .iter()
            .map(|c| area(c.horizontal, c.vertical))
            .sum();
        let samples = pixels * areas / area(most_h, most_v);
        let scale = match side {
            Some(side) => [8, 4, 2].into_iter().find(|&s| w.max(h) >= s * side),
            None => None,
        };
        let scale = u64::from(scale.unwrap_or(1));
        let coefficients = match self.header.process {
            marker::SOF0 | marker::SOF1 => 0,
            _ => 2 * samples,
        };
        (samples + 3 * pixels) / (scale * scale) + coefficients
    }

    /// Decodes at full size, or at an eighth, a quarter or half of it if the longer side stays at least `side`.
    ///
    /// # Errors
    /// [`Error::Picture`] for a truncated file.
    pub fn decode(&self, side: Option<u32>) -> Result<DynamicImage> {
        if self.header.process == marker::SOF3 {
            return self.slowly(self.closed()?, None);
        }
        let scans = scans::walk(self.bytes, &self.header).map_err(Error::picture)?;
        // Without what follows it: films, second pictures.
        let whole = match self.bytes.get(scans.end..scans.end + 2) {
            Some([0xff, marker::EOI]) => Cow::Borrowed(&self.bytes[..scans.end + 2]),
            _ => Cow::Owned([&self.bytes[..scans.end], &[0xff, marker::EOI]].concat()),
        };
        if side.is_none() && scans.interleaved && self.is_usual() {
            let decoder = JpegDecoder::new(Cursor::new(&*whole)).map_err(Error::picture)?;
            return DynamicImage::from_decoder(decoder).map_err(Error::picture);
        }
        self.slowly(&whole, side)
    }

    /// Whether zune-jpeg gets the colours right: of pictures with four inks, those in inverted CMYK as Adobe writes
    /// it, not YCCK.
    fn is_usual(&self) -> bool {
        let inks = self.header.components.len() == 4;
        self.is_sampled_usually() && (!inks || self.header.adobe == Some(0))
    }

    /// Whether the sampling is usual: one component; three, with the second and third at most half as dense each
    /// way; or four alike.
    fn is_sampled_usually(&self) -> bool {
        let factors = self.header.components.iter();
        let factors: Vec<(u8, u8)> = factors.map(|c| (c.horizontal, c.vertical)).collect();
        match factors[..] {
            [_] => true,
            [(h, v), (1, 1), (1, 1)] => h <= 2 && v <= 2,
            [(1, 1), (1, 1), (1, 1), (1, 1)] => true,
            _ => false,
        }
    }

    /// Checks a file for callers that pass it to zune-jpeg themselves.
    ///
    /// # Errors
    /// [`Error::Picture`] for a file that is truncated or would be decoded wrongly.
    pub fn check(&self) -> Result<()> {
        let scans = scans::walk(self.bytes, &self.header).map_err(Error::picture)?;
        match scans.interleaved && self.is_sampled_usually() {
            true => Ok(()),
            false => Err(super::refused::not_supported(
                "JPEG with unusual sampling in a TIFF",
            )),
        }
    }

    /// The bytes of a lossless JPEG, whose scans are not walked over: its end marker must be there.
    fn closed(&self) -> Result<&[u8]> {
        let end = self.bytes.windows(2).position(|w| w == [0xff, marker::EOI]);
        match end {
            Some(end) => Ok(&self.bytes[..end + 2]),
            None => Err(Error::picture(BREAKS_OFF)),
        }
    }

    fn slowly(&self, bytes: &[u8], side: Option<u32>) -> Result<DynamicImage> {
        use jpeg_decoder::{Decoder, PixelFormat};
        let mut decoder = Decoder::new(bytes);
        decoder.read_info().map_err(Error::picture)?;
        if let Some(side) = side {
            let (w, h) = (self.header.width, self.header.height);
            let longer = u32::from(w.max(h)).max(1);
            let scaled = |v: u16| (u32::from(v) * side.min(longer)).div_ceil(longer) as u16;
            decoder
                .scale(scaled(w), scaled(h))
                .map_err(Error::picture)?;
        }
        let pixels = decoder.decode().map_err(Error::picture)?;
        let info = decoder
            .info()
            .ok_or_else(|| Error::picture("it has no pixels"))?;
        let (w, h) = (info.width.into(), info.height.into());
        let image = match info.pixel_format {
            PixelFormat::L8 => GrayImage::from_raw(w, h, pixels).map(DynamicImage::from),
            PixelFormat::L16 => {
                let shift = 16 - u32::from(self.header.precision.clamp(1, 16));
                let values = pixels.as_chunks().0.iter();
                let values = values.map(|&b| u16::from_ne_bytes(b) << shift).collect();
                ImageBuffer::<Luma<u16>, _>::from_raw(w, h, values).map(DynamicImage::from)
            }
            PixelFormat::RGB24 => RgbImage::from_raw(w, h, pixels).map(DynamicImage::from),
            PixelFormat::CMYK32 => RgbImage::from_raw(w, h, rgb(&pixels)).map(DynamicImage::from),
        };
        image.ok_or_else(|| Error::picture("its pixels do not fit its size"))
    }
}

/// RGB from cyan, magenta, yellow and black, where 0 is no ink.
fn rgb(cmyk: &[u8]) -> Vec<u8> {
    let pixels = cmyk.as_chunks::<4>().0.iter();
    let paper = |ink: u8| 255 - u32::from(ink);
    let under_black =
        |&[c, m, y, k]: &[u8; 4]| [c, m, y].map(|v| ((paper(v) * paper(k) + 127) / 255) as u8);
    pixels.flat_map(under_black).collect()
}

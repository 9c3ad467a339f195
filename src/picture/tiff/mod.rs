//! TIFF and BigTIFF: decodes the first picture of a file.
//!
//! The `tiff` crate undoes strips, tiles, planes, compression and prediction. It is given a copy of the file whose
//! photometric interpretation asks for bare samples, and this module interprets them: the crate supports neither
//! palettes nor Lab nor bits in the other order.

mod directory;
mod samples;

use std::borrow::Cow;
use std::io::Cursor;

use image::DynamicImage;
use image::metadata::Orientation;
use tiff::decoder::{Decoder, DecodingResult, Limits};

use self::directory::{Directory, tag};
use self::samples::{Alpha, Samples, Space};
use super::jpeg::Jpeg;
use super::limits::LONGEST_SIDE;
use super::refused::not_supported;
use crate::error::{Error, Result};

pub fn is(bytes: &[u8]) -> bool {
    Directory::is(bytes) && bytes.get(8..11) != Some(b"CR\x02") // Canon's raw files begin as TIFF
}

/// A TIFF file whose first directory was read.
pub struct Tiff<'a> {
    bytes: &'a [u8],
    directory: Directory<'a>,
}

/// Photometric interpretations (TIFF 6.0; DNG 1.4).
const BLACK_IS_ZERO: u64 = 1;
const CFA: u64 = 32803;
const LINEAR_RAW: u64 = 34892;
/// Compression by LZW.
const LZW: u64 = 5;
/// Compression by JPEG, the older and the newer way.
const OLD_JPEG: u64 = 6;
const JPEG: u64 = 7;

impl<'a> Tiff<'a> {
    /// Reads the first directory.
    ///
    /// # Errors
    /// [`Error::Picture`] for a file without a directory, and for camera raw files, whose first picture is a
    /// thumbnail.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let damaged = || Error::picture("truncated or damaged TIFF");
        let directory = Directory::read(bytes).ok_or_else(damaged)?;
        let tiff = Self { bytes, directory };
        let photometric = tiff.photometric();
        let thumbnail = tiff.number(tag::SUBFILE_TYPE, 0) & 1 == 1;
        let raw = tiff.directory.has(tag::DNG_VERSION)
            || photometric == CFA
            || photometric == LINEAR_RAW
            || (thumbnail && tiff.directory.has(tag::SUB_DIRECTORIES));
        if raw {
            return Err(not_supported("camera raw (TIFF)"));
        }
        let tile = [tag::TILE_WIDTH, tag::TILE_HEIGHT].map(|side| tiff.number(side, 0));
        if tile.iter().any(|&side| side > u64::from(LONGEST_SIDE)) {
            return Err(damaged());
        }
        if tiff.number(tag::COMPRESSION, 1) == OLD_JPEG {
            return Err(not_supported("TIFF with old-style JPEG"));
        }
        Ok(tiff)
    }

    fn number(&self, tag: u16, otherwise: u64) -> u64 {
        self.directory.number_of(tag).unwrap_or(otherwise)
    }

    fn photometric(&self) -> u64 {
        self.number(tag::PHOTOMETRIC, BLACK_IS_ZERO)
    }

    fn samples(&self) -> u64 {
        self.number(tag::SAMPLES, 1).max(1)
    }

    /// Width and height as stored, before the picture is turned upright.
    pub fn dimensions(&self) -> (u32, u32) {
        let side = |tag| u32::try_from(self.number(tag, 0)).unwrap_or(u32::MAX);
        (side(tag::WIDTH), side(tag::HEIGHT))
    }

    /// The size that is decoded. The decoder fails on LZW tiles that extend over the edge, so it is told that the
    /// picture extends as far.
    fn tiled(&self) -> (u32, u32) {
        let (w, h) = self.dimensions();
        if self.number(tag::COMPRESSION, 1) != LZW {
            return (w, h);
        }
        let whole = |side: u32, tile| match self.number(tile, 0) {
            0 => side,
            n => u32::try_from(u64::from(side).next_multiple_of(n)).unwrap_or(u32::MAX),
        };
        (whole(w, tag::TILE_WIDTH), whole(h, tag::TILE_HEIGHT))
    }

    pub fn orientation(&self) -> Orientation {
        let value = self.number(tag::ORIENTATION, 1).min(255) as u8;
        Orientation::from_exif(value).unwrap_or(Orientation::NoTransforms)
    }

    /// Bytes that decoding holds at once: the samples as decoded and as bytes, the pixels, and a copy of the file.
    pub fn memory(&self) -> u64 {
        let (w, h) = self.tiled();
        let pixels = u64::from(w) * u64::from(h);
        let bits = self.number(tag::BITS, 1).min(64);
        let samples = pixels.saturating_mul(self.samples());
        let raw = samples.saturating_mul(bits).div_ceil(8);
        let rest = samples.saturating_add(pixels.saturating_mul(4));
        raw.saturating_add(rest)
            .saturating_add(self.bytes.len() as u64)
    }

    /// Decodes the picture.
    ///
    /// # Errors
    /// [`Error::Picture`] for a truncated file, or one in an encoding that is not supported.
    pub fn decode(&self) -> Result<DynamicImage> {
        let space = self.space()?;
        if self.number(tag::COMPRESSION, 1) == JPEG {
            self.check_jpegs()?;
        }
        let bytes = self.bare();
        let limits = Limits::unlimited(); // the size was judged before
        let decoder = Decoder::new(Cursor::new(&*bytes)).map_err(wrong)?;
        let mut decoder = decoder.with_limits(limits);
        let mut data = DecodingResult::U8(vec![]);
        decoder.read_image_to_buffer(&mut data).map_err(wrong)?;
        drop(bytes);
        let (width, height) = self.tiled();
        let samples = Samples {
            data,
            width: width as usize,
            height: height as usize,
            count: self.samples() as usize,
            bits: self.number(tag::BITS, 1) as u32,
            planar: self.number(tag::PLANAR, 1) == 2 && self.samples() > 1,
            nodata: self.directory.said(tag::NODATA),
        };
        let image = samples.image(&space, self.alpha(&space))?;
        let (w, h) = self.dimensions();
        Ok(match (width, height) == (w, h) {
            true => image,
            false => image.crop_imm(0, 0, w, h),
        })
    }

    /// The file as the decoder should see it: samples without a meaning, the highest bit of a byte first.
    fn bare(&self) -> Cow<'a, [u8]> {
        let reversed = self.number(tag::FILL_ORDER, 1) == 2;
        let (width, height) = self.tiled();
        let plain = self.photometric() == BLACK_IS_ZERO && (width, height) == self.dimensions();
        if plain && !reversed {
            return Cow::Borrowed(self.bytes);
        }
        let mut copy = self.bytes.to_vec();
        let photometric = BLACK_IS_ZERO as u32;
        self.directory.put(&mut copy, tag::PHOTOMETRIC, photometric);
        self.directory.put(&mut copy, tag::WIDTH, width);
        self.directory.put(&mut copy, tag::HEIGHT, height);
        // As libtiff has it, the bits of JPEG streams stay.
        if reversed && self.number(tag::COMPRESSION, 1) != JPEG {
            for (start, end) in self.chunks() {
                if let Some(data) = copy.get_mut(start..end) {
                    data.iter_mut().for_each(|b| *b = b.reverse_bits());
                }
            }
        }
        Cow::Owned(copy)
    }

    /// Position and length of the strips or tiles.
    fn chunks(&self) -> impl Iterator<Item = (usize, usize)> {
        let (offsets, lengths) = match self.directory.has(tag::TILE_OFFSETS) {
            true => (tag::TILE_OFFSETS, tag::TILE_BYTES),
            false => (tag::STRIP_OFFSETS, tag::STRIP_BYTES),
        };
        let offsets = self.directory.numbers(offsets).into_iter();
        let chunks = offsets.zip(self.directory.numbers(lengths));
        chunks.map(|(offset, length)| (offset as usize, offset.saturating_add(length) as usize))
    }

    /// Checks strips or tiles that are JPEGs of their own, with their tables stored separately.
    fn check_jpegs(&self) -> Result<()> {
        let tables = self.directory.bytes_of(tag::JPEG_TABLES);
        let tables = tables.strip_suffix(&[0xff, 0xd9]).unwrap_or(tables);
        for (start, end) in self.chunks() {
            let damaged = || Error::picture("truncated or damaged TIFF");
            let own = self.bytes.get(start..end).ok_or_else(damaged)?;
            match tables {
                [] => Jpeg::open(own)?.check()?,
                _ => Jpeg::open(&[tables, own.get(2..).unwrap_or_default()].concat())?.check()?,
            }
        }
        Ok(())
    }

    /// The meaning of the samples.
    fn space(&self) -> Result<Space> {
        let same = |values: &[u64]| values.windows(2).all(|w| w[0] == w[1]);
        if !same(&self.directory.numbers(tag::BITS)) {
            return Err(not_supported("TIFF with samples of unlike size"));
        }
        let count = self.samples();
        let space = match self.photometric() {
            0 => Space::Grey { inverted: true },
            BLACK_IS_ZERO if count >= 3 => Space::Rgb, // the first bands
            BLACK_IS_ZERO => Space::Grey { inverted: false },
            2 => Space::Rgb,
            3 => Space::Palette(self.directory.numbers(tag::COLOR_MAP)),
            5 if self.number(tag::INKS, 1) == 1 => Space::Cmyk,
            6 => {
                let sampling = self.directory.numbers(tag::SUBSAMPLING);
                if self.number(tag::COMPRESSION, 1) != JPEG && sampling != [1, 1] {
                    return Err(not_supported("TIFF with subsampled YCbCr"));
                }
                Space::YCbCr
            }
            8 => Space::Lab { signed: true },
            9 => Space::Lab { signed: false },
            other => {
                let what = format!("TIFF with photometric interpretation {other}");
                return Err(not_supported(&what));
            }
        };
        match space.channels() as u64 {
            needed if count < needed => Err(Error::picture(format!(
                "the TIFF has {count} samples a pixel where its colours need {needed}"
            ))),
            _ => Ok(space),
        }
    }

    fn alpha(&self, space: &Space) -> Alpha {
        let extra = self.directory.number_of(tag::EXTRA_SAMPLES);
        match extra {
            _ if self.samples() <= space.channels() as u64 => Alpha::None,
            Some(1) => Alpha::Premultiplied,
            Some(2) => Alpha::Straight,
            _ => Alpha::None,
        }
    }
}

fn wrong(e: tiff::TiffError) -> Error {
    match e {
        tiff::TiffError::IoError(_) => Error::picture("truncated or damaged TIFF"),
        tiff::TiffError::UnsupportedError(e) => not_supported(&format!("TIFF ({e})")),
        e => Error::picture(e),
    }
}

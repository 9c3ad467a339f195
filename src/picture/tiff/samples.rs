//! Turns the samples of a TIFF into pixels of eight bits.

use image::{DynamicImage, RgbImage, RgbaImage};
use tiff::decoder::DecodingResult;

use crate::error::{Error, Result};

/// The meaning of the first samples of a pixel.
pub enum Space {
    Grey {
        inverted: bool,
    },
    Rgb,
    /// 16 bits of each entry's red, then of green, then of blue.
    Palette(Vec<u64>),
    /// Inks.
    Cmyk,
    YCbCr,
    /// L*a*b*: a* and b* are signed, or 128 stands for 0.
    Lab {
        signed: bool,
    },
}

/// The meaning of the sample after them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Alpha {
    None,
    Straight,
    /// The colours are already multiplied by it.
    Premultiplied,
}

/// Samples as they are decoded.
pub struct Samples {
    pub data: DecodingResult,
    pub width: usize,
    pub height: usize,
    /// Samples per pixel.
    pub count: usize,
    /// Bits per sample.
    pub bits: u32,
    /// Whether planes follow each other, rather than pixels.
    pub planar: bool,
    /// Value that stands for a missing sample.
    pub nodata: Option<f64>,
}

impl Space {
    pub fn channels(&self) -> usize {
        match self {
            Self::Grey { .. } | Self::Palette(_) => 1,
            Self::Rgb | Self::YCbCr | Self::Lab { .. } => 3,
            Self::Cmyk => 4,
        }
    }
}

impl Samples {
    /// Converts the samples to pixels. Integers of up to 16 bits are scaled to 8; other numbers, which have no
    /// largest value of their own, are scaled from their least to their largest, as in viewers for remote sensing;
    /// floats between 0 and 1 keep their scale.
    ///
    /// # Errors
    /// [`Error::Picture`] if there are fewer samples than pixels.
    pub fn image(&self, space: &Space, alpha: Alpha) -> Result<DynamicImage> {
        match &self.data {
            DecodingResult::U8(v) if self.bits == 8 => self.pixels(space, alpha, v.len(), |i| v[i]),
            DecodingResult::U8(v) => {
                let most = (1u32 << self.bits) - 1;
                let scale = match space {
                    Space::Palette(_) => 1,
                    _ => 255 / most, // whole for 1, 2 and 4 bits
                };
                let v = self.unpacked(v);
                self.pixels(space, alpha, v.len(), |i| (u32::from(v[i]) * scale) as u8)
            }
            DecodingResult::U16(v) => match space {
                Space::Palette(map) => self.wide_palette(map, v),
                // a* and b* may be negative: the upper byte
                Space::Lab { .. } => self.pixels(space, alpha, v.len(), |i| (v[i] >> 8) as u8),
                _ => self.pixels(space, alpha, v.len(), |i| {
                    ((u32::from(v[i]) + 128) / 257) as u8
                }),
            },
            DecodingResult::U32(v) => self.stretched(space, alpha, v.len(), |i| f64::from(v[i])),
            DecodingResult::U64(v) => self.stretched(space, alpha, v.len(), |i| v[i] as f64),
            DecodingResult::I8(v) => self.stretched(space, alpha, v.len(), |i| f64::from(v[i])),
            DecodingResult::I16(v) => self.stretched(space, alpha, v.len(), |i| f64::from(v[i])),
            DecodingResult::I32(v) => self.stretched(space, alpha, v.len(), |i| f64::from(v[i])),
            DecodingResult::I64(v) => self.stretched(space, alpha, v.len(), |i| v[i] as f64),
            DecodingResult::F16(v) => self.stretched(space, alpha, v.len(), |i| v[i].to_f64()),
            DecodingResult::F32(v) => self.stretched(space, alpha, v.len(), |i| f64::from(v[i])),
            DecodingResult::F64(v) => self.stretched(space, alpha, v.len(), |i| v[i]),
        }
    }

    /// Unpacks samples of fewer than eight bits; every row begins with a new byte.
    fn unpacked(&self, packed: &[u8]) -> Vec<u8> {
        let per_row = self.width * if self.planar { 1 } else { self.count };
        let row_bytes = (per_row * self.bits as usize).div_ceil(8).max(1);
        let per_byte = 8 / self.bits as usize;
        let mask = ((1u32 << self.bits) - 1) as u8;
        let mut values = Vec::with_capacity(packed.len() * per_byte);
        for row in packed.chunks_exact(row_bytes) {
            values.extend((0..per_row).map(|i| {
                let shift = 8 - self.bits as usize * (i % per_byte + 1);
                row[i / per_byte] >> shift & mask
            }));
        }
        values
    }

    fn stretched(
        &self,
        space: &Space,
        alpha: Alpha,
        len: usize,
        value: impl Fn(usize) -> f64,
    ) -> Result<DynamicImage> {
        let is_sample =
            |v: f64| v.is_finite() && self.nodata.is_none_or(|n| (v - n).abs() > 1e-6 * n.abs());
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for pixel in 0..self.width * self.height {
            for channel in 0..space.channels() {
                let place = self.place(pixel, channel);
                let v = if place < len { value(place) } else { f64::NAN };
                if is_sample(v) {
                    (least, most) = (least.min(v), most.max(v));
                }
            }
        }
        let fractions = matches!(
            self.data,
            DecodingResult::F16(_) | DecodingResult::F32(_) | DecodingResult::F64(_)
        );
        if fractions && least >= 0.0 && most <= 1.0 {
            (least, most) = (0.0, 1.0);
        }
        let scale = 255.0 / (most - least).max(f64::MIN_POSITIVE);
        self.pixels(space, alpha, len, |i| match value(i) {
            v if is_sample(v) => ((v - least) * scale).round() as u8, // saturates
            _ => 0,
        })
    }

    fn place(&self, pixel: usize, channel: usize) -> usize {
        match self.planar {
            true => channel * self.width * self.height + pixel,
            false => pixel * self.count + channel,
        }
    }

    fn enough(&self, len: usize) -> Result<()> {
        match len >= self.width * self.height * self.count {
            true => Ok(()),
            false => Err(Error::picture("the TIFF has fewer samples than pixels")),
        }
    }

    fn pixels(
        &self,
        space: &Space,
        alpha: Alpha,
        len: usize,
        value: impl Fn(usize) -> u8,
    ) -> Result<DynamicImage> {
        self.enough(len)?;
        let at = |pixel: usize, channel: usize| value(self.place(pixel, channel));
        let rgb = |pixel: usize| match space {
            Space::Grey { inverted } => {
                let v = at(pixel, 0);
                [if *inverted { 255 - v } else { v }; 3]
            }
            Space::Rgb => [0, 1, 2].map(|c| at(pixel, c)),
            Space::Palette(map) => from_palette(map, at(pixel, 0).into()),
            Space::Cmyk => {
                let paper = |c| 255 - u32::from(at(pixel, c));
                [0, 1, 2].map(|c| ((paper(c) * paper(3) + 127) / 255) as u8)
            }
            Space::YCbCr => from_ycbcr([0, 1, 2].map(|c| at(pixel, c))),
            Space::Lab { signed } => from_lab([0, 1, 2].map(|c| at(pixel, c)), *signed),
        };
        let (w, h) = (self.width as u32, self.height as u32);
        let pixels = 0..self.width * self.height;
        let image = if alpha == Alpha::None {
            let bytes = pixels.flat_map(rgb).collect();
            RgbImage::from_raw(w, h, bytes).map(DynamicImage::from)
        } else {
            let bytes = pixels.flat_map(|pixel| {
                let a = at(pixel, space.channels());
                let straight = |c: u8| match a {
                    0 => c,
                    a => (u32::from(c) * 255 / u32::from(a)).min(255) as u8,
                };
                let [r, g, b] = match alpha {
                    Alpha::Premultiplied => rgb(pixel).map(straight),
                    _ => rgb(pixel),
                };
                [r, g, b, a]
            });
            RgbaImage::from_raw(w, h, bytes.collect()).map(DynamicImage::from)
        };
        image.ok_or_else(|| Error::picture("the TIFF's pixels do not fit its size"))
    }

    fn wide_palette(&self, map: &[u64], indices: &[u16]) -> Result<DynamicImage> {
        self.enough(indices.len())?;
        let pixels = 0..self.width * self.height;
        let rgb = |pixel| from_palette(map, indices[self.place(pixel, 0)].into());
        let bytes = pixels.flat_map(rgb).collect();
        let image = RgbImage::from_raw(self.width as u32, self.height as u32, bytes);
        image
            .map(DynamicImage::from)
            .ok_or_else(|| Error::picture("the TIFF's pixels do not fit its size"))
    }
}

/// A palette entry. Some writers use only eight of the sixteen bits, which libtiff also handles.
fn from_palette(map: &[u64], index: usize) -> [u8; 3] {
    let size = map.len() / 3;
    let shift = if map.iter().any(|&v| v > 255) { 8 } else { 0 };
    [0, 1, 2].map(|c| match index < size {
        true => (map[c * size + index] >> shift) as u8,
        false => 0,
    })
}

/// RGB from ITU-R BT.601 YCbCr with the full range, as in JPEG and by default in TIFF.
fn from_ycbcr([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let rgb = [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ];
    rgb.map(|v| v.round() as u8) // saturates
}

/// sRGB from CIE L*a*b* under D50, by the Bradford matrix (<http://www.brucelindbloom.com>).
fn from_lab([l, a, b]: [u8; 3], signed: bool) -> [u8; 3] {
    const WHITE: [f32; 3] = [0.9642, 1.0, 0.8249];
    const TO_SRGB: [[f32; 3]; 3] = [
        [3.133_856, -1.616_867, -0.490_615],
        [-0.978_768, 1.916_142, 0.033_454],
        [0.071_945, -0.228_991, 1.405_243],
    ];
    let axis = |v: u8| match signed {
        true => f32::from(v as i8),
        false => f32::from(v) - 128.0,
    };
    let y = (f32::from(l) / 2.55 + 16.0) / 116.0;
    let cubed = |t: f32| match t > 6.0 / 29.0 {
        true => t * t * t,
        false => 3.0 * (6.0f32 / 29.0).powi(2) * (t - 4.0 / 29.0),
    };
    let xyz = [y + axis(a) / 500.0, y, y - axis(b) / 200.0].map(cubed);
    TO_SRGB.map(|row| {
        let v: f32 = (0..3).map(|i| row[i] * WHITE[i] * xyz[i]).sum();
        let v = match v <= 0.003_130_8 {
            true => 12.92 * v,
            false => 1.055 * v.powf(1.0 / 2.4) - 0.055,
        };
        (v * 255.0).round() as u8 // saturates
    })
}

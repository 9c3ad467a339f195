//! Pictures become the input of a network, as those who trained it prepared theirs.

use fast_image_resize::FilterType;
use image::{RgbImage, imageops};
use ndarray::Array4;
use serde::{Deserialize, Serialize};

use crate::picture::resized;

/// How the pictures of a family of networks were prepared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// torchvision's: ResNet, EfficientNet, and DINO with its filter.
    #[default]
    Imagenet,
    /// CLIP (Radford et al., ICML 2021).
    Clip,
    /// Chinese-CLIP (Yang et al., 2022).
    ChineseClip,
    /// Hugging Face's `ViTImageProcessor`.
    Vit,
    /// EfficientNet-Lite.
    EfficientnetLite,
}

/// How a picture becomes a square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// The picture is scaled by its shorter side and its middle is cut out.
    Crop,
    /// The picture is scaled to the square, whatever its shape.
    Squeeze,
}

/// How colours are interpolated. Scaling down averages over what becomes one pixel, as Pillow does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Linear.
    Bilinear,
    /// Cubic, a = −0.5.
    Bicubic,
    /// Lanczos, three lobes.
    Lanczos,
}

/// The order of a network's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// A plane for each colour.
    #[default]
    Nchw,
    /// All colours of each pixel.
    Nhwc,
}

/// The order of the colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colours {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red, as OpenCV reads them.
    Bgr,
}

/// Prepares pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    /// Side of the square, in pixels.
    pub side: u32,
    /// Shorter side of a picture that is cropped, before it is.
    pub shorter: u32,
    /// How it becomes a square.
    pub fit: Fit,
    /// How it is scaled.
    pub filter: Filter,
    /// Mean of each colour, from 0 to 1.
    pub mean: [f32; 3],
    /// What each colour is divided by after the mean is taken away.
    pub deviation: [f32; 3],
    /// Order of the numbers.
    pub layout: Layout,
    /// Order of the colours.
    pub colours: Colours,
}

impl Family {
    /// Its way, for squares of this side.
    pub fn pixels(self, side: u32) -> Pixels {
        // `clip/clip.py`: `_transform`
        let clip = (
            [0.481_454_66, 0.457_827_5, 0.408_210_73],
            [0.268_629_55, 0.261_302_6, 0.275_777_1],
        );
        let (fit, filter, (mean, deviation)) = match self {
            // torchvision.transforms: what all its classification networks take
            Self::Imagenet => (
                Fit::Crop,
                Filter::Bilinear,
                ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            ),
            Self::Clip => (Fit::Crop, Filter::Bicubic, clip),
            Self::ChineseClip => (Fit::Squeeze, Filter::Bicubic, clip),
            Self::Vit => (Fit::Squeeze, Filter::Bilinear, ([0.5; 3], [0.5; 3])),
            // (v − 127) / 128
            Self::EfficientnetLite => (
                Fit::Squeeze,
                Filter::Bilinear,
                ([127.0 / 255.0; 3], [128.0 / 255.0; 3]),
            ),
        };
        let shorter = match self {
            Self::Imagenet => (side * 8).div_ceil(7), // 256 for 224
            _ => side,
        };
        Pixels {
            side,
            shorter,
            fit,
            filter,
            mean,
            deviation,
            layout: Layout::Nchw,
            colours: Colours::Rgb,
        }
    }
}

impl Pixels {
    /// The input of a network: 1×3×side×side, or 1×side×side×3.
    pub fn of(&self, picture: &RgbImage) -> Array4<f32> {
        let square = self.square(picture);
        let side = self.side as usize;
        let value = |c: usize, y: usize, x: usize| {
            let channel = match self.colours {
                Colours::Rgb => c,
                Colours::Bgr => 2 - c,
            };
            let v = f32::from(square.get_pixel(x as u32, y as u32)[channel]) / 255.0;
            (v - self.mean[channel]) / self.deviation[channel]
        };
        match self.layout {
            Layout::Nchw => {
                Array4::from_shape_fn((1, 3, side, side), |(_, c, y, x)| value(c, y, x))
            }
            Layout::Nhwc => {
                Array4::from_shape_fn((1, side, side, 3), |(_, y, x, c)| value(c, y, x))
            }
        }
    }

    fn square(&self, picture: &RgbImage) -> RgbImage {
        let filter = match self.filter {
            Filter::Bilinear => FilterType::Bilinear,
            Filter::Bicubic => FilterType::CatmullRom,
            Filter::Lanczos => FilterType::Lanczos3,
        };
        let (width, height) = picture.dimensions();
        let side = self.side;
        if self.fit == Fit::Squeeze {
            return resized(picture, side, side, filter);
        }
        let short = u64::from(width.min(height)).max(1);
        // rounded down, as torchvision does
        let scaled = |v: u32| (u64::from(v) * u64::from(self.shorter) / short) as u32;
        let scaled = resized(
            picture,
            scaled(width).max(side),
            scaled(height).max(side),
            filter,
        );
        let [left, top] = [scaled.width(), scaled.height()].map(|length| (length - side) / 2);
        imageops::crop_imm(&scaled, left, top, side, side).to_image()
    }
}

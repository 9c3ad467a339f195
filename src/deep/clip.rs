//! The picture tower of CLIP (Radford et al. 2021) and of Chinese-CLIP (Yang et al. 2022), which has the same
//! vision transformer with other weights. Files are in the format of Hugging Face's `save_pretrained`.

use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Module};
use candle_nn::{Linear, VarBuilder};
use candle_transformers::models::clip::text_model::Activation;
use candle_transformers::models::clip::vision_model::{ClipVisionConfig, ClipVisionTransformer};
use image::RgbImage;
use image::imageops::{self, FilterType};
use ndarray::{Array1, Array3};
use serde::Deserialize;

use super::weights::Weights;
use crate::error::{Error, Result};

/// Mean and deviation of CLIP's pictures, whose values go from 0 to 1 (`clip/clip.py`: `_transform`).
const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
#[allow(clippy::excessive_precision)] // as they are published
const DEVIATION: [f32; 3] = [0.268_629_54, 0.261_302_58, 0.275_777_11];

/// How a picture becomes a square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The picture is scaled by its shorter side and its middle is cut out (CLIP).
    Crop,
    /// The picture is scaled to the square, whatever its shape (Chinese-CLIP).
    Squeeze,
}

/// A `config.json`, as far as it concerns pictures. Files leave out default values.
#[derive(Deserialize)]
struct Config {
    #[serde(default = "projection")]
    projection_dim: usize,
    #[serde(default)]
    vision_config: Vision,
}

fn projection() -> usize {
    512
}

#[derive(Deserialize)]
#[serde(default)]
struct Vision {
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_channels: usize,
    image_size: usize,
    patch_size: usize,
    hidden_act: String,
}

/// The defaults of Hugging Face's `CLIPVisionConfig`.
impl Default for Vision {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            num_channels: 3,
            image_size: 224,
            patch_size: 32,
            hidden_act: "quick_gelu".into(),
        }
    }
}

impl Vision {
    /// Checks whether a network can be built with these numbers.
    fn check(&self) -> Result<(), String> {
        let Self {
            hidden_size: hidden,
            num_attention_heads: heads,
            image_size: side,
            patch_size: patch,
            ..
        } = *self;
        if heads == 0 || hidden == 0 || !hidden.is_multiple_of(heads) {
            return Err(format!("{heads} heads cannot share {hidden} dimensions"));
        }
        if patch == 0 || side < patch || side > 4096 {
            return Err(format!(
                "no patches of {patch} pixels in pictures of {side}"
            ));
        }
        if self.num_channels != 3 {
            return Err(format!(
                "pictures have 3 channels, not {}",
                self.num_channels
            ));
        }
        if self.hidden_act != "quick_gelu" {
            return Err(format!(
                "its activation is `{}`, only `quick_gelu` is known",
                self.hidden_act
            ));
        }
        Ok(())
    }
}

/// The picture tower with its projection into the space shared with texts.
pub struct Clip {
    tower: ClipVisionTransformer,
    projection: Linear,
    dim: usize,
    side: u32,
    fit: Fit,
}

impl Clip {
    /// Reads `config.json` and weights, `.safetensors` or `.bin`.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read, [`Error::Weights`] for one that does not belong to CLIP.
    pub fn load(weights: &Path, config: &Path, fit: Fit) -> Result<Self> {
        let json = fs::read(config).map_err(Error::io("read", config))?;
        let parsed: Config =
            serde_json::from_slice(&json).map_err(|e| Error::weights(config, e.to_string()))?;
        let (dim, vision) = (parsed.projection_dim, parsed.vision_config);
        vision.check().map_err(|e| Error::weights(config, e))?;
        let vb = builder(weights)?;
        // candle draws it at random where it is missing.
        let class = "vision_model.embeddings.class_embedding";
        if !vb.contains_tensor(class) {
            let reason = format!("it has no tensor `{class}`: is it CLIP, as Hugging Face has it?");
            return Err(Error::weights(weights, reason));
        }
        let of = |e: candle_core::Error| Error::weights(weights, e.to_string());
        let settings = ClipVisionConfig {
            embed_dim: vision.hidden_size,
            activation: Activation::QuickGelu,
            intermediate_size: vision.intermediate_size,
            num_hidden_layers: vision.num_hidden_layers,
            num_attention_heads: vision.num_attention_heads,
            projection_dim: dim,
            num_channels: vision.num_channels,
            image_size: vision.image_size,
            patch_size: vision.patch_size,
        };
        let tower = ClipVisionTransformer::new(vb.pp("vision_model"), &settings).map_err(of)?;
        let projection = vb.pp("visual_projection");
        let projection =
            candle_nn::linear_no_bias(vision.hidden_size, dim, projection).map_err(of)?;
        Ok(Self {
            tower,
            projection,
            dim,
            side: vision.image_size as u32,
            fit,
        })
    }

    /// Length of a feature.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Computes the feature of a picture, [`Self::dim`] numbers, without normalisation.
    pub fn features(&self, picture: &RgbImage) -> Result<Array1<f32>> {
        let pixels = clip_pixels(picture, self.side, self.fit);
        let (c, h, w) = pixels.dim();
        let forward = || {
            let pixels = candle_core::Tensor::from_iter(pixels, &Device::Cpu)?;
            let x = self.tower.forward(&pixels.reshape((1, c, h, w))?)?;
            self.projection.forward(&x)?.flatten_all()?.to_vec1::<f32>()
        };
        let v = forward().map_err(|e| Error::Numeric {
            what: "CLIP",
            reason: e.to_string(),
        })?;
        Ok(v.into())
    }
}

/// The tensors of a file, for candle.
fn builder(path: &Path) -> Result<VarBuilder<'static>> {
    let mut head = [0; 2];
    let is_zip = fs::File::open(path)
        .and_then(|mut f| std::io::Read::read(&mut f, &mut head))
        .map_err(Error::io("read", path))?
        == 2
        && &head == b"PK";
    if is_zip {
        // What PyTorch has written since 1.6.
        return VarBuilder::from_pth(path, DType::F32, &Device::Cpu)
            .map_err(|e| Error::weights(path, e.to_string()));
    }
    let tensors = Weights::read(path)?.into_tensors();
    let tensors = tensors.map(|(name, t)| {
        let shape = t.shape().to_vec();
        let tensor = candle_core::Tensor::from_iter(t, &Device::Cpu)?.reshape(shape)?;
        Ok((name, tensor))
    });
    let tensors = tensors
        .collect::<candle_core::Result<_>>()
        .map_err(|e| Error::weights(path, e.to_string()))?;
    Ok(VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu))
}

/// The pixels of a picture as CLIP takes them: 3×side×side.
pub fn clip_pixels(picture: &RgbImage, side: u32, fit: Fit) -> Array3<f32> {
    let (width, height) = picture.dimensions();
    let (w, h) = match fit {
        Fit::Squeeze => (side, side),
        Fit::Crop => {
            let short = u64::from(width.min(height)).max(1);
            let scaled = |v: u32| (u64::from(v) * u64::from(side) / short) as u32;
            (scaled(width).max(side), scaled(height).max(side))
        }
    };
    let scaled = imageops::resize(picture, w, h, FilterType::CatmullRom); // bicubic, a = −0.5, as Pillow's
    let (left, top) = ((w - side) / 2, (h - side) / 2);
    let side = side as usize;
    Array3::from_shape_fn((3, side, side), |(c, y, x)| {
        let v = scaled.get_pixel(left + x as u32, top + y as u32)[c];
        (f32::from(v) / 255.0 - MEAN[c]) / DEVIATION[c]
    })
}

//! EfficientNet-Lite0 ([Google
//! 2020](https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite)): EfficientNet (Tan & Le
//! 2019) without squeeze-and-excitation and with ReLU6, 4.6 million weights, trained on ImageNet. Weights have the
//! names of the Python package `efficientnet-lite-pytorch`.

use image::RgbImage;
use image::imageops::{self, FilterType};
use ndarray::{Array1, Array2};

use super::conv::{Activation, Depthwise, Full, Map};
use super::weights::Weights;
use crate::error::Result;
use crate::linalg::column_means;

/// Side in pixels of the square that pictures are scaled to (`efficientnet_lite_builder.py`: lite0).
pub const SIDE: u32 = 224;
/// Inputs are (value − 127) / 128 (`MEAN_RGB`, `STDDEV_RGB`, the same source).
const MEAN: f32 = 127.0;
const DEVIATION: f32 = 128.0;

/// Classes that it was trained to tell apart.
pub const CLASSES: usize = 1000;
/// Channels after the first convolution.
const STEM: usize = 32;
/// Channels of the last map; their mean over all positions is the feature.
const HEAD: usize = 1280;

/// A row of Tan & Le's table 1: blocks of one kind, the first with the stride.
struct Stage {
    expansion: usize,
    kernel: usize,
    stride: usize,
    channels: usize,
    blocks: usize,
}

const fn stage(
    expansion: usize,
    kernel: usize,
    stride: usize,
    channels: usize,
    blocks: usize,
) -> Stage {
    Stage {
        expansion,
        kernel,
        stride,
        channels,
        blocks,
    }
}

const STAGES: [Stage; 7] = [
    stage(1, 3, 1, 16, 1),
    stage(6, 3, 2, 24, 2),
    stage(6, 5, 2, 40, 2),
    stage(6, 3, 2, 80, 3),
    stage(6, 5, 1, 112, 3),
    stage(6, 5, 2, 192, 4),
    stage(6, 3, 1, 320, 1),
];

/// An inverted residual (Sandler et al. 2018): expansion, depthwise convolution, projection.
struct Block {
    expand: Option<Full>,
    depthwise: Depthwise,
    project: Full,
    /// Whether the input, which then has the shape of the output, is added.
    residual: bool,
}

/// The network without its classifier.
pub struct EfficientNetLite0 {
    stem: Full,
    blocks: Vec<Block>,
    head: Full,
}

/// The classifier of the features of EfficientNet-Lite0.
pub struct Classifier {
    /// classes×channels
    weights: Array2<f32>,
    bias: Array1<f32>,
}

impl EfficientNetLite0 {
    /// Length of a feature.
    pub const DIM: usize = HEAD;

    /// Builds the network from its weights.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::Error::Weights), which names the tensor that is missing or has another shape.
    pub fn load(weights: &Weights) -> Result<Self> {
        let stem = Full::load(
            weights,
            ["_conv_stem", "_bn0"],
            [STEM, 3, 3, 3],
            2,
            Activation::Relu6,
        )?;
        let mut blocks = Vec::new();
        let mut inputs = STEM;
        for stage in &STAGES {
            for i in 0..stage.blocks {
                let stride = if i == 0 { stage.stride } else { 1 };
                blocks.push(Block::load(weights, blocks.len(), stage, inputs, stride)?);
                inputs = stage.channels;
            }
        }
        let head = Full::load(
            weights,
            ["_conv_head", "_bn1"],
            [HEAD, inputs, 1, 1],
            1,
            Activation::Relu6,
        )?;
        Ok(Self { stem, blocks, head })
    }

    /// Computes the feature of a picture, 1280 numbers from 0 to 6.
    pub fn features(&self, picture: &RgbImage) -> Array1<f32> {
        let mut map = self.stem.apply(&pixels(picture));
        for block in &self.blocks {
            map = block.apply(map);
        }
        column_means(self.head.apply(&map).x.view()).mapv(|v| v as f32)
    }
}

impl Classifier {
    /// Reads the classifier from the weights of the network.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::Error::Weights), which names the tensor that is missing or has another shape.
    pub fn load(weights: &Weights) -> Result<Self> {
        let of_classes = weights.get("_fc.weight", &[CLASSES, HEAD])?;
        let of_classes = of_classes.iter().copied().collect();
        Ok(Self {
            weights: Array2::from_shape_vec((CLASSES, HEAD), of_classes).expect("of that shape"),
            bias: weights.vector("_fc.bias", CLASSES)?,
        })
    }

    /// What each class looks for in a feature, classes×1280.
    pub fn weights(&self) -> &Array2<f32> {
        &self.weights
    }

    /// Scores of the classes for a feature: they become probabilities by softmax.
    pub fn scores(&self, feature: &Array1<f32>) -> Array1<f32> {
        self.weights.dot(feature) + &self.bias
    }
}

impl Block {
    fn load(
        weights: &Weights,
        number: usize,
        stage: &Stage,
        inputs: usize,
        stride: usize,
    ) -> Result<Self> {
        let name = |part: &str| format!("_blocks.{number}.{part}");
        let wide = inputs * stage.expansion;
        let expand = (stage.expansion > 1)
            .then(|| {
                let names = [&*name("_expand_conv"), &*name("_bn0")];
                Full::load(weights, names, [wide, inputs, 1, 1], 1, Activation::Relu6)
            })
            .transpose()?;
        let names = [&*name("_depthwise_conv"), &*name("_bn1")];
        let depthwise = Depthwise::load(weights, names, [wide, stage.kernel], stride)?;
        let project = Full::load(
            weights,
            [&name("_project_conv"), &name("_bn2")],
            [stage.channels, wide, 1, 1],
            1,
            Activation::Linear,
        )?;
        Ok(Self {
            expand,
            depthwise,
            project,
            residual: stride == 1 && inputs == stage.channels,
        })
    }

    fn apply(&self, map: Map) -> Map {
        let wide = match &self.expand {
            Some(expand) => self.depthwise.apply(&expand.apply(&map)),
            None => self.depthwise.apply(&map),
        };
        let mut out = self.project.apply(&wide);
        if self.residual {
            out.x += &map.x;
        }
        out
    }
}

/// The pixels of a picture as the network takes them.
fn pixels(picture: &RgbImage) -> Map {
    let scaled;
    let picture = if picture.dimensions() == (SIDE, SIDE) {
        picture
    } else {
        scaled = imageops::resize(picture, SIDE, SIDE, FilterType::Triangle); // bilinear
        &scaled
    };
    let values = picture.as_raw().iter();
    let values = values.map(|&v| (f32::from(v) - MEAN) / DEVIATION).collect();
    let side = SIDE as usize;
    let x = Array2::from_shape_vec((side * side, 3), values).expect("three bytes a pixel");
    Map {
        height: side,
        width: side,
        x,
    }
}

//! A network that turns pictures into vectors, with what happens before and after it.

use std::path::{Path, PathBuf};

use image::RgbImage;
use ndarray::{Array1, ArrayD, Axis, Ix1};
use serde::{Deserialize, Serialize};

use super::{
    Colours, Element, Family, Filter, Fit, Folder, Known, LIBRARY_PART, Layout, Network, Pixels,
    Port, Value, known,
};
use crate::artifact::{Fingerprint, Spec};
use crate::error::{Error, Result};
use crate::files;

/// Side of a picture where neither the recipe nor the network says it.
const SIDE: u32 = 224;

/// How a network's answer becomes one vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The answer is one vector already.
    #[default]
    None,
    /// The first token of tokens×d: the class token of a transformer.
    First,
    /// The mean of all tokens (tokens×d), or over the places of a map (d×height×width).
    Mean,
}

/// A network in ONNX's format that turns pictures into vectors. What is left out is as usual in its family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderParams {
    /// A file from the current folder, or the name of a network that `tuwen models` fetches: `efficientnet-lite0`,
    /// `efficientnet-lite2`.
    pub network: PathBuf,
    /// How the pictures were prepared that it learned from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<Family>,
    /// Side of its pictures; the network mostly says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<u32>,
    /// Shorter side before the middle is cut out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shorter: Option<u32>,
    /// How a picture becomes a square.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
    /// How a picture is scaled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Mean of the colours, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<[f32; 3]>,
    /// Deviation of the colours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<[f32; 3]>,
    /// Order of the numbers.
    #[serde(default)]
    pub layout: Layout,
    /// Order of the colours.
    #[serde(default)]
    pub colours: Colours,
    /// Name of the input; the first one of four axes where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Name of the output; the first one where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// How the answer becomes one vector.
    #[serde(default)]
    pub pooling: Pooling,
    /// Exponent of a view's numbers before they are scaled to unit length; 0.5 evens out the few strong channels of a CNN.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub power: f32,
}

fn one() -> f32 {
    1.0
}
fn is_one(power: &f32) -> bool {
    *power == 1.0
}

/// A loaded encoder.
pub struct Encoder {
    network: Network,
    pixels: Pixels,
    input: String,
    /// Inputs that are not the picture's, each with zeros: a network with two towers is given no text.
    others: Vec<Port>,
    output: String,
    pooling: Pooling,
    dim: usize,
}

impl EncoderParams {
    /// A known network, as its family prepares pictures.
    pub fn known(name: &str) -> Self {
        Self {
            network: name.into(),
            like: None,
            side: None,
            shorter: None,
            fit: None,
            filter: None,
            mean: None,
            deviation: None,
            layout: Layout::default(),
            colours: Colours::default(),
            input: None,
            output: None,
            pooling: Pooling::default(),
            power: 1.0,
        }
    }

    /// The digests of the network and of the library that runs it.
    ///
    /// # Errors
    /// [`Error::Weights`] if one of them is missing.
    pub fn files(&self) -> Result<Vec<(&'static str, Fingerprint)>> {
        files_of(&self.network)
    }

    /// The bytes of the network.
    ///
    /// # Errors
    /// [`Error::Weights`] if it is missing or is not the one that this program was made with, [`Error::Io`] if it cannot be read.
    pub fn read(&self) -> Result<Vec<u8>> {
        match Known::of(&self.network) {
            Some(known) => Folder::find(known::FOLDER).read(&known.network),
            None => files::read(&self.network, files::ANY_SIZE),
        }
    }

    /// Loads the network from its bytes.
    ///
    /// # Errors
    /// [`Error::Weights`] if it is no network, or has not the inputs and outputs of an encoder of pictures.
    pub fn load(&self, bytes: Vec<u8>) -> Result<Encoder> {
        let name = self.network.display().to_string();
        let network = Network::load(&Folder::find(LIBRARY_PART), &name, bytes)?;
        let takes_pictures = |p: &&Port| match &self.input {
            Some(name) => p.name == *name,
            None => p.element == Element::Float && p.shape.len() == 4,
        };
        let input = network.inputs().iter().find(takes_pictures);
        let input = input.ok_or_else(|| network.wrong(self.no_input(&network)))?;
        let axis = match self.layout {
            Layout::Nchw => 2,
            Layout::Nhwc => 1,
        };
        let own = input.shape.get(axis).copied().flatten();
        let own = own.and_then(|side| u32::try_from(side).ok());
        let family = Known::of(&self.network).map(|known| known.family);
        let family = self.like.or(family).unwrap_or_default();
        let usual = family.pixels(self.side.or(own).unwrap_or(SIDE));
        let pixels = Pixels {
            shorter: self.shorter.unwrap_or(usual.shorter).max(usual.side),
            fit: self.fit.unwrap_or(usual.fit),
            filter: self.filter.unwrap_or(usual.filter),
            mean: self.mean.unwrap_or(usual.mean),
            deviation: self.deviation.unwrap_or(usual.deviation),
            layout: self.layout,
            colours: self.colours,
            ..usual
        };
        let input = input.name.clone();
        let others = network.inputs().iter().filter(|p| p.name != input);
        let others = others.cloned().collect();
        let output = network.output(self.output.as_deref())?.name.clone();
        let mut encoder = Encoder {
            network,
            pixels,
            input,
            others,
            output,
            pooling: self.pooling,
            dim: 0,
        };
        let side = encoder.pixels.side;
        encoder.dim = encoder.features(&RgbImage::new(side, side))?.len();
        Ok(encoder)
    }

    fn no_input(&self, network: &Network) -> String {
        let names: Vec<&str> = network.inputs().iter().map(|p| &*p.name).collect();
        let wanted = match &self.input {
            Some(name) => format!("`{name}`"),
            None => "of four axes".into(),
        };
        format!("it has no input {wanted}; it has {}", names.join(", "))
    }
}

/// The digests of a network and of the library that runs it.
pub(crate) fn files_of(network: &Path) -> Result<Vec<(&'static str, Fingerprint)>> {
    let digest = match Known::of(network) {
        Some(known) => {
            let spec = Spec::new("networks", &(), 0);
            let spec = Folder::find(known::FOLDER).stamp(spec, &[&known.network])?;
            spec.fingerprint()
        }
        None if !network.exists() => {
            let reason = format!(
                "there is no such network; a file in ONNX's format is wanted, or one of {}, which `tuwen models` fetches",
                Known::names()
            );
            return Err(Error::weights(network, reason));
        }
        None => Fingerprint::of_file(network)?,
    };
    let library =
        Folder::find(LIBRARY_PART).stamp(Spec::new("library", &(), 0), &[&super::LIBRARY])?;
    Ok(vec![
        ("network", digest),
        ("library", library.fingerprint()),
    ])
}

impl Encoder {
    /// Length of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The network's vector of a picture, as it is.
    ///
    /// # Errors
    /// [`Error::Weights`] if the network fails, or if its answer is not of the shape that the pooling wants;
    /// [`Error::Picture`] if it is not finite.
    pub fn features(&self, picture: &RgbImage) -> Result<Array1<f32>> {
        let answer = self.answer(picture)?;
        let v = pooled(answer, self.pooling).map_err(|e| self.network.wrong(e))?;
        match v.iter().all(|v| v.is_finite()) {
            true => Ok(v),
            false => Err(Error::picture("the network's answer is not finite")),
        }
    }

    /// The network's answer to a picture, without the axis of pictures.
    ///
    /// # Errors
    /// [`Error::Weights`] if the network fails.
    pub fn answer(&self, picture: &RgbImage) -> Result<ArrayD<f32>> {
        Ok(self.answers(picture, &[&self.output])?.remove(0))
    }

    /// Several outputs of the network for a picture, without the axis of pictures.
    ///
    /// # Errors
    /// [`Error::Weights`] if the network fails, or has no such output.
    pub fn answers(&self, picture: &RgbImage, outputs: &[&str]) -> Result<Vec<ArrayD<f32>>> {
        for output in outputs {
            self.network.output(Some(output))?;
        }
        let mut inputs = vec![(&*self.input, Value::Floats(self.pixels.of(picture)))];
        for other in &self.others {
            inputs.push((&*other.name, other.blank(self.pixels.side)));
        }
        let answers = self.network.run(&inputs, outputs)?;
        let one = |answer| without_items(answer).map_err(|e| self.network.wrong(e));
        answers.into_iter().map(one).collect()
    }
}

/// The answer to one item.
pub(super) fn without_items(answer: ArrayD<f32>) -> Result<ArrayD<f32>, String> {
    match answer.shape() {
        [1, ..] => Ok(answer.index_axis_move(Axis(0), 0)),
        other => Err(format!("its answer to one item has the shape {other:?}")),
    }
}

/// One vector.
pub(super) fn pooled(answer: ArrayD<f32>, pooling: Pooling) -> Result<Array1<f32>, String> {
    let shape = answer.shape().to_vec();
    let vector = match (pooling, answer.ndim()) {
        // 1×1 maps are vectors too
        (Pooling::None, _)
            if shape.iter().filter(|&&d| d > 1).count() <= 1 && !shape.is_empty() =>
        {
            let (values, _) = answer.into_raw_vec_and_offset();
            return Ok(values.into());
        }
        (Pooling::First, 2) if shape[0] > 0 => answer.index_axis_move(Axis(0), 0),
        (Pooling::Mean, 2) => answer.mean_axis(Axis(0)).unwrap_or_default(),
        (Pooling::Mean, 3) => {
            let places = shape[1] * shape[2];
            let map = answer.into_shape_with_order((shape[0], places));
            let map: ndarray::Array2<f32> = map.map_err(|e| e.to_string())?;
            map.mean_axis(Axis(1)).unwrap_or_default().into_dyn()
        }
        _ => {
            return Err(format!(
                "its answer has the shape {shape:?}: choose another `output` or `pooling`"
            ));
        }
    };
    let vector = vector.into_dimensionality::<Ix1>();
    vector.map_err(|e| e.to_string())
}

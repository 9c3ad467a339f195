//! What a network sees, as a point of the space of sentences: the names of its likeliest classes, each as much as it is
//! likely (Norouzi et al., ICLR 2014: ConSE), and the feature of the network, carried into that space by the weights of its
//! classes. A picture and a sentence can be compared so without any pair to learn from.

use std::path::Path;

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use super::{Feature, ImageView, Shown};
use crate::artifact::{Artifact, Fingerprint, Matrix, Spec};
use crate::error::{Error, Result};
use crate::linalg::{l2_normalize, matmul, symmetric_eigen};
use crate::networks::{Encoder, EncoderParams, Known};
use crate::picture::Picture;
use crate::sentence::{self, SentenceEncoder};

/// The Chinese and the English name of each class, a line each.
const NAMES: &str = include_str!("../../vocab/class-names.tsv");

/// Of the mean square of the weights. Chosen on the validation pictures of Flickr8k-CN and Flickr8k, with the settings below.
const RIDGE: f64 = 3.0;

/// How many classes there are: those of ImageNet.
const CLASSES: usize = 1000;

/// Classes of a network, by their names. The network goes into the model, which needs no other file then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClassNamesParams {
    /// `efficientnet-lite0` or `efficientnet-lite2`.
    pub network: String,
    /// Likeliest classes that count.
    pub top: usize,
    /// What the network's scores are divided by before they become probabilities: above 1 spreads them.
    pub temperature: f32,
    /// How much the network's feature counts beside the likeliest classes; 0 where they are all.
    pub feature: f32,
}

impl Default for ClassNamesParams {
    fn default() -> Self {
        Self {
            network: "efficientnet-lite0".into(),
            top: 20,
            temperature: 2.0,
            feature: 0.7,
        }
    }
}

struct ClassNames {
    encoder: Encoder,
    /// What each class looks for in a feature, classes×features.
    weights: Matrix<f32>,
    bias: Array1<f32>,
    /// classes×512
    names: Matrix<f32>,
    /// features×512
    directions: Matrix<f32>,
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

/// What the names of each class mean, in both languages, less their mean: what all classes have in common says nothing
/// about a picture. classes×512.
fn points_of_names(encoder: &SentenceEncoder) -> Array2<f32> {
    let all: Vec<&str> = names().flatten().collect();
    let points = encoder.encode(&all);
    let of_language = |language: usize| points.slice(s![language..;2, ..]).to_owned();
    let mut points = (of_language(0) + of_language(1)) / 2.0;
    points -= &points.mean_axis(Axis(0)).expect("there are classes");
    points
}

/// Ridge regression from what the classifier looks for to what the names mean: for each class, its weights stand for a
/// picture of it. Features×512. This tells more than the likeliest classes where a picture shows none of them.
fn directions(weights: ArrayView2<f32>, names: ArrayView2<f32>) -> Result<Array2<f32>> {
    let mut weights = weights.mapv(f64::from);
    weights -= &weights.mean_axis(Axis(0)).expect("there are classes");
    let (values, vectors) = symmetric_eigen(matmul(weights.view(), weights.t()).view())?;
    let ridge = RIDGE * values.sum() / weights.ncols() as f64;
    let names = names.mapv(f64::from);
    let mut solved = matmul(vectors.t(), names.view());
    for (mut row, value) in solved.outer_iter_mut().zip(&values) {
        row /= value + ridge;
    }
    let solved = matmul(vectors.view(), solved.view());
    Ok(matmul(weights.t(), solved.view()).mapv(|v| v as f32))
}

impl ClassNamesParams {
    fn known(&self) -> Result<&'static Known> {
        Known::of(Path::new(&self.network)).ok_or_else(|| Error::Mismatch {
            left: "`class-names.network`".into(),
            left_is: format!("`{}`", self.network),
            right: "the networks whose classes have names".into(),
            right_is: Known::names(),
        })
    }
}

impl Feature for ClassNamesParams {
    fn check(&self) -> Result<()> {
        self.known()?;
        let reason = match self {
            Self { top: 0, .. } => "`top` must be at least 1",
            Self { temperature, .. } if *temperature <= 0.0 || temperature.is_nan() => {
                "`temperature` must be above 0"
            }
            Self { feature, .. } if *feature < 0.0 || feature.is_nan() => {
                "`feature` must be at least 0"
            }
            _ => return Ok(()),
        };
        Err(Error::Numeric {
            what: "class names",
            reason: reason.into(),
        })
    }

    fn files(&self) -> Result<Vec<(&'static str, Fingerprint)>> {
        let known = self.known()?;
        let mut files = EncoderParams::known(known.name).files()?;
        let others = sentence::stamp(Spec::new("networks", &(), 0))?;
        let others = known.stamp_classes(others)?;
        files.push(("networks", others.fingerprint()));
        files.push(("names", Fingerprint::of(&NAMES)));
        Ok(files)
    }

    fn fit(&self, artifact: Artifact, _: &[Picture], _: u64) -> Result<Artifact> {
        let known = self.known()?;
        let encoder = sentence::read(Spec::new("sentence-encoder", &(), 0))?;
        let names = points_of_names(&SentenceEncoder::load(&encoder)?);
        let classes = known.read_classes()?;
        let (weights, bias) = classes.view().split_at(Axis(1), classes.ncols() - 1);
        let network = EncoderParams::known(known.name).read()?;
        Ok(artifact
            .with_matrix("names", names.view())
            .with_matrix("directions", directions(weights, names.view())?.view())
            .with_matrix("weights", weights)
            .with_vector("bias", bias.column(0))
            .with_vector("network", Array1::from(network).view()))
    }

    fn load(&self, artifact: &Artifact) -> Result<Box<dyn ImageView>> {
        let network = artifact.vector::<u8>("network")?.to_vec();
        let encoder = EncoderParams::known(self.known()?.name).load(network)?;
        let [names, directions, weights] =
            ["names", "directions", "weights"].map(|name| artifact.kept_matrix(name));
        let (names, directions, weights) = (names?, directions?, weights?);
        let bias: Array1<f32> = artifact.vector("bias")?;
        artifact.require(names.dim() == (CLASSES, sentence::DIM))?;
        artifact.require(directions.dim() == (encoder.dim(), sentence::DIM))?;
        artifact.require(weights.dim() == (CLASSES, encoder.dim()) && bias.len() == CLASSES)?;
        Ok(Box::new(ClassNames {
            encoder,
            weights,
            bias,
            names,
            directions,
            params: self.clone(),
        }))
    }
}

impl ClassNames {
    /// A point from the names that are likely, and from what the feature stands for.
    fn point(&self, mut names: Array1<f32>, feature: &Array1<f32>) -> Array1<f32> {
        l2_normalize(names.view_mut());
        if self.params.feature > 0.0 {
            let mut along = feature.dot(&self.directions.view());
            l2_normalize(along.view_mut());
            names.scaled_add(self.params.feature, &along);
            l2_normalize(names.view_mut());
        }
        names
    }
}

impl ImageView for ClassNames {
    fn dim(&self) -> usize {
        sentence::DIM
    }

    /// Each class by its name, and by its weights in the place of a feature.
    fn classes(&self) -> Array2<f32> {
        let mut weights = self.weights.view().to_owned();
        weights -= &weights.mean_axis(Axis(0)).expect("there are classes");
        let names = self.names.view();
        let mut points = Array2::zeros(names.dim());
        let rows = points.outer_iter_mut().zip(names.outer_iter());
        for ((mut point, name), weights) in rows.zip(weights.outer_iter()) {
            point.assign(&self.point(name.to_owned(), &weights.to_owned()));
        }
        points
    }

    fn describe(&self, Shown { picture, .. }: Shown) -> Result<Array1<f32>> {
        let feature = self.encoder.features(&picture.rgb)?;
        let scores = self.weights.view().dot(&feature) + &self.bias;
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_unstable_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        let best = scores[order[0]];
        let names = self.names.view();
        let mut sum = Array1::zeros(self.dim());
        for &class in order.iter().take(self.params.top) {
            let likely = ((scores[class] - best) / self.params.temperature).exp();
            sum.scaled_add(likely, &names.row(class));
        }
        Ok(self.point(sum, &feature))
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

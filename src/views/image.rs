//! Image views: a picture to one vector.
//!
//! A new kind of feature is a file with its parameters, which are a [`Feature`], and a line in
//! [`FeatureParams`] and in [`FeatureParams::feature`].

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::class_names::ClassNamesParams;
use super::colour_names::ColourNamesParams;
use super::contrast::PictureNetParams;
use super::imported::ImportedParams;
use super::local::LocalParams;
use super::read::ReadParams;
use super::regions::RegionsParams;
use crate::appearance::AppearanceParams;
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::Result;
use crate::linalg::{KernelMap, PcaParams};
use crate::networks::EncoderParams;
use crate::picture::{Picture, PictureParams, limits};

/// One way to turn a picture into a vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageViewParams {
    /// Name of the view.
    pub name: String,
    /// Factor of this view's vectors beside the others'.
    #[serde(default = "super::one")]
    pub weight: f32,
    /// Feature that describes the picture.
    #[serde(flatten)]
    pub feature: FeatureParams,
    /// Feature map that replaces the inner product by a kernel.
    #[serde(default)]
    pub map: KernelMap,
    /// Projection of the vectors.
    #[serde(default)]
    pub pca: PcaParams,
}

/// Where the numbers of an image view come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureParams {
    /// Local descriptors, aggregated over a codebook.
    Local(LocalParams),
    /// Whole-picture features.
    Appearance(AppearanceParams),
    /// Vectors that another program made.
    Imported(ImportedParams),
    /// A network that others have trained.
    Onnx(EncoderParams),
    /// The names of what such a network sees.
    ClassNames(ClassNamesParams),
    /// The names of its colours.
    ColourNames(ColourNamesParams),
    /// What the text in the picture means.
    Read(ReadParams),
    /// A network that learns from pictures alone.
    PictureNet(PictureNetParams),
    /// Its cells, one by one.
    Regions(RegionsParams),
}

impl FeatureParams {
    fn feature(&self) -> &dyn Feature {
        match self {
            Self::Local(p) => p,
            Self::Appearance(p) => p,
            Self::Imported(p) => p,
            Self::Onnx(p) => p,
            Self::ClassNames(p) => p,
            Self::ColourNames(p) => p,
            Self::Read(p) => p,
            Self::PictureNet(p) => p,
            Self::Regions(p) => p,
        }
    }

    /// What the fitted view is made from.
    pub fn spec(&self, picture: &PictureParams, train: Fingerprint, seed: u64) -> Result<Spec> {
        let mut spec =
            Spec::new("image-view", &(self, picture), seed).input("training pictures", train);
        for (name, file) in self.feature().files()? {
            spec = spec.input(name, file);
        }
        Ok(limits::stamp(spec))
    }

    /// Whether settings that are each within their range go together.
    ///
    /// # Errors
    /// Those of settings that give no vector, or one that is too long.
    pub fn check(&self) -> Result<()> {
        self.feature().check()
    }

    /// How many training pictures it wants to see.
    pub fn wants(&self) -> usize {
        self.feature().wants()
    }

    /// Whether the text in pictures has to be read for it.
    pub fn reads_text(&self) -> bool {
        matches!(self, Self::Read(_))
    }

    /// Whether its view was taught to tell classes apart ([`ImageView::classes`]).
    pub fn tells_classes(&self) -> bool {
        matches!(self, Self::ClassNames(_))
    }

    /// Learns from some of the training pictures.
    pub fn fit(&self, spec: Spec, pictures: &[Picture]) -> Result<Artifact> {
        let seed = spec.seed;
        self.feature().fit(Artifact::new(spec), pictures, seed)
    }

    /// The fitted view of an artifact that [`Self::fit`] made.
    pub fn load(&self, artifact: &Artifact) -> Result<Box<dyn ImageView>> {
        self.feature().load(artifact)
    }
}

/// The parameters of a kind of feature: how it learns, and how what it learned is read.
pub trait Feature {
    /// Whether the settings go together.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Training pictures it wants to see; 0 where it learns nothing.
    fn wants(&self) -> usize {
        0
    }

    /// Files outside the recipe and the dataset that the vectors depend on, by what they are.
    fn files(&self) -> Result<Vec<(&'static str, Fingerprint)>> {
        Ok(vec![])
    }

    /// Adds what is learned from some training pictures.
    fn fit(&self, artifact: Artifact, pictures: &[Picture], seed: u64) -> Result<Artifact>;

    /// The fitted view of an artifact that [`Self::fit`] made.
    fn load(&self, artifact: &Artifact) -> Result<Box<dyn ImageView>>;
}

/// A picture as views see it.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// Its name in the dataset or gallery, by which imported vectors are found.
    pub name: &'a str,
    /// Its pixels, at the working size.
    pub picture: &'a Picture,
    /// The lines of text in it; empty where there are none, or where they were not read.
    pub text: &'a str,
}

impl<'a> Shown<'a> {
    /// A picture without a name, whose text was not read.
    pub fn bare(picture: &'a Picture) -> Self {
        Self {
            name: "",
            picture,
            text: "",
        }
    }
}

/// A fitted image view, before its PCA.
pub trait ImageView: Sync + Send {
    /// Length of the vector.
    fn dim(&self) -> usize;

    /// The vector of a picture; zero where the view finds nothing in it.
    fn describe(&self, shown: Shown) -> Result<Array1<f32>>;

    /// Vectors of pictures that would show nothing but one of the things that the view was taught to tell apart, a row
    /// for each thing; no rows where it was taught none.
    fn classes(&self) -> Array2<f32> {
        Array2::zeros((0, self.dim()))
    }
}

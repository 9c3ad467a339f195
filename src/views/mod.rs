//! Views: the named ways to turn an item into a vector, each fitted on training items alone.

mod appearance;
mod class_names;
mod colour_names;
mod contrast;
mod image;
mod imported;
mod local;
mod onnx;
mod projection;
mod read;
mod regions;
mod sentence;
mod terms;
mod text;

pub use class_names::ClassNamesParams;
pub(crate) use class_names::names as class_names;
pub use colour_names::ColourNamesParams;
pub use contrast::{PictureNetParams, TextNetParams};
pub use image::{Feature, FeatureParams, ImageView, ImageViewParams, Shown};
pub use imported::{ImportedParams, write_npy};
pub use local::LocalParams;
pub use projection::Projection;
pub use read::ReadParams;
pub use regions::{RegionsParams, SourceParams};
pub use sentence::{Centre, SentenceParams};
pub use terms::{TermView, TokenParams, Tokenizer};
pub use text::{TextFeature, TextSource, TextVectors, TextView, TextViewParams, TextViewSetup};

use half::f16;
use ndarray::{Array2, s};
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::error::Result;

fn one() -> f32 {
    1.0
}

/// A picture that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BadItem {
    /// Id of the picture.
    pub id: String,
    /// Why it cannot be used.
    pub reason: String,
}

/// The vectors of a collection's items in one view, or in all of them side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// n×d; the row of an item that is not usable is zero.
    pub x: Array2<f32>,
    /// False where the view says nothing about the item: a picture without a keypoint, a caption without
    /// a known word. Such an item is nobody's neighbour.
    pub usable: Vec<bool>,
    /// Pictures that cannot be used, and why.
    pub bad: Vec<BadItem>,
}

impl Rows {
    /// Lays views side by side, each times its weight. An item is usable if any view can use it.
    pub fn side_by_side(views: Vec<(f32, Self)>) -> Self {
        let n = views.first().map_or(0, |(_, v)| v.usable.len());
        let width = views.iter().map(|(_, v)| v.x.ncols()).sum();
        let mut all = Self {
            x: Array2::zeros((n, width)),
            usable: vec![false; n],
            bad: vec![],
        };
        let mut from = 0;
        for (weight, view) in views {
            let to = from + view.x.ncols();
            let mut block = all.x.slice_mut(s![.., from..to]);
            block.zip_mut_with(&view.x, |all, v| *all = v * weight);
            all.usable
                .iter_mut()
                .zip(view.usable)
                .for_each(|(all, u)| *all |= u);
            all.bad.extend(view.bad);
            from = to;
        }
        all.bad.sort();
        all.bad.dedup();
        all
    }

    /// Zeroes what is not usable.
    pub fn blank_unusable(&mut self) {
        for (mut row, _) in self
            .x
            .outer_iter_mut()
            .zip(&self.usable)
            .filter(|(_, u)| !**u)
        {
            row.fill(0.0);
        }
    }

    /// Adds the rows to an artifact, in single precision.
    pub fn store(&self, artifact: Artifact) -> Artifact {
        self.store_flags(artifact).with_matrix("x", self.x.view())
    }

    /// Rounds to half precision.
    pub fn halve(&mut self) {
        self.x.mapv_inplace(|v| f16::from_f32(v).to_f32());
    }

    /// In half precision: wide vectors that are only there to be projected.
    pub fn store_half(&self, artifact: Artifact) -> Artifact {
        let x = self.x.mapv(f16::from_f32);
        self.store_flags(artifact).with_matrix("half", x.view())
    }

    fn store_flags(&self, artifact: Artifact) -> Artifact {
        let usable: Vec<u8> = self.usable.iter().map(|&u| u8::from(u)).collect();
        artifact
            .with_notes(&self.bad)
            .with_vector("usable", ndarray::ArrayView1::from(&usable))
    }

    /// Rows of an artifact, of either precision.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) for one that holds no rows.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let x = match artifact.matrix::<f16>("half") {
            Ok(half) => half.mapv(f16::to_f32),
            Err(_) => artifact.matrix("x")?,
        };
        let usable = artifact.vector::<u8>("usable")?;
        artifact.require(usable.len() == x.nrows())?;
        Ok(Self {
            x,
            usable: usable.iter().map(|&u| u != 0).collect(),
            bad: artifact.read_notes()?,
        })
    }
}

//! Image views: a picture to one vector.
//!
//! A new kind of feature is a line in [`FeatureParams`], and an arm in [`ImageView::fit`],
//! [`ImageView::load`] and [`ImageView::describe`].

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::codebook::Codebook;
use crate::descriptor::Extractor;
use crate::encoding::Encoder;
use crate::error::{Error, Result};
use crate::picture::{Picture, PictureParams};
use crate::recipe::{FeatureParams, ImageViewParams, LocalParams};

/// A fitted image view, before its PCA.
pub enum ImageView {
    Local {
        extractor: Box<dyn Extractor>,
        encoder: Box<dyn Encoder>,
    },
}

/// The places of at most `most` of `n` things, evenly spread.
pub fn sample_places(n: usize, most: usize) -> impl Iterator<Item = usize> {
    let k = n.min(most);
    (0..k).map(move |i| (i * n + n / 2) / k)
}

impl ImageView {
    /// What the fitted view is made from.
    pub fn spec(
        params: &ImageViewParams,
        picture: &PictureParams,
        train: Fingerprint,
        seed: u64,
    ) -> Spec {
        Spec::new("image-view", &(&params.feature, picture), seed).input("training pictures", train)
    }

    /// How many training pictures it wants to see.
    pub fn wants(params: &ImageViewParams) -> usize {
        match &params.feature {
            FeatureParams::Local(p) => p.codebook.pictures,
        }
    }

    /// Learns from some of the training pictures.
    pub fn fit(params: &ImageViewParams, spec: Spec, pictures: &[Picture]) -> Result<Artifact> {
        match &params.feature {
            FeatureParams::Local(p) => {
                let codebook =
                    fit_codebook(p, pictures, spec.seed).map_err(|e| explain(e, params))?;
                Ok(codebook.store(Artifact::new(spec)))
            }
        }
    }

    pub fn load(params: &ImageViewParams, artifact: &Artifact) -> Result<Self> {
        match &params.feature {
            FeatureParams::Local(p) => {
                let extractor = p.descriptor.extractor();
                let codebook = Codebook::load(artifact)?;
                let kind = extractor.kind();
                if *codebook.kind() != kind {
                    return Err(Error::Mismatch {
                        left: "the codebook".into(),
                        left_is: format!("of {}", codebook.kind().name),
                        right: "the descriptor".into(),
                        right_is: kind.name,
                    });
                }
                Ok(Self::Local {
                    extractor,
                    encoder: p.encoding.encoder(codebook),
                })
            }
        }
    }

    /// Length of the vector.
    pub fn dim(&self) -> usize {
        match self {
            Self::Local { encoder, .. } => encoder.dim(),
        }
    }

    /// The picture's vector; zero where the view finds nothing in it.
    pub fn describe(&self, picture: &Picture) -> Result<Array1<f32>> {
        match self {
            Self::Local { extractor, encoder } => {
                encoder.encode(extractor.extract(picture)?.view())
            }
        }
    }
}

fn explain(e: Error, params: &ImageViewParams) -> Error {
    match e {
        Error::TooFew {
            what,
            needed,
            found,
        } => Error::TooFew {
            what: format!("view `{}`: {what}", params.name),
            needed,
            found,
        },
        e => e,
    }
}

fn fit_codebook(p: &LocalParams, pictures: &[Picture], seed: u64) -> Result<Codebook> {
    use rayon::prelude::*;
    let extractor = p.descriptor.extractor();
    let share = p.codebook.sample.div_ceil(pictures.len().max(1));
    let found: Vec<Array2<f32>> = pictures
        .par_iter()
        .map(|picture| {
            let all = extractor.extract(picture)?;
            let places: Vec<usize> = sample_places(all.nrows(), share).collect();
            Ok(all.select(Axis(0), &places))
        })
        .collect::<Result<_>>()?;
    let found: Vec<ArrayView2<f32>> = found.iter().map(Array2::view).collect();
    let kind = extractor.kind();
    let sample = match &found[..] {
        [] => Array2::zeros((0, kind.dim)),
        some => ndarray::concatenate(Axis(0), some).expect("descriptors of one kind"),
    };
    p.codebook.fit(kind, sample.view(), seed)
}

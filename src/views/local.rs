//! Local descriptors of a picture, aggregated over a codebook: descriptors -> PCA -> place -> encoding, per
//! region of the picture.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Feature, ImageView, Shown};
use crate::artifact::Artifact;
use crate::codebook::KMeansParams;
use crate::descriptor::{DescriptorKind, DescriptorParams, Descriptors, Extractor};
use crate::encoding::{Encoder, EncodingParams};
use crate::error::{Error, Result};
use crate::linalg::{Pca, PcaParams, l2_normalize};
use crate::picture::Picture;
use crate::sampling::sample_places;
use crate::timing;

/// Local descriptors, aggregated over a codebook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalParams {
    /// The descriptor.
    pub descriptor: DescriptorParams,
    /// Principal components that descriptors are reduced to; 0 leaves them as they are. (A mixture with
    /// diagonal covariances wants decorrelated input: Perronnin et al. 2010, §3.)
    #[serde(default)]
    pub reduce: usize,
    /// Appends the place of each descriptor, x and y from −0.5 to 0.5, times this (Sánchez, Perronnin & de
    /// Campos 2012); 0 does not.
    #[serde(default)]
    pub place: f32,
    /// Each grid, [columns, rows], cuts the picture into regions that are encoded one by one (spatial pyramid,
    /// Lazebnik, Schmid & Ponce 2006).
    #[serde(default = "whole")]
    pub regions: Vec<[usize; 2]>,
    /// `size` is the number of visual words, or of Gaussians.
    #[serde(default)]
    pub codebook: KMeansParams,
    /// How the descriptors become one vector.
    pub encoding: EncodingParams,
}

fn whole() -> Vec<[usize; 2]> {
    vec![[1, 1]]
}

/// A fitted view of local descriptors.
struct Local {
    extractor: Box<dyn Extractor>,
    reduction: Reduction,
    encoder: Box<dyn Encoder>,
    regions: Vec<[usize; 2]>,
}

/// What is done to descriptors before they are encoded.
struct Reduction {
    pca: Option<Pca>,
    place: f32,
}

/// Longer vectors are a mistake in the recipe.
const MAX_DIM: usize = 10_000_000;

impl Feature for LocalParams {
    fn check(&self) -> Result<()> {
        let regions: usize = self.regions.iter().map(|[c, r]| c * r).sum();
        let dim = regions * self.encoding.dim(self.codebook.size, self.kind().dim);
        if dim <= MAX_DIM {
            return Ok(());
        }
        Err(Error::Numeric {
            what: "`regions` and `codebook.size`",
            reason: format!("{dim} numbers a picture, more than {MAX_DIM}"),
        })
    }

    fn wants(&self) -> usize {
        self.codebook.pictures
    }

    fn fit(&self, artifact: Artifact, pictures: &[Picture], seed: u64) -> Result<Artifact> {
        let extractor = self.descriptor.extractor();
        let share = self.codebook.sample.div_ceil(pictures.len().max(1));
        let found: Vec<Descriptors> = pictures
            .par_iter()
            .map(|picture| {
                let all = extractor.extract(picture)?;
                let chosen: Vec<usize> = sample_places(all.values.nrows(), share).collect();
                Ok(Descriptors {
                    values: all.values.select(Axis(0), &chosen),
                    places: all.places.select(Axis(0), &chosen),
                })
            })
            .collect::<Result<_>>()?;
        let sample = Descriptors::stack(extractor.kind().dim, found);
        let (pca, artifact) = if self.reduce == 0 {
            (None, artifact)
        } else {
            let params = PcaParams {
                dim: self.reduce,
                whiten: 0.0,
                ..PcaParams::default()
            };
            let pca = params.fit(sample.values.view(), seed)?;
            (Some(pca.clone()), pca.store(artifact))
        };
        let reduction = Reduction {
            pca,
            place: self.place,
        };
        let (kind, x) = (self.kind(), reduction.apply(&sample)?);
        self.encoding
            .fit(&self.codebook, kind, x.view(), seed, artifact)
    }

    fn load(&self, artifact: &Artifact) -> Result<Box<dyn ImageView>> {
        let pca = match self.reduce {
            0 => None,
            _ => Some(Pca::load(artifact)?),
        };
        Ok(Box::new(Local {
            extractor: self.descriptor.extractor(),
            encoder: self.encoding.load(&self.kind(), artifact)?,
            reduction: Reduction {
                pca,
                place: self.place,
            },
            regions: self.regions.clone(),
        }))
    }
}

impl LocalParams {
    /// With the usual settings: the whole picture, descriptors as they are.
    pub fn new(descriptor: DescriptorParams, encoding: EncodingParams) -> Self {
        Self {
            descriptor,
            reduce: 0,
            place: 0.0,
            regions: whole(),
            codebook: KMeansParams::default(),
            encoding,
        }
    }

    /// Of the descriptors as they are encoded.
    fn kind(&self) -> DescriptorKind {
        let mut kind = self.descriptor.extractor().kind();
        if self.reduce > 0 {
            kind.dim = kind.dim.min(self.reduce);
            kind.name = format!("{}, {} components", kind.name, kind.dim);
        }
        if self.place != 0.0 {
            kind.dim += 2;
            kind.name = format!("{}, place x {}", kind.name, self.place);
        }
        kind
    }
}

impl Reduction {
    fn apply(&self, d: &Descriptors) -> Result<Array2<f32>> {
        let values = match &self.pca {
            Some(pca) => pca.transform(d.values.view())?,
            None => d.values.clone(),
        };
        if self.place == 0.0 {
            return Ok(values);
        }
        let (n, dim) = (values.nrows(), values.ncols() + 2);
        let mut rows = Vec::with_capacity(n * dim);
        for (v, place) in values.outer_iter().zip(d.places.outer_iter()) {
            rows.extend_from_slice(v.to_slice().expect("a row of a new matrix is contiguous"));
            rows.extend(place.iter().map(|p| p * self.place));
        }
        Ok(Array2::from_shape_vec((n, dim), rows).expect("two more numbers a row"))
    }
}

impl ImageView for Local {
    fn dim(&self) -> usize {
        let regions: usize = self
            .regions
            .iter()
            .map(|[columns, rows]| columns * rows)
            .sum();
        regions * self.encoder.dim()
    }

    fn describe(&self, Shown { picture, .. }: Shown) -> Result<Array1<f32>> {
        let found = self.extractor.extract(picture)?;
        let x = self.reduction.apply(&found)?;
        let mut v = Vec::with_capacity(self.dim());
        for &[columns, rows] in &self.regions {
            for region in 0..columns * rows {
                let inside = inside(found.places.view(), [columns, rows], region);
                let part = if inside.len() == x.nrows() {
                    timing::ENCODING.time(|| self.encoder.encode(x.view()))?
                } else {
                    timing::ENCODING
                        .time(|| self.encoder.encode(x.select(Axis(0), &inside).view()))?
                };
                v.extend(part);
            }
        }
        let mut v = Array1::from(v);
        l2_normalize(v.view_mut());
        Ok(v)
    }
}

/// The descriptors in a region of a grid of regions.
fn inside(places: ArrayView2<f32>, grid: [usize; 2], region: usize) -> Vec<usize> {
    let cell = |place: f32, cells: usize| (((place + 0.5) * cells as f32) as usize).min(cells - 1);
    let of = |p: ndarray::ArrayView1<f32>| cell(p[1], grid[1]) * grid[0] + cell(p[0], grid[0]);
    let all = places.outer_iter().enumerate();
    all.filter(|(_, p)| of(p.view()) == region)
        .map(|(i, _)| i)
        .collect()
}

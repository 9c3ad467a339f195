//! Local descriptors: a picture to a variable number of vectors.
//!
//! To add one: a file with its parameters and an [`Extractor`], and a line in [`DescriptorParams`] and
//! in [`DescriptorParams::extractor`].

mod cells;
mod colour;
mod dense_sift;
mod orb;
mod sift;

use std::sync::Once;

use image::GrayImage;
use ndarray::{Array2, ArrayView2, Axis};
use opencv::core::{self, KeyPoint, Mat, Vector};
use opencv::prelude::*;
use serde::{Deserialize, Serialize};

pub use colour::ColourParams;
pub use dense_sift::{Channels, DenseSiftParams};
pub use orb::OrbParams;
pub use sift::SiftParams;

use crate::error::Result;
use crate::picture::Picture;
use crate::timing;

/// Which descriptor, and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DescriptorParams {
    Sift(SiftParams),
    Orb(OrbParams),
    DenseSift(DenseSiftParams),
    Colour(ColourParams),
}

impl DescriptorParams {
    pub fn extractor(&self) -> Box<dyn Extractor> {
        match self {
            Self::Sift(p) => Box::new(p.clone()),
            Self::Orb(p) => Box::new(p.clone()),
            Self::DenseSift(p) => Box::new(p.clone()),
            Self::Colour(p) => Box::new(p.clone()),
        }
    }
}

/// What a vector is: codebooks of different kinds do not mix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescriptorKind {
    pub name: String,
    pub dim: usize,
}

/// Turns a picture into local descriptors.
pub trait Extractor: Sync + Send {
    fn kind(&self) -> DescriptorKind;
    /// None for a picture with no keypoint.
    fn extract(&self, picture: &Picture) -> Result<Descriptors>;
}

/// The local descriptors of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptors {
    /// n×dim
    pub values: Array2<f32>,
    /// n×2: centres as (x, y), from −0.5 to 0.5 of the picture's width and height.
    pub places: Array2<f32>,
}

impl Descriptors {
    pub fn none(dim: usize) -> Self {
        Self {
            values: Array2::zeros((0, dim)),
            places: Array2::zeros((0, 2)),
        }
    }

    /// One after the other.
    pub fn stack(dim: usize, parts: Vec<Self>) -> Self {
        let stack = |part: fn(&Self) -> ArrayView2<f32>| {
            let views: Vec<_> = parts.iter().map(part).collect();
            ndarray::concatenate(Axis(0), &views).expect("descriptors of one kind")
        };
        if parts.is_empty() {
            return Self::none(dim);
        }
        Self {
            values: stack(|p| p.values.view()),
            places: stack(|p| p.places.view()),
        }
    }
}

/// The places of OpenCV's keypoints in a picture.
fn places(keypoints: &Vector<KeyPoint>, image: &GrayImage) -> Array2<f32> {
    let (w, h) = (image.width() as f32, image.height() as f32);
    let points = keypoints.iter().map(|k| k.pt());
    let places = points.flat_map(|p| [(p.x + 0.5) / w - 0.5, (p.y + 0.5) / h - 0.5]);
    let places: Vec<f32> = places.collect();
    Array2::from_shape_vec((places.len() / 2, 2), places).expect("two numbers per keypoint")
}

/// Smaller pictures have no room for a keypoint, and OpenCV's pyramids do not expect them.
const MIN_SIDE: u32 = 16;

fn too_small(image: &GrayImage) -> bool {
    image.width().min(image.height()) < MIN_SIDE
}

/// What an OpenCV detector finds, with a row for each keypoint; nothing in a picture that is too small.
fn detected(
    detector: &mut impl Feature2DTrait,
    image: &GrayImage,
) -> Result<(Vector<KeyPoint>, Mat)> {
    // rayon shares pictures out; OpenCV must not split one again
    static ALONE: Once = Once::new();
    ALONE.call_once(|| drop(core::set_num_threads(1)));
    let mut keypoints = Vector::new();
    let mut rows = Mat::default();
    if !too_small(image) {
        let image = as_mat(image)?;
        let (none, points) = (Mat::default(), &mut keypoints);
        timing::KEYPOINTS
            .time(|| detector.detect_and_compute(&image, &none, points, &mut rows, false))?;
    }
    Ok((keypoints, rows))
}

/// The pixels as an OpenCV matrix, borrowed.
fn as_mat(image: &GrayImage) -> Result<opencv::boxed_ref::BoxedRef<'_, Mat>> {
    let (rows, cols) = (image.height() as i32, image.width() as i32);
    Ok(Mat::new_rows_cols_with_data(
        rows,
        cols,
        image.as_raw().as_slice(),
    )?)
}

/// The rows of an n×d matrix, each element converted.
fn rows_of<T: opencv::core::DataType>(
    mat: &Mat,
    dim: usize,
    convert: impl Fn(&[T], &mut Vec<f32>),
) -> Result<Array2<f32>> {
    let n = mat.rows().max(0) as usize;
    let mut values = Vec::with_capacity(n * dim);
    for i in 0..n {
        convert(mat.at_row::<T>(i as i32)?, &mut values);
    }
    Ok(Array2::from_shape_vec((n, dim), values).expect("each row gave `dim` values"))
}

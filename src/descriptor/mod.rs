//! Local descriptors: a variable number of vectors per picture.
//!
//! To add a descriptor, write a file with its parameters and an [`Extractor`], and add a line to
//! [`DescriptorParams`] and [`DescriptorParams::extractor`].

mod akaze;
mod cells;
mod colour;
mod dense_sift;
mod integral;
mod orb;
mod sift;
mod surf;

use std::sync::Once;

use image::GrayImage;
use ndarray::{Array2, ArrayView2, Axis};
use opencv::core::{self, KeyPoint, Mat, Vector};
use opencv::prelude::*;
use serde::{Deserialize, Serialize};

pub use akaze::AkazeParams;
pub use colour::ColourParams;
pub use dense_sift::{Channels, DenseSiftParams};
pub use orb::OrbParams;
pub use sift::SiftParams;
pub use surf::{Blob, SurfParams, describe_blobs};

use crate::error::Result;
use crate::picture::Picture;
use crate::timing;

/// A local descriptor and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DescriptorParams {
    /// SIFT at detected keypoints, 128 numbers.
    Sift(SiftParams),
    /// ORB at detected keypoints, 256 bits.
    Orb(OrbParams),
    /// SURF at detected keypoints, 64 numbers.
    Surf(SurfParams),
    /// AKAZE at detected keypoints, 486 bits.
    Akaze(AkazeParams),
    /// SIFT on a grid, 128 numbers per channel.
    DenseSift(DenseSiftParams),
    /// Colour statistics on a grid, 96 numbers.
    Colour(ColourParams),
}

impl DescriptorParams {
    /// The extractor with these settings.
    pub fn extractor(&self) -> Box<dyn Extractor> {
        match self {
            Self::Sift(p) => Box::new(p.clone()),
            Self::Orb(p) => Box::new(p.clone()),
            Self::Surf(p) => Box::new(p.clone()),
            Self::Akaze(p) => Box::new(p.clone()),
            Self::DenseSift(p) => Box::new(p.clone()),
            Self::Colour(p) => Box::new(p.clone()),
        }
    }
}

/// What a descriptor vector is. Codebooks are stamped with it, because descriptors of different kinds cannot be
/// mixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescriptorKind {
    /// Name of the descriptor, such as `root-sift`.
    pub name: String,
    /// Length of a descriptor.
    pub dim: usize,
}

/// Turns a picture into local descriptors.
pub trait Extractor: Sync + Send {
    /// The kind of the descriptors that it extracts.
    fn kind(&self) -> DescriptorKind;
    /// Extracts the descriptors of a picture at its working size; no rows for a picture without keypoints.
    ///
    /// # Errors
    /// [`Error::OpenCv`](crate::Error::OpenCv) from OpenCV's detectors.
    fn extract(&self, picture: &Picture) -> Result<Descriptors>;
}

/// The n local descriptors of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptors {
    /// The vectors, n×dim.
    pub values: Array2<f32>,
    /// The centres, n×2, as (x, y) from −0.5 to 0.5 of the picture's width and height.
    pub places: Array2<f32>,
}

impl Descriptors {
    /// No descriptors, of length `dim`.
    pub fn none(dim: usize) -> Self {
        Self {
            values: Array2::zeros((0, dim)),
            places: Array2::zeros((0, 2)),
        }
    }

    /// Stacks descriptors of one kind, in the order of `parts`; 0×dim without parts.
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

/// The centres of OpenCV's keypoints in a picture, n×2.
fn places(keypoints: &Vector<KeyPoint>, image: &GrayImage) -> Array2<f32> {
    places_of(keypoints.iter().map(|k| [k.pt().x, k.pt().y]), image)
}

/// The centres of keypoints in a picture, n×2, of their places in pixels.
fn places_of(points: impl Iterator<Item = [f32; 2]>, image: &GrayImage) -> Array2<f32> {
    let (w, h) = (image.width() as f32, image.height() as f32);
    let places = points.flat_map(|[x, y]| [(x + 0.5) / w - 0.5, (y + 0.5) / h - 0.5]);
    let places: Vec<f32> = places.collect();
    Array2::from_shape_vec((places.len() / 2, 2), places).expect("two numbers per keypoint")
}

/// The bits of a row of bytes as numbers; bit 0 is the lowest of its byte.
fn bits(row: &[u8]) -> impl Iterator<Item = f32> + '_ {
    let bits = row
        .iter()
        .flat_map(|&byte| (0..8).map(move |b| byte >> b & 1));
    bits.map(f32::from)
}

/// Smallest side: smaller pictures have no room for a keypoint, and OpenCV's pyramids do not expect them.
const MIN_SIDE: u32 = 16;

fn too_small(image: &GrayImage) -> bool {
    image.width().min(image.height()) < MIN_SIDE
}

/// Runs an OpenCV detector: keypoints with a row for each, or none in a picture that is too small.
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

/// Borrows the pixels as an OpenCV matrix.
fn as_mat(image: &GrayImage) -> Result<opencv::boxed_ref::BoxedRef<'_, Mat>> {
    let (rows, cols) = (image.height() as i32, image.width() as i32);
    Ok(Mat::new_rows_cols_with_data(
        rows,
        cols,
        image.as_raw().as_slice(),
    )?)
}

/// The rows of an n×d matrix, converted row by row.
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

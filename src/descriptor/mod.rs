//! Local descriptors: a picture to a variable number of vectors.
//!
//! To add one: a file with its parameters and an [`Extractor`], and a line in [`DescriptorParams`] and
//! in [`DescriptorParams::extractor`].

mod orb;
mod sift;

use image::GrayImage;
use ndarray::Array2;
use opencv::core::{self, Mat};
use opencv::prelude::*;
use serde::{Deserialize, Serialize};

pub use orb::OrbParams;
pub use sift::SiftParams;

use crate::error::Result;
use crate::picture::Picture;

/// Which descriptor, and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DescriptorParams {
    Sift(SiftParams),
    Orb(OrbParams),
}

impl DescriptorParams {
    pub fn extractor(&self) -> Box<dyn Extractor> {
        // rayon shares pictures out; OpenCV must not split one again.
        let _ = core::set_num_threads(1);
        match self {
            Self::Sift(p) => Box::new(p.clone()),
            Self::Orb(p) => Box::new(p.clone()),
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
    /// n×dim; n is 0 for a picture with no keypoint.
    fn extract(&self, picture: &Picture) -> Result<Array2<f32>>;
}

/// Smaller pictures have no room for a keypoint, and OpenCV's pyramids do not expect them.
const MIN_SIDE: u32 = 16;

fn too_small(image: &GrayImage) -> bool {
    image.width().min(image.height()) < MIN_SIDE
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

//! SIFT at detected keypoints (Lowe, IJCV 2004), computed by OpenCV.

use image::GrayImage;
use ndarray::Array2;
use opencv::core::{KeyPoint, Mat, Vector};
use opencv::features2d::SIFT;
use serde::{Deserialize, Serialize};

use super::{DescriptorKind, Descriptors, Extractor, detected, places, rows_of};
use crate::error::Result;
use crate::picture::Picture;

const DIM: usize = 128;

/// Settings of SIFT, with OpenCV's names and, except for the number of features, its defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiftParams {
    /// Number of keypoints kept, those with the highest contrast; 0 keeps all.
    pub features: i32,
    /// Number of layers in each octave of the scale space.
    pub octave_layers: i32,
    /// Least contrast of a keypoint; OpenCV divides it by the number of layers.
    pub contrast_threshold: f64,
    /// Largest ratio of principal curvatures of a keypoint: higher values keep more points on edges.
    pub edge_threshold: f64,
    /// Standard deviation of the Gaussian at the first octave, in pixels.
    pub sigma: f64,
    /// Takes square roots of the L1-normalised vector (RootSIFT).
    pub root: bool,
}

impl Default for SiftParams {
    fn default() -> Self {
        Self {
            features: 500,
            octave_layers: 3,
            contrast_threshold: 0.04, // Lowe 2004 §4 (OpenCV divides it by the number of layers)
            edge_threshold: 10.0,     // Lowe 2004 §4.1
            sigma: 1.6,               // Lowe 2004 §3.3
            root: true,
        }
    }
}

impl Extractor for SiftParams {
    fn kind(&self) -> DescriptorKind {
        DescriptorKind {
            name: if self.root { "root-sift" } else { "sift" }.into(),
            dim: DIM,
        }
    }

    fn extract(&self, picture: &Picture) -> Result<Descriptors> {
        let (keypoints, found) = self.detect(&picture.gray)?;
        Ok(Descriptors {
            values: self.values(&found)?,
            places: places(&keypoints, &picture.gray),
        })
    }
}

impl SiftParams {
    /// Detects keypoints, with a row of 128 numbers for each.
    pub(crate) fn detect(&self, image: &GrayImage) -> Result<(Vector<KeyPoint>, Mat)> {
        let mut sift = SIFT::create(
            self.features,
            self.octave_layers,
            self.contrast_threshold,
            self.edge_threshold,
            self.sigma,
        )?;
        detected(&mut sift, image)
    }

    /// The descriptors, n×128, as RootSIFT if that is set.
    pub(crate) fn values(&self, found: &Mat) -> Result<Array2<f32>> {
        let mut values = rows_of::<f32>(found, DIM, |row, out| out.extend_from_slice(row))?;
        if self.root {
            values
                .outer_iter_mut()
                .for_each(|mut row| root(row.as_slice_mut().expect("rows are contiguous")));
        }
        Ok(values)
    }
}

/// Turns a SIFT vector into RootSIFT, whose Euclidean distance is the Hellinger distance (Arandjelović & Zisserman
/// 2012).
fn root(descriptor: &mut [f32]) {
    let sum: f32 = descriptor.iter().sum();
    if sum > 0.0 {
        descriptor.iter_mut().for_each(|v| *v = (*v / sum).sqrt());
    }
}

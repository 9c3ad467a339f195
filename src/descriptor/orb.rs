//! ORB (Rublee et al., ICCV 2011), computed by OpenCV; its 256 bits become the numbers 0 and 1.

use image::GrayImage;
use opencv::core::{KeyPoint, Mat, Vector};
use opencv::features2d::{ORB, ORB_ScoreType};
use serde::{Deserialize, Serialize};

use super::{DescriptorKind, Descriptors, Extractor, bits, detected, places, rows_of};
use crate::error::Result;
use crate::picture::Picture;

const BITS: usize = 256;
/// Side of the square of pixels that a descriptor covers (Rublee et al. 2011 §4).
const PATCH: i32 = 31;

/// Settings of ORB, with OpenCV's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrbParams {
    /// Number of keypoints kept, those with the best Harris score.
    pub features: i32,
    /// Scale between neighbouring levels of the pyramid, above 1.
    pub scale_factor: f32,
    /// Number of levels of the pyramid.
    pub levels: i32,
    /// Threshold of the FAST detector, in grey levels.
    pub fast_threshold: i32,
}

impl Default for OrbParams {
    fn default() -> Self {
        Self {
            features: 500,
            scale_factor: 1.2,
            levels: 8,
            fast_threshold: 20,
        }
    }
}

impl Extractor for OrbParams {
    fn kind(&self) -> DescriptorKind {
        DescriptorKind {
            name: "orb".into(),
            dim: BITS,
        }
    }

    fn extract(&self, picture: &Picture) -> Result<Descriptors> {
        let (keypoints, found) = self.detect(&picture.gray)?;
        let values = rows_of::<u8>(&found, BITS, |row, out| out.extend(bits(row)))?;
        Ok(Descriptors {
            values,
            places: places(&keypoints, &picture.gray),
        })
    }
}

impl OrbParams {
    /// Detects keypoints, with a row of 32 bytes for each.
    pub(crate) fn detect(&self, image: &GrayImage) -> Result<(Vector<KeyPoint>, Mat)> {
        let mut orb = ORB::create(
            self.features,
            self.scale_factor,
            self.levels,
            PATCH, // no keypoint nearer to the border than a patch
            0,
            2,
            ORB_ScoreType::HARRIS_SCORE,
            PATCH,
            self.fast_threshold,
        )?;
        detected(&mut orb, image)
    }
}

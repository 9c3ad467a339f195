//! AKAZE (Alcantarilla, Nuevo & Bartoli, BMVC 2013), computed by OpenCV; its 486 bits become the numbers 0 and 1.

use ndarray::Axis;
use opencv::features2d::AKAZE;
use opencv::prelude::*;
use serde::{Deserialize, Serialize};

use super::{DescriptorKind, Descriptors, Extractor, bits, detected, places, rows_of};
use crate::error::Result;
use crate::picture::Picture;

const BITS: usize = 486;

/// Settings of AKAZE, with OpenCV's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AkazeParams {
    /// Number of keypoints kept, those with the strongest response; 0 keeps all.
    pub features: usize,
    /// Least response of the detector.
    pub akaze_threshold: f64,
    /// Number of octaves of the scale space.
    pub octaves: usize,
    /// Number of layers in each octave.
    pub octave_layers: usize,
}

impl Default for AkazeParams {
    fn default() -> Self {
        Self {
            features: 500,
            akaze_threshold: 0.001,
            octaves: 4,
            octave_layers: 4,
        }
    }
}

impl Extractor for AkazeParams {
    fn kind(&self) -> DescriptorKind {
        DescriptorKind {
            name: "akaze".into(),
            dim: BITS,
        }
    }

    fn extract(&self, picture: &Picture) -> Result<Descriptors> {
        let mut akaze = AKAZE::create_def()?;
        akaze.set_threshold(self.akaze_threshold)?;
        akaze.set_n_octaves(self.octaves as i32)?;
        akaze.set_n_octave_layers(self.octave_layers as i32)?;
        let (keypoints, found) = detected(&mut akaze, &picture.gray)?;
        let values = rows_of::<u8>(&found, BITS, |row, out| out.extend(bits(row).take(BITS)))?;
        let places = places(&keypoints, &picture.gray);
        let mut best: Vec<usize> = (0..values.nrows()).collect();
        if self.features > 0 && self.features < best.len() {
            let responses: Vec<f32> = keypoints.iter().map(|k| k.response()).collect();
            best.sort_by(|&a, &b| responses[b].total_cmp(&responses[a]));
            best.truncate(self.features);
        }
        Ok(Descriptors {
            values: values.select(Axis(0), &best),
            places: places.select(Axis(0), &best),
        })
    }
}

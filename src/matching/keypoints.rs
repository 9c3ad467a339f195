//! Keypoints with their frames: where, how large, which way up, and how it looks there.

use ndarray::Array2;
use opencv::core::{KeyPoint, Mat};
use opencv::prelude::*;
use serde::{Deserialize, Serialize};

use crate::descriptor::{OrbParams, SiftParams};
use crate::error::Result;
use crate::picture::Picture;

/// Which keypoints, and their settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeypointParams {
    Sift(SiftParams),
    Orb(OrbParams),
}

/// Where a keypoint is, in pixels, how large, and which way it points: radians from the x axis towards the y axis,
/// which points down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    pub x: f32,
    pub y: f32,
    pub size: f32,
    pub angle: f32,
}

/// The keypoints of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Keypoints {
    pub frames: Vec<Frame>,
    pub values: Values,
    /// Of the picture, in pixels.
    pub width: u32,
    pub height: u32,
}

/// How it looks at each keypoint.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// n×128, RootSIFT: unit rows.
    Sift(Array2<f32>),
    /// 256 bits each.
    Orb(Vec<[u64; 4]>),
}

impl KeypointParams {
    /// The keypoints of a picture at its working size; none where there are none.
    pub fn detect(&self, picture: &Picture) -> Result<Keypoints> {
        let image = &picture.gray;
        let (points, values) = match self {
            Self::Sift(p) => {
                let (points, found) = p.detect(image)?;
                (points, Values::Sift(p.values(&found)?))
            }
            Self::Orb(p) => {
                let (points, found) = p.detect(image)?;
                (points, Values::Orb(words(&found)?))
            }
        };
        Ok(Keypoints {
            frames: points.iter().map(frame).collect(),
            values,
            width: image.width(),
            height: image.height(),
        })
    }
}

fn frame(k: KeyPoint) -> Frame {
    Frame {
        x: k.pt().x,
        y: k.pt().y,
        size: k.size(),
        angle: k.angle().to_radians(),
    }
}

fn words(found: &Mat) -> Result<Vec<[u64; 4]>> {
    let mut rows = Vec::new();
    for i in 0..found.rows() {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(found.at_row::<u8>(i)?.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        rows.push(words);
    }
    Ok(rows)
}

impl Keypoints {
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

//! Keypoints with their frames: where, how large, which way up, and how it looks there.

use std::f32::consts::PI;

use ndarray::{Array2, Axis};
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    pub x: f32,
    pub y: f32,
    pub size: f32,
    pub angle: f32,
}

/// The keypoints of a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keypoints {
    pub frames: Vec<Frame>,
    pub values: Values,
    /// Of the picture, in pixels.
    pub width: u32,
    pub height: u32,
}

/// How it looks at each keypoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

    /// Those of the mirror image, where they follow from these: for SIFT.
    pub fn mirrored(&self) -> Option<Self> {
        let Values::Sift(values) = &self.values else {
            return None;
        };
        let columns: Vec<usize> = (0..128).map(turned_over).collect();
        Some(Self {
            frames: mirrored(&self.frames, self.width),
            values: Values::Sift(values.select(Axis(1), &columns)),
            ..*self
        })
    }
}

/// Where keypoints are in the mirror image of a picture of that width, in pixels.
pub fn mirrored(frames: &[Frame], width: u32) -> Vec<Frame> {
    let right = width as f32 - 1.0;
    let frame = |f: &Frame| Frame {
        x: right - f.x,
        angle: PI - f.angle,
        ..*f
    };
    frames.iter().map(frame).collect()
}

/// SIFT's histogram of 8 directions in 4×4 cells stands along the keypoint's own direction (Lowe 2004 §6.1): in a
/// mirror, rows across it come the other way round, and directions turn the other way.
fn turned_over(bin: usize) -> usize {
    let (row, column, direction) = (bin / 32, bin / 8 % 4, bin % 8);
    (3 - row) * 32 + column * 8 + (8 - direction) % 8
}

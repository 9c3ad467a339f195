//! Keypoints with their frames: position, size, direction, and a descriptor.

use std::f32::consts::PI;

use ndarray::{Array2, Axis, s};
use opencv::core::{KeyPoint, Mat, Vector};
use opencv::prelude::*;
use serde::{Deserialize, Serialize};

use crate::descriptor::{Blob, OrbParams, SiftParams, SurfParams};
use crate::error::Result;
use crate::picture::Picture;

/// A keypoint detector and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeypointParams {
    /// SIFT, described as RootSIFT.
    Sift(SiftParams),
    /// ORB.
    Orb(OrbParams),
    /// SURF.
    Surf(SurfParams),
}

/// Position, size and direction of a keypoint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// Horizontal position in pixels.
    pub x: f32,
    /// Vertical position in pixels, downwards.
    pub y: f32,
    /// Diameter in pixels.
    pub size: f32,
    /// Direction in radians, from the x axis towards the y axis, which points down.
    pub angle: f32,
}

/// The n keypoints of a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keypoints {
    /// Frames of the keypoints.
    pub frames: Vec<Frame>,
    /// Descriptors of the keypoints, in the same order.
    pub values: Values,
    /// Width of the picture, in pixels.
    pub width: u32,
    /// Height of the picture, in pixels.
    pub height: u32,
}

/// The descriptors of keypoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Values {
    /// RootSIFT, n×128, unit rows.
    Sift(Array2<f32>),
    /// ORB, 256 bits each.
    Orb(Vec<[u64; 4]>),
    /// SURF, n×64, unit rows.
    Surf(Array2<f32>),
}

impl KeypointParams {
    /// Detects the keypoints of a picture at its working size; the result may be empty.
    ///
    /// # Errors
    /// [`Error::OpenCv`](crate::Error::OpenCv) from OpenCV's detectors.
    pub fn detect(&self, picture: &Picture) -> Result<Keypoints> {
        let image = &picture.gray;
        let frames = |points: Vector<KeyPoint>| points.iter().map(frame).collect();
        let (frames, values) = match self {
            Self::Sift(p) => {
                let (points, found) = p.detect(image)?;
                (frames(points), Values::Sift(p.values(&found)?))
            }
            Self::Orb(p) => {
                let (points, found) = p.detect(image)?;
                (frames(points), Values::Orb(words(&found)?))
            }
            Self::Surf(p) => {
                let (blobs, angles, values) = p.detect(image);
                let frame = |(blob, &angle): (&Blob, &f64)| Frame {
                    x: blob.x as f32,
                    y: blob.y as f32,
                    size: 2.0 * blob.scale as f32,
                    angle: angle as f32,
                };
                let frames = blobs.iter().zip(&angles).map(frame);
                (frames.collect(), Values::Surf(values))
            }
        };
        Ok(Keypoints {
            frames,
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
    /// Number of keypoints.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there are no keypoints.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The keypoints of the mirror image, if they follow from these: for SIFT and SURF.
    pub fn mirrored(&self) -> Option<Self> {
        let values = match &self.values {
            Values::Sift(values) => {
                let columns: Vec<usize> = (0..128).map(turned_over).collect();
                Values::Sift(values.select(Axis(1), &columns))
            }
            Values::Surf(values) => {
                // rows of cells across the direction are reversed, and so are gradients across it
                let columns: Vec<usize> = (0..64).map(|v| (3 - v / 16) * 16 + v % 16).collect();
                let mut values = values.select(Axis(1), &columns);
                values
                    .slice_mut(s![.., 1..;4])
                    .mapv_inplace(std::ops::Neg::neg);
                Values::Surf(values)
            }
            Values::Orb(_) => return None,
        };
        Some(Self {
            frames: mirrored(&self.frames, self.width),
            values,
            ..*self
        })
    }
}

/// The frames of keypoints in the mirror image of a picture of that width, in pixels.
pub fn mirrored(frames: &[Frame], width: u32) -> Vec<Frame> {
    let right = width as f32 - 1.0;
    let frame = |f: &Frame| Frame {
        x: right - f.x,
        angle: PI - f.angle,
        ..*f
    };
    frames.iter().map(frame).collect()
}

/// The bin of SIFT's histogram in the mirror image. Its 8 directions in 4×4 cells are relative to the keypoint's
/// own direction (Lowe 2004 §6.1): in a mirror the rows across it are reversed, and so are the directions.
fn turned_over(bin: usize) -> usize {
    let (row, column, direction) = (bin / 32, bin / 8 % 4, bin % 8);
    (3 - row) * 32 + column * 8 + (8 - direction) % 8
}

//! Compares two pictures: similar keypoints, and the transformation on which they agree.
//!
//! [`keypoints`](KeypointParams) -> [`neighbours`](Neighbours) with the ratio test -> [consensus](Consensus). The
//! result is judged by how likely so many matches agree by chance, which means the same for few keypoints and for
//! many. [`PixelSimilarity`] compares pixels alone.

mod differences;
mod geometry;
mod keypoints;
mod neighbours;
mod pixels;

use serde::{Deserialize, Serialize};

pub use differences::differing;
pub use geometry::{
    Consensus, Correspondence, Model, Target, Transform, apply, consensus, log_tail,
};
pub use keypoints::{Frame, KeypointParams, Keypoints, Values, mirrored};
pub use neighbours::{Alike, Neighbours};
pub use pixels::{PixelSimilarity, pixel_similarity};

use crate::descriptor::SiftParams;
use crate::error::Result;
use crate::picture::{Picture, PictureParams};
use crate::timing;

/// Default score from which two pictures match; see [`Comparison::score`].
pub const THRESHOLD: f64 = 6.0;

/// Settings of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MatchParams {
    /// Settings for reading pictures.
    pub picture: PictureParams,
    /// Keypoint detector.
    pub keypoints: KeypointParams,
    /// Search for similar keypoints.
    pub neighbours: Neighbours,
    /// Ratio test: a match is accepted if nearest/second-nearest distance is below this.
    pub ratio: f32,
    /// Only accepts keypoints that are each other's nearest.
    pub cross_check: bool,
    /// Transformations that are considered.
    pub model: Model,
    /// Largest distance of an inlier from its expected position, in pixels of the working size.
    pub tolerance: f64,
    /// Also compares the mirror image.
    pub mirrored: bool,
}

impl Default for MatchParams {
    fn default() -> Self {
        Self {
            picture: PictureParams::default(),
            keypoints: KeypointParams::Sift(SiftParams {
                features: 1000,
                contrast_threshold: 0.01,
                ..SiftParams::default()
            }),
            neighbours: Neighbours::Exhaustive,
            ratio: 0.8, // Lowe 2004 §7.1
            cross_check: true,
            model: Model::Homography,
            tolerance: 5.0,
            mirrored: true,
        }
    }
}

/// A picture prepared for comparison.
pub struct Subject {
    /// Its keypoints.
    pub keypoints: Keypoints,
    /// Keypoints of its mirror image, if that is compared too.
    pub mirrored: Option<Keypoints>,
}

/// The result of comparing two pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Similar keypoints of the first picture, or of its mirror image, and of the second.
    pub matches: Vec<Correspondence>,
    /// The transformation that matches agree on; `None` if there is none.
    pub consensus: Option<Consensus>,
    /// Whether the first picture's mirror image is what was compared.
    pub mirrored: bool,
    /// Widths and heights of both pictures at their working sizes, in pixels.
    pub sizes: [[u32; 2]; 2],
}

impl Comparison {
    /// Judges similar keypoints of two pictures of these widths and heights, in pixels.
    ///
    /// # Errors
    /// Those of [`consensus()`].
    pub fn of(
        matches: Vec<Correspondence>,
        sizes: [[u32; 2]; 2],
        model: Model,
        tolerance: f64,
        mirrored: bool,
    ) -> Result<Self> {
        let [width, height] = sizes[1].map(f64::from);
        let target = Target {
            tolerance,
            area: width * height,
        };
        Ok(Self {
            consensus: timing::MATCHING.time(|| consensus(&matches, model, target))?,
            matches,
            mirrored,
            sizes,
        })
    }

    /// Number of matches that agree with the transformation.
    pub fn inliers(&self) -> usize {
        self.consensus.as_ref().map_or(0, |c| c.inliers.len())
    }

    /// Where the matches that agree are in the first picture, mirrored or not, and in the second: from the left and from
    /// the top, as shares of width and height.
    pub fn places(&self) -> Vec<[[f32; 2]; 2]> {
        let inliers = self.consensus.iter().flat_map(|c| &c.inliers);
        let share = |f: &Frame, size: [u32; 2]| {
            let [width, height] = size.map(|s| s.max(1) as f32);
            [(f.x + 0.5) / width, (f.y + 0.5) / height]
        };
        let place = |&i: &usize| {
            let Correspondence { a, b } = &self.matches[i];
            let [left, top] = share(a, self.sizes[0]);
            let left = if self.mirrored { 1.0 - left } else { left };
            [[left, top], share(b, self.sizes[1])]
        };
        inliers.map(place).collect()
    }

    /// −log10 of the expected number of transformations that would fit this well by chance; 0 without any
    /// agreement.
    pub fn score(&self) -> f64 {
        let chance = self.consensus.as_ref().map_or(0.0, |c| c.log_chance);
        (-chance).max(0.0)
    }
}

impl MatchParams {
    /// Detects the keypoints of a picture at its working size.
    ///
    /// # Errors
    /// [`Error::OpenCv`](crate::Error::OpenCv) from OpenCV's detectors.
    pub fn subject(&self, picture: &Picture) -> Result<Subject> {
        let keypoints = self.keypoints.detect(picture)?;
        let mirrored = match (self.mirrored, keypoints.mirrored()) {
            (false, _) => None,
            (true, Some(mirrored)) => Some(mirrored),
            (true, None) => Some(self.keypoints.detect(&picture.mirrored())?),
        };
        Ok(Subject {
            keypoints,
            mirrored,
        })
    }

    /// Finds the transformation that leads from the first picture, or its mirror image, to the second.
    ///
    /// # Errors
    /// [`Error::OpenCv`](crate::Error::OpenCv) from OpenCV.
    pub fn compare(&self, a: &Subject, b: &Keypoints) -> Result<Comparison> {
        let plain = self.agree(&a.keypoints, b, false)?;
        let Some(mirrored) = &a.mirrored else {
            return Ok(plain);
        };
        let mirrored = self.agree(mirrored, b, true)?;
        Ok(if mirrored.score() > plain.score() {
            mirrored
        } else {
            plain
        })
    }

    fn agree(&self, a: &Keypoints, b: &Keypoints, mirrored: bool) -> Result<Comparison> {
        let alike = self
            .neighbours
            .alike(&a.values, &b.values, self.ratio, self.cross_check)?;
        let correspondence = |m: &Alike| Correspondence {
            a: a.frames[m.a],
            b: b.frames[m.b],
        };
        let matches = alike.iter().map(correspondence).collect();
        let sizes = [a, b].map(|k| [k.width, k.height]);
        Comparison::of(matches, sizes, self.model, self.tolerance, mirrored)
    }
}

//! Two pictures against each other: keypoints that look alike, and the transformation on which they agree.
//!
//! [`keypoints`](KeypointParams) -> [`neighbours`](Neighbours) with the ratio test -> [consensus](Consensus). The
//! outcome is judged by how likely so many matches agree by chance, which means the same for pictures with few
//! keypoints and with many.

mod differences;
mod geometry;
mod keypoints;
mod neighbours;

use serde::{Deserialize, Serialize};

pub use differences::differing;
pub use geometry::{
    Consensus, Correspondence, Model, Target, Transform, apply, consensus, log_tail,
};
pub use keypoints::{Frame, KeypointParams, Keypoints, Values, mirrored};
pub use neighbours::{Alike, Neighbours};

use crate::descriptor::SiftParams;
use crate::error::Result;
use crate::picture::{Picture, PictureParams};
use crate::timing;

/// Score from which pictures match.
pub const THRESHOLD: f64 = 6.0;

/// Settings of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MatchParams {
    pub picture: PictureParams,
    pub keypoints: KeypointParams,
    pub neighbours: Neighbours,
    /// The nearest keypoint must be nearer than this much of the second.
    pub ratio: f32,
    /// Only keypoints that are each other's nearest match.
    pub cross_check: bool,
    pub model: Model,
    /// How far from where the transformation puts it a keypoint may be, in pixels of the working size.
    pub tolerance: f64,
    /// Looks for the mirror image, too.
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

/// A picture ready to be compared.
pub struct Subject {
    pub keypoints: Keypoints,
    /// Of its mirror image, where that is looked at.
    pub mirrored: Option<Keypoints>,
}

/// What two pictures have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Keypoints that look alike, of the first picture, or of its mirror image, and of the second.
    pub matches: Vec<Correspondence>,
    pub consensus: Option<Consensus>,
    /// The first picture's mirror image is what agrees.
    pub mirrored: bool,
}

impl Comparison {
    /// Of keypoints that look alike, the second ones in a picture of that width and height, in pixels.
    pub fn of(
        matches: Vec<Correspondence>,
        (width, height): (u32, u32),
        model: Model,
        tolerance: f64,
        mirrored: bool,
    ) -> Result<Self> {
        let target = Target {
            tolerance,
            area: f64::from(width) * f64::from(height),
        };
        Ok(Self {
            consensus: timing::MATCHING.time(|| consensus(&matches, model, target))?,
            matches,
            mirrored,
        })
    }

    /// Number of matches that agree.
    pub fn inliers(&self) -> usize {
        self.consensus.as_ref().map_or(0, |c| c.inliers.len())
    }

    /// −log10 of the number of pairs of pictures that would agree so well by chance; 0 where any would.
    pub fn score(&self) -> f64 {
        let chance = self.consensus.as_ref().map_or(0.0, |c| c.log_chance);
        (-chance).max(0.0)
    }
}

impl MatchParams {
    /// A picture's keypoints.
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

    /// The transformation that leads from the first picture, or its mirror image, to the second.
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
        let size = (b.width, b.height);
        Comparison::of(matches, size, self.model, self.tolerance, mirrored)
    }
}

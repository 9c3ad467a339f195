//! Finds the transformation that most matches agree on, and how likely such agreement is by chance.

use std::collections::BTreeSet;
use std::f64::consts::PI;

use opencv::calib3d::{USAC_MAGSAC, find_homography};
use opencv::core::{Mat, Point2f, Vector};
use opencv::prelude::*;
use serde::{Deserialize, Serialize};

use super::keypoints::Frame;
use crate::error::Result;

/// The transformations that are considered between two pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// Translation, rotation and uniform scaling.
    Similarity,
    /// Also perspective, if that explains more matches.
    Homography,
}

/// A 3×3 matrix that acts on (x, y, 1), in pixels, row by row.
pub type Transform = [[f64; 3]; 3];

/// A transformation and the matches that agree with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Consensus {
    /// Transformation from the first picture to the second.
    pub transform: Transform,
    /// Indices of the matches that agree with it.
    pub inliers: Vec<usize>,
    /// log10 of the expected number of transformations that would fit this well if the matches were random (the
    /// number of false alarms of Moisan & Stival, IJCV 2004): −6 means one in a million such pairs of pictures.
    pub log_chance: f64,
}

/// The two keypoints of a match.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correspondence {
    /// Keypoint in the first picture.
    pub a: Frame,
    /// Keypoint in the second picture.
    pub b: Frame,
}

/// Largest scale between pictures: beyond it the keypoints have nothing to do with each other.
const WIDEST_SCALE: f64 = 16.0;

/// The tolerance of an inlier, and the size of the picture in which it is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Largest distance of an inlier from its expected position, in pixels of the second picture.
    pub tolerance: f64,
    /// Area of the second picture, in square pixels.
    pub area: f64,
}

impl Target {
    /// The probability that a match agrees by chance: the share of pairs of matches that end near each other,
    /// because keypoints crowd where there is structure, but at least the probability for uniform positions.
    fn probability(self, matches: &[Correspondence]) -> f64 {
        let anywhere = (PI * self.tolerance * self.tolerance / self.area).min(1.0);
        let (mut near, mut pairs) = (0, 0);
        for (i, c) in matches.iter().enumerate() {
            for other in &matches[..i] {
                let (x, y) = (c.b.x - other.b.x, c.b.y - other.b.y);
                let squared = f64::from(x * x + y * y);
                near += usize::from(squared <= self.tolerance * self.tolerance);
                pairs += 1;
            }
        }
        anywhere.max(near as f64 / f64::from(pairs.max(1)))
    }

    fn agrees(self, c: &Correspondence, transform: &Transform) -> bool {
        let (x, y) = apply(transform, f64::from(c.a.x), f64::from(c.a.y));
        let (x, y) = (x - f64::from(c.b.x), y - f64::from(c.b.y));
        x * x + y * y <= self.tolerance * self.tolerance
    }

    fn inliers(self, matches: &[Correspondence], transform: &Transform) -> Vec<usize> {
        let agrees = |&i: &usize| self.agrees(&matches[i], transform);
        (0..matches.len()).filter(agrees).collect()
    }
}

/// Matches, with what is needed to judge any transformation of them.
struct Evidence<'a> {
    matches: &'a [Correspondence],
    target: Target,
    /// Number of matches at different positions.
    places: usize,
    /// See [`Target::probability`].
    probability: f64,
}

impl<'a> Evidence<'a> {
    fn new(matches: &'a [Correspondence], target: Target) -> Self {
        Self {
            matches,
            target,
            places: places(matches, 0..matches.len()),
            probability: target.probability(matches),
        }
    }

    /// Judges a transformation that `free` matches determine.
    fn judged(&self, transform: Transform, free: usize) -> Consensus {
        let inliers = self.target.inliers(self.matches, &transform);
        let (n, k) = (self.places, places(self.matches, inliers.iter().copied()));
        let log_chance = if k > free {
            log_choose(n, free) + log_tail(n - free, k - free, self.probability)
        } else {
            log_choose(n, free)
        };
        Consensus {
            transform,
            inliers,
            log_chance,
        }
    }
}

/// The number of different positions: several keypoints at one position are one observation.
fn places(matches: &[Correspondence], which: impl Iterator<Item = usize>) -> usize {
    let whole = |f: Frame| (f.x.round() as i64, f.y.round() as i64);
    let (mut a, mut b) = (BTreeSet::new(), BTreeSet::new());
    for i in which {
        a.insert(whole(matches[i].a));
        b.insert(whole(matches[i].b));
    }
    a.len().min(b.len())
}

/// The best transformation; `None` if no matches agree.
///
/// # Errors
/// [`Error::OpenCv`](crate::Error::OpenCv) from fitting a homography.
pub fn consensus(
    matches: &[Correspondence],
    model: Model,
    target: Target,
) -> Result<Option<Consensus>> {
    let evidence = Evidence::new(matches, target);
    let Some(similarity) = best_similarity(&evidence) else {
        return Ok(None);
    };
    if model == Model::Homography
        && let Some(transform) = homography(matches, target.tolerance)?
    {
        let seen = evidence.judged(transform, 4);
        if seen.log_chance < similarity.log_chance {
            return Ok(Some(seen));
        }
    }
    Ok(Some(similarity))
}

/// The best similarity. One match of oriented, scaled keypoints determines a similarity, so all are tried and
/// nothing is random (Philbin et al., CVPR 2007, §3.1); the best is then fitted to its inliers.
fn best_similarity(evidence: &Evidence) -> Option<Consensus> {
    let Evidence {
        matches, target, ..
    } = *evidence;
    let proposed = matches.iter().filter_map(of_frames);
    let votes = |t: &Transform| matches.iter().filter(|c| target.agrees(c, t)).count();
    let votes = proposed.map(|t| (votes(&t), t));
    let mut best: Option<(usize, Transform)> = None;
    for (n, transform) in votes {
        if best.is_none_or(|(most, _)| n > most) {
            best = Some((n, transform));
        }
    }
    let mut found = evidence.judged(best?.1, 1);
    while let Some(transform) = least_squares(matches, &found.inliers) {
        let better = evidence.judged(transform, 1);
        if better.inliers.len() <= found.inliers.len() {
            break;
        }
        found = better;
    }
    Some(found)
}

/// The similarity that maps one keypoint to the other.
fn of_frames(c: &Correspondence) -> Option<Transform> {
    let scale = f64::from(c.b.size) / f64::from(c.a.size);
    let turn = f64::from(c.b.angle - c.a.angle);
    let (p, q) = (scale * turn.cos(), scale * turn.sin());
    let (x, y) = (f64::from(c.a.x), f64::from(c.a.y));
    let moved = [
        f64::from(c.b.x) - p * x + q * y,
        f64::from(c.b.y) - q * x - p * y,
    ];
    similarity(p, q, moved)
}

fn similarity(p: f64, q: f64, moved: [f64; 2]) -> Option<Transform> {
    let scale = p.hypot(q);
    (1.0 / WIDEST_SCALE..WIDEST_SCALE)
        .contains(&scale)
        .then_some([[p, -q, moved[0]], [q, p, moved[1]], [0.0, 0.0, 1.0]])
}

/// Fits a similarity to at least two matches by least squares.
fn least_squares(matches: &[Correspondence], which: &[usize]) -> Option<Transform> {
    let n = which.len() as f64;
    let mean = |of: &dyn Fn(&Correspondence) -> f32| {
        which
            .iter()
            .map(|&i| f64::from(of(&matches[i])))
            .sum::<f64>()
            / n
    };
    let (ax, ay) = (mean(&|c| c.a.x), mean(&|c| c.a.y));
    let (bx, by) = (mean(&|c| c.b.x), mean(&|c| c.b.y));
    let (mut dot, mut cross, mut spread) = (0.0, 0.0, 0.0);
    for &i in which {
        let Correspondence { a, b } = &matches[i];
        let (ax, ay) = (f64::from(a.x) - ax, f64::from(a.y) - ay);
        let (bx, by) = (f64::from(b.x) - bx, f64::from(b.y) - by);
        dot += ax * bx + ay * by;
        cross += ax * by - ay * bx;
        spread += ax * ax + ay * ay;
    }
    if spread == 0.0 {
        return None;
    }
    let (p, q) = (dot / spread, cross / spread);
    similarity(p, q, [bx - p * ax + q * ay, by - q * ax - p * ay])
}

/// Fits a homography by MAGSAC++ (Barath et al., CVPR 2020), as OpenCV implements it; `None` if it would mirror or
/// fold the picture.
fn homography(matches: &[Correspondence], tolerance: f64) -> Result<Option<Transform>> {
    const LEAST: usize = 5; // four fit any four
    if matches.len() < LEAST {
        return Ok(None);
    }
    let points = |of: fn(&Correspondence) -> Frame| -> Vector<Point2f> {
        let frames = matches.iter().map(of);
        frames.map(|f| Point2f::new(f.x, f.y)).collect()
    };
    let (a, b) = (points(|c| c.a), points(|c| c.b));
    let found = find_homography(&a, &b, &mut Mat::default(), USAC_MAGSAC, tolerance)?;
    if found.rows() != 3 {
        return Ok(None);
    }
    let mut transform: Transform = Default::default();
    for (i, row) in transform.iter_mut().enumerate() {
        row.copy_from_slice(found.at_row::<f64>(i as i32)?);
    }
    let upright = matches.iter().all(|c| orientation(&transform, c.a) > 0.0);
    Ok(upright.then_some(transform))
}

/// The sign of the Jacobian's determinant at a point, and of its distance from the horizon.
fn orientation(t: &Transform, at: Frame) -> f64 {
    let w = t[2][0] * f64::from(at.x) + t[2][1] * f64::from(at.y) + t[2][2];
    let [[a, b, c], [d, e, f], [g, h, i]] = *t;
    let determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
    determinant.signum() * w.signum()
}

/// The position (x, y), in pixels, after a transformation.
pub fn apply(t: &Transform, x: f64, y: f64) -> (f64, f64) {
    let [u, v, w] = t.map(|row| row[0] * x + row[1] * y + row[2]);
    (u / w, v / w)
}

fn log_choose(n: usize, k: usize) -> f64 {
    (0..k.min(n))
        .map(|i| ((n - i) as f64 / (i + 1) as f64).log10())
        .sum()
}

/// log10 of the probability that a binomial variable of n trials is at least k.
pub fn log_tail(n: usize, k: usize, p: f64) -> f64 {
    if k == 0 {
        return 0.0;
    }
    let q = (1.0 - p).max(1e-300);
    let first = log_choose(n, k.min(n - k)) + k as f64 * p.log10() + (n - k) as f64 * q.log10();
    // each term of the sum from the one before, as shares of the first
    let (mut term, mut sum) = (1.0, 1.0);
    for i in k..n {
        term *= (n - i) as f64 / (i + 1) as f64 * (p / q);
        sum += term;
    }
    (first + sum.log10()).min(0.0)
}

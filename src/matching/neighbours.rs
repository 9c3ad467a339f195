//! Similar keypoints of two pictures.

use ndarray::{Array2, ArrayView1};
use opencv::core::{self, DMatch, Mat, Ptr, Vector};
use opencv::features2d::FlannBasedMatcher;
use opencv::flann::{IndexParams, KDTreeIndexParams, LshIndexParams, SearchParams};
use opencv::prelude::*;
use serde::{Deserialize, Serialize};

use super::keypoints::Values;
use crate::error::Result;
use crate::linalg::matmul;

/// How the most similar keypoints are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Neighbours {
    /// All pairs are compared.
    Exhaustive,
    /// FLANN (Muja & Lowe, VISAPP 2009): randomised k-d trees for SIFT, hashes of bits for ORB.
    Flann,
}

/// Two similar keypoints, by their indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alike {
    /// Index in the first picture.
    pub a: usize,
    /// Index in the second picture.
    pub b: usize,
}

/// The two nearest to a keypoint, nearest first.
#[derive(Clone, Copy)]
struct Nearest {
    first: usize,
    distance: f32,
    second: f32,
}

impl Neighbours {
    /// Pairs that pass the ratio test (Lowe 2004 §7.1): the distance to the nearest is less than `ratio` times that
    /// to the next. With `cross_check`, only pairs that are each other's nearest. Sorted by `a`. Descriptors of
    /// different kinds are never similar.
    ///
    /// # Errors
    /// [`Error::OpenCv`](crate::Error::OpenCv) from FLANN.
    pub fn alike(
        self,
        a: &Values,
        b: &Values,
        ratio: f32,
        cross_check: bool,
    ) -> Result<Vec<Alike>> {
        let there = self.nearest(a, b)?;
        let back = if cross_check {
            Some(self.nearest(b, a)?)
        } else {
            None
        };
        let mut pairs = Vec::new();
        for (a, nearest) in there.iter().enumerate() {
            let Some(n) = nearest else { continue };
            let mutual = back
                .as_ref()
                .is_none_or(|back| back[n.first].is_some_and(|n| n.first == a));
            if n.distance < ratio * n.second && mutual {
                pairs.push(Alike { a, b: n.first });
            }
        }
        Ok(pairs)
    }

    /// The two nearest rows of b for every row of a.
    fn nearest(self, a: &Values, b: &Values) -> Result<Vec<Option<Nearest>>> {
        match (self, a, b) {
            (Self::Exhaustive, Values::Sift(a), Values::Sift(b))
            | (Self::Exhaustive, Values::Surf(a), Values::Surf(b)) => Ok(by_product(a, b)),
            (Self::Exhaustive, Values::Orb(a), Values::Orb(b)) => Ok(by_bits(a, b)),
            (Self::Flann, _, _) => by_flann(a, b),
            (Self::Exhaustive, _, _) => Ok(vec![None; rows(a)]), // nothing of one kind is like the other
        }
    }
}

fn rows(values: &Values) -> usize {
    match values {
        Values::Sift(x) | Values::Surf(x) => x.nrows(),
        Values::Orb(x) => x.len(),
    }
}

/// The nearest of unit rows: ‖a − b‖² = 2 − 2·aᵀb.
fn by_product(a: &Array2<f32>, b: &Array2<f32>) -> Vec<Option<Nearest>> {
    let scores = matmul(a.view(), b.t());
    let nearest = |row: ArrayView1<f32>| {
        let distance = |s: f32| (2.0 - 2.0 * s).max(0.0).sqrt();
        smallest_two(row.iter().map(|&s| distance(s)))
    };
    scores.outer_iter().map(nearest).collect()
}

fn by_bits(a: &[[u64; 4]], b: &[[u64; 4]]) -> Vec<Option<Nearest>> {
    let apart = |a: &[u64; 4], b: &[u64; 4]| {
        let bits = a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones());
        bits.sum::<u32>() as f32
    };
    a.iter()
        .map(|a| smallest_two(b.iter().map(|b| apart(a, b))))
        .collect()
}

/// The two smallest distances, the first of equals first.
fn smallest_two(distances: impl Iterator<Item = f32>) -> Option<Nearest> {
    let mut nearest: Option<Nearest> = None;
    for (i, d) in distances.enumerate() {
        nearest = Some(match nearest {
            Some(n) if d < n.distance => Nearest {
                first: i,
                distance: d,
                second: n.distance,
            },
            Some(n) => Nearest {
                second: n.second.min(d),
                ..n
            },
            None => Nearest {
                first: i,
                distance: d,
                second: f32::INFINITY,
            },
        });
    }
    nearest
}

/// Seed of FLANN's random trees and tables.
const SEED: i32 = 1;

fn by_flann(a: &Values, b: &Values) -> Result<Vec<Option<Nearest>>> {
    if rows(a) == 0 || rows(b) == 0 {
        return Ok(vec![None; rows(a)]);
    }
    core::set_rng_seed(SEED)?;
    let index: Ptr<IndexParams> = match b {
        Values::Sift(_) | Values::Surf(_) => Ptr::new(KDTreeIndexParams::new(4)?).into(), // 4 trees: FLANN's default
        Values::Orb(_) => Ptr::new(LshIndexParams::new(6, 12, 1)?).into(), // as OpenCV's manual has it for ORB
    };
    let search = Ptr::new(SearchParams::new(64, 0.0, true, false)?); // leaves looked at
    let matcher = FlannBasedMatcher::new(&index, &search)?;
    let mut found: Vector<Vector<DMatch>> = Vector::new();
    matcher.knn_train_match_def(&as_mat(a)?, &as_mat(b)?, &mut found, 2)?;
    let nearest = |matches: Vector<DMatch>| {
        let first = matches.get(0).ok()?;
        let second = matches.get(1).map_or(f32::INFINITY, |m| m.distance);
        Some(Nearest {
            first: first.train_idx as usize,
            distance: first.distance,
            second,
        })
    };
    Ok(found.iter().map(nearest).collect())
}

fn as_mat(values: &Values) -> Result<Mat> {
    Ok(match values {
        Values::Sift(x) | Values::Surf(x) => {
            let rows: Vec<Vec<f32>> = x.outer_iter().map(|row| row.to_vec()).collect();
            Mat::from_slice_2d(&rows)?
        }
        Values::Orb(x) => {
            let rows: Vec<Vec<u8>> = x
                .iter()
                .map(|w| w.iter().flat_map(|w| w.to_le_bytes()).collect())
                .collect();
            Mat::from_slice_2d(&rows)?
        }
    })
}

//! The best rows of a gallery for a point, exactly or by an index.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::calibration::{QueryScores, SAMPLE, TOLD};
use crate::error::Result;
use crate::gallery::{Bitmap, Nearest, Points};
use crate::model::Captions;

/// Rows of one kind in every part of a gallery.
pub struct Rows<'a> {
    /// The points of each part.
    pub points: Vec<Points<'a>>,
    /// The rows of each part that may be answered.
    pub allowed: Vec<Bitmap>,
}

/// A row and its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Place of the part.
    pub part: usize,
    /// Row in it.
    pub row: usize,
    /// Key of the item.
    pub key: u64,
    /// Score of the point, less the charge.
    pub shared: f32,
    /// How well the words match, from 0 to 1.
    pub matched: f32,
    /// Both together.
    pub score: f32,
}

/// Best first; equals by key.
pub fn best_first(a: &Ranked, b: &Ranked) -> Ordering {
    b.score.total_cmp(&a.score).then(a.key.cmp(&b.key))
}

/// What is ranked by.
pub struct Question<'a> {
    /// A point; nothing where the query says nothing in the space.
    pub point: Option<&'a [f32]>,
    /// How well rows of each part match the words, where words count.
    pub matches: Vec<BTreeMap<u32, f32>>,
    /// How much the words count.
    pub share: f32,
    /// How many of the best are wanted.
    pub most: usize,
}

/// The best rows, and what their probabilities are told from.
pub struct Ranking {
    /// Best first.
    pub best: Vec<Ranked>,
    /// Scores of the best and of a sample of the rest.
    pub scores: QueryScores,
}

/// Where so many rows or fewer are allowed, they are all looked at.
const FEW: usize = 16_384;
/// Rows with matching words that are looked at beside the nearest ones, in a part with an index.
const MATCHING: usize = 2000;

impl Rows<'_> {
    /// The best rows for a question. `nearest` has an index for parts that have one.
    pub fn rank(&self, question: &Question, nearest: &[Option<&dyn Nearest>]) -> Result<Ranking> {
        let allowed: usize = self.allowed.iter().map(Bitmap::count).sum();
        let most = question.most.max(TOLD);
        let mut all = Vec::new();
        let mut sample = Vec::new();
        for part in 0..self.points.len() {
            let index = nearest.get(part).copied().flatten();
            let matches = question.matches.get(part);
            let rows = self.candidates(part, question, index, matches)?;
            let scored = self.scored(part, question, rows, matches);
            match index {
                Some(_) => sample.extend(self.sampled(part, question)),
                None => sample.extend(thinned(&scored, |r| self.is_sampled(part, r.row, allowed))),
            }
            all.extend(scored);
            if all.len() > 4 * most {
                all.select_nth_unstable_by(most, best_first);
                all.truncate(most);
            }
        }
        all.sort_unstable_by(best_first);
        all.truncate(most);
        let scores = QueryScores {
            top: all.iter().map(|r| r.score).collect(),
            words: match question.share > 0.0 {
                true => all.iter().map(|r| r.matched).collect(),
                false => vec![],
            },
            sample,
            rows: allowed,
        };
        all.truncate(question.most);
        Ok(Ranking { best: all, scores })
    }

    /// The rows of a part that are scored.
    fn candidates(
        &self,
        part: usize,
        question: &Question,
        index: Option<&dyn Nearest>,
        matches: Option<&BTreeMap<u32, f32>>,
    ) -> Result<Vec<u32>> {
        let allowed = &self.allowed[part];
        let (Some(index), Some(point)) = (index, question.point) else {
            return Ok(allowed.iter().map(|row| row as u32).collect());
        };
        if allowed.count() <= FEW {
            return Ok(allowed.iter().map(|row| row as u32).collect());
        }
        let mut rows = index.candidates(point, question.most.max(TOLD), allowed)?;
        let mut matching: Vec<(u32, f32)> = matches
            .into_iter()
            .flatten()
            .map(|(&r, &m)| (r, m))
            .collect();
        matching.retain(|&(row, _)| allowed.contains(row as usize));
        matching.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        rows.extend(matching.iter().take(MATCHING).map(|(row, _)| row));
        rows.sort_unstable();
        rows.dedup();
        Ok(rows)
    }

    fn scored(
        &self,
        part: usize,
        question: &Question,
        rows: Vec<u32>,
        matches: Option<&BTreeMap<u32, f32>>,
    ) -> Vec<Ranked> {
        let shared: Vec<f32> = match question.point {
            None => vec![0.0; rows.len()],
            Some(point) if rows.len() == self.points[part].len() => self.points[part].scores(point),
            Some(point) => self.points[part].scores_of(&rows, point),
        };
        let share = question.share;
        let scored = rows.into_iter().zip(shared).filter_map(|(row, shared)| {
            let matched = matches.and_then(|m| m.get(&row)).copied();
            // What has no place in the space, or is not asked for there, is an answer only by its words.
            let placed = question.point.is_some() && shared.is_finite();
            if !placed && matched.is_none() {
                return None;
            }
            let shared = if placed { shared } else { 0.0 };
            let matched = matched.unwrap_or(0.0);
            Some(Ranked {
                part,
                row: row as usize,
                key: self.points[part].keys[row as usize],
                shared,
                matched,
                score: (1.0 - share) * shared + share * matched,
            })
        });
        scored.collect()
    }

    /// Scores of some rows of a part that has an index.
    fn sampled(&self, part: usize, question: &Question) -> Vec<f32> {
        let Some(point) = question.point else {
            return vec![];
        };
        let points = &self.points[part];
        let step = points.len().div_ceil(SAMPLE).max(1);
        let rows = (0..points.len()).step_by(step);
        let rows: Vec<u32> = rows
            .filter(|&r| self.allowed[part].contains(r))
            .map(|r| r as u32)
            .collect();
        let scores = points.scores_of(&rows, point);
        scores
            .into_iter()
            .map(|s| (1.0 - question.share) * s)
            .collect()
    }

    /// Whether a row is of the sample. That depends on its point alone, so that the same pictures make the same sample
    /// whatever the gallery went through.
    fn is_sampled(&self, part: usize, row: usize, rows: usize) -> bool {
        if rows <= SAMPLE {
            return true;
        }
        let first = self.points[part].point(row).iter().take(4);
        let bits = first.fold(0u64, |bits, v| (bits << 16) | u64::from(v.to_bits()));
        // Fibonacci hashing (Knuth, The Art of Computer Programming 3, §6.4)
        let hash = bits.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        (hash as usize).wrapping_mul(rows) >> 32 < SAMPLE
    }
}

fn thinned(rows: &[Ranked], wanted: impl Fn(&Ranked) -> bool) -> Vec<f32> {
    rows.iter().filter(|r| wanted(r)).map(|r| r.score).collect()
}

/// The training captions of a model as rows, with their places for keys.
pub fn of_captions<'a>(captions: &'a Captions, keys: &'a [u64]) -> Rows<'a> {
    let mut all = Bitmap::empty(keys.len());
    all.invert();
    Rows {
        points: vec![captions.rows(keys)],
        allowed: vec![all],
    }
}

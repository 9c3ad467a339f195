//! Quality of a ranking: recall at K, median rank and chance.
//!
//! Ties count at mid-rank: a right answer that shares its score with m wrong ones ranks behind half of them. If a
//! query has several right answers, the best one counts.

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use crate::linalg::matmul;

/// Scores closer than this are equal: the same caption twice may differ in its last bits, depending on its position
/// in a block of a matrix product.
pub const TIE: f32 = 1e-6;
/// Queries per block of scores.
const BLOCK: usize = 256;

/// The mid-rank, from 1, of each query's best right answer. A query without a right answer has none.
///
/// queries: q×d, gallery: g×d. `truth[i]` holds the right gallery items of query i. A gallery item that is not
/// `usable` has the score −∞ and ranks behind all others. `blend` may change the scores of a query, given by its
/// index.
pub fn ranks(
    queries: ArrayView2<f32>,
    gallery: ArrayView2<f32>,
    usable: &[bool],
    truth: &[Vec<usize>],
    blend: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<Option<f64>> {
    let mut ranks = Vec::with_capacity(truth.len());
    let blocks = queries.axis_chunks_iter(Axis(0), BLOCK);
    for (first, (rows, truth)) in (0..).step_by(BLOCK).zip(blocks.zip(truth.chunks(BLOCK))) {
        let mut scores = matmul(rows, gallery.t());
        for (j, _) in usable.iter().enumerate().filter(|&(_, &u)| !u) {
            scores.column_mut(j).fill(f32::NEG_INFINITY);
        }
        let rows = scores.axis_iter_mut(Axis(0)).into_par_iter();
        ranks.par_extend(rows.enumerate().map(|(i, mut row)| {
            let row = row.as_slice_mut().expect("rows are contiguous");
            blend(first + i, row);
            mid_rank(row, &truth[i])
        }));
    }
    ranks
}

/// The mid-rank of the best right answer: 1 + the number of wrong items with a better score + half of those with
/// the same score. `None` without a right answer.
pub fn mid_rank(scores: &[f32], right: &[usize]) -> Option<f64> {
    let best = right.iter().map(|&j| scores[j]).max_by(f32::total_cmp)?;
    let tied = |s: f32| s == best || (s - best).abs() <= TIE; // == for −∞
    let better = |s: f32| !tied(s) && s > best;
    let count = |test: &dyn Fn(f32) -> bool, among: &mut dyn Iterator<Item = f32>| {
        among.filter(|&s| test(s)).count() as f64
    };
    let mut all = scores.iter().copied();
    let mut right_scores = right.iter().map(|&j| scores[j]);
    let wrong_better = count(&better, &mut all);
    let all_tied = count(&tied, &mut scores.iter().copied());
    let right_tied = count(&tied, &mut right_scores);
    Some(1.0 + wrong_better + (all_tied - right_tied) / 2.0)
}

/// The ranks of one direction's queries, with what is needed to resample and to compare with chance. All fields
/// have one entry per query.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    /// Mid-rank of the best right answer, from 1.
    pub ranks: Vec<f64>,
    /// Unit of resampling in the bootstrap, such as the image of a caption: captions of one image are not
    /// independent.
    pub units: Vec<usize>,
    /// Number of right answers in the gallery.
    pub right: Vec<usize>,
    /// Number of items in the gallery.
    pub gallery: Vec<usize>,
}

impl Ranking {
    /// Appends a query: the rank of its best right answer, its unit, and how many right answers and items there are.
    pub fn push(&mut self, rank: f64, unit: usize, right: usize, gallery: usize) {
        self.ranks.push(rank);
        self.units.push(unit);
        self.right.push(right);
        self.gallery.push(gallery);
    }

    /// Appends the queries of another gallery, such as another fold.
    pub fn extend(&mut self, other: &Self) {
        let first = self.units.iter().max().map_or(0, |m| m + 1);
        self.ranks.extend(&other.ranks);
        self.units.extend(other.units.iter().map(|u| u + first));
        self.right.extend(&other.right);
        self.gallery.extend(&other.gallery);
    }

    /// Recall at k: the share of queries, in per cent, with a right answer among the first k.
    pub fn recall(&self, k: usize) -> f64 {
        percent(
            self.ranks.iter().filter(|&&r| r <= k as f64).count(),
            self.ranks.len(),
        )
    }

    /// The median of the ranks; NaN without queries.
    pub fn median_rank(&self) -> f64 {
        let mut sorted = self.ranks.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => sorted[n / 2],
            n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
        }
    }

    /// Recall at k of a random order, in per cent: 1 − C(g−t, k)/C(g, k) for t right answers among g items,
    /// averaged over queries.
    pub fn chance(&self, k: usize) -> f64 {
        let miss = |(&t, &g): (&usize, &usize)| -> f64 {
            (0..k.min(g))
                .map(|i| (g.saturating_sub(t + i)) as f64 / (g - i) as f64)
                .product()
        };
        let hits = self.right.iter().zip(&self.gallery).map(|q| 1.0 - miss(q));
        100.0 * hits.sum::<f64>() / self.ranks.len().max(1) as f64
    }
}

pub(super) fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// The values of K for which recalls are reported.
pub const KS: [usize; 3] = [1, 5, 10];

/// mR: the mean of the six recalls at [`KS`] in both directions, in per cent.
pub fn mean_recall(t2i: &Ranking, i2t: &Ranking) -> f64 {
    KS.iter()
        .map(|&k| t2i.recall(k) + i2t.recall(k))
        .sum::<f64>()
        / 6.0
}

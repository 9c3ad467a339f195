//! How good a ranking is: recall at K, median rank, chance, and how far to believe them.
//!
//! Ties count at mid-rank: a right answer that shares its score with m wrong ones stands behind half of
//! them. Of several right answers the best counts.

use ndarray::{ArrayView2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::linalg::matmul;

/// Scores closer than this are equal: the same caption twice may differ in its last bits, depending on
/// where in a block of a matrix product it stands.
pub const TIE: f32 = 1e-6;
/// Queries per block of scores.
const BLOCK: usize = 256;
/// Resamples of the bootstrap.
const RESAMPLES: usize = 1000;

/// The mid-rank of the best right answer of each query, from 1. A query without a right answer has none.
///
/// queries: q×d, gallery: g×d; `truth[i]` are the right gallery items of query i; a gallery item which is
/// not `usable` ranks behind all others.
pub fn ranks(
    queries: ArrayView2<f32>,
    gallery: ArrayView2<f32>,
    usable: &[bool],
    truth: &[Vec<usize>],
) -> Vec<Option<f64>> {
    let mut ranks = Vec::with_capacity(truth.len());
    for (rows, truth) in queries
        .axis_chunks_iter(Axis(0), BLOCK)
        .zip(truth.chunks(BLOCK))
    {
        let mut scores = matmul(rows, gallery.t());
        for (j, _) in usable.iter().enumerate().filter(|&(_, &u)| !u) {
            scores.column_mut(j).fill(f32::NEG_INFINITY);
        }
        let block: Vec<_> = (0..rows.nrows())
            .into_par_iter()
            .map(|i| {
                mid_rank(
                    scores.row(i).as_slice().expect("rows are contiguous"),
                    &truth[i],
                )
            })
            .collect();
        ranks.extend(block);
    }
    ranks
}

/// 1 + the wrong items that score better + half of those that score the same.
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

/// The ranks of one direction's queries, and what they were ranked against.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    pub ranks: Vec<f64>,
    /// What is drawn together in the bootstrap: captions of one image are not independent.
    pub units: Vec<usize>,
    /// For each query, how many right answers there are among how many items.
    pub right: Vec<usize>,
    pub gallery: Vec<usize>,
}

impl Ranking {
    /// Adds another gallery's queries (a fold's).
    pub fn extend(&mut self, other: &Self) {
        let first = self.units.iter().max().map_or(0, |m| m + 1);
        self.ranks.extend(&other.ranks);
        self.units.extend(other.units.iter().map(|u| u + first));
        self.right.extend(&other.right);
        self.gallery.extend(&other.gallery);
    }

    /// Share of the queries with a right answer among the first k, in per cent.
    pub fn recall(&self, k: usize) -> f64 {
        percent(
            self.ranks.iter().filter(|&&r| r <= k as f64).count(),
            self.ranks.len(),
        )
    }

    pub fn median_rank(&self) -> f64 {
        let mut sorted = self.ranks.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => sorted[n / 2],
            n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
        }
    }

    /// R@k of a random order, in per cent: 1 − C(g−t, k)/C(g, k), averaged over queries.
    pub fn chance(&self, k: usize) -> f64 {
        let miss = |(&t, &g): (&usize, &usize)| -> f64 {
            (0..k.min(g))
                .map(|i| (g.saturating_sub(t + i)) as f64 / (g - i) as f64)
                .product()
        };
        let hits = self.right.iter().zip(&self.gallery).map(|q| 1.0 - miss(q));
        100.0 * hits.sum::<f64>() / self.ranks.len().max(1) as f64
    }

    /// Recalls at each of `KS` over a resample of the units, whose queries are listed in `members`.
    fn resampled(&self, members: &[Vec<usize>], rng: &mut ChaCha8Rng) -> [f64; 3] {
        let mut hits = [0usize; 3];
        let mut n = 0;
        for _ in 0..members.len() {
            for &q in &members[rng.gen_range(0..members.len())] {
                n += 1;
                for (hit, k) in hits.iter_mut().zip(KS) {
                    *hit += usize::from(self.ranks[q] <= k as f64);
                }
            }
        }
        hits.map(|h| percent(h, n))
    }

    fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.units.iter().max().map_or(0, |m| m + 1)];
        for (q, &u) in self.units.iter().enumerate() {
            members[u].push(q);
        }
        members.retain(|m| !m.is_empty());
        members
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

const KS: [usize; 3] = [1, 5, 10];

/// The figures of one direction, recalls in per cent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirectionReport {
    #[serde(rename = "R@1")]
    pub r1: f64,
    #[serde(rename = "R@5")]
    pub r5: f64,
    #[serde(rename = "R@10")]
    pub r10: f64,
    #[serde(rename = "medR")]
    pub median_rank: f64,
    pub queries: usize,
    /// Mean over queries, where folds differ.
    pub gallery: f64,
    #[serde(rename = "chance_R@5")]
    pub chance_r5: f64,
}

/// 95 % intervals of one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    #[serde(rename = "R@1")]
    pub r1: [f64; 2],
    #[serde(rename = "R@5")]
    pub r5: [f64; 2],
    #[serde(rename = "R@10")]
    pub r10: [f64; 2],
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AllIntervals {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub t2i: Option<Intervals>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub i2t: Option<Intervals>,
    #[serde(rename = "mR", skip_serializing_if = "Option::is_none")]
    pub mean_recall: Option<[f64; 2]>,
}

/// A whole evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub dataset: String,
    pub recipe: String,
    pub split: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub t2i: Option<DirectionReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub i2t: Option<DirectionReport>,
    /// Mean of the six recalls, where both directions were asked.
    #[serde(rename = "mR", skip_serializing_if = "Option::is_none")]
    pub mean_recall: Option<f64>,
    pub ci95: AllIntervals,
}

fn direction_report(r: &Ranking) -> DirectionReport {
    DirectionReport {
        r1: r.recall(1),
        r5: r.recall(5),
        r10: r.recall(10),
        median_rank: r.median_rank(),
        queries: r.ranks.len(),
        gallery: r.gallery.iter().sum::<usize>() as f64 / r.gallery.len().max(1) as f64,
        chance_r5: r.chance(5),
    }
}

/// Mean of the six recalls.
pub fn mean_recall(t2i: &Ranking, i2t: &Ranking) -> f64 {
    KS.iter()
        .map(|&k| t2i.recall(k) + i2t.recall(k))
        .sum::<f64>()
        / 6.0
}

/// Percentile interval of resampled figures (Efron 1979).
fn interval(mut values: Vec<f64>) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    let at = |q: f64| values[((values.len() - 1) as f64 * q).round() as usize];
    [at(0.025), at(0.975)]
}

fn intervals(samples: &[[f64; 3]]) -> Intervals {
    let of = |i: usize| interval(samples.iter().map(|s| s[i]).collect());
    Intervals {
        r1: of(0),
        r5: of(1),
        r10: of(2),
    }
}

/// Puts the figures of both directions together; either may be missing.
pub fn report(
    (dataset, recipe, split): (&str, &str, &str),
    t2i: Option<&Ranking>,
    i2t: Option<&Ranking>,
    seed: u64,
) -> Report {
    // The same draws for both directions: where they ask about the same images, these are drawn together.
    let samples = |r: &Ranking| -> Vec<[f64; 3]> {
        let members = r.members();
        (0..RESAMPLES as u64)
            .into_par_iter()
            .map(|i| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(i);
                r.resampled(&members, &mut rng)
            })
            .collect()
    };
    let asked = |r: Option<&Ranking>| r.filter(|r| !r.ranks.is_empty()).cloned();
    let (t2i, i2t) = (asked(t2i), asked(i2t));
    let (t2i_samples, i2t_samples) = (t2i.as_ref().map(samples), i2t.as_ref().map(samples));
    let mean_interval = t2i_samples
        .as_ref()
        .zip(i2t_samples.as_ref())
        .map(|(a, b)| {
            let mean = |(a, b): (&[f64; 3], &[f64; 3])| a.iter().chain(b).sum::<f64>() / 6.0;
            interval(a.iter().zip(b).map(mean).collect())
        });
    Report {
        dataset: dataset.into(),
        recipe: recipe.into(),
        split: split.into(),
        mean_recall: t2i
            .as_ref()
            .zip(i2t.as_ref())
            .map(|(a, b)| mean_recall(a, b)),
        t2i: t2i.as_ref().map(direction_report),
        i2t: i2t.as_ref().map(direction_report),
        ci95: AllIntervals {
            t2i: t2i_samples.as_deref().map(intervals),
            i2t: i2t_samples.as_deref().map(intervals),
            mean_recall: mean_interval,
        },
    }
}

impl std::fmt::Display for Report {
    /// A table for people.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} · {} · recipe {}",
            self.dataset, self.split, self.recipe
        )?;
        writeln!(
            f,
            "{:<13}{:>22}{:>22}{:>22}{:>8}{:>9}{:>9}{:>12}",
            "", "R@1", "R@5", "R@10", "medR", "queries", "gallery", "chance R@5"
        )?;
        let rows = [
            ("text -> image", &self.t2i, &self.ci95.t2i),
            ("image -> text", &self.i2t, &self.ci95.i2t),
        ];
        for (name, d, ci) in rows {
            let (Some(d), Some(ci)) = (d, ci) else {
                continue;
            };
            let cell = |r: f64, [lo, hi]: [f64; 2]| format!("{r:.1} [{lo:.1}, {hi:.1}]");
            writeln!(
                f,
                "{:<13}{:>22}{:>22}{:>22}{:>8}{:>9}{:>9}{:>12}",
                name,
                cell(d.r1, ci.r1),
                cell(d.r5, ci.r5),
                cell(d.r10, ci.r10),
                d.median_rank,
                d.queries,
                format!("{:.0}", d.gallery),
                format!("{:.2}", d.chance_r5),
            )?;
        }
        if let (Some(m), Some([lo, hi])) = (self.mean_recall, self.ci95.mean_recall) {
            writeln!(f, "mR {m:.2} [{lo:.2}, {hi:.2}]")?;
        }
        write!(
            f,
            "recalls in per cent, ties at mid-rank, [95 % bootstrap interval]"
        )
    }
}

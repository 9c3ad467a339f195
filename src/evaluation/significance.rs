//! Confidence intervals of a figure, and of the difference between two: the bootstrap (Efron 1979).
//!
//! The unit of resampling is an image with all its captions, because captions of one image are not independent.
//! Both directions, and both of two compared runs, use the same draws if they have queries about the same images.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::metrics::{KS, Ranking, percent};

/// Number of resamples for the interval of a figure.
const RESAMPLES: u64 = 1000;
/// Number of resamples for a difference: with so many, a p of 0.01 is known to within 0.002.
const DIFFERENCE_RESAMPLES: u64 = 10_000;

/// What the queries of a unit contribute to the recalls.
#[derive(Clone, Copy, Default)]
struct Tally {
    queries: usize,
    /// Queries answered within each of `KS`.
    hits: [usize; 3],
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.queries += other.queries;
        for (sum, hits) in self.hits.iter_mut().zip(other.hits) {
            *sum += hits;
        }
    }

    fn recalls(&self) -> [f64; 3] {
        self.hits.map(|h| percent(h, self.queries))
    }
}

impl Ranking {
    /// The tallies of the units, in the order of their numbers.
    fn tallies(&self) -> Vec<Tally> {
        let mut tallies = vec![Tally::default(); self.units.iter().max().map_or(0, |m| m + 1)];
        for (&unit, &rank) in self.units.iter().zip(&self.ranks) {
            let hits = KS.map(|k| usize::from(rank <= k as f64));
            tallies[unit].add(&Tally { queries: 1, hits });
        }
        tallies.retain(|t| t.queries > 0);
        tallies
    }
}

/// The recalls of N runs over resample `i` of the units, which are the same in all of them.
fn resampled<const N: usize>(runs: [&[Tally]; N], seed: u64, i: u64) -> [[f64; 3]; N] {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(i);
    let mut sums = [Tally::default(); N];
    let units = runs[0].len();
    for _ in 0..units {
        let unit = rng.gen_range(0..units);
        for (sum, run) in sums.iter_mut().zip(runs) {
            sum.add(&run[unit]);
        }
    }
    sums.map(|s| s.recalls())
}

/// The recalls over every resample of a ranking.
pub(super) fn resamples(ranking: &Ranking, seed: u64) -> Vec<[f64; 3]> {
    let tallies = ranking.tallies();
    let one = |i| resampled([&tallies], seed, i)[0];
    (0..RESAMPLES).into_par_iter().map(one).collect()
}

/// The 95 % percentile interval of resampled figures.
pub(super) fn interval(mut values: Vec<f64>) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    let at = |q: f64| values[((values.len() - 1) as f64 * q).round() as usize];
    [at(0.025), at(0.975)]
}

/// The difference between two runs on the same queries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Difference of the mean recalls, in points.
    #[serde(rename = "mR")]
    pub mean_recall: f64,
    /// 95 % bootstrap interval of the difference, [lower, upper] in points.
    pub ci95: [f64; 2],
    /// Two-sided p-value for the hypothesis that there is no difference: twice the share of resamples on the other
    /// side of zero. Both shares count one resample more, so that p is never 0 (Davison & Hinkley 1997, §4.2).
    pub p: f64,
}

/// Compares `run` with `before`, each with the rankings of the same directions, by a paired bootstrap over units.
/// `None` if the runs did not rank the same queries against the same items.
pub fn difference(run: &[&Ranking], before: &[&Ranking], seed: u64) -> Option<Difference> {
    let alike = |(a, b): (&&Ranking, &&Ranking)| {
        !a.ranks.is_empty()
            && a.ranks.len() == b.ranks.len()
            && a.units == b.units
            && a.right == b.right
            && a.gallery == b.gallery
    };
    if run.is_empty() || run.len() != before.len() || !run.iter().zip(before).all(alike) {
        return None;
    }
    let tallies: Vec<[Vec<Tally>; 2]> = run
        .iter()
        .zip(before)
        .map(|(a, b)| [a.tallies(), b.tallies()])
        .collect();
    let mean = |recalls: &[[f64; 3]]| -> f64 {
        recalls.as_flattened().iter().sum::<f64>() / (3 * recalls.len()) as f64
    };
    let one = |i| {
        let both = tallies
            .iter()
            .map(|[a, b]| resampled([a.as_slice(), b.as_slice()], seed, i));
        let (a, b): (Vec<_>, Vec<_>) = both.map(|[a, b]| (a, b)).unzip();
        mean(&a) - mean(&b)
    };
    let differences: Vec<f64> = (0..DIFFERENCE_RESAMPLES).into_par_iter().map(one).collect();
    let recalls = |runs: &[&Ranking]| -> f64 {
        mean(
            &runs
                .iter()
                .map(|r| KS.map(|k| r.recall(k)))
                .collect::<Vec<_>>(),
        )
    };
    let share = |side: fn(&f64) -> bool| {
        let count = differences.iter().copied().filter(side).count();
        (count + 1) as f64 / (DIFFERENCE_RESAMPLES + 1) as f64
    };
    Some(Difference {
        mean_recall: recalls(run) - recalls(before),
        p: (2.0 * share(|&d| d <= 0.0).min(share(|&d| d >= 0.0))).min(1.0),
        ci95: interval(differences),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One query a unit, of which the first K are `right` or not.
    fn ranking(right: impl Iterator<Item = bool>) -> Ranking {
        let ranks: Vec<f64> = right.map(|r| if r { 1.0 } else { 50.0 }).collect();
        let n = ranks.len();
        Ranking {
            ranks,
            units: (0..n).collect(),
            right: vec![1; n],
            gallery: vec![100; n],
        }
    }

    #[test]
    fn a_run_does_not_differ_from_itself() {
        let run = ranking((0..40).map(|i| i % 3 == 0));
        let same = difference(&[&run, &run], &[&run, &run], 7).unwrap();
        assert_eq!(same.mean_recall, 0.0);
        assert_eq!(same.ci95, [0.0, 0.0]);
        assert_eq!(same.p, 1.0);
    }

    #[test]
    fn a_much_better_run_is_significantly_better_and_the_other_way_round() {
        let (good, bad) = (
            ranking((0..60).map(|i| i % 2 == 0)),
            ranking((0..60).map(|i| i % 6 == 0)),
        );
        let better = difference(&[&good], &[&bad], 7).unwrap();
        assert!((better.mean_recall - 100.0 / 3.0).abs() < 1e-9);
        assert!(better.p < 0.01 && better.ci95[0] > 0.0, "{better:?}");
        let worse = difference(&[&bad], &[&good], 7).unwrap();
        assert_eq!(worse.mean_recall, -better.mean_recall);
        assert_eq!(worse.ci95, [-better.ci95[1], -better.ci95[0]]);
        assert_eq!(worse.p, better.p);
    }

    /// Of 12 units, 4 are won, 2 lost, 6 drawn: the sum over a resample is a difference of multinomial counts.
    #[test]
    fn p_is_what_counting_all_resamples_gives() {
        let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
        let mut not_above = 0.0;
        for won in 0..=12u32 {
            for lost in won..=12u32 {
                if won + lost > 12 {
                    continue;
                }
                let drawn = 12 - won - lost;
                let ways = factorial(12) / (factorial(won) * factorial(lost) * factorial(drawn));
                let each = (4.0f64 / 12.0).powi(won as i32)
                    * (2.0f64 / 12.0).powi(lost as i32)
                    * 0.5f64.powi(drawn as i32);
                not_above += ways * each;
            }
        }
        let run = ranking((0..12).map(|i| i < 4));
        let before = ranking((0..12).map(|i| (4..6).contains(&i)));
        let found = difference(&[&run], &[&before], 3).unwrap();
        // Four standard errors of a share of 10,000.
        let error = 4.0 * (not_above * (1.0 - not_above) / 1e4).sqrt();
        assert!(
            (found.p - 2.0 * not_above).abs() < 2.0 * error,
            "{} against {}",
            found.p,
            2.0 * not_above
        );
    }

    #[test]
    fn runs_on_other_queries_are_not_compared() {
        let run = ranking((0..12).map(|i| i < 4));
        let shorter = ranking((0..11).map(|i| i < 4));
        let wider = Ranking {
            gallery: vec![200; 12],
            ..run.clone()
        };
        assert_eq!(difference(&[&run], &[&shorter], 3), None);
        assert_eq!(difference(&[&run], &[&wider], 3), None);
        assert_eq!(difference(&[&run], &[], 3), None);
    }
}

//! Mid-ranks are what they are defined to be, and figures lie within their intervals.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use tuwen::evaluation::{mean_recall, mid_rank};

use super::cases::config;
use super::made_up::{evaluated, ranking};

/// 1 + the wrong that score better + half of the wrong that score the same.
fn naive_rank(scores: &[f32], right: &BTreeSet<usize>) -> f64 {
    let best = right.iter().map(|&i| scores[i]).fold(f32::MIN, f32::max);
    let wrong = scores
        .iter()
        .enumerate()
        .filter(|(i, _)| !right.contains(i));
    wrong.fold(1.0, |rank, (_, &s)| {
        rank + if s > best {
            1.0
        } else if s == best {
            0.5
        } else {
            0.0
        }
    })
}

fn quarters() -> impl Strategy<Value = Vec<f32>> {
    vec((-4..=4i8).prop_map(|v| f32::from(v) / 4.0), 1..30)
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn mid_rank_is_its_definition_and_within_bounds(
        scores in quarters(), right in vec(any::<proptest::sample::Index>(), 1..5),
    ) {
        let right: BTreeSet<usize> = right.iter().map(|i| i.index(scores.len())).collect();
        let places: Vec<usize> = right.iter().copied().collect();
        let rank = mid_rank(&scores, &places).unwrap();
        prop_assert_eq!(rank, naive_rank(&scores, &right));
        prop_assert!((1.0..=(scores.len() - right.len() + 1) as f64).contains(&rank), "{rank}");
    }

    #[test]
    fn mid_ranks_of_all_items_add_up(scores in quarters()) {
        let n = scores.len();
        let total: f64 = (0..n).map(|i| mid_rank(&scores, &[i]).unwrap()).sum();
        prop_assert_eq!(total, (n * (n + 1)) as f64 / 2.0);
    }

    #[test]
    fn without_ties_the_mid_rank_is_the_rank(order in (1..40usize).prop_flat_map(|n| Just((0..n).collect::<Vec<_>>()).prop_shuffle())) {
        let mut scores = vec![0.0; order.len()];
        order.iter().enumerate().for_each(|(rank, &item)| scores[item] = -(rank as f32));
        for (rank, &item) in order.iter().enumerate() {
            prop_assert_eq!(mid_rank(&scores, &[item]), Some(1.0 + rank as f64));
        }
    }
}

#[test]
fn what_rounding_tells_apart_is_tied() {
    assert_eq!(mid_rank(&[0.5, 0.5 + 1e-7, 0.1], &[0]), Some(1.5));
    assert_eq!(mid_rank(&[0.5, 0.5 + 1e-4, 0.1], &[0]), Some(2.0));
}

#[test]
fn a_report_holds_its_figures_within_their_intervals() {
    let (t2i, i2t) = (ranking(1), ranking(2));
    let report = evaluated();
    let mean = mean_recall(&t2i, &i2t);
    assert_eq!(report.mean_recall, Some(mean));
    let six = [1, 5, 10]
        .map(|k| t2i.recall(k) + i2t.recall(k))
        .iter()
        .sum::<f64>()
        / 6.0;
    assert!((mean - six).abs() < 1e-9);
    let [low, high] = report.ci95.mean_recall.unwrap();
    assert!(low < mean && mean < high, "{low} {mean} {high}");
    let (figures, intervals) = (report.t2i.unwrap(), report.ci95.t2i.unwrap());
    for (value, [low, high]) in [
        (figures.r1, intervals.r1),
        (figures.r5, intervals.r5),
        (figures.r10, intervals.r10),
    ] {
        assert!(
            low <= value && value <= high && low < high,
            "{low} {value} {high}"
        );
    }
    assert!((figures.chance_r5 - 100.0 * 5.0 / 60.0).abs() < 1e-9);
}

#[test]
fn folds_are_put_together() {
    let (mut both, other) = (ranking(1), ranking(2));
    both.extend(&other);
    assert_eq!(both.ranks, [ranking(1).ranks, other.ranks.clone()].concat());
    assert!((both.recall(5) - (ranking(1).recall(5) + other.recall(5)) / 2.0).abs() < 1e-9);
    assert_eq!(
        both.units.iter().collect::<BTreeSet<_>>().len(),
        120,
        "units of two folds are not mixed"
    );
}

//! Ranks, recalls and chance.

use ndarray::{Array2, ArrayView2};
use serde::Deserialize;
use tuwen::evaluation::{Ranking, mid_rank, ranks};

use super::figures::json;

#[derive(Deserialize)]
struct DirectionGolden {
    ranks: Vec<f64>,
    r1: f64,
    r5: f64,
    median_rank: f64,
}

#[derive(Deserialize)]
struct MetricsGolden {
    scores: Vec<Vec<f32>>,
    truth: Vec<Vec<usize>>,
    rows_to_columns: DirectionGolden,
    inverse_truth: Vec<Vec<usize>>,
    columns_to_rows: DirectionGolden,
}

fn scores(golden: &MetricsGolden) -> Array2<f32> {
    Array2::from_shape_vec((12, 8), golden.scores.concat()).unwrap()
}

fn check_direction(scores: ArrayView2<f32>, truth: &[Vec<usize>], golden: &DirectionGolden) {
    let n = scores.ncols();
    let one_by_one: Vec<f64> = scores
        .outer_iter()
        .zip(truth)
        .map(|(row, right)| mid_rank(&row.to_vec(), right).unwrap())
        .collect();
    assert_eq!(one_by_one, golden.ranks);
    // Against unit vectors, a query's inner products are its entries.
    let together = ranks(
        scores,
        Array2::eye(n).view(),
        &vec![true; n],
        truth,
        |_, _| {},
    );
    assert_eq!(
        together,
        golden.ranks.iter().map(|&r| Some(r)).collect::<Vec<_>>()
    );
    let ranking = Ranking {
        ranks: one_by_one,
        ..Ranking::default()
    };
    for (k, share) in [(1, golden.r1), (5, golden.r5)] {
        assert!((ranking.recall(k) - 100.0 * share).abs() < 1e-9, "R@{k}");
    }
    assert_eq!(ranking.median_rank(), golden.median_rank);
}

#[test]
fn ranks_and_recalls_agree_in_both_directions() {
    let golden: MetricsGolden = json("metrics");
    let scores = scores(&golden);
    check_direction(scores.view(), &golden.truth, &golden.rows_to_columns);
    check_direction(scores.t(), &golden.inverse_truth, &golden.columns_to_rows);
}

#[test]
fn an_unusable_item_ranks_last_and_no_truth_gives_no_rank() {
    let queries = Array2::<f32>::eye(3);
    let usable = [true, false, true];
    let truth = [vec![0], vec![1], vec![]];
    let found = ranks(queries.view(), queries.view(), &usable, &truth, |_, _| {});
    assert_eq!(found, [Some(1.0), Some(3.0), None]);
}

#[test]
fn chance_is_hypergeometric() {
    let ranking = Ranking {
        ranks: vec![1.0; 2],
        right: vec![1, 2],
        gallery: vec![8, 8],
        ..Ranking::default()
    };
    // One of eight: 5/8. Two of eight: 1 − C(6,5)/C(8,5) = 1 − 6/56.
    let expected = 100.0 * (5.0 / 8.0 + 50.0 / 56.0) / 2.0;
    assert!((ranking.chance(5) - expected).abs() < 1e-9);
    assert!(
        (ranking.chance(20) - 100.0).abs() < 1e-9,
        "more answers than items"
    );
}

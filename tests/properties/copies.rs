//! The parts of looking for copies against plain loops.

use ndarray::{Array1, Array2, ArrayView1, Axis, concatenate};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tuwen::copies::{Chance, Link, Postings, Visual, Vote, groups};

use super::cases::config;

fn visuals(n: usize, words: u32, rng: &mut ChaCha8Rng) -> Vec<Visual> {
    let draw = |rng: &mut ChaCha8Rng| Visual {
        word: rng.gen_range(0..words),
        signature: rng.r#gen(),
    };
    (0..n).map(|_| draw(rng)).collect()
}

fn unit(d: usize, rng: &mut ChaCha8Rng) -> Array1<f32> {
    let v = Array1::from_shape_simple_fn(d, || rng.gen_range(-1.0..1.0f32));
    let length = v.dot(&v).sqrt();
    v / length
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn postings_find_what_a_look_at_all_finds(
        sizes in proptest::collection::vec(0..90usize, 0..6),
        words in 1..4u32,
        bits in 0..40u32,
        seed in any::<u64>(),
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let pictures: Vec<Vec<Visual>> = sizes.iter().map(|&n| visuals(n, words, &mut rng)).collect();
        let query: Vec<(u32, Visual)> = (0..).zip(visuals(20, words, &mut rng)).collect();
        let postings = Postings::new(words as usize, pictures.iter().map(Vec::as_slice));
        let mut found = postings.votes(query.iter().copied(), bits);
        let mut expected = Vec::new();
        for &(query, q) in &query {
            for (picture, visuals) in (0..).zip(&pictures) {
                for (keypoint, v) in (0..).zip(visuals) {
                    let distance = (q.signature ^ v.signature).count_ones();
                    if q.word == v.word && distance <= bits {
                        expected.push(Vote { query, picture, keypoint, distance: distance as u8 });
                    }
                }
            }
        }
        let order = |v: &Vote| (v.query, v.picture, v.keypoint);
        found.sort_by_key(order);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn groups_are_what_links_reach(n in 1..30usize, seed in any::<u64>(), links in 0..30usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = || Link { pair: [rng.gen_range(0..n), rng.gen_range(0..n)], score: 1.0 };
        let links: Vec<Link> = (0..links).map(|_| draw()).collect();
        let found = groups(n, &links);
        let mut label: Vec<usize> = (0..n).collect();
        for _ in 0..n {
            for Link { pair: [a, b], .. } in &links {
                let least = label[*a].min(label[*b]);
                (label[*a], label[*b]) = (least, least);
            }
        }
        let set = |l: usize| (0..n).filter(|&i| label[i] == l).collect::<Vec<_>>();
        let expected: Vec<Vec<usize>> = (0..n).map(set).filter(|s| s.len() > 1).collect();
        prop_assert_eq!(found, expected);
    }
}

/// Of vectors drawn at random, not many more are as alike as the tail says, and not far fewer: an exponential tail is
/// longer than theirs.
#[test]
fn chance_is_what_unrelated_vectors_do() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut rows = |n: usize| {
        let all: Vec<f32> = (0..n).flat_map(|_| unit(32, &mut rng)).collect();
        Array2::from_shape_vec((n, 32), all).unwrap()
    };
    let (background, queries, others) = (rows(400), rows(100), rows(1000));
    assert!(Chance::fit(rows(49), 0).is_none());
    let chance = Chance::fit(background, 0).unwrap();
    let mut at_most = [0; 2];
    for query in queries.outer_iter() {
        let usual = chance.usual(query);
        let judged = |other: ArrayView1<f32>| chance.log_probability(&usual, query.dot(&other));
        for other in others.outer_iter() {
            let log = judged(other);
            at_most[0] += usize::from(log <= -2.0);
            at_most[1] += usize::from(log <= -3.0);
        }
        // itself is out of the question
        assert!(judged(query) < -5.0);
    }
    let n = 100.0 * 1000.0;
    for (found, rate) in at_most.iter().zip([0.01, 0.001]) {
        let share = *found as f64 / n / rate;
        assert!((0.1..3.0).contains(&share), "{rate}: {share}");
    }
}

/// Where each picture has a copy in a small background, copies still stand out.
#[test]
fn chance_does_not_feel_that_pictures_have_copies() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let mut pairs = Vec::new();
    for _ in 0..30 {
        let one = unit(64, &mut rng);
        let mut other = one.clone();
        other.scaled_add(0.1, &unit(64, &mut rng));
        other /= other.dot(&other).sqrt();
        pairs.extend([one, other]);
    }
    let rows: Vec<_> = pairs
        .iter()
        .map(|p| p.view().insert_axis(Axis(0)))
        .collect();
    let chance = Chance::fit(concatenate(Axis(0), &rows).unwrap(), 2).unwrap();
    for pair in pairs.chunks(2) {
        let usual = chance.usual(pair[0].view());
        let log = chance.log_probability(&usual, pair[0].dot(&pair[1]));
        assert!(-log - 60f64.log10() > 1.5, "{log}"); // the threshold of such methods
    }
}

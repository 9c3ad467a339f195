//! Agreement of matches: a transformation comes back from keypoints moved by it, and chance agrees on none.

use std::f32::consts::TAU;

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tuwen::matching::{Correspondence, Frame, Model, Target, apply, consensus, log_tail};

use super::cases::config;

const SIDE: f32 = 400.0;
const TARGET: Target = Target {
    tolerance: 4.0,
    area: 400.0 * 400.0,
};

fn anywhere(rng: &mut ChaCha8Rng) -> Frame {
    Frame {
        x: rng.gen_range(0.0..SIDE),
        y: rng.gen_range(0.0..SIDE),
        size: rng.gen_range(2.0..20.0),
        angle: rng.gen_range(0.0..TAU),
    }
}

/// Turned about the middle, scaled and moved; its frame with it.
fn moved(f: Frame, scale: f32, turn: f32) -> Frame {
    let (x, y) = (f.x - SIDE / 2.0, f.y - SIDE / 2.0);
    let (sin, cos) = turn.sin_cos();
    Frame {
        x: scale * (cos * x - sin * y) + SIDE / 2.0 + 7.0,
        y: scale * (sin * x + cos * y) + SIDE / 2.0 - 3.0,
        size: scale * f.size,
        angle: f.angle + turn,
    }
}

fn chance(n: usize, rng: &mut ChaCha8Rng) -> Vec<Correspondence> {
    let draw = |rng: &mut ChaCha8Rng| Correspondence {
        a: anywhere(rng),
        b: anywhere(rng),
    };
    (0..n).map(|_| draw(rng)).collect()
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn a_similarity_comes_back_from_among_wrong_matches(
        scale in 0.3..3.0f32,
        turn in 0.0..6.2f32,
        right in 12..60usize,
        wrong in 0..60usize,
        model in proptest::sample::select(vec![Model::Similarity, Model::Homography]),
        seed in any::<u64>(),
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut matches = chance(wrong, &mut rng);
        for _ in 0..right {
            let a = anywhere(&mut rng);
            matches.push(Correspondence { a, b: moved(a, scale, turn) });
        }
        let found = consensus(&matches, model, TARGET).unwrap().unwrap();
        prop_assert!((wrong..wrong + right).all(|i| found.inliers.contains(&i)));
        prop_assert!(found.log_chance < -10.0, "{}", found.log_chance);
        for c in &matches[wrong..] {
            let (x, y) = apply(&found.transform, f64::from(c.a.x), f64::from(c.a.y));
            let off = (x - f64::from(c.b.x)).hypot(y - f64::from(c.b.y));
            prop_assert!(off < 1.5, "{off}"); // a wrong match or two may pull by chance
        }
    }

    #[test]
    fn wrong_matches_agree_on_nothing(n in 0..150usize, seed in any::<u64>()) {
        let matches = chance(n, &mut ChaCha8Rng::seed_from_u64(seed));
        for model in [Model::Similarity, Model::Homography] {
            let found = consensus(&matches, model, TARGET).unwrap();
            prop_assert_eq!(found.is_none(), n == 0);
            // 96 draws, two models: one in ten thousand hardly happens
            prop_assert!(found.is_none_or(|f| f.log_chance > -4.0));
        }
    }

    #[test]
    fn tails_of_the_binomial_are_sums(n in 1..40usize, k in 0..41usize, p in 0.001..0.6f64) {
        let k = k.min(n);
        let choose = |k: usize| (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product::<f64>();
        let term = |i: usize| choose(i) * p.powi(i as i32) * (1.0 - p).powi((n - i) as i32);
        let sum: f64 = (k..=n).map(term).sum();
        prop_assert!((log_tail(n, k, p) - sum.log10()).abs() < 1e-6, "{} {}", log_tail(n, k, p), sum.log10());
    }
}

#[test]
fn one_place_counts_once() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let c = chance(1, &mut rng)[0];
    let found = consensus(&vec![c; 30], Model::Homography, TARGET);
    let found = found.unwrap().unwrap();
    assert_eq!(found.inliers.len(), 30);
    assert!(found.log_chance >= 0.0, "{}", found.log_chance);
}

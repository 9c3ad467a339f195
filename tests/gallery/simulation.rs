//! Made-up retrieval: scores like those of real galleries, with the truth.

use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use tuwen::calibration::{Judged, QueryScores};

pub struct World {
    pub gallery: usize,
    pub right: std::ops::RangeInclusive<usize>,
    pub words: bool,
    /// The background has a heavier tail than a normal distribution: that of a logarithm of an exponential variable.
    pub skewed: bool,
}

pub const TOP: usize = 20;
pub const SAMPLE: usize = 512;

pub fn query(world: &World, rng: &mut ChaCha8Rng) -> Judged {
    let normal = |m: f64, s: f64, rng: &mut ChaCha8Rng| Normal::new(m, s).unwrap().sample(rng);
    let n_right = rng.gen_range(world.right.clone()).min(world.gallery);
    let difficulty = normal(0.0, 0.06, rng);
    let shift = normal(0.0, 0.02, rng);
    let spread = rng.gen_range(0.85..1.15);
    let mut rows: Vec<(f32, f32, bool)> = (0..world.gallery)
        .map(|i| {
            let right = i < n_right;
            let s = match right {
                true => normal(0.25 + difficulty, 0.12, rng),
                false if world.skewed => {
                    // Gumbel: mean 0.577, standard deviation 1.283
                    let gumbel = -(-rng.gen_range(1e-12f64..1.0).ln()).ln();
                    0.05 + shift + 0.08 * spread * (gumbel - 0.577) / 1.283
                }
                false => normal(0.05 + shift, 0.08 * spread, rng),
            };
            let has_words = match right {
                true => rng.gen_bool(0.4),
                false => rng.gen_bool(0.02),
            };
            let words = if has_words && world.words {
                rng.gen_range(0.2..1.0)
            } else {
                0.0
            };
            (s as f32, words, right)
        })
        .collect();
    rows.shuffle(rng);
    let sample = rows.iter().take(SAMPLE).map(|r| r.0).collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    rows.truncate(TOP);
    let scores = QueryScores {
        top: rows.iter().map(|r| r.0).collect(),
        words: if world.words {
            rows.iter().map(|r| r.1).collect()
        } else {
            vec![]
        },
        sample,
        rows: world.gallery,
    };
    Judged {
        right: rows.iter().map(|r| r.2).collect(),
        scores,
    }
}

pub fn queries(world: &World, n: usize, seed: u64) -> Vec<Judged> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| query(world, &mut rng)).collect()
}

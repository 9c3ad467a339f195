//! Dropout (Srivastava et al. 2014): during training, each value is zeroed with some probability, and the rest are
//! scaled so that the mean stays the same.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::real::Real;

/// The masks of one layer in one step. A row's mask depends only on the seed and the row, not on the thread.
pub struct Dropout {
    /// A value is dropped where sixteen random bits are below it.
    threshold: u16,
    seed: u64,
}

impl Dropout {
    /// Drops with probability `rate`, from 0 to below 1.
    pub fn new(rate: f64, seed: u64) -> Self {
        let threshold = (rate * 65536.0) as u16;
        Self { threshold, seed }
    }

    /// Fills `factors` with the mask of a row: zero, or the factor that keeps the mean.
    pub fn fill<T: Real>(&self, row: usize, factors: &mut [T]) {
        if self.threshold == 0 {
            return factors.fill(T::one());
        }
        let kept = T::of(65536.0 / (65536.0 - f64::from(self.threshold)));
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(row as u64);
        let mut bytes = [0u8; 512];
        for factors in factors.chunks_mut(bytes.len() / 2) {
            rng.fill_bytes(&mut bytes);
            for (f, b) in factors.iter_mut().zip(bytes.chunks_exact(2)) {
                let dropped = u16::from_le_bytes([b[0], b[1]]) < self.threshold;
                *f = if dropped { T::zero() } else { kept };
            }
        }
    }
}

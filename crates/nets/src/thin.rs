//! Dropout (Srivastava et al. 2014) of which the random numbers cost little: a number is left out by sixteen random bits.

use std::cell::Cell;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};

thread_local! {
    /// SplitMix64 (Steele, Lea & Flood 2014): all that a step leaves out comes from its seed.
    static STATE: Cell<u64> = const { Cell::new(0) };
}

/// Begins a step.
pub(crate) fn seed(seed: u64) {
    STATE.set(seed);
}

/// Leaves numbers out while a network learns, and makes up for it by the size of the others.
#[derive(Module, Debug)]
pub(crate) struct Thin {
    part: f64,
}

impl Thin {
    /// Leaves this part out.
    pub fn new(part: f64) -> Self {
        Self { part }
    }

    /// Nothing is left out of a tensor without gradients.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let device = x.device();
        if self.part == 0.0 || !device.is_autodiff() {
            return x;
        }
        let shape = x.shape();
        let kept = (1.0 / (1.0 - self.part)) as f32;
        let mask = mask(shape.num_elements(), self.part, kept);
        x * Tensor::from_data(TensorData::new(mask, shape), &device)
    }
}

/// 0 for what is left out, `kept` for the rest.
fn mask(n: usize, part: f64, kept: f32) -> Vec<f32> {
    let below = (part * 65_536.0).round() as u64;
    let mut state = STATE.get();
    let mut mask = Vec::with_capacity(n + 3);
    while mask.len() < n {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        mask.extend(
            [0, 16, 32, 48].map(|shift| match (z >> shift) & 0xffff < below {
                true => 0.0,
                false => kept,
            }),
        );
    }
    mask.truncate(n);
    STATE.set(state);
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_is_left_out_and_the_sum_stays() {
        seed(1);
        let first = mask(100_001, 0.3, 1.0 / 0.7);
        let zeros = first.iter().filter(|&&v| v == 0.0).count();
        assert!((29_000..31_000).contains(&zeros), "{zeros}");
        let sum: f32 = first.iter().sum();
        assert!((sum / 100_001.0 - 1.0).abs() < 0.02, "{sum}");
        assert_ne!(mask(100_001, 0.3, 1.0 / 0.7), first);
        seed(1);
        assert_eq!(mask(100_001, 0.3, 1.0 / 0.7), first);
        let plain = Tensor::<1>::ones([8], &crate::device());
        let same = Thin::new(0.5).forward(plain.clone());
        assert_eq!(same.into_data(), plain.into_data());
    }
}

//! The number types of training: f32 to train with, f64 to check the gradients.

use faer::traits::ComplexField;
use ndarray::NdFloat;

pub trait Real: NdFloat + ComplexField {
    fn of(v: f64) -> Self;
    fn wide(self) -> f64;
    /// e to the power of this number.
    fn exponential(self) -> Self;
}

/// Coefficients of e^r for |r| ≤ ½·ln 2, highest power first, and ln 2 in two parts, of which products of the
/// first with small whole numbers are exact (Moshier's Cephes library, `expf`).
const EXP: [f32; 6] = [
    1.987_569_1e-4,
    1.398_199_9e-3,
    8.333_452e-3,
    4.166_579_6e-2,
    1.666_666_5e-1,
    0.5,
];
const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];
/// Floats of this size are whole numbers, so adding it rounds.
const WHOLE: f32 = 12_582_912.0; // 1.5·2²³
/// Range of powers whose results are normal numbers.
const POWERS: [f32; 2] = [-87.0, 88.0];

impl Real for f32 {
    fn of(v: f64) -> Self {
        v as Self
    }
    fn wide(self) -> f64 {
        self.into()
    }

    /// Without a branch or a call, so that the compiler works on several at once.
    fn exponential(self) -> Self {
        let x = self.clamp(POWERS[0], POWERS[1]);
        let shifted = x * std::f32::consts::LOG2_E + WHOLE;
        let n = shifted - WHOLE;
        let r = x - n * LN_2[0] - n * LN_2[1];
        let p = EXP[1..].iter().fold(EXP[0], |p, c| p * r + c);
        // The low bits of `shifted` are n; 2ⁿ has n + 127 for its exponent.
        let power = Self::from_bits(shifted.to_bits().wrapping_add(127) << 23);
        (p * r * r + r + 1.0) * power
    }
}

impl Real for f64 {
    fn of(v: f64) -> Self {
        v
    }
    fn wide(self) -> f64 {
        self
    }
    fn exponential(self) -> Self {
        self.exp()
    }
}

#[cfg(test)]
mod tests {
    use super::Real;

    #[test]
    fn exponentials_are_right_to_rounding() {
        for i in -87_000..88_000 {
            let x = i as f32 / 1000.0;
            let apart = x.exponential().wide() / x.wide().exp() - 1.0;
            assert!(apart.abs() < 3e-7, "e^{x} is off by {apart}");
        }
        assert!((-1000.0f32).exponential() < 1e-37 && 1000.0f32.exponential() > 1e38);
    }
}

//! How far probabilities are to be believed: the reliability diagram and its summary (Guo et al. 2017).

use serde::{Deserialize, Serialize};

/// The hits whose probability lies in one of the equal parts of 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// The mean of what was said; 0 where there is no hit.
    pub said: f64,
    /// The share that is right; 0 where there is no hit.
    pub right: f64,
    /// Number of hits.
    pub count: usize,
}

/// What was said against what came true.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// The parts of 0 to 1, rising.
    pub bins: Vec<Bin>,
}

impl Reliability {
    /// Sorts hits into bins of equal width. What is no number is left out.
    pub fn new(probabilities: &[f32], right: &[bool], bins: usize) -> Self {
        let count = bins.max(1);
        let mut bins = vec![Bin::default(); count];
        for (&p, &right) in probabilities
            .iter()
            .zip(right)
            .filter(|(p, _)| p.is_finite())
        {
            let bin = &mut bins[((f64::from(p) * count as f64) as usize).min(count - 1)];
            bin.said += f64::from(p);
            bin.right += f64::from(u8::from(right));
            bin.count += 1;
        }
        for bin in bins.iter_mut().filter(|b| b.count > 0) {
            bin.said /= bin.count as f64;
            bin.right /= bin.count as f64;
        }
        Self { bins }
    }

    /// The expected calibration error: the mean distance of what was said from what came true, over all hits; 0
    /// where there are none.
    pub fn ece(&self) -> f64 {
        let all = self.count().max(1) as f64;
        let distance = |b: &Bin| b.count as f64 / all * (b.said - b.right).abs();
        self.bins.iter().map(distance).sum()
    }

    /// The hits in all bins.
    pub fn count(&self) -> usize {
        self.bins.iter().map(|b| b.count).sum()
    }
}

/// The expected calibration error over bins of equal width.
pub fn ece(probabilities: &[f32], right: &[bool], bins: usize) -> f64 {
    Reliability::new(probabilities, right, bins).ece()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_the_mean_distance() {
        // two bins: 0.2 and 0.4 said, half right; 1.0 said, right
        let found = ece(&[0.2, 0.4, 1.0], &[false, true, true], 2);
        assert!((found - 2.0 / 3.0 * 0.2).abs() < 1e-7, "{found}");
        assert_eq!(ece(&[], &[], 10), 0.0);
        assert_eq!(ece(&[f32::NAN], &[true], 0), 0.0);
    }
}

//! Isotonic regression: the rising curve that is nearest to what was observed, by pooling adjacent violators (Zadrozny
//! & Elkan 2002).

use serde::{Deserialize, Serialize};

/// A rising curve through knots, with straight lines between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(f32, f32)>", into = "Vec<(f32, f32)>")]
pub struct Isotonic {
    knots: Vec<(f32, f32)>,
}

/// Observations that are pooled.
struct Pool {
    weight: f64,
    x: f64,
    right: f64,
}

impl Isotonic {
    /// The curve of the share that is right over the probabilities that a model says.
    pub fn fit(probabilities: &[f32], right: &[bool]) -> Self {
        let mut observed: Vec<(f32, bool)> = probabilities
            .iter()
            .copied()
            .zip(right.iter().copied())
            .collect();
        observed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut pools: Vec<Pool> = Vec::new();
        for (x, right) in observed {
            let right = f64::from(u8::from(right));
            let x = f64::from(x);
            let mut pool = Pool {
                weight: 1.0,
                x,
                right,
            };
            // Those with the same x, and those that would fall.
            while let Some(last) = pools.pop_if(|last| {
                last.x / last.weight >= pool.x / pool.weight
                    || last.right / last.weight >= pool.right / pool.weight
            }) {
                pool.weight += last.weight;
                pool.x += last.x;
                pool.right += last.right;
            }
            pools.push(pool);
        }
        // A pool whose hits are all right or all wrong is certain of nothing: one of each is added in halves.
        let knot = |p: &Pool| {
            let share = (p.right + 0.5) / (p.weight + 1.0);
            ((p.x / p.weight) as f32, share as f32)
        };
        // Beyond what was observed, as in a gallery of another size, the curve goes on towards what the model says.
        let mut knots = vec![(0.0, 0.0)];
        knots.extend(pools.iter().map(knot).filter(|k| 0.0 < k.0 && k.0 < 1.0));
        knots.push((1.0, 1.0));
        for i in 1..knots.len() {
            knots[i].1 = knots[i].1.max(knots[i - 1].1); // the halves may have turned it
        }
        Self { knots }
    }

    /// The curve at a probability.
    pub fn of(&self, p: f32) -> f32 {
        let after = self.knots.partition_point(|k| k.0 <= p);
        match (
            after.checked_sub(1).map(|i| self.knots[i]),
            self.knots.get(after),
        ) {
            (Some((x0, y0)), Some(&(x1, y1))) => {
                let share = (p - x0) / (x1 - x0);
                (y0 + share * (y1 - y0)).clamp(y0, y1)
            }
            (Some((_, y)), None) => y,
            (None, Some(&(_, y))) => y,
            (None, None) => p,
        }
    }
}

impl From<Isotonic> for Vec<(f32, f32)> {
    fn from(curve: Isotonic) -> Self {
        curve.knots
    }
}

impl TryFrom<Vec<(f32, f32)>> for Isotonic {
    type Error = String;

    fn try_from(knots: Vec<(f32, f32)>) -> Result<Self, String> {
        let rising = |w: &[(f32, f32)]| w[0].0 < w[1].0 && w[0].1 <= w[1].1;
        let finite = knots
            .iter()
            .all(|k| k.0.is_finite() && (0.0..=1.0).contains(&k.1));
        match finite && knots.windows(2).all(rising) {
            true => Ok(Self { knots }),
            false => Err("the knots of an isotonic curve do not rise".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Isotonic;

    #[test]
    fn violators_are_pooled() {
        let curve = Isotonic::fit(&[0.1, 0.2, 0.3, 0.4], &[false, true, false, true]);
        // 0.1 alone; 0.2 and 0.3 together, half of them right; 0.4 alone
        let expected = [
            (0.0, 0.0),
            (0.1, 0.25),
            (0.25, 0.5),
            (0.4, 0.75),
            (1.0, 1.0),
        ];
        let knots: Vec<(f32, f32)> = curve.clone().into();
        for (found, expected) in knots.iter().zip(expected) {
            assert!((found.0 - expected.0).abs() < 1e-6 && (found.1 - expected.1).abs() < 1e-6);
        }
        assert_eq!(knots.len(), 5);
        assert_eq!((curve.of(0.0), curve.of(1.0)), (0.0, 1.0));
        assert!((curve.of(0.175) - 0.375).abs() < 1e-6);
    }

    #[test]
    fn knots_that_fall_are_not_read() {
        let read: Result<Isotonic, _> = serde_json::from_str("[[0.1, 0.5], [0.2, 0.4]]");
        assert!(read.unwrap_err().to_string().contains("do not rise"));
    }
}

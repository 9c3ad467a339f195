//! Logistic regression of a few features, by Newton's method (iteratively reweighted least squares).

use serde::{Deserialize, Serialize};

/// Steps that Newton's method may take; it converges within ten where it converges.
const STEPS: usize = 50;
/// A coefficient with so strong a prior stays where the prior is, within [`HELD`].
const HOLDING: f64 = 1e12;
const HELD: f64 = 1e-3;
/// A change of the coefficients that no longer matters.
const CONVERGED: f64 = 1e-9;

/// ln(p / (1 − p)) = known part + coefficients · features.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct Logistic<const D: usize>(pub [f64; D]);

impl<const D: usize> From<Logistic<D>> for Vec<f64> {
    fn from(model: Logistic<D>) -> Self {
        model.0.to_vec()
    }
}

impl<const D: usize> TryFrom<Vec<f64>> for Logistic<D> {
    type Error = String;

    fn try_from(coefficients: Vec<f64>) -> Result<Self, String> {
        let found = coefficients.len();
        let array: Result<[f64; D], _> = coefficients.try_into();
        array
            .map(Self)
            .map_err(|_| format!("{found} coefficients, expected {D}"))
    }
}

/// The penalty λ/2·Σ (coefficient − centre)², which keeps the coefficients finite where classes are separable, and
/// near a sensible guess where there is little to learn from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior<const D: usize> {
    pub centre: [f64; D],
    pub strength: [f64; D],
}

/// One observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row<const D: usize> {
    pub features: [f64; D],
    /// A part of the logit that is known.
    pub offset: f64,
    pub right: bool,
}

impl<const D: usize> Logistic<D> {
    /// The coefficients with the highest penalised likelihood, and its logarithm.
    pub fn fit(rows: &[Row<D>], prior: &Prior<D>) -> (Self, f64) {
        let mut model = Self(prior.centre);
        let mut value = model.objective(rows, prior);
        for _ in 0..STEPS {
            let (gradient, curvature) = model.derivatives(rows, prior);
            let Some(step) = solve(curvature, gradient) else {
                break;
            };
            // Newton's step may overshoot far from the optimum: the objective is concave, so that a part of it helps.
            let mut share = 1.0;
            let (next, next_value) = loop {
                let next = Self(std::array::from_fn(|d| model.0[d] + share * step[d]));
                let next_value = next.objective(rows, prior);
                if next_value >= value || share < 1e-6 {
                    break (next, next_value);
                }
                share /= 2.0;
            };
            if next_value < value {
                break;
            }
            let change = step.iter().map(|s| (share * s).abs()).fold(0.0, f64::max);
            (model, value) = (next, next_value);
            if change < CONVERGED {
                break;
            }
        }
        (model, value)
    }

    /// As [`Self::fit`], where some coefficients are not below 0: what would be is 0.
    pub fn fit_rising(rows: &[Row<D>], prior: &Prior<D>, rising: [bool; D]) -> (Self, f64) {
        let mut prior = *prior;
        loop {
            let (model, value) = Self::fit(rows, &prior);
            let below: Vec<usize> = (0..D)
                .filter(|&d| rising[d] && model.0[d] < -HELD)
                .collect();
            if below.is_empty() {
                let held = |d: usize| {
                    if rising[d] {
                        model.0[d].max(0.0)
                    } else {
                        model.0[d]
                    }
                };
                return (Self(std::array::from_fn(held)), value);
            }
            for d in below {
                // Each is held once, so that this ends.
                (prior.centre[d], prior.strength[d]) = (0.0, HOLDING);
            }
        }
    }

    /// The known part of the logit is not in it.
    pub fn logit(&self, features: &[f64; D]) -> f64 {
        self.0.iter().zip(features).map(|(c, f)| c * f).sum()
    }

    fn objective(&self, rows: &[Row<D>], prior: &Prior<D>) -> f64 {
        let of_row = |row: &Row<D>| {
            let logit = row.offset + self.logit(&row.features);
            log_sigmoid(if row.right { logit } else { -logit })
        };
        let penalty = |d: usize| 0.5 * prior.strength[d] * (self.0[d] - prior.centre[d]).powi(2);
        rows.iter().map(of_row).sum::<f64>() - (0..D).map(penalty).sum::<f64>()
    }

    /// The gradient of the objective, and the negative of its second derivatives.
    fn derivatives(&self, rows: &[Row<D>], prior: &Prior<D>) -> ([f64; D], [[f64; D]; D]) {
        let mut gradient: [f64; D] =
            std::array::from_fn(|d| prior.strength[d] * (prior.centre[d] - self.0[d]));
        let mut curvature = [[0.0; D]; D];
        for (d, row) in curvature.iter_mut().enumerate() {
            row[d] = prior.strength[d];
        }
        for row in rows {
            let p = sigmoid(row.offset + self.logit(&row.features));
            let (error, weight) = (f64::from(u8::from(row.right)) - p, p * (1.0 - p));
            for (a, fa) in row.features.iter().enumerate() {
                gradient[a] += error * fa;
                for (b, fb) in row.features.iter().enumerate() {
                    curvature[a][b] += weight * fa * fb;
                }
            }
        }
        (gradient, curvature)
    }
}

/// 1 / (1 + e^−x).
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// ln(1 / (1 + e^−x)), without loss where the sigmoid is near 0 or 1.
fn log_sigmoid(x: f64) -> f64 {
    x.min(0.0) - (-x.abs()).exp().ln_1p()
}

/// The solution of A·x = b by Cholesky's decomposition; nothing where A is not positive definite.
fn solve<const D: usize>(a: [[f64; D]; D], b: [f64; D]) -> Option<[f64; D]> {
    let mut l = [[0.0; D]; D];
    for i in 0..D {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            let rest = a[i][j] - sum;
            if i == j {
                // A NaN is refused too.
                if rest.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
                    return None;
                }
                l[i][i] = rest.sqrt();
            } else {
                l[i][j] = rest / l[j][j];
            }
        }
    }
    let mut y = [0.0; D];
    for i in 0..D {
        let sum: f64 = (0..i).map(|k| l[i][k] * y[k]).sum();
        y[i] = (b[i] - sum) / l[i][i];
    }
    let mut x = [0.0; D];
    for i in (0..D).rev() {
        let sum: f64 = (i + 1..D).map(|k| l[k][i] * x[k]).sum();
        x[i] = (y[i] - sum) / l[i][i];
    }
    x.iter().all(|v| v.is_finite()).then_some(x)
}

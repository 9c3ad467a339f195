//! How a figure grows with the number of training pictures: a line over the logarithm, by least squares.

use serde::{Deserialize, Serialize};

/// A figure with so many training pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Training pictures.
    pub pictures: usize,
    /// Mean recall in per cent.
    #[serde(rename = "mR")]
    pub mean_recall: f64,
    /// Its 95 % interval: over the queries where it was measured, of prediction where it is expected.
    pub ci95: [f64; 2],
}

/// mR = a + b·log₂(pictures): every doubling brings b points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Law {
    /// b, points of mR.
    pub per_doubling: f64,
    /// Its 95 % interval.
    pub ci95: [f64; 2],
    /// a, points of mR.
    pub offset: f64,
    /// What it says of two, four and eight times the pictures.
    pub expected: Vec<Learned>,
}

/// 97.5 % points of Student's t for 1, 2, 3, ... degrees of freedom (Abramowitz & Stegun 1964, table 26.10), to be between the two
/// ends of a 95 % interval.
const T: [f64; 10] = [
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
];

/// The law of figures that were measured with different numbers of pictures; `None` for fewer than three.
///
/// The intervals are those of ordinary least squares (Draper & Smith 1998, §1.4): they take the line for right, and say nothing
/// of where it bends.
pub fn law(measured: &[Learned]) -> Option<Law> {
    let n = measured.len();
    let t = T[n.checked_sub(3)?.min(T.len() - 1)];
    let points = measured
        .iter()
        .map(|m| ((m.pictures as f64).log2(), m.mean_recall));
    let mean = |of: fn((f64, f64)) -> f64| points.clone().map(of).sum::<f64>() / n as f64;
    let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
    let sxx: f64 = points.clone().map(|(x, _)| (x - mx).powi(2)).sum();
    if sxx <= 0.0 {
        return None;
    }
    let slope = points
        .clone()
        .map(|(x, y)| (x - mx) * (y - my))
        .sum::<f64>()
        / sxx;
    let offset = my - slope * mx;
    let left: f64 = points
        .map(|(x, y)| (y - offset - slope * x).powi(2))
        .sum::<f64>();
    let deviation = (left / (n - 2) as f64).sqrt();
    let around = |value: f64, half: f64| [value - half, value + half];
    let most = measured.iter().map(|m| m.pictures).max()?;
    let expected = [2, 4, 8].map(|times| {
        let pictures = most * times;
        let x = (pictures as f64).log2();
        let mean_recall = offset + slope * x;
        let spread = (1.0 + 1.0 / n as f64 + (x - mx).powi(2) / sxx).sqrt();
        Learned {
            pictures,
            mean_recall,
            ci95: around(mean_recall, t * deviation * spread),
        }
    });
    Some(Law {
        per_doubling: slope,
        ci95: around(slope, t * deviation / sxx.sqrt()),
        offset,
        expected: expected.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of scipy 1.17: `linregress` over log2(n), and its t distribution.
    #[test]
    fn intervals_are_those_of_scipy() {
        let figures = [
            (375, 6.7),
            (750, 8.9),
            (1500, 10.9),
            (3000, 13.3),
            (6000, 15.9),
        ];
        let measured = figures.map(|(pictures, mean_recall)| Learned {
            pictures,
            mean_recall,
            ci95: [0.0; 2],
        });
        let law = law(&measured).unwrap();
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-4, "{a} {b}");
        near(law.per_doubling, 2.28);
        near(law.offset, -12.915_702_67);
        near(law.ci95[1] - law.per_doubling, 0.207_876_522);
        let twice = &law.expected[0];
        near(twice.mean_recall, 17.98);
        near(twice.ci95[1] - twice.mean_recall, 0.952_609_898);
        assert_eq!(twice.pictures, 12_000);
        assert_eq!(super::law(&measured[..2]), None);
    }
}

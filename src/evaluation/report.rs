//! The figures of an evaluation, as text for people and as JSON for programs.

use serde::{Deserialize, Serialize};

use super::metrics::{Ranking, mean_recall};
use super::significance::{interval, resamples};

/// The figures of one direction; recalls in per cent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirectionReport {
    /// Recall at 1.
    #[serde(rename = "R@1")]
    pub r1: f64,
    /// Recall at 5.
    #[serde(rename = "R@5")]
    pub r5: f64,
    /// Recall at 10.
    #[serde(rename = "R@10")]
    pub r10: f64,
    /// Median rank of the best right answer, from 1.
    #[serde(rename = "medR")]
    pub median_rank: f64,
    /// Number of queries with a right answer.
    pub queries: usize,
    /// Number of items in the gallery; the mean over queries if folds differ.
    pub gallery: f64,
    /// Recall at 5 of a random order.
    #[serde(rename = "chance_R@5")]
    pub chance_r5: f64,
}

/// 95 % bootstrap intervals of one direction, [lower, upper] in per cent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Recall at 1.
    #[serde(rename = "R@1")]
    pub r1: [f64; 2],
    /// Recall at 5.
    #[serde(rename = "R@5")]
    pub r5: [f64; 2],
    /// Recall at 10.
    #[serde(rename = "R@10")]
    pub r10: [f64; 2],
}

/// 95 % bootstrap intervals of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AllIntervals {
    /// Text to image; `None` if not evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub t2i: Option<Intervals>,
    /// Image to text; `None` if not evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub i2t: Option<Intervals>,
    /// Mean of the six recalls, [lower, upper] in per cent; `None` unless both directions were evaluated.
    #[serde(rename = "mR", skip_serializing_if = "Option::is_none")]
    pub mean_recall: Option<[f64; 2]>,
}

/// The figures of an evaluation in one or both directions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the dataset.
    pub dataset: String,
    /// Name of the recipe.
    pub recipe: String,
    /// Split or folds that were evaluated.
    pub split: String,
    /// Text to image; `None` if not evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub t2i: Option<DirectionReport>,
    /// Image to text; `None` if not evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub i2t: Option<DirectionReport>,
    /// Mean of the six recalls in per cent; `None` unless both directions were evaluated.
    #[serde(rename = "mR", skip_serializing_if = "Option::is_none")]
    pub mean_recall: Option<f64>,
    /// 95 % intervals of these figures.
    pub ci95: AllIntervals,
}

fn direction_report(r: &Ranking) -> DirectionReport {
    DirectionReport {
        r1: r.recall(1),
        r5: r.recall(5),
        r10: r.recall(10),
        median_rank: r.median_rank(),
        queries: r.ranks.len(),
        gallery: r.gallery.iter().sum::<usize>() as f64 / r.gallery.len().max(1) as f64,
        chance_r5: r.chance(5),
    }
}

fn intervals(samples: &[[f64; 3]]) -> Intervals {
    let of = |i: usize| interval(samples.iter().map(|s| s[i]).collect());
    Intervals {
        r1: of(0),
        r5: of(1),
        r10: of(2),
    }
}

/// Combines the figures of both directions, either of which may be missing. `seed` is that of the bootstrap.
pub fn report(
    (dataset, recipe, split): (&str, &str, &str),
    t2i: Option<&Ranking>,
    i2t: Option<&Ranking>,
    seed: u64,
) -> Report {
    // The same draws for both directions: where they ask about the same images, these are drawn together.
    let samples = |r: &Ranking| resamples(r, seed);
    let asked = |r: Option<&Ranking>| r.filter(|r| !r.ranks.is_empty()).cloned();
    let (t2i, i2t) = (asked(t2i), asked(i2t));
    let (t2i_samples, i2t_samples) = (t2i.as_ref().map(samples), i2t.as_ref().map(samples));
    let mean_interval = t2i_samples
        .as_ref()
        .zip(i2t_samples.as_ref())
        .map(|(a, b)| {
            let mean = |(a, b): (&[f64; 3], &[f64; 3])| a.iter().chain(b).sum::<f64>() / 6.0;
            interval(a.iter().zip(b).map(mean).collect())
        });
    Report {
        dataset: dataset.into(),
        recipe: recipe.into(),
        split: split.into(),
        mean_recall: t2i
            .as_ref()
            .zip(i2t.as_ref())
            .map(|(a, b)| mean_recall(a, b)),
        t2i: t2i.as_ref().map(direction_report),
        i2t: i2t.as_ref().map(direction_report),
        ci95: AllIntervals {
            t2i: t2i_samples.as_deref().map(intervals),
            i2t: i2t_samples.as_deref().map(intervals),
            mean_recall: mean_interval,
        },
    }
}

impl std::fmt::Display for Report {
    /// A table for people.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} · {} · recipe {}",
            self.dataset, self.split, self.recipe
        )?;
        writeln!(
            f,
            "{:<13}{:>22}{:>22}{:>22}{:>8}{:>9}{:>9}{:>12}",
            "", "R@1", "R@5", "R@10", "medR", "queries", "gallery", "chance R@5"
        )?;
        let rows = [
            ("text -> image", &self.t2i, &self.ci95.t2i),
            ("image -> text", &self.i2t, &self.ci95.i2t),
        ];
        for (name, d, ci) in rows {
            let (Some(d), Some(ci)) = (d, ci) else {
                continue;
            };
            let cell = |r: f64, [lo, hi]: [f64; 2]| format!("{r:.1} [{lo:.1}, {hi:.1}]");
            writeln!(
                f,
                "{:<13}{:>22}{:>22}{:>22}{:>8}{:>9}{:>9}{:>12}",
                name,
                cell(d.r1, ci.r1),
                cell(d.r5, ci.r5),
                cell(d.r10, ci.r10),
                d.median_rank,
                d.queries,
                format!("{:.0}", d.gallery),
                format!("{:.2}", d.chance_r5),
            )?;
        }
        if let (Some(m), Some([lo, hi])) = (self.mean_recall, self.ci95.mean_recall) {
            writeln!(f, "mR {m:.2} [{lo:.2}, {hi:.2}]")?;
        }
        write!(
            f,
            "recalls in per cent, ties at mid-rank, [95 % bootstrap interval]"
        )
    }
}

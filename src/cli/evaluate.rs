use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use serde::Serialize;
use tuwen::dataset::{Dataset, Split};
use tuwen::evaluation::{Law, Learned, Report, law};
use tuwen::files;
use tuwen::recipe::Recipe;
use tuwen::training::{BOTH, Protocol, learning_curve};

use super::bars::Bars;
use super::common::Common;
use super::output;
use crate::reliability::{BINS, Believed, Probabilities};

/// Measure a recipe: R@1/5/10 and median rank in both directions, chance level, 95 % intervals
#[derive(clap::Args)]
#[command(after_help = "\
Ties count at mid-rank. Choose settings on val; read test once.

Examples:
  tuwen evaluate --data data/flickr8k-cn --recipe experiments/card.toml --split val
  tuwen evaluate --data data/taidi --folds 5 --json
  tuwen evaluate --data data/flickr8k-cn --split val --learning-curve")]
pub struct Args {
    #[command(flatten)]
    common: Common,
    /// Split to evaluate on
    #[arg(long, value_name = "SPLIT", value_parser = ["val", "test"], default_value = "test")]
    split: String,
    /// Cross-validate: divide the training pairs into N folds by a hash of the image's id and test on each in turn
    #[arg(long, value_name = "N", conflicts_with = "split", value_parser = clap::value_parser!(u64).range(2..=100))]
    folds: Option<u64>,
    /// Search among all pairs, not only among those of the fold
    ///
    /// What was learned from stands in that gallery too. A recipe with `hubness` charges it for its own captions, so that it stands
    /// back behind what is asked for: figures are higher than with as many unknown pictures. They compare recipes that learn nothing.
    #[arg(long, requires = "folds")]
    whole_gallery: bool,
    /// Folder for drawings of how far probabilities are to be believed (reliability-t2i.svg, reliability-i2t.svg)
    #[arg(long, value_name = "DIR")]
    reliability: Option<PathBuf>,
    /// Measure with all, half, a quarter, ... of the training pictures: what more of them bring
    #[arg(long, conflicts_with_all = ["folds", "reliability"])]
    learning_curve: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A learning curve, and what it says.
#[derive(Serialize)]
struct Curve {
    dataset: String,
    recipe: String,
    split: String,
    measured: Vec<Learned>,
    law: Option<Law>,
}

/// A report with what probabilities are worth.
#[derive(Serialize)]
struct Evaluated {
    #[serde(flatten)]
    report: Report,
    calibration_error: CalibrationError,
}

/// Mean distance of the probabilities of hits and the share that is right (ECE: Guo et al., ICML 2017).
#[derive(Serialize)]
struct CalibrationError {
    t2i: Option<f64>,
    i2t: Option<f64>,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let (recipe, dataset) = (args.common.recipe()?, args.common.dataset()?);
    let protocol = args.protocol(&dataset)?;
    if args.learning_curve {
        return curve(args, &recipe, &dataset, protocol.split());
    }
    let mut probabilities = Probabilities::default();
    let (work, bars) = (&args.common.data.options.work, Bars::default());
    let report = protocol.measure(
        &recipe,
        &dataset,
        work,
        &bars,
        |training, features, fitted| probabilities.check(&protocol, training, features, fitted),
    )?;
    tell(args, report, &probabilities.believed())
}

impl Args {
    /// What is measured on.
    fn protocol(&self, dataset: &Dataset) -> Result<Protocol> {
        let split = match self.folds {
            Some(n) => {
                let whole = self.whole_gallery;
                return Ok(Protocol::Folds { n, whole });
            }
            None if self.split == "val" => Split::Val,
            None => Split::Test,
        };
        let mut collections = dataset.collections.iter();
        ensure!(
            collections.any(|c| c.split == split && !c.pairs.is_empty()),
            "{} has no {split} pairs (attachments have them in truth.csv); --folds 5 measures on the pairs to learn from",
            dataset.name
        );
        Ok(Protocol::Split(split))
    }
}

/// Measures with fewer and fewer training pictures.
fn curve(args: &Args, recipe: &Recipe, dataset: &Dataset, split: Split) -> Result<ExitCode> {
    let work = &args.common.data.options.work;
    let told = |l: &Learned| {
        let [low, high] = l.ci95;
        tracing::info!(
            "{} pictures: mR {:.1} [{low:.1}, {high:.1}]",
            l.pictures,
            l.mean_recall
        );
    };
    let measured = learning_curve(split, recipe, dataset, work, &Bars::default(), told)?;
    let law = law(&measured);
    if args.json {
        output::json(&Curve {
            dataset: dataset.name.clone(),
            recipe: recipe.name.clone(),
            split: split.to_string(),
            measured,
            law,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("{:>9}  {:>5}  95 %", "pictures", "mR");
    let row =
        |pictures: usize, mean_recall: f64, [low, high]: [f64; 2], note: &str| -> Result<()> {
            say!("{pictures:>9}  {mean_recall:>5.1}  [{low:.1}, {high:.1}]{note}");
            Ok(())
        };
    for m in &measured {
        row(m.pictures, m.mean_recall, m.ci95, "")?;
    }
    let Some(law) = law else {
        return Ok(ExitCode::SUCCESS);
    };
    for e in &law.expected {
        row(
            e.pictures,
            e.mean_recall,
            e.ci95,
            "  expected, if it goes on like this",
        )?;
    }
    let [low, high] = law.ci95;
    say!(
        "Twice the pictures bring {:.1} points of mR [{low:.1}, {high:.1}].",
        law.per_doubling
    );
    Ok(ExitCode::SUCCESS)
}

/// Prints the report, and what probabilities are worth.
fn tell(args: &Args, report: Report, believed: &Believed) -> Result<ExitCode> {
    if let Some(folder) = &args.reliability {
        for ((name, reliability), direction) in believed.each().into_iter().zip(BOTH) {
            let Some(reliability) = reliability else {
                continue;
            };
            let svg = reliability.svg(&format!("{}, {direction}", report.dataset));
            files::write(
                &folder.join(format!("reliability-{name}.svg")),
                svg.as_bytes(),
            )?;
        }
    }
    let [t2i, i2t] = believed.each().map(|(_, r)| r.map(|r| r.ece()));
    if args.json {
        let calibration_error = CalibrationError { t2i, i2t };
        output::json(&Evaluated {
            report,
            calibration_error,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("{report}");
    for (direction, error) in BOTH.iter().zip([t2i, i2t]) {
        if let Some(error) = error {
            say!(
                "{direction}: calibration error {error:.3} (ECE of the five best hits, {BINS} bins)"
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

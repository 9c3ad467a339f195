use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::ablation::{
    Bench, Commit, Entry, Place, Plan, Row, Shown, State, Verdict, bless, most_believed, page,
    plot, verdict,
};
use anyhow::{Context, Result, bail, ensure};
use tuwen::files;
use tuwen::training::Protocol;

use crate::cli::bars::Bars;
use crate::cli::common::Data;

/// Run all recipes of a plan on a data set and compare them with each other and with their expected scores
#[derive(clap::Args)]
#[command(after_help = "\
Writes a run file per recipe (runs/DATASET/NAME.json), a page of tables and a plot per ladder, beside \
the plan. The test split is measured where its pairs are known, and five folds of the training pairs \
elsewhere. What is up to date is not run again. A recipe which needs a file that is not there is shown \
as not run. A recipe expects a score by [expected.DATASET] with mR and tolerance in points; the program \
ends with 1 where one has moved further, either way.

Examples:
  tuwen ablation --data data/flickr8k-cn
  tuwen ablation --data data/flickr8k-cn --only bow --only vlad
  tuwen ablation --data data/demo --bless")]
pub struct Args {
    #[command(flatten)]
    data: Data,
    /// The plan (TOML): ladders of recipes, which lie in its folder
    #[arg(long, value_name = "FILE", default_value = "experiments/ablation.toml")]
    plan: PathBuf,
    /// The page [default: RESULTS.md beside the plan for its own dataset, RESULTS-DATASET.md for others]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Run the recipe of this name alone (repeatable); others are shown from their run files
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Write the scores into the recipes as what is expected
    #[arg(long)]
    bless: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let plan = Plan::load(&args.plan)?;
    let names: Vec<&str> = plan.entries.iter().map(|e| &*e.recipe.name).collect();
    for name in &args.only {
        let known = names.join(", ");
        ensure!(
            names.contains(&name.as_str()),
            "{} has no recipe called `{name}`; it has: {known}",
            args.plan.display()
        );
    }
    let (dataset, bars) = (args.data.dataset()?, Bars::default());
    let bench = Bench {
        protocol: Protocol::of(&dataset),
        dataset: &dataset,
        work: &args.data.options.work,
        runs: &plan.folder.join("runs"),
        commit: Commit::of(&plan.folder),
        progress: &bars,
    };
    let rows: Vec<Row> = plan
        .entries
        .iter()
        .enumerate()
        .map(|(i, entry)| {
            let state = outcome(args, &bench, entry, (i + 1, plan.entries.len()));
            Row { entry, state }
        })
        .collect();
    write(args, &plan, &bench, &rows)?;
    judge(args, &dataset.name, &rows)
}

fn is_asked(args: &Args, entry: &Entry) -> bool {
    args.only.is_empty() || args.only.contains(&entry.recipe.name)
}

/// Runs a recipe that is asked for, unless it is up to date.
fn outcome(args: &Args, bench: &Bench, entry: &Entry, (i, of): (usize, usize)) -> State {
    let recipe = &entry.recipe;
    let run = || -> tuwen::Result<State> {
        let fingerprint = bench.fingerprint(recipe)?;
        let asked = is_asked(args, entry);
        if let Some(earlier) = bench.earlier(recipe, &fingerprint)? {
            if asked {
                tracing::info!("{i} of {of}, {}: up to date", recipe.name);
            }
            return Ok(State::Measured(Box::new(earlier)));
        }
        if !asked {
            return Ok(State::NotRun("not asked for".into()));
        }
        tracing::info!("{i} of {of}, {}: running", recipe.name);
        Ok(State::Measured(Box::new(bench.run(recipe, fingerprint)?)))
    };
    run().unwrap_or_else(|e| {
        if e.is_absence() {
            tracing::warn!("{} is not run: {e}", recipe.name);
            State::NotRun(e.to_string())
        } else {
            tracing::error!("{}: {e}", entry.path.display());
            State::Failed(e.to_string())
        }
    })
}

/// The page, and where its plots go.
fn write(args: &Args, plan: &Plan, bench: &Bench, rows: &[Row]) -> Result<()> {
    let dataset = &bench.dataset.name;
    let main = plan.dataset.as_ref().is_none_or(|d| d == dataset);
    let out = args.out.clone().unwrap_or_else(|| {
        plan.folder.join(if main {
            "RESULTS.md".into()
        } else {
            format!("RESULTS-{dataset}.md")
        })
    });
    let place = Place {
        folder: out.parent().unwrap_or(Path::new("")),
        plots: &if main {
            "plots".into()
        } else {
            format!("plots/{dataset}")
        },
    };
    files::write(&out, page(plan, bench, rows, &place).as_bytes())?;
    say!("{}", out.display());
    for ladder in &plan.ladders {
        let shown = Shown::of(plan, ladder, rows, dataset);
        let title = format!("{} · {dataset} · {}", ladder.title, bench.protocol);
        let svg = plot(&title, &shown);
        let path = place.folder.join(place.plot(ladder));
        files::write(&path, svg.as_bytes())?;
        say!("{}", path.display());
    }
    let Some((name, run)) = most_believed(rows) else {
        return Ok(());
    };
    for (direction, reliability) in run.believed.each() {
        let Some(reliability) = reliability else {
            continue;
        };
        let svg = reliability.svg(&format!("{name} · {dataset} · {direction}"));
        let path = place.folder.join(place.reliability(direction));
        files::write(&path, svg.as_bytes())?;
        say!("{}", path.display());
    }
    Ok(())
}

/// Says of every recipe that was asked for whether it came to what was expected.
fn judge(args: &Args, dataset: &str, rows: &[Row]) -> Result<ExitCode> {
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|r| is_asked(args, r.entry)) {
        let recipe = &row.entry.recipe;
        let name = &recipe.name;
        let (score, verdict) = match &row.state {
            State::NotRun(reason) => {
                say!("{name}: not run: {reason}");
                continue;
            }
            State::Failed(reason) => {
                wrong.push(format!("{name} ({reason})"));
                say!("{name}: failed");
                continue;
            }
            State::Measured(m) => match m.run.report.mean_recall {
                Some(score) => (score, verdict(recipe, dataset, score)),
                None => {
                    say!("{name}: no mR, for one direction alone was asked");
                    continue;
                }
            },
        };
        let judged = match verdict {
            _ if args.bless => {
                let path = &row.entry.path;
                bless(path, dataset, score).context("cannot write the expected score")?;
                "blessed".to_owned()
            }
            Verdict::AsExpected {
                expected,
                tolerance,
            } => format!("as expected ({expected} +- {tolerance})"),
            Verdict::Moved {
                expected,
                tolerance,
            } => {
                wrong.push(format!(
                    "{name} (mR {score:.2}, expected {expected} +- {tolerance})"
                ));
                format!("MOVED, expected {expected} +- {tolerance}")
            }
            Verdict::NothingExpected => "no expected score (bless)".to_owned(),
        };
        say!("{name}: mR {score:.2}, {judged}");
    }
    if !wrong.is_empty() {
        bail!(
            "not what was expected on {dataset}: {}; --bless takes scores as they are now",
            wrong.join("; ")
        );
    }
    Ok(ExitCode::SUCCESS)
}

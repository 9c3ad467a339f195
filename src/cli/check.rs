use std::process::ExitCode;

use anyhow::{Result, bail};
use tuwen::dataset::Dataset;
use tuwen::dataset::check::{LeftOut, Report};
use tuwen::recipe::Recipe;

use super::common::Common;
use super::output;

/// Show what a run would use of a data set and what it would leave out; computes nothing
#[derive(clap::Args)]
#[command(after_help = "\
Reads the tables and lists as a run would, and the first bytes of every picture. Exits 1 where nothing could be \
learned or answered, and says why. `results` does the same before it begins.

Examples:
  tuwen check --data data/demo
  tuwen check --data 赛题B --encoding gb18030
  tuwen check --data data/flickr8k-cn --captions flickr8kenc --json")]
pub struct Args {
    #[command(flatten)]
    common: Common,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let (recipe, dataset) = (args.common.recipe()?, args.common.dataset()?);
    let report = Report::of(&dataset, recipe.max_bad_images);
    if args.json {
        output::json(&report)?;
    } else {
        print(&report)?;
    }
    for failure in &report.failures {
        tracing::error!("{}: {failure}", report.dataset);
    }
    Ok(match report.failures.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn print(report: &Report) -> Result<()> {
    for c in &report.collections {
        let purpose = c.purpose();
        say!("{} ({purpose})", c.name);
        say!(
            "  images  {}, {} with a picture that can be used",
            c.images,
            c.images_with_a_picture
        );
        say!("  texts   {}", c.texts);
        say!(
            "  pairs   {}, {} with a picture that can be used",
            c.pairs,
            c.pairs_with_a_picture
        );
    }
    if !report.has_queries() {
        say!("no test set; evaluate --folds 5 measures on what is learned from");
    }
    for left_out in &report.left_out {
        say!("{}", sentence(left_out));
        for example in &left_out.first {
            say!("  {example}");
        }
    }
    Ok(())
}

fn sentence(left_out: &LeftOut) -> String {
    let LeftOut {
        reason,
        count,
        first,
    } = left_out;
    match first.len() < *count {
        true => format!("{count} x {reason}; the first:"),
        false => format!("{count} x {reason}:"),
    }
}

/// Stops where nothing can be learned or answered.
pub fn or_stop(dataset: &Dataset, recipe: &Recipe) -> Result<()> {
    let report = Report::of(dataset, recipe.max_bad_images);
    let mut reasons = report.failures.clone();
    if !report.has_queries() {
        reasons.push("there is nothing to answer: it has no attachment 2 or 3".into());
    }
    if reasons.is_empty() {
        return Ok(());
    }
    for left_out in &report.left_out {
        let first = left_out.first.first().map_or("", String::as_str);
        reasons.push(format!(
            "{} x {} ({first})",
            left_out.count, left_out.reason
        ));
    }
    bail!("{}: {}", report.dataset, reasons.join("; "))
}

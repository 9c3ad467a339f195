use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use tuwen::contest::score;

use super::common::Encoding;
use super::output;

/// Score a result file against the truth: R@1 and R@5
#[derive(clap::Args)]
#[command(after_help = "\
A query of the truth which the file does not answer counts as missed.

Example:
  tuwen score out/result1.csv --truth data/demo/attachment2/truth.csv")]
pub struct Args {
    /// The result file
    file: PathBuf,
    /// Table with the columns text_id,image_id
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    encoding: Encoding,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let score = score(&args.file, &args.truth, &args.encoding.options())?;
    if args.json {
        output::json(&score)?;
    } else {
        say!(
            "{}: R@1 {:.2} %, R@5 {:.2} % of {} queries",
            score.direction,
            score.r1,
            score.r5,
            score.queries
        );
    }
    Ok(ExitCode::SUCCESS)
}

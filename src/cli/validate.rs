use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use tuwen::contest::{Known, validate};
use tuwen::dataset::Direction;

use super::common::Encoding;

/// Check a result file: list every violation; the exit code is 1 if there are any
#[derive(clap::Args)]
#[command(after_help = "\
Both forms are read: the id on every row, or on the first row of a query alone.

Examples:
  tuwen validate out/result1.csv --attachment2 data/demo/attachment2
  tuwen validate out/result2.csv --attachment3 data/demo/attachment3")]
pub struct Args {
    /// The result file
    file: PathBuf,
    /// Folder with word_test.csv and image_data.csv, for result1.csv
    #[arg(long, value_name = "DIR", conflicts_with = "attachment3")]
    attachment2: Option<PathBuf>,
    /// Folder with image_test.csv and word_data.csv, for result2.csv
    #[arg(long, value_name = "DIR")]
    attachment3: Option<PathBuf>,
    #[command(flatten)]
    encoding: Encoding,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let options = args.encoding.options();
    let known = match (&args.attachment2, &args.attachment3) {
        (Some(dir), _) => Some(Known::from_attachment(
            dir,
            Direction::TextToImage,
            &options,
        )?),
        (None, Some(dir)) => Some(Known::from_attachment(
            dir,
            Direction::ImageToText,
            &options,
        )?),
        (None, None) => None,
    };
    if known.is_none() {
        tracing::warn!(
            "the form alone is checked; give --attachment2 or --attachment3 to check the ids too"
        );
    }
    let violations = validate(&args.file, known.as_ref())?;
    for violation in &violations {
        say!("{}: {violation}", args.file.display());
    }
    if violations.is_empty() {
        say!("{}: valid", args.file.display());
        return Ok(ExitCode::SUCCESS);
    }
    tracing::error!("{} violations", violations.len());
    Ok(ExitCode::FAILURE)
}

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use tuwen::files::printable;

use super::index::model_of;
use super::output;
use super::search::at_least_one;

/// Name the words that fit a picture best
#[derive(clap::Args)]
#[command(after_help = "\
The words are those of the captions that the model learned from. Each comes with the probability that a caption of the
picture would have it.

Examples:
  tuwen keywords a.jpg --gallery g
  tuwen keywords a.jpg --model demo.tuwen --top 20 --json")]
pub struct Args {
    /// Picture file
    picture: PathBuf,
    /// Gallery whose model is used
    #[arg(long, value_name = "DIR", required_unless_present = "model")]
    gallery: Option<PathBuf>,
    /// Model file
    #[arg(long, value_name = "FILE", conflicts_with = "gallery")]
    model: Option<PathBuf>,
    /// Number of words
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = at_least_one)]
    top: usize,
    /// Print one JSON list
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let gallery = args.gallery.clone().unwrap_or_default();
    let model = model_of(args.model.as_ref(), &gallery)?;
    let bytes = tuwen::picture::read(&args.picture)?;
    let keywords = model
        .keywords(&bytes, args.top)
        .with_context(|| format!("cannot use {}", printable(&args.picture)))?;
    if args.json {
        output::json(&keywords)?;
        return Ok(ExitCode::SUCCESS);
    }
    for keyword in keywords {
        match keyword.probability {
            Some(p) => say!("{:5.1} %\t{}", 100.0 * p, keyword.word),
            None => say!("{}", keyword.word),
        }
    }
    Ok(ExitCode::SUCCESS)
}

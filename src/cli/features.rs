use std::process::ExitCode;

use anyhow::Result;
use tuwen::training::Training;

use super::bars::Bars;
use super::common::Common;

/// Compute the views of every picture and caption
#[derive(clap::Args)]
#[command(after_help = "\
A run that was stopped goes on where it was. Vectors go to WORK/features, codebooks to WORK/vocab.

Example:
  tuwen features --data data/demo")]
pub struct Args {
    #[command(flatten)]
    common: Common,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let (recipe, dataset, bars) = (
        args.common.recipe()?,
        args.common.dataset()?,
        Bars::default(),
    );
    let features =
        Training::new(&recipe, &dataset, &args.common.data.options.work, &bars).features()?;
    for (c, f) in dataset.collections.iter().zip(&features) {
        let usable = |u: &[bool]| u.iter().filter(|&&u| u).count();
        say!(
            "{}: {} of {} images as {} numbers, {} of {} texts as {}",
            c.name,
            usable(&f.images.usable),
            c.images.len(),
            f.images.x.ncols(),
            usable(&f.texts.usable),
            c.texts.len(),
            f.texts.x.ncols()
        );
    }
    Ok(ExitCode::SUCCESS)
}

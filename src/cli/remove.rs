use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use tuwen::gallery::{Snapshot, Writer};

/// Remove pictures from a gallery; their files stay
#[derive(clap::Args)]
#[command(after_help = "\
`tuwen index` adds them again as long as their files are in the folder of the gallery.

Example:
  tuwen remove 2024/a.jpg 2024/b.jpg --gallery g")]
pub struct Args {
    /// Ids: paths below the folder of the gallery, as `tuwen search` prints them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Folder of the gallery
    #[arg(long, value_name = "DIR")]
    gallery: PathBuf,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let stamp = Snapshot::open(&args.gallery)?.stamp().clone();
    let mut writer = Writer::open(&args.gallery, &stamp)?;
    let removed = writer.remove(&args.ids)?;
    say!("{removed} of {} removed", args.ids.len());
    Ok(match removed == args.ids.len() {
        true => ExitCode::SUCCESS,
        false => {
            tracing::error!("the others are not in the gallery");
            ExitCode::FAILURE
        }
    })
}

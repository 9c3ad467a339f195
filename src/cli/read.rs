use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use serde::Serialize;
use tuwen::files::{printable, written};
use tuwen::ocr::{Line, Models, Reader, ReaderParams};
use tuwen::progress::{Progress, warn_each};

use super::bars::Bars;
use super::files::{Limits, pictures_below};
use super::output;

/// Read the text in pictures (OCR)
#[derive(clap::Args)]
#[command(after_help = "\
Writes one line of JSON per picture: its path, and the lines of text found in it from top to bottom, each with its
confidence and its corners in pixels. `tuwen models` fetches the networks; without --models they are looked for in
$TUWEN_MODELS, beside the program, and in ~/.local/share/tuwen/models.

Examples:
  tuwen read poster.jpg
  tuwen read data/demo/attachment2/ImageData --out texts.jsonl")]
pub struct Args {
    /// Pictures, and folders of pictures with their sub-folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// File to write (`-` is the standard output) [default: -]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Folder of the networks and of ONNX Runtime [default: where `tuwen models` puts them]
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// Minimum confidence; lines below it are left out
    #[arg(long, value_name = "P", default_value_t = ReaderParams::default().confidence)]
    confidence: f32,
    /// Most lines of each picture, the tallest; 0 for all
    #[arg(long, value_name = "N", default_value_t = 0)]
    lines: usize,
    /// Include hidden files, trash and thumbnails in folders
    #[arg(long)]
    hidden: bool,
    #[command(flatten)]
    limits: Limits,
}

#[derive(Serialize)]
struct Picture {
    /// By which it is found again; see [`written`].
    picture: String,
    lines: Vec<Line>,
}

/// Pictures that are read before what was found is written.
const BLOCK: usize = 64;

pub fn run(args: &Args) -> Result<ExitCode> {
    args.limits.set();
    let params = ReaderParams {
        confidence: args.confidence,
        max_pixels: args.limits.pixels(),
        lines: args.lines,
        ..ReaderParams::default()
    };
    let named = args.models.as_ref().map(Models::in_folder);
    let reader = params.load(&named.unwrap_or_else(Models::find))?;
    let mut pictures = Vec::new();
    for path in &args.paths {
        collect(path, args.hidden, &mut pictures)?;
    }
    let out = args.out.as_deref().filter(|path| !output::is_stdout(path));
    out.map_or(Ok(()), output::check)?;
    let mut written_at_end = Vec::new(); // a file is written whole or not at all
    let bars = Bars::default();
    bars.start("reading", pictures.len() as u64);
    let mut bad = Vec::new();
    for block in pictures.chunks(BLOCK) {
        let read: Vec<_> = block
            .par_iter()
            .map(|path| read(&reader, path, &bars))
            .collect();
        for (picture, lines) in block.iter().zip(read) {
            match lines {
                Ok(lines) => {
                    let picture = written(picture);
                    let line = serde_json::to_string(&Picture { picture, lines })?;
                    match out {
                        Some(_) => writeln!(written_at_end, "{line}")?,
                        None => output::print(&line)?,
                    }
                }
                Err(e) => bad.push(format!("{}: {e}", printable(picture))),
            }
        }
    }
    bars.finish();
    if let Some(path) = out {
        output::write(path, &written_at_end)?;
    }
    let (failed, all) = (bad.len(), pictures.len());
    warn_each("picture that cannot be used", bad.into_iter());
    ensure!(failed == 0, "{failed} of {all} files could not be read");
    Ok(ExitCode::SUCCESS)
}

fn read(reader: &Reader, path: &Path, bars: &Bars) -> tuwen::Result<Vec<Line>> {
    let bytes = tuwen::picture::read(path);
    let lines = bytes.and_then(|bytes| reader.read(&bytes));
    bars.step(1);
    lines
}

/// A file, or the pictures below a folder by name.
fn collect(path: &Path, hidden: bool, pictures: &mut Vec<PathBuf>) -> Result<()> {
    let context = || format!("cannot read {}", printable(path));
    match path.metadata().with_context(context)?.is_dir() {
        true => pictures.append(&mut pictures_below(path, hidden)?),
        false => pictures.push(path.to_owned()),
    }
    Ok(())
}

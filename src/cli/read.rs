use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use serde::Serialize;
use tuwen::dataset::ImageSource;
use tuwen::ocr::{Line, Models, Reader, ReaderParams};
use tuwen::progress::{Progress, warn_each};

use super::bars::Bars;

/// Read what is written in pictures
#[derive(clap::Args)]
#[command(after_help = "\
Writes one line of JSON per picture: its path, and the lines of text found in it from top to bottom, each with its
confidence and its corners in pixels. `make ocr-models` fetches the networks; without --models they are looked for in
$TUWEN_MODELS, beside the program, and in ~/.local/share/tuwen/models.

Examples:
  tuwen read poster.jpg
  tuwen read data/demo/attachment2/ImageData --out texts.jsonl")]
pub struct Args {
    /// Pictures, and folders of pictures
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The file to write [default: the standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Folder of the networks and of ONNX Runtime [default: where `make ocr-models` puts them]
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// Lines read with less confidence are left out
    #[arg(long, value_name = "P", default_value_t = ReaderParams::default().confidence)]
    confidence: f32,
}

#[derive(Serialize)]
struct Picture<'a> {
    picture: &'a Path,
    lines: Vec<Line>,
}

/// Pictures that are read before what was found is written.
const BLOCK: usize = 64;

pub fn run(args: &Args) -> Result<ExitCode> {
    let params = ReaderParams {
        confidence: args.confidence,
        ..ReaderParams::default()
    };
    let named = args.models.as_ref().map(Models::in_folder);
    let reader = params.load(&named.unwrap_or_else(Models::find))?;
    let mut pictures = Vec::new();
    for path in &args.paths {
        collect(path, &mut pictures)?;
    }
    let mut out: Box<dyn Write> = match &args.out {
        Some(path) => {
            let file =
                File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            Box::new(BufWriter::new(file))
        }
        None => Box::new(std::io::stdout()),
    };
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
                    let line = serde_json::to_string(&Picture { picture, lines })?;
                    writeln!(out, "{line}").context("cannot write what was read")?;
                }
                Err(e) => bad.push(format!("{}: {e}", picture.display())),
            }
        }
    }
    out.flush().context("cannot write what was read")?;
    bars.finish();
    let (failed, all) = (bad.len(), pictures.len());
    warn_each("picture that cannot be used", bad.into_iter());
    ensure!(failed == 0, "{failed} of {all} files could not be read");
    Ok(ExitCode::SUCCESS)
}

fn read(reader: &Reader, path: &Path, bars: &Bars) -> tuwen::Result<Vec<Line>> {
    let bytes = ImageSource::File(path.to_owned()).read();
    let lines = bytes.and_then(|bytes| reader.read(&bytes));
    bars.step(1);
    lines
}

/// A file, or the files of a folder by name.
fn collect(path: &Path, pictures: &mut Vec<PathBuf>) -> Result<()> {
    let context = || format!("cannot read {}", path.display());
    if !path.metadata().with_context(context)?.is_dir() {
        pictures.push(path.to_owned());
        return Ok(());
    }
    let entries = path.read_dir().with_context(context)?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.with_context(context)?.path();
        if file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    pictures.append(&mut files);
    Ok(())
}

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::channel;

use anyhow::{Context, Result, bail};
use tuwen::gallery::MODEL;
use tuwen::indexing::{Captions, Indexer, Source, Synced, Tags};
use tuwen::model::Model;
use tuwen::progress::warn_each;
use tuwen::recipe::Recipe;
use tuwen::training::untaught;

use super::bars::Bars;
use super::common::Encoding;
use super::files::Limits;
use crate::watch::watch;

/// Bring a gallery in step with a folder of pictures: add what is new, update what changed, remove what is gone
#[derive(clap::Args)]
#[command(after_help = "\
A gallery is a folder that `tuwen search` searches. The first run creates it and keeps a copy of the model in it. Later
runs look at the size and the time of each file and open only new and changed ones; a run that was stopped goes on where
it was. `tuwen fit --model` makes models that have learned from pictures with captions; without one, pictures are described
by `everyday.toml`, after `tuwen models`.

Examples:
  tuwen index photos --gallery g
  tuwen index photos --gallery g --model demo.tuwen
  tuwen index photos --gallery g --captions captions.csv --tags tags.csv
  tuwen index photos --gallery g --watch")]
pub struct Args {
    /// Folder of pictures, with its sub-folders
    folder: PathBuf,
    /// Folder of the gallery
    #[arg(long, value_name = "DIR")]
    gallery: PathBuf,
    /// Model that describes the pictures [default: the one that the gallery keeps, or everyday.toml]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Table with captions: a column of pictures (image, filename, ...) and one of captions (caption, text, ...)
    #[arg(long, value_name = "FILE")]
    captions: Option<PathBuf>,
    /// Table with tags: a column of pictures and one of tags, which commas or semicolons separate
    #[arg(long, value_name = "FILE")]
    tags: Option<PathBuf>,
    /// Keep running: look again whenever files have changed
    #[arg(long)]
    watch: bool,
    /// Include hidden files, trash and thumbnails
    #[arg(long)]
    hidden: bool,
    #[command(flatten)]
    encoding: Encoding,
    #[command(flatten)]
    limits: Limits,
}

/// What describes pictures where nobody says by what.
const EVERYDAY: &str = "everyday.toml";

/// The model of the command line, or the one that a gallery keeps.
pub fn model_of(given: Option<&PathBuf>, gallery: &Path) -> Result<Model> {
    let kept = gallery.join(MODEL);
    match given {
        Some(path) => Ok(Model::open(path)?),
        None if kept.exists() => Ok(Model::open(&kept)?),
        None => bail!(not_yet(gallery)),
    }
}

fn not_yet(gallery: &Path) -> String {
    format!(
        "{} is not a gallery yet: give the --model that describes its pictures (`tuwen fit --model` makes one)",
        gallery.display()
    )
}

/// The model of a new gallery where none is given.
fn everyday(gallery: &Path) -> Result<Model> {
    tracing::info!(
        "no --model: the pictures are described by {EVERYDAY}, which has learned from no captions"
    );
    let recipe = Recipe::load(Path::new(EVERYDAY))?;
    untaught(&recipe, &Bars::default()).with_context(|| not_yet(gallery))
}

pub fn run(args: &Args) -> Result<ExitCode> {
    args.limits.set();
    let is_new = args.model.is_none() && !args.gallery.join(MODEL).exists();
    let model = match is_new {
        true => everyday(&args.gallery)?,
        false => model_of(args.model.as_ref(), &args.gallery)?,
    };
    let options = args.encoding.options();
    let captions = args
        .captions
        .as_ref()
        .map(|path| Captions::read(path, &options));
    let tags = args.tags.as_ref().map(|path| Tags::read(path, &options));
    let source = Source {
        captions: captions.transpose().context("--captions")?,
        tags: tags.transpose().context("--tags")?,
        hidden: args.hidden,
    };
    let bars = Bars::default();
    let mut indexer = Indexer::open(&args.gallery, &model, &bars)?;
    report(&indexer.sync(&args.folder, &source)?)?;
    if !args.watch {
        return Ok(ExitCode::SUCCESS);
    }
    let (changed, changes) = channel();
    watch(&args.folder, &args.gallery, move || {
        changed.send(()).is_ok()
    })?;
    for () in changes {
        let synced = indexer.sync(&args.folder, &source)?;
        if synced.is_change() {
            report(&synced)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn report(synced: &Synced) -> Result<()> {
    let Synced {
        added,
        changed,
        removed,
        captioned,
        unchanged,
        bad,
        unreadable,
    } = synced;
    warn_each(
        "file or folder that cannot be read (skipped; nothing is removed)",
        unreadable.iter().cloned(),
    );
    if !synced.is_change() {
        say!("nothing new: {unchanged} files are as they were");
        return Ok(());
    }
    say!("{added} added, {changed} changed, {removed} removed, {unchanged} files as they were");
    if *captioned > 0 {
        say!("{captioned} pictures have other captions");
    }
    if *bad > 0 {
        say!("{bad} pictures cannot be used; `tuwen gallery` says why");
    }
    Ok(())
}

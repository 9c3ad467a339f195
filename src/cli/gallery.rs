use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use tuwen::gallery::{Bad, Counts, MODEL, Snapshot};
use tuwen::indexing::NOT_A_PICTURE;
use tuwen::model::Model;

use super::output;

/// Show what is in a gallery, which model it was made with, and what could not be used
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tuwen gallery g
  tuwen gallery g --check
  tuwen gallery g --json")]
pub struct Args {
    /// Folder of the gallery
    gallery: PathBuf,
    /// Read everything and report damage (exit 1 if there is any)
    #[arg(long)]
    check: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    pictures: usize,
    texts: usize,
    segments: usize,
    model: String,
    recipe: String,
    not_pictures: usize,
    /// Path and reason.
    unusable: Vec<[String; 2]>,
    damage: Vec<String>,
}

/// Pictures that are named without --json.
const NAMED: usize = 10;

pub fn run(args: &Args) -> Result<ExitCode> {
    let snapshot = Snapshot::open(&args.gallery)?;
    let model = Model::open(&args.gallery.join(MODEL))?;
    let Counts {
        pictures,
        texts,
        segments,
        ..
    } = snapshot.counts();
    let (others, bad): (Vec<Bad>, Vec<Bad>) = snapshot
        .bad()?
        .into_iter()
        .partition(|b| b.reason == NOT_A_PICTURE);
    let mut damage = vec![];
    if args.check {
        damage = snapshot.verify()?;
        damage.extend(model.verify().err().map(|e| e.to_string()));
    }
    let shown = Shown {
        pictures,
        texts,
        segments,
        model: snapshot.stamp().model.clone(),
        recipe: model.recipe().name.clone(),
        not_pictures: others.len(),
        unusable: bad.into_iter().map(|b| [b.path, b.reason]).collect(),
        damage,
    };
    if args.json {
        output::json(&shown)?;
    } else {
        print(&shown, args.check)?;
    }
    Ok(match shown.damage.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn print(shown: &Shown, checked: bool) -> Result<()> {
    say!("pictures   {}", shown.pictures);
    say!("texts      {}", shown.texts);
    say!("segments   {}", shown.segments);
    say!("model      {} (recipe {})", shown.model, shown.recipe);
    say!("other files that are not pictures: {}", shown.not_pictures);
    say!("pictures that cannot be used: {}", shown.unusable.len());
    for [path, reason] in shown.unusable.iter().take(NAMED) {
        say!("  {path}: {reason}");
    }
    if shown.unusable.len() > NAMED {
        say!("  ... (--json prints all)");
    }
    for damage in &shown.damage {
        say!("damaged: {damage}");
    }
    if checked && shown.damage.is_empty() {
        say!("everything was read and is whole");
    }
    Ok(())
}

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use tuwen::dataset::{Dataset, ReadOptions};
use tuwen::indexing::{Indexer, Source};
use tuwen::model::Model;
use tuwen::recipe::Recipe;
use tuwen::training::{Keep, Training};

use crate::cli::bars::Bars;
use crate::cli::serve::{Place, serve};
use crate::server::Options;

mod emoji;
mod npm;

/// Fetch the demo set: emoji pictures with Chinese names and keywords
#[derive(clap::Args)]
#[command(after_help = "\
1,607 pictures (Fluent Emoji 3D, MIT) and their Chinese annotations (Unicode CLDR, Unicode-3.0) \
come as three packages from the npm registry and are checked by SHA-256. They are written in the \
layout of the contest's attachments, with truth files. A second run does nothing.

With --serve a model is learned from them, all pictures are indexed, and the search page is served: some minutes the first
time, at once later.

Examples:
  tuwen demo --out data/demo
  tuwen demo --serve --port 8080")]
pub struct Args {
    /// Folder for the demo set
    #[arg(long, value_name = "DIR", default_value = "data/demo")]
    out: PathBuf,
    /// Folder that keeps the fetched packages; put them there yourself where there is no network
    #[arg(long, value_name = "DIR", default_value = "data/downloads")]
    downloads: PathBuf,
    /// Then learn a model, index the pictures, and serve the search page
    #[arg(long)]
    serve: bool,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    fetch(args)?;
    match args.serve {
        true => search_page(args, args.place.address()),
        false => Ok(ExitCode::SUCCESS),
    }
}

/// A model and a gallery beside the data, made where they are not there.
fn search_page(args: &Args, address: SocketAddr) -> Result<ExitCode> {
    let (model, gallery) = (args.out.join("demo.tuwen"), args.out.join("gallery"));
    let bars = Bars::default();
    if !model.exists() {
        let recipe = Recipe::default_recipe()?;
        let dataset = Dataset::open(&args.out, &ReadOptions::default())?;
        let work = PathBuf::from(".");
        let training = Training::new(&recipe, &dataset, &work, &bars);
        let features = training.features()?;
        let fitted = training.fit(&features)?;
        let learned = training.model(&features, &fitted, Keep { captions: true })?;
        learned.save(&model)?;
    }
    let learned = Model::open(&model)?;
    Indexer::open(&gallery, &learned, &bars)?.sync(&args.out, &Source::default())?;
    serve(&Options::local(gallery, address))
}

fn fetch(args: &Args) -> Result<()> {
    if emoji::is_complete(&args.out) {
        tracing::info!("{}: up to date", args.out.display());
        return Ok(());
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
    Ok(())
}

//! `caption`: of pictures by a model, or of a split, measured.

mod measure;
mod runs;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;
use tuwen::captions::{Retrieval, RetrievalParams};
use tuwen::files::printable;
use tuwen::model::Model;
use tuwen::picture::Picture;

use super::common::{DataOptions, Settings};
use super::index::model_of;
use super::output;

/// Say in a sentence what a picture shows, as people said it of similar pictures
#[derive(clap::Args)]
#[command(after_help = "\
A model with a network that writes captions (`[captioner]` in its recipe) writes one. Another takes one from those that it learned
from: of the captions that suit the picture best, the one that agrees most with the others. With --data, a recipe is learned,
the pictures of a split are captioned, and the captions are compared with those of the data set: BLEU, ROUGE-L and CIDEr-D.

Examples:
  tuwen caption a.jpg b.jpg --model demo.tuwen
  tuwen caption --data data/flickr8k --split test --recipe hand-crafted.toml --json
  tuwen caption --data data/flickr8k --split test --recipe experiments/deep/captioner.toml")]
pub struct Args {
    /// Picture files
    #[arg(required_unless_present = "data")]
    pictures: Vec<PathBuf>,
    /// Model file
    #[arg(long, value_name = "FILE", required_unless_present_any = ["data", "gallery"])]
    model: Option<PathBuf>,
    /// Gallery whose model is used
    #[arg(long, value_name = "DIR", conflicts_with = "model")]
    gallery: Option<PathBuf>,
    /// Folder of a data set whose pictures are captioned
    #[arg(long, value_name = "DIR", conflicts_with_all = ["pictures", "model", "gallery"])]
    data: Option<PathBuf>,
    /// Split of the data set
    #[arg(long, value_name = "SPLIT", value_parser = ["val", "test"], default_value = "test")]
    split: String,
    /// Where captions come from; a network where the model or the recipe has one
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Captions among which one is chosen
    #[arg(long, value_name = "N", default_value_t = RetrievalParams::default().candidates, value_parser = super::search::at_least_one)]
    candidates: usize,
    /// Other captions among these that it has to agree with
    #[arg(long, value_name = "N", default_value_t = RetrievalParams::default().agreeing, value_parser = super::search::at_least_one)]
    agreeing: usize,
    #[command(flatten)]
    options: DataOptions,
    #[command(flatten)]
    settings: Settings,
    /// File for the captions of a split with those of the data set (JSON), for other metrics
    #[arg(long, value_name = "FILE", requires = "data")]
    out: Option<PathBuf>,
    /// Folder for a run file, and for a page of all runs in it (RESULTS.md)
    #[arg(long, value_name = "DIR", requires = "data")]
    runs: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Where captions come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Method {
    /// Training captions of similar pictures
    Retrieval,
    /// A network that writes them
    Network,
}

/// A picture and its caption.
#[derive(Serialize)]
struct Captioned {
    picture: String,
    caption: Option<String>,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    match &args.data {
        Some(data) => measure::measure(args, data),
        None => caption(args),
    }
}

impl Args {
    fn params(&self) -> RetrievalParams {
        RetrievalParams {
            candidates: self.candidates,
            agreeing: self.agreeing,
        }
    }
}

fn retrieval(model: &Model, params: RetrievalParams) -> Result<Retrieval<'_>> {
    let captions = model.captions()?;
    let captions =
        captions.context("the model keeps no captions: `tuwen fit --model` keeps them")?;
    Ok(Retrieval::new(captions, params)?)
}

fn caption(args: &Args) -> Result<ExitCode> {
    let gallery = args.gallery.clone().unwrap_or_default();
    let model = model_of(args.model.as_ref(), &gallery)?;
    let network = match args.method {
        Some(Method::Retrieval) => None,
        _ => model.captioner()?,
    };
    let retrieval = match (network, args.method) {
        (Some(_), _) => None,
        (None, Some(Method::Network)) => {
            anyhow::bail!(
                "the model has no network that writes captions: fit a recipe with `[captioner]`"
            )
        }
        (None, _) => Some(retrieval(&model, args.params())?),
    };
    let of = |bytes: &[u8]| -> tuwen::Result<Option<String>> {
        if let Some(network) = network {
            let picture = Picture::decode(bytes, &model.recipe().picture)?;
            return network.caption(&picture).map(Some);
        }
        let point = model.point_of_file(bytes)?;
        let row = retrieval
            .as_ref()
            .and_then(|r| Some((r, r.caption(point.view())?)));
        Ok(row.map(|(retrieval, row)| retrieval.text(row).to_owned()))
    };
    let mut captioned = Vec::new();
    for path in &args.pictures {
        let bytes = tuwen::picture::read(path)?;
        let caption = of(&bytes).with_context(|| format!("cannot use {}", printable(path)))?;
        captioned.push(Captioned {
            picture: path.display().to_string(),
            caption,
        });
    }
    if args.json {
        output::json(&captioned)?;
        return Ok(ExitCode::SUCCESS);
    }
    for c in &captioned {
        let caption = c.caption.as_deref().unwrap_or_default();
        match captioned.len() {
            1 => say!("{caption}"),
            _ => say!("{}\t{caption}", c.picture),
        }
    }
    Ok(ExitCode::SUCCESS)
}

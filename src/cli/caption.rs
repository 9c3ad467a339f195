use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use ndarray::Axis;
use rayon::prelude::*;
use serde::Serialize;
use tuwen::captions::metrics::{self, Scores};
use tuwen::captions::{Retrieval, RetrievalParams};
use tuwen::dataset::{Collection, Split};
use tuwen::files::printable;
use tuwen::fusion::Side;
use tuwen::model::Model;
use tuwen::training::{Keep, Training};

use super::bars::Bars;
use super::common::{DataOptions, Settings};
use super::index::model_of;
use super::output;

/// Say in a sentence what a picture shows, as people said it of similar pictures
#[derive(clap::Args)]
#[command(after_help = "\
Of the captions that the model learned from and that suit the picture best, the one is taken that agrees most with the others.
With --data, a recipe is learned, the pictures of a split are captioned, and the captions are compared with those of the data
set: BLEU, ROUGE-L and CIDEr-D.

Examples:
  tuwen caption a.jpg b.jpg --model demo.tuwen
  tuwen caption --data data/flickr8k --split test --recipe hand-crafted.toml --json")]
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
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A picture and its caption.
#[derive(Serialize)]
struct Captioned {
    picture: String,
    caption: Option<String>,
}

/// What was measured.
#[derive(Serialize)]
struct Report {
    dataset: String,
    recipe: String,
    split: String,
    method: &'static str,
    /// How captions were cut into words before they were compared.
    words: &'static str,
    pictures: usize,
    #[serde(flatten)]
    scores: Scores,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    match &args.data {
        Some(data) => measure(args, data),
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
    let retrieval = retrieval(&model, args.params())?;
    let mut captioned = Vec::new();
    for path in &args.pictures {
        let bytes = tuwen::picture::read(path)?;
        let point = model.point_of_file(&bytes);
        let point = point.with_context(|| format!("cannot use {}", printable(path)))?;
        captioned.push(Captioned {
            picture: path.display().to_string(),
            caption: retrieval
                .caption(point.view())
                .map(|row| retrieval.text(row).to_owned()),
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

fn measure(args: &Args, data: &Path) -> Result<ExitCode> {
    let recipe = args.settings.recipe()?;
    let dataset = args.options.dataset(data)?;
    let bars = Bars::default();
    let split = match args.split.as_str() {
        "val" => Split::Val,
        _ => Split::Test,
    };
    let asked = |c: &Collection| c.split == split && !c.pairs.is_empty();
    let place = dataset.collections.iter().position(asked);
    let place = place.with_context(|| format!("{} has no {split} pairs", dataset.name))?;
    let training = Training::new(&recipe, &dataset, &args.options.work, &bars);
    let features = training.features()?;
    let fitted = training.fit(&features)?;
    let model = training.model(&features, &fitted, Keep { captions: true })?;
    let retrieval = retrieval(&model, args.params())?;
    let collection = &dataset.collections[place];
    let points = fitted
        .fusion
        .project(Side::Image, features[place].images.x.view())?;
    let texts = collection.texts_of_images();
    let asked: Vec<usize> = (0..texts.len()).filter(|&i| !texts[i].is_empty()).collect();
    let words = |text: &str| retrieval.cutter().words(text);
    let candidate = |&image: &usize| {
        let row = retrieval.caption(points.index_axis(Axis(0), image));
        row.map_or(vec![], |row| words(retrieval.text(row)))
    };
    let candidates: Vec<Vec<String>> = asked.par_iter().map(candidate).collect();
    let of_image = |&image: &usize| {
        let captions = texts[image].iter().map(|&t| &collection.texts[t].caption);
        captions.map(|c| words(c)).collect()
    };
    let references: Vec<Vec<Vec<String>>> = asked.par_iter().map(of_image).collect();
    let report = Report {
        dataset: dataset.name.clone(),
        recipe: recipe.name.clone(),
        split: split.to_string(),
        method: "retrieval",
        words: retrieval.cutter().name(),
        pictures: asked.len(),
        scores: metrics::score(&candidates, &references)?,
    };
    if args.json {
        output::json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    let [one, two, three, four] = report.scores.bleu.map(|b| 100.0 * b);
    say!(
        "{} {}, {}: {} pictures, words by {}",
        report.dataset,
        report.split,
        report.recipe,
        report.pictures,
        report.words
    );
    say!("BLEU-1 {one:.1}  BLEU-2 {two:.1}  BLEU-3 {three:.1}  BLEU-4 {four:.1}");
    say!(
        "ROUGE-L {:.1}  CIDEr-D {:.1}",
        100.0 * report.scores.rouge_l,
        100.0 * report.scores.cider
    );
    Ok(ExitCode::SUCCESS)
}

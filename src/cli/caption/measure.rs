//! Captions for a split, compared with those of the data set.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use ndarray::Axis;
use rayon::prelude::*;
use serde::Serialize;
use tuwen::captions::metrics;
use tuwen::captions::{Retrieval, RetrievalParams};
use tuwen::dataset::{Collection, Split};
use tuwen::files;
use tuwen::fusion::Side;
use tuwen::text::Cutter;
use tuwen::training::Training;

use super::runs::{self, Run};
use super::{Args, Method};
use crate::cli::bars::Bars;
use crate::cli::output;

/// A picture with a caption and those of the data set.
#[derive(Serialize)]
struct Judged<'a> {
    picture: &'a str,
    caption: &'a str,
    references: Vec<&'a str>,
    /// The same, cut into words.
    words: &'a [String],
    reference_words: &'a [Vec<String>],
}

pub fn measure(args: &Args, data: &Path) -> Result<ExitCode> {
    let began = Instant::now();
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
    let collection = &dataset.collections[place];
    let written = match args.method {
        Some(Method::Retrieval) => None,
        None if recipe.captioner.is_none() => None,
        _ => Some(training.write_captions(place)?),
    };
    let cutter = Cutter::of(&dataset.train()?.captions())?;
    let captions = match &written {
        Some(written) => written.captions.clone(),
        None => retrieved(&training, place, args.params())?,
    };
    let texts = collection.texts_of_images();
    let asked: Vec<usize> = (0..texts.len()).filter(|&i| !texts[i].is_empty()).collect();
    let candidates = asked
        .par_iter()
        .map(|&image| cutter.words(&captions[image]));
    let candidates: Vec<Vec<String>> = candidates.collect();
    let of_image = |&image: &usize| {
        let captions = texts[image].iter().map(|&t| &collection.texts[t].caption);
        captions.map(|c| cutter.words(c)).collect()
    };
    let references: Vec<Vec<Vec<String>>> = asked.par_iter().map(of_image).collect();
    if let Some(out) = &args.out {
        let judged = asked.iter().zip(candidates.iter().zip(&references));
        let judged = judged.map(|(&image, (words, reference_words))| Judged {
            picture: &collection.images[image].id.0,
            caption: &captions[image],
            references: texts[image]
                .iter()
                .map(|&t| &*collection.texts[t].caption)
                .collect(),
            words,
            reference_words,
        });
        files::write(out, &serde_json::to_vec(&judged.collect::<Vec<_>>())?)?;
    }
    let run = Run {
        dataset: dataset.name.clone(),
        recipe: recipe.name.clone(),
        about: recipe.about.clone(),
        split: split.to_string(),
        method: match written {
            Some(_) => "network".into(),
            None => "retrieval".into(),
        },
        token_accuracy: written.map(|w| w.accuracy),
        words: cutter.name().into(),
        pictures: asked.len(),
        seconds: began.elapsed().as_secs_f64(),
        scores: metrics::score(&candidates, &references)?,
    };
    match args.json {
        true => output::json(&run)?,
        false => say!("{run}"),
    }
    if let Some(folder) = &args.runs {
        runs::keep(folder, &run)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Captions for the pictures of a collection out of those of the training pictures.
fn retrieved(training: &Training, place: usize, params: RetrievalParams) -> Result<Vec<String>> {
    let features = training.features()?;
    let fitted = training.fit(&features)?;
    let captions = training.captions_of(&features, &fitted)?;
    let retrieval = Retrieval::new(&captions, params)?;
    let images = &features[place].images;
    let points = fitted.fusion.project(Side::Image, images.x.view())?;
    let caption = |image: usize| {
        let point = points.index_axis(Axis(0), image);
        let row = images.usable[image].then(|| retrieval.caption(point));
        row.flatten()
            .map_or(String::new(), |row| retrieval.text(row).to_owned())
    };
    Ok((0..points.nrows()).into_par_iter().map(caption).collect())
}

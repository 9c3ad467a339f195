//! Searching the gallery of a data set.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use ndarray::Array2;
use tuwen::dataset::{Collection, Dataset, Direction, Split};
use tuwen::files::printable;
use tuwen::training::{Training, embed};

use super::super::bars::Bars;
use super::super::common::Common;
use super::super::page::{Item, Page, Shown, matched};
use super::{Args, usage};

/// The collection to search: a test gallery if there is one for the direction.
fn gallery_of(dataset: &Dataset, direction: Direction) -> usize {
    let all = || dataset.collections.iter().enumerate();
    let test = all().find(|(_, c)| c.split == Split::Test && c.directions.contains(&direction));
    test.or_else(|| all().find(|(_, c)| c.split == Split::Train))
        .map_or(0, |(i, _)| i)
}

pub fn run(args: &Args, common: &Common) -> Result<ExitCode> {
    let text = args.text();
    if args.images.len() > 1 || (!args.images.is_empty() && !text.is_empty()) {
        usage(
            "--data answers a text with pictures and one --image with texts; search a --gallery for more",
        );
    }
    if args.asks_of_galleries() {
        usage("--must, --not, --where, --find, --json, --offset and --explain search a --gallery");
    }
    let picture = match args.images.first() {
        Some(path) => {
            let name = printable(path);
            let bytes = tuwen::picture::read(path)?;
            Some((name, bytes))
        }
        None => None,
    };
    let (recipe, dataset, bars) = (common.recipe()?, common.dataset()?, Bars::default());
    let training = Training::new(&recipe, &dataset, &common.data.work, &bars);
    let features = training.features()?;
    let fitted = training.fit(&features)?;
    let direction = match picture {
        Some(_) => Direction::ImageToText,
        None => Direction::TextToImage,
    };
    let place = gallery_of(&dataset, direction);
    let gallery = training.gallery(place, direction, &features, &fitted)?;
    let mut words = training.words(&fitted, place, direction)?;
    if let Some(words) = &mut words {
        words.asking = vec![match &picture {
            Some((name, bytes)) => training
                .read_picture(bytes)
                .with_context(|| format!("cannot use {name}"))?,
            None => text.clone(),
        }];
    }
    let items = match (&words, direction) {
        (None, _) => Array2::default((0, 0)),
        (Some(_), Direction::TextToImage) => embed(&fitted.fusion, &features[place])?.images,
        (Some(_), Direction::ImageToText) => embed(&fitted.fusion, &features[place])?.texts,
    };
    let models = training.models(fitted.fusion.clone())?;
    let (z, query): (Array2<f32>, Item) = match &picture {
        Some((name, bytes)) => {
            let id = std::path::Path::new(name).file_name().unwrap_or_default();
            let z = models
                .embed_picture(&id.to_string_lossy(), bytes)
                .with_context(|| format!("cannot use {name}"))?;
            (z, Item::picture(bytes, name))
        }
        None => (models.embed_captions(&[&text])?, Item::sentence(&text)),
    };
    let usable = z.iter().any(|&v| v != 0.0);
    let words = words.as_ref();
    let found = gallery
        .answer(
            z.view(),
            &[usable],
            args.top,
            words.map(|w| (w, items.view())),
        )?
        .remove(0);
    if !found.answered {
        bail!(if picture.is_some() {
            "no features were found in this picture"
        } else {
            "none of these words occurs in the training captions"
        });
    }
    let c: &Collection = &dataset.collections[place];
    let mut page = Page::new("tuwen search", "Best first, with scores.");
    for (rank, hit) in found.hits.iter().enumerate() {
        let label = match direction {
            Direction::TextToImage => c.images[hit.item].source.describe(),
            Direction::ImageToText => {
                format!("{}\t{}", c.texts[hit.item].id, c.texts[hit.item].caption)
            }
        };
        say!("{}\t{:.4}\t{label}", rank + 1, hit.score);
    }
    if let Some(path) = &args.html {
        let item = |i: usize| match direction {
            Direction::TextToImage => Item::image(&c.images[i]),
            Direction::ImageToText => Item::text(&c.texts[i]),
        };
        page.row(
            query,
            "",
            found.hits.iter().map(|h| Shown {
                item: item(h.item),
                score: h.score,
                right: false,
                note: matched(words, 0, h.item),
            }),
        );
        page.write(path)?;
    }
    Ok(ExitCode::SUCCESS)
}

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use ndarray::Array2;
use tuwen::dataset::{Collection, Dataset, Direction, Split};
use tuwen::files::printable;
use tuwen::training::{Training, embed};

use super::bars::Bars;
use super::common::Common;
use super::page::{Item, Page, Shown, matched};

/// Find pictures for a sentence, or sentences for a picture
#[derive(clap::Args)]
#[command(after_help = "\
Searches the test gallery if there is one, otherwise the training data. The sentence and keywords are joined into \
one query. Prints rank, score and path for pictures, or rank, score, id and caption for texts, separated by tabs.

Examples:
  tuwen search \"海边奔跑的狗\" --data data/flickr8k-cn --html page.html
  tuwen search --keywords 狗,海 --data data/flickr8k-cn --top 10
  tuwen search --image dog.jpg --data data/flickr8k-cn")]
pub struct Args {
    /// Sentence to search for
    sentence: Option<String>,
    /// Keywords to search for, separated by commas
    #[arg(long, value_name = "WORD,...", value_delimiter = ',')]
    keywords: Vec<String>,
    /// Picture to search with (finds texts)
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
    /// Number of results
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = at_least_one)]
    top: usize,
    /// Also write an HTML page with the results
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err("a number from 1".into()),
    }
}

/// Ends the program as for any other bad usage.
fn usage(message: &str) -> ! {
    clap::Error::raw(
        clap::error::ErrorKind::MissingRequiredArgument,
        format!("{message}\n"),
    )
    .exit()
}

/// The collection to search: a test gallery if there is one for the direction.
fn gallery_of(dataset: &Dataset, direction: Direction) -> usize {
    let all = || dataset.collections.iter().enumerate();
    let test = all().find(|(_, c)| c.split == Split::Test && c.directions.contains(&direction));
    test.or_else(|| all().find(|(_, c)| c.split == Split::Train))
        .map_or(0, |(i, _)| i)
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let words: Vec<&str> = args
        .sentence
        .iter()
        .chain(&args.keywords)
        .map(String::as_str)
        .collect();
    let text = words.join(" ");
    if args.image.is_none() && text.trim().is_empty() {
        usage("nothing to search for; give a sentence, --keywords or --image");
    }
    if args.image.is_some() && !text.trim().is_empty() {
        usage("a text finds pictures and --image finds texts; give only one of them");
    }
    let picture = match &args.image {
        Some(path) => {
            let name = printable(path);
            let bytes = tuwen::picture::read(path)?;
            Some((name, bytes))
        }
        None => None,
    };
    let (recipe, dataset, bars) = (
        args.common.recipe()?,
        args.common.dataset()?,
        Bars::default(),
    );
    let training = Training::new(&recipe, &dataset, &args.common.data.work, &bars);
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

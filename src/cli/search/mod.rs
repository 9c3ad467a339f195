mod data;
mod gallery;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;
use tuwen::engine::{Find, Query, Weights};
use tuwen::files::printable;
use tuwen::gallery::filter::Filter;

use super::common::{DataOptions, Settings};

/// Find pictures for a sentence, sentences for a picture, pictures that look alike, and copies
#[derive(clap::Args)]
#[command(after_help = "\
Searches a gallery that `tuwen index` has made, or, with --data, the test gallery of a data set. The sentence and keywords
are joined into one query. Prints rank, probability of being right (similarity for look-alikes), path or text,
separated by tabs, and says where the good answers end. With --data a picture alone finds texts.

A filter compares width, height, pixels, bytes, aspect, date, folder, camera, format, id, tag and has (captions, tags,
text): 'width > 1000 and date >= 2024-05 and not camera ~ \"Canon\"'.

Examples:
  tuwen search \"海边奔跑的狗\" --gallery g --top 20 --html page.html
  tuwen search \"海边\" --must 狗 --not 猫 --where 'width > 1000 and folder = \"2024\"' --gallery g
  tuwen search --image a.jpg --gallery g                              pictures that look alike
  tuwen search --image a.jpg --find texts --gallery g
  tuwen search --image a.jpg --find copies --gallery g
  tuwen search --image a.jpg --weights text=0.3,image=0.7 \"夜晚\" --gallery g
  tuwen search \"海边奔跑的狗\" --data data/flickr8k-cn")]
pub struct Args {
    /// Sentence to search for
    sentence: Option<String>,
    /// Keywords to search for, separated by commas
    #[arg(long, value_name = "WORD,...", value_delimiter = ',')]
    keywords: Vec<String>,
    /// Picture to search with; may be given several times
    #[arg(long = "image", value_name = "FILE")]
    images: Vec<PathBuf>,
    /// Folder of the gallery
    #[arg(
        long,
        value_name = "DIR",
        required_unless_present = "data",
        conflicts_with = "data"
    )]
    gallery: Option<PathBuf>,
    /// What to find [default: pictures]
    #[arg(long, value_enum)]
    find: Option<Wanted>,
    /// Word that must be in the captions, the tags or the text of a picture
    #[arg(long, value_name = "WORD,...", value_delimiter = ',')]
    must: Vec<String>,
    /// Word that must not be there
    #[arg(long, value_name = "WORD,...", value_delimiter = ',')]
    not: Vec<String>,
    /// Conditions on pictures
    #[arg(long = "where", value_name = "FILTER", value_parser = |text: &str| Filter::parse(text))]
    filter: Option<Filter>,
    /// How text and picture count beside each other: text=0.3,image=0.7
    #[arg(long, value_name = "WEIGHTS", value_parser = weights)]
    weights: Option<Weights>,
    /// Number of results
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = at_least_one)]
    top: usize,
    /// Number of results to skip
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
    /// Show pictures that are nearly the same once
    #[arg(long)]
    dedupe: bool,
    /// Say what each score comes of
    #[arg(long)]
    explain: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Also write an HTML page with the results
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Folder of a data set whose test gallery is searched
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    options: DataOptions,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Wanted {
    Pictures,
    Texts,
    Copies,
}

impl From<Wanted> for Find {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::Pictures => Self::Pictures,
            Wanted::Texts => Self::Texts,
            Wanted::Copies => Self::Copies,
        }
    }
}

pub fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err("a number from 1".into()),
    }
}

fn weights(text: &str) -> Result<Weights, String> {
    let wrong = || "text=NUMBER,image=NUMBER, none below 0".to_owned();
    let mut weights = Weights::default();
    for part in text.split(',') {
        let (name, value) = part.split_once('=').ok_or_else(wrong)?;
        let value: f32 = value.trim().parse().map_err(|_| wrong())?;
        if !(value >= 0.0 && value.is_finite()) {
            return Err(wrong());
        }
        match name.trim() {
            "text" => weights.text = value,
            "image" => weights.image = value,
            _ => return Err(wrong()),
        }
    }
    Ok(weights)
}

/// Ends the program as for any other bad usage.
fn usage(message: &str) -> ! {
    clap::Error::raw(
        clap::error::ErrorKind::MissingRequiredArgument,
        format!("{message}\n"),
    )
    .exit()
}

impl Args {
    /// Sentence and keywords as one text.
    fn text(&self) -> String {
        let words = self.sentence.iter().chain(&self.keywords);
        let words: Vec<&str> = words.map(String::as_str).collect();
        words.join(" ").trim().to_owned()
    }

    /// The question. Pages show which words matched.
    fn query(&self, find: Find) -> Result<Query> {
        let read = |path: &PathBuf| {
            tuwen::picture::read(path).with_context(|| format!("cannot use {}", printable(path)))
        };
        Ok(Query {
            text: Some(self.text()).filter(|t| !t.is_empty()),
            must: self.must.clone(),
            not: self.not.clone(),
            pictures: self.images.iter().map(read).collect::<Result<_>>()?,
            weights: self.weights.unwrap_or_default(),
            filter: self.filter.clone(),
            find,
            top: self.top,
            offset: self.offset,
            dedupe: self.dedupe,
            explain: self.explain || self.html.is_some(),
            ..Query::default()
        })
    }
}

pub fn run(args: &Args) -> Result<ExitCode> {
    if args.images.is_empty() && args.text().is_empty() && args.must.is_empty() {
        usage("nothing to search for; give a sentence, --keywords or --image");
    }
    match (&args.gallery, &args.data) {
        (Some(gallery), _) => gallery::run(args, gallery),
        (None, Some(data)) => data::run(args, data),
        (None, None) => usage("give the --gallery or the --data to search"),
    }
}

//! What most verbs ask for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tuwen::dataset::{Dataset, Queries, ReadOptions};
use tuwen::recipe::Recipe;

use super::files::Limits;

/// A data set, a recipe, and the folder for intermediate files.
#[derive(clap::Args)]
pub struct Common {
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    settings: Settings,
}

/// A recipe, and what decoding may cost.
#[derive(clap::Args)]
pub struct Settings {
    /// Recipe (TOML file, or the name of a built-in one) [default: the built-in main.toml]
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
}

/// A data set, and the folder for intermediate files.
#[derive(clap::Args)]
pub struct Data {
    /// Folder of the dataset: Taidi Cup attachments, Flickr8k(-CN), Flickr30k, RSICD, RSITMD, or a table of captions
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    #[command(flatten)]
    pub options: DataOptions,
}

/// How a data set is read, and the folder for intermediate files.
#[derive(clap::Args)]
pub struct DataOptions {
    /// Folder in which vocab/ and features/ store intermediate files
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub work: PathBuf,
    /// Which caption file to use if there are several: the beginning of its name (flickr8kenc)
    #[arg(long, value_name = "NAME")]
    captions: Option<String>,
    /// What a text asks: its sentence, the keywords of its picture, or both (keywords.txt)
    #[arg(long, value_name = "KIND", value_enum, default_value_t)]
    queries: Asked,
    /// Where keywords come from: the file, or what several captions of a picture say
    #[arg(long, value_name = "FROM", value_enum, default_value_t)]
    keywords_from: KeywordSource,
    #[command(flatten)]
    encoding: Encoding,
}

/// What a text asks.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Asked {
    #[default]
    Sentences,
    Keywords,
    Joint,
}

/// Where keywords come from.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum KeywordSource {
    #[default]
    File,
    Captions,
}

/// How texts are written.
#[derive(clap::Args)]
pub struct Encoding {
    /// Encoding of tables and lists without a byte-order mark (gb18030, big5, utf-8, utf-16le, ...) [default: detected]
    #[arg(long, value_name = "NAME", value_parser = tuwen::dataset::encoding)]
    encoding: Option<&'static encoding_rs::Encoding>,
}

impl Encoding {
    pub fn options(&self) -> ReadOptions {
        ReadOptions {
            captions: None,
            encoding: self.encoding,
        }
    }
}

impl Settings {
    /// The recipe, with the limits of the command line. They are in force from now on.
    pub fn recipe(&self) -> Result<Recipe> {
        self.limits.set();
        let mut recipe = match &self.recipe {
            Some(path) => Recipe::load(path)?,
            None => Recipe::default_recipe()?,
        };
        if let Some(pixels) = self.limits.max_pixels {
            recipe.picture.max_pixels = pixels;
            recipe
                .scene_text
                .iter_mut()
                .for_each(|s| s.reader.max_pixels = pixels);
        }
        Ok(recipe)
    }
}

impl Common {
    /// See [`Settings::recipe`].
    pub fn recipe(&self) -> Result<Recipe> {
        self.settings.recipe()
    }

    pub fn dataset(&self) -> Result<Dataset> {
        self.data.dataset()
    }
}

impl Data {
    pub fn dataset(&self) -> Result<Dataset> {
        self.options.dataset(&self.data)
    }
}

impl DataOptions {
    pub fn dataset(&self, folder: &Path) -> Result<Dataset> {
        let options = ReadOptions {
            captions: self.captions.clone(),
            ..self.encoding.options()
        };
        let mut dataset = Dataset::open(folder, &options).context("cannot read the dataset")?;
        let queries = match self.queries {
            Asked::Sentences => Queries::Sentences,
            Asked::Keywords => Queries::Keywords,
            Asked::Joint => Queries::Joint,
        };
        if queries != Queries::Sentences {
            let keywords = match self.keywords_from {
                KeywordSource::File => dataset.keywords(folder, &options)?,
                KeywordSource::Captions => tuwen::captions::keywords(&dataset)?,
            };
            dataset.ask(queries, &keywords);
        }
        for c in &dataset.collections {
            tracing::info!(
                "{} {}: {} images, {} texts, {} known pairs",
                dataset.name,
                c.name,
                c.images.len(),
                c.texts.len(),
                c.pairs.len()
            );
        }
        Ok(dataset)
    }
}

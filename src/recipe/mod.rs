//! Recipes: one TOML file fully determines a run.
//!
//! A recipe may name another one as its `base` and state only what differs. Tables are merged key by key, views by
//! their names (a view that states its kind again replaces the old one); other lists and values are replaced.
//! `use.image_views` and `use.text_views` then name the views to keep. A recipe's name, its purpose and its
//! expected scores are never inherited. Unknown keys are refused. The keys and their defaults are documented in the
//! parameter types of the stages, starting from [`Recipe`].

mod ranges;
mod source;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::Result;
use crate::fusion::FusionParams;
use crate::hubness::{Bank, HubnessParams};
use crate::index::IndexParams;
use crate::picture::PictureParams;
use crate::scene_text::SceneTextParams;
use crate::trained::{CaptioningParams, RerankParams};
use crate::views::{ImageViewParams, TextViewParams};

/// A complete run: views, fusion, index and what is needed to reproduce them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Name of the recipe, used for its files.
    pub name: String,
    /// Purpose of the recipe, in one line.
    #[serde(default)]
    pub about: String,
    /// Seed of everything random in the run, unless a stage has its own.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Largest number of pictures that may be unusable; with more, a run ends with an error.
    #[serde(default = "default_max_bad_images")]
    pub max_bad_images: usize,
    /// Number of pictures per shard: what a killed run loses at most.
    #[serde(default = "default_shard")]
    pub shard: usize,
    /// Learns from every training picture twice, as it is and mirrored.
    #[serde(default)]
    pub mirror: bool,
    /// Settings for reading pictures.
    #[serde(default)]
    pub picture: PictureParams,
    /// Image views; their vectors are laid side by side.
    pub image_views: Vec<ImageViewParams>,
    /// Text views; their vectors are laid side by side.
    pub text_views: Vec<TextViewParams>,
    /// Fusion of the views into the shared space.
    pub fusion: FusionParams,
    /// Hubness correction, which lowers the scores of items that match every query; `None` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hubness: Option<HubnessParams>,
    /// Matching of the text in pictures with the captions; `None` does not read pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_text: Option<SceneTextParams>,
    /// A network that writes captions; `None` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captioner: Option<CaptioningParams>,
    /// A network that ranks the best answers again; `None` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerank: Option<RerankParams>,
    /// Index that searches the shared space.
    #[serde(default)]
    pub index: IndexParams,
    /// Expected scores by dataset name. Nothing that is computed depends on them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expected: BTreeMap<String, Expected>,
}

/// A score that was measured before, with a tolerance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Mean of the six recalls, in per cent.
    #[serde(rename = "mR")]
    pub mean_recall: f64,
    /// Allowed difference in points, either way.
    pub tolerance: f64,
}

fn default_seed() -> u64 {
    2024
}
fn default_max_bad_images() -> usize {
    100
}
fn default_shard() -> usize {
    256
}

impl Recipe {
    /// Reads a recipe and its bases. The bare name of a built-in recipe (`main.toml`) means the one in the program,
    /// whatever the current folder contains.
    ///
    /// # Errors
    /// [`Error::Recipe`](crate::Error::Recipe) with the file, and the key that is wrong.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(path, source::read(path)?)
    }

    /// The recipe that `make results` runs.
    pub fn default_recipe() -> Result<Self> {
        Self::load(Path::new("main.toml"))
    }

    fn parse(path: &Path, table: Table) -> Result<Self> {
        let value = Value::Table(table);
        ranges::check(&value).map_err(|reason| source::wrong(path, reason))?;
        let recipe: Self = serde_path_to_error::deserialize(value).map_err(|e| {
            let key = match e.path().to_string() {
                root if root == "." => String::new(),
                key => format!("`{key}`: "),
            };
            source::wrong(path, format!("{key}{}", e.into_inner()))
        })?;
        recipe
            .check()
            .map_err(|reason| source::wrong(path, reason))?;
        Ok(recipe)
    }

    fn check(&self) -> Result<(), String> {
        let names = self.image_views.iter().map(|v| &v.name);
        let names: Vec<&String> = names
            .chain(self.text_views.iter().map(|v| &v.name))
            .collect();
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) {
                return Err(format!("two views are called `{name}`"));
            }
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if name.is_empty() || !name.chars().all(plain) || name.starts_with('.') {
                return Err(format!(
                    "`{name}` is no name for a view: letters, digits, - and _"
                ));
            }
        }
        if self.image_views.is_empty() || self.text_views.is_empty() {
            return Err("it needs at least one image view and one text view".into());
        }
        let (images, texts) = self.fusion.views();
        let unknown = |name: &&String| !self.image_views.iter().any(|v| v.name == **name);
        if let Some(name) = images.into_iter().find(unknown) {
            return Err(format!(
                "the fusion asks for an image view `{name}`: there is none"
            ));
        }
        let unknown = |name: &&String| !self.text_views.iter().any(|v| v.name == **name);
        if let Some(name) = texts.into_iter().find(unknown) {
            return Err(format!(
                "the fusion asks for a text view `{name}`: there is none"
            ));
        }
        if self
            .scene_text
            .as_ref()
            .is_some_and(|s| s.matching.is_empty())
        {
            return Err("`scene_text.matching` is an empty list".into());
        }
        if self.scene_text.is_none()
            && let Some(view) = self.image_views.iter().find(|v| v.feature.reads_text())
        {
            return Err(format!(
                "view `{}` takes the text in pictures: say how it is read (`[scene_text]`)",
                view.name
            ));
        }
        let by_classes = |h: &HubnessParams| h.bank == Bank::Classes;
        if self.hubness.as_ref().is_some_and(by_classes)
            && !self.image_views.iter().any(|v| v.feature.tells_classes())
        {
            return Err("`hubness.bank = \"classes\"` charges by classes with names, and no image view is of `class-names`".into());
        }
        if let FusionParams::Joint(joint) = &self.fusion
            && joint.image_views.is_empty()
        {
            return Err("`fusion.joint.image_views` is an empty list".into());
        }
        if let Some(captioner) = &self.captioner {
            captioner.check().map_err(|e| e.to_string())?;
        }
        if let Some(rerank) = &self.rerank {
            rerank.check().map_err(|e| e.to_string())?;
        }
        for view in &self.text_views {
            let checked = view.check();
            checked.map_err(|e| format!("view `{}`: {e}", view.name))?;
        }
        for view in &self.image_views {
            let checked = view.feature.check();
            checked.map_err(|e| format!("view `{}`: {e}", view.name))?;
        }
        Ok(())
    }

    /// Whether its results need all queries at once, so that queries cannot be answered one by one.
    pub fn transductive(&self) -> bool {
        self.hubness
            .as_ref()
            .is_some_and(|h| h.bank == Bank::Queries)
    }

    /// Whether the text in pictures is part of their points.
    pub fn reads_text(&self) -> bool {
        self.image_views.iter().any(|v| v.feature.reads_text())
    }

    /// Whether nothing is learned from pairs, so that no data set is needed to make a model of it.
    pub fn learns_nothing(&self) -> bool {
        let settled = |s: &SceneTextParams| s.matching.len() == 1 && s.share.len() == 1;
        matches!(self.fusion, FusionParams::Joint(_))
            && self
                .hubness
                .as_ref()
                .is_none_or(|h| h.bank == Bank::Classes)
            && self.scene_text.as_ref().is_none_or(settled)
            && self
                .image_views
                .iter()
                .all(|v| v.pca.dim == 0 && v.feature.wants() == 0)
            && self.text_views.iter().all(TextViewParams::learns_nothing)
    }

    /// # Errors
    /// [`Error::Recipe`](crate::Error::Recipe) for a recipe that is [`Self::transductive`].
    pub fn require_single_queries(&self) -> Result<()> {
        match self.transductive() {
            false => Ok(()),
            true => Err(source::wrong(
                Path::new(&self.name),
                "`hubness.bank = \"queries\"` looks at all queries at once: it can be evaluated, not searched",
            )),
        }
    }

    /// The recipe as TOML, with every default written out.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a recipe is plain data")
    }
}

//! Recipes: one TOML file which fully determines a run.
//!
//! A recipe may name another as its `base` and say only what differs: tables are merged key by key, views by
//! their names (one that says anew what it is replaces the old one); other lists and values are replaced. `use.image_views` and `use.text_views` name the views
//! that are left of them. What is a recipe's own, its name, its purpose and the scores that are expected
//! of it, is not taken from the base. Unknown keys are refused. All keys and their defaults stand in the parameter
//! types of the stages, from [`Recipe`] on.

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
use crate::views::{ImageViewParams, TextViewParams};

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub name: String,
    /// What it is for, in a line.
    #[serde(default)]
    pub about: String,
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// A run ends with an error where more pictures than this cannot be used.
    #[serde(default = "default_max_bad_images")]
    pub max_bad_images: usize,
    /// Pictures per shard: what a killed run loses at most.
    #[serde(default = "default_shard")]
    pub shard: usize,
    /// Learns from every training picture twice, as it is and in a mirror.
    #[serde(default)]
    pub mirror: bool,
    #[serde(default)]
    pub picture: PictureParams,
    pub image_views: Vec<ImageViewParams>,
    pub text_views: Vec<TextViewParams>,
    pub fusion: FusionParams,
    /// Charges on items that suit every query; none where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hubness: Option<HubnessParams>,
    /// What is written in the pictures, against the captions; not read where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_text: Option<SceneTextParams>,
    #[serde(default)]
    pub index: IndexParams,
    /// What a run on a dataset of that name should come to. Nothing that is computed depends on it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expected: BTreeMap<String, Expected>,
}

/// A score that was measured before, and how far from it another run may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// In per cent.
    #[serde(rename = "mR")]
    pub mean_recall: f64,
    /// In points, either way.
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
    /// Reads a recipe and its bases. The bare name of a built-in recipe (`main.toml`) stands for the one in the
    /// program, whatever the current folder has.
    ///
    /// # Errors
    /// [`Error::Recipe`](crate::Error::Recipe) naming the file, and the key that is wrong.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(path, source::read(path)?)
    }

    /// The recipe `make results` runs.
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
        for view in &self.image_views {
            let checked = view.feature.check();
            checked.map_err(|e| format!("view `{}`: {e}", view.name))?;
        }
        Ok(())
    }

    /// Whether its figures need all queries at once, so that they cannot be had one by one.
    pub fn transductive(&self) -> bool {
        self.hubness
            .as_ref()
            .is_some_and(|h| h.bank == Bank::Queries)
    }

    /// As TOML, with every default written out.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a recipe is plain data")
    }
}

//! Recipes: one TOML file which fully determines a run.
//!
//! A recipe may name another as its `base` and say only what differs: tables are merged key by key, views by
//! their names (one that says anew what it is replaces the old one); other lists and values are replaced. `use.image_views` and `use.text_views` name the views
//! that are left of them. What is a recipe's own, its name, its purpose and the scores that are expected
//! of it, is not taken from the base. Unknown keys are refused. All keys and their defaults stand in the parameter
//! types of the stages, from [`Recipe`] on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::fusion::FusionParams;
use crate::hubness::{Bank, HubnessParams};
use crate::index::IndexParams;
use crate::linalg::{KernelMap, PcaParams};
use crate::picture::PictureParams;
use crate::scene_text::SceneTextParams;
use crate::text::{CharacterParams, ProjectionParams, SegmenterParams, TfIdfParams};
use crate::views::FeatureParams;

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
fn one() -> f32 {
    1.0
}

/// One way to turn a picture into a vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageViewParams {
    pub name: String,
    /// Factor of this view's block beside the others'.
    #[serde(default = "one")]
    pub weight: f32,
    #[serde(flatten)]
    pub feature: FeatureParams,
    /// The kernel that stands in for the inner product.
    #[serde(default)]
    pub map: KernelMap,
    #[serde(default)]
    pub pca: PcaParams,
}

/// One way to turn a caption into a vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextViewParams {
    pub name: String,
    #[serde(default = "one")]
    pub weight: f32,
    pub tokens: TokenParams,
    #[serde(default)]
    pub tfidf: TfIdfParams,
    /// Directions that the weighted terms are projected to.
    pub lsa_dim: usize,
    #[serde(default)]
    pub projection: ProjectionParams,
}

/// What counts as a term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TokenParams {
    Words(SegmenterParams),
    Characters(CharacterParams),
}

/// The recipes that are built into the program.
const BUILT_IN: &[(&str, &str)] = &[
    ("card.toml", include_str!("../experiments/card.toml")),
    ("views.toml", include_str!("../experiments/views.toml")),
    (
        "hand-crafted.toml",
        include_str!("../experiments/hand-crafted.toml"),
    ),
    ("main.toml", include_str!("../experiments/main.toml")),
];

/// Longest chain of `base`s: anything longer is a circle.
const MAX_DEPTH: usize = 8;

/// What a view can be told to do otherwise, and stays what it is.
const CHANGEABLE: &[&str] = &[
    "name",
    "weight",
    "map",
    "pca",
    "tfidf",
    "lsa_dim",
    "projection",
];

/// Tables with exactly one key, which says the kind: another kind replaces them whole.
const ONE_OF: &[&str] = &["fusion", "of", "loss"];

/// What a recipe does not take from its base.
const OWN: &[&str] = &["name", "about", "expected"];

impl Recipe {
    /// Reads a recipe and its bases. The name of a built-in recipe (`main.toml`) stands for it where no
    /// such file exists.
    ///
    /// # Errors
    /// [`Error::Recipe`] naming the file, and the key that is wrong.
    pub fn load(path: &Path) -> Result<Self> {
        let mut table = read_merged(path, MAX_DEPTH)?;
        choose_views(path, &mut table)?;
        Self::parse(path, table)
    }

    /// The recipe `make results` runs.
    pub fn default_recipe() -> Result<Self> {
        Self::load(Path::new("main.toml"))
    }

    fn parse(path: &Path, table: Table) -> Result<Self> {
        let recipe: Self = Value::Table(table)
            .try_into()
            .map_err(|e: toml::de::Error| wrong(path, e.to_string()))?;
        recipe.check().map_err(|reason| wrong(path, reason))?;
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
        if let Some(s) = &self.scene_text
            && (s.matching.is_empty() || s.share.is_empty())
        {
            return Err("`scene_text` needs a matching and a share".into());
        }
        let is_share = |share: &f32| (0.0..=1.0).contains(share);
        if !self.scene_text.iter().flat_map(|s| &s.share).all(is_share) {
            return Err("`scene_text.share` is from 0 to 1".into());
        }
        if self.shard == 0 {
            return Err("`shard` must be at least 1".into());
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

fn wrong(path: &Path, reason: impl Into<String>) -> Error {
    Error::Recipe {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

fn read_source(path: &Path) -> Result<String> {
    if !path.exists() {
        let name = path.file_name().unwrap_or_default();
        if let Some((_, text)) = BUILT_IN.iter().find(|(n, _)| name == *n) {
            return Ok((*text).to_owned());
        }
    }
    fs::read_to_string(path).map_err(Error::io("read the recipe", path))
}

fn read_merged(path: &Path, depth: usize) -> Result<Table> {
    let mut table: Table =
        toml::from_str(&read_source(path)?).map_err(|e| wrong(path, e.to_string()))?;
    let Some(base) = table.remove("base") else {
        return Ok(table);
    };
    if depth == 0 {
        return Err(wrong(path, "its bases lead in a circle"));
    }
    let base = base
        .as_str()
        .ok_or_else(|| wrong(path, "`base` must be a file name"))?;
    let base: PathBuf = path.parent().unwrap_or(Path::new("")).join(base);
    let mut merged = read_merged(&base, depth - 1)?;
    merged.retain(|key, _| !OWN.contains(&key));
    merge(&mut merged, table);
    Ok(merged)
}

fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new))
                if !ONE_OF.contains(&key.as_str()) || new.keys().eq(old.keys()) =>
            {
                merge(old, new);
            }
            (Some(Value::Array(old)), Value::Array(new))
                if new.iter().all(|v| named(v).is_some()) =>
            {
                merge_named(old, new);
            }
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn named(value: &Value) -> Option<&str> {
    value.get("name")?.as_str()
}

/// Views with new names are added. One of a known name is changed, or replaced where it says anew what it is.
fn merge_named(into: &mut Vec<Value>, from: Vec<Value>) {
    for value in from {
        match (into.iter_mut().find(|v| named(v) == named(&value)), value) {
            (Some(Value::Table(old)), Value::Table(new))
                if new.keys().all(|k| CHANGEABLE.contains(&k.as_str())) =>
            {
                merge(old, new);
            }
            (Some(old), new) => *old = new,
            (None, new) => into.push(new),
        }
    }
}

/// Leaves the views that `use` names, in its order: `use.image_views = ["dense-sift", "colour"]`.
fn choose_views(path: &Path, table: &mut Table) -> Result<()> {
    let Some(chosen) = table.remove("use") else {
        return Ok(());
    };
    let chosen: BTreeMap<String, Vec<String>> = chosen
        .try_into()
        .map_err(|e: toml::de::Error| wrong(path, format!("`use` lists names of views: {e}")))?;
    for (key, names) in chosen {
        let views = table.get(&key).and_then(Value::as_array);
        let views =
            views.ok_or_else(|| wrong(path, format!("`use.{key}`: there is no such list")))?;
        let find = |name: &String| {
            let view = views.iter().find(|v| named(v) == Some(name));
            view.cloned()
                .ok_or_else(|| wrong(path, format!("`use.{key}`: there is no view `{name}`")))
        };
        let views = names.iter().map(find).collect::<Result<_>>()?;
        table.insert(key, Value::Array(views));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn merge_descends_into_tables_and_replaces_the_rest() {
        let mut base = table("a = 1\nl = [1, 2]\n[t]\nx = 1\ny = 2\n[fusion.cca]\npower = 1.0");
        merge(
            &mut base,
            table("l = [3]\n[t]\ny = 3\n[fusion.mlp]\nhidden = 4"),
        );
        let expected = "a = 1\nl = [3]\n[t]\nx = 1\ny = 3\n[fusion.mlp]\nhidden = 4";
        assert_eq!(base, table(expected));
    }

    #[test]
    fn what_is_a_recipes_own_is_not_taken_from_its_base() {
        let dir = tempfile::tempdir().unwrap();
        let base = "base = \"card.toml\"\nname = \"a\"\nabout = \"it\"\nseed = 5\n[expected.set]\nmR = 1.5\ntolerance = 0.2";
        fs::write(dir.path().join("a.toml"), base).unwrap();
        let first = Recipe::load(&dir.path().join("a.toml")).unwrap();
        assert_eq!(first.expected["set"].mean_recall, 1.5);
        let path = dir.path().join("b.toml");
        fs::write(&path, "base = \"a.toml\"\nname = \"b\"").unwrap();
        let second = Recipe::load(&path).unwrap();
        assert_eq!((second.seed, second.about.as_str()), (5, ""));
        assert!(second.expected.is_empty());
        fs::write(&path, "base = \"a.toml\"").unwrap();
        let error = Recipe::load(&path).unwrap_err();
        assert!(error.to_string().contains("name"), "{error}");
    }

    #[test]
    fn views_merge_by_name_and_are_chosen_by_use() {
        let view = |name: &str, rest: &str| format!("[[v]]\nname = '{name}'\n{rest}\n");
        let views =
            |all: &[(&str, &str)]| table(&all.iter().map(|(n, r)| view(n, r)).collect::<String>());
        let mut base = views(&[("a", "weight = 1\ny = 1"), ("b", "z = 1")]);
        merge(
            &mut base,
            views(&[("a", "weight = 2"), ("b", "x = 1"), ("c", "")]),
        );
        base.insert("use".into(), Value::Table(table("v = ['c', 'b', 'a']")));
        choose_views(Path::new("r"), &mut base).unwrap();
        assert_eq!(
            base,
            views(&[("c", ""), ("b", "x = 1"), ("a", "weight = 2\ny = 1")])
        );
        base.insert("use".into(), Value::Table(table("v = ['d']")));
        let error = choose_views(Path::new("r"), &mut base).unwrap_err();
        assert!(error.to_string().contains("no view `d`"), "{error}");
    }

    #[test]
    fn built_in_recipes_are_whole_and_survive_a_round_trip() {
        for (name, _) in BUILT_IN {
            let recipe = Recipe::load(Path::new(name)).unwrap();
            let again = Recipe::parse(Path::new("again"), table(&recipe.to_toml())).unwrap();
            assert_eq!(recipe, again);
        }
    }

    #[test]
    fn unknown_keys_are_refused_at_every_depth() {
        let good = Recipe::load(Path::new("card.toml")).unwrap().to_toml();
        for (place, line) in [
            ("seed", "sede = 1\nseed"),
            ("size", "siez = 1\nsize"),
            ("power", "powr = 1\npower"),
            ("weight", "wieght = 1\nweight"),
        ] {
            let bad = good.replacen(&format!("{place} ="), &format!("{line} ="), 1);
            assert_ne!(good, bad);
            let error = Recipe::parse(Path::new("bad"), table(&bad)).unwrap_err();
            let key = line.split(' ').next().unwrap();
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}

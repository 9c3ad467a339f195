//! The plan: `ablation.toml`, which lies in the folder of the recipes it names.
//!
//! ```toml
//! dataset = "flickr8k-cn"          # whose figures are RESULTS.md
//! skip = ["views.toml", "texts/"]  # what others are based on, not run itself; folders
//!
//! [[ladder]]
//! name = "images"                  # of the plot's file
//! title = "Describing a picture"
//! rows = ["images/bow.toml", "images/vlad.toml"]
//!
//! [[published]]                    # never measured here
//! ladder = "images"
//! dataset = "flickr8k-cn"          # what the figures were measured on
//! beside = []                      # other datasets on whose pages it is shown, too
//! name = "A model"
//! source = "Author et al. 2020, table 3"
//! i2t = [1.0, 2.0, 3.0]            # R@1, R@5, R@10 in per cent
//! t2i = [1.0, 2.0, 3.0]
//! ```
//! Every other recipe in the folder or below it goes into a last ladder, [`NAMED`].

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use tuwen::error::{Error, Result};
use tuwen::recipe::Recipe;

/// The ladder of the recipes that no ladder names.
pub const NAMED: &str = "named";

/// Rows that belong side by side, each compared with the one before.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// Name of the plot's file, without the extension.
    pub name: String,
    /// Heading on the page and title of the plot.
    pub title: String,
    /// Recipe files, relative to the plan's folder.
    pub rows: Vec<String>,
}

/// A row copied from a paper, never measured here.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Name of the ladder beside which it is shown.
    pub ladder: String,
    /// Dataset that its figures were measured on.
    pub dataset: String,
    /// Other datasets on whose pages it is also shown.
    #[serde(default)]
    pub beside: Vec<String>,
    /// Name of the model.
    pub name: String,
    /// Where the figures come from: paper and table.
    pub source: String,
    /// Image to text: R@1, R@5, R@10 in per cent.
    pub i2t: [f64; 3],
    /// Text to image: R@1, R@5, R@10 in per cent.
    pub t2i: [f64; 3],
}

impl Published {
    /// The mean of the six recalls, in per cent.
    pub fn mean_recall(&self) -> f64 {
        self.i2t.iter().chain(&self.t2i).sum::<f64>() / 6.0
    }

    /// Whether it is shown on the page of a dataset.
    pub fn is_shown(&self, dataset: &str) -> bool {
        self.dataset == dataset || self.beside.iter().any(|b| b == dataset)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    dataset: Option<String>,
    #[serde(default)]
    skip: Vec<String>,
    #[serde(default)]
    ladder: Vec<Ladder>,
    #[serde(default)]
    published: Vec<Published>,
}

/// A recipe and its file.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The path relative to the plan's folder, with forward slashes, as ladders write it.
    pub file: String,
    /// The path that the recipe was read from.
    pub path: PathBuf,
    /// The recipe with all that it inherits.
    pub recipe: Recipe,
}

/// The recipes to run and how to present them.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Folder of the plan and its recipes.
    pub folder: PathBuf,
    /// The dataset whose figures are the main ones.
    pub dataset: Option<String>,
    /// Ladders in the order of the page; [`NAMED`] comes last.
    pub ladders: Vec<Ladder>,
    /// Rows copied from papers.
    pub published: Vec<Published>,
    /// Every recipe once, in the order of the ladders.
    pub entries: Vec<Entry>,
}

impl Plan {
    /// Reads a plan and all its recipes.
    ///
    /// # Errors
    /// [`Error::Recipe`] with the file that is wrong, before anything runs.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(Error::io("read the plan", path))?;
        let file: File = toml::from_str(&text).map_err(|e| wrong(path, e.to_string()))?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let mut ladders = file.ladder;
        let named: Vec<String> = ladders.iter().flat_map(|l| l.rows.clone()).collect();
        let mut rest = recipes_below(&folder, path)?;
        let skipped = |f: &String| {
            let mut skip = file.skip.iter();
            skip.any(|s| s == f || (s.ends_with('/') && f.starts_with(s)))
        };
        rest.retain(|f| !named.contains(f) && !skipped(f));
        if !rest.is_empty() {
            ladders.push(Ladder {
                name: NAMED.into(),
                title: "Recipes by name".into(),
                rows: rest,
            });
        }
        check(&ladders, &file.published).map_err(|reason| wrong(path, reason))?;
        let entries = read_all(&folder, &ladders)?;
        Ok(Self {
            folder,
            dataset: file.dataset,
            ladders,
            published: file.published,
            entries,
        })
    }
}

fn wrong(path: &Path, reason: impl Into<String>) -> Error {
    Error::Recipe {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

/// Whether a name is safe as a file's name: letters, digits, `-`, `_` and `.`, the last not in first place.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

fn check(ladders: &[Ladder], published: &[Published]) -> Result<(), String> {
    for (i, ladder) in ladders.iter().enumerate() {
        let name = &ladder.name;
        if !is_plain(name) {
            return Err(format!(
                "`{name}` is no name for a ladder: letters, digits, - and _"
            ));
        }
        if ladders[..i].iter().any(|l| l.name == *name) {
            return Err(format!("two ladders are called `{name}`"));
        }
        for (j, row) in ladder.rows.iter().enumerate() {
            if ladder.rows[..j].contains(row) {
                return Err(format!("ladder `{name}` has {row} twice"));
            }
        }
    }
    for p in published {
        if !ladders.iter().any(|l| l.name == p.ladder) {
            return Err(format!(
                "there is no ladder `{}` for the published row {}",
                p.ladder, p.name
            ));
        }
        let mut recalls = p.i2t.iter().chain(&p.t2i);
        if !recalls.all(|r| (0.0..=100.0).contains(r)) {
            return Err(format!("published row {}: recalls are per cent", p.name));
        }
    }
    Ok(())
}

fn read_all(folder: &Path, ladders: &[Ladder]) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut names: BTreeMap<String, PathBuf> = BTreeMap::new();
    for file in ladders.iter().flat_map(|l| &l.rows) {
        if entries.iter().any(|e| e.file == *file) {
            continue;
        }
        let path = match folder.as_os_str().is_empty() {
            true => Path::new(".").join(file), // a bare name would be that of a built-in recipe
            false => folder.join(file),
        };
        if !path.is_file() {
            return Err(wrong(&path, "the plan names it, but there is no such file"));
        }
        let recipe = Recipe::load(&path)?;
        let name = recipe.name.clone();
        if !is_plain(&name) {
            let reason = format!("`{name}` is no name for a run file: letters, digits, - and _");
            return Err(wrong(&path, reason));
        }
        if let Some(other) = names.insert(name.clone(), path.clone()) {
            let reason = format!("{} is called `{name}`, too", other.display());
            return Err(wrong(&path, reason));
        }
        entries.push(Entry {
            file: file.clone(),
            path,
            recipe,
        });
    }
    Ok(entries)
}

/// All TOML files except the plan, sorted by name.
fn recipes_below(folder: &Path, plan: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((dir, prefix)) = folders.pop() {
        let place = if dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &dir
        };
        for entry in fs::read_dir(place).map_err(Error::io("read", place))? {
            let entry = entry.map_err(Error::io("read", place))?;
            let path = dir.join(entry.file_name());
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push((path, format!("{prefix}{name}/")));
            } else if path != plan && path.extension().is_some_and(|e| e == "toml") {
                found.push(format!("{prefix}{name}"));
            }
        }
    }
    found.sort();
    Ok(found)
}

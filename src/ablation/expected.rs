//! Expected scores: a recipe says what it came to, and a run that comes to something else is noticed.

use std::fs;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use crate::error::{Error, Result};
use crate::files;
use crate::recipe::Recipe;

/// Points of mR by which a run may differ where a recipe does not say. Other processors and versions of OpenCV
/// move a descriptor's last bits; k-means then ends elsewhere, which moved rows by up to 0.8 on Flickr8k-CN.
pub const DEFAULT_TOLERANCE: f64 = 1.0;

/// Whether a score is what was expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    AsExpected { expected: f64, tolerance: f64 },
    Moved { expected: f64, tolerance: f64 },
    NothingExpected,
}

/// Scores are written with two decimals, and compared so.
fn rounded(score: f64) -> f64 {
    (score * 100.0).round() / 100.0
}

/// Compares an mR with what the recipe expects on the dataset.
pub fn verdict(recipe: &Recipe, dataset: &str, mean_recall: f64) -> Verdict {
    let Some(e) = recipe.expected.get(dataset) else {
        return Verdict::NothingExpected;
    };
    let (expected, tolerance) = (e.mean_recall, e.tolerance);
    // Half of a unit in the last place of a double does not count.
    if (rounded(mean_recall) - expected).abs() <= tolerance + 1e-9 {
        Verdict::AsExpected {
            expected,
            tolerance,
        }
    } else {
        Verdict::Moved {
            expected,
            tolerance,
        }
    }
}

/// Writes a score into the recipe's file as what is expected, and leaves all else in it as it is.
///
/// # Errors
/// [`Error::Recipe`] where `expected` is there and is no table.
pub fn bless(path: &Path, dataset: &str, mean_recall: f64) -> Result<()> {
    let wrong = |reason: String| Error::Recipe {
        path: path.to_owned(),
        reason,
    };
    let text = fs::read_to_string(path).map_err(Error::io("read the recipe", path))?;
    let mut file: DocumentMut = text
        .parse()
        .map_err(|e: toml_edit::TomlError| wrong(e.to_string()))?;
    let mut all = Table::new();
    all.set_implicit(true); // no heading of its own
    let expected = file.entry("expected").or_insert(Item::Table(all));
    let scores = expected
        .as_table_like_mut()
        .ok_or_else(|| wrong("`expected` must be a table".into()))?
        .entry(dataset)
        .or_insert(Item::Table(Table::new()))
        .as_table_like_mut()
        .ok_or_else(|| wrong(format!("`expected.{dataset}` must be a table")))?;
    set(scores, "mR", rounded(mean_recall));
    if !scores.contains_key("tolerance") {
        set(scores, "tolerance", DEFAULT_TOLERANCE);
    }
    files::write(path, file.to_string().as_bytes())
}

/// Puts a number in the place of another, its comment kept.
fn set(table: &mut dyn TableLike, key: &str, number: f64) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = Value::from(number);
            *old.decor_mut() = decor;
        }
        None => {
            table.insert(key, toml_edit::value(number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: &str = "# why it is there\nbase = \"card.toml\" # the plain one\nname = \"a\"\n";

    #[test]
    fn blessing_changes_the_score_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.toml");
        fs::write(&path, RECIPE).unwrap();
        bless(&path, "a set", 19.306).unwrap();
        let first = format!("{RECIPE}\n[expected.\"a set\"]\nmR = 19.31\ntolerance = 1.0\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
        let own = first
            .replace("19.31", "19.31 # on two machines")
            .replace("1.0\n", "0.1\n");
        fs::write(&path, &own).unwrap();
        bless(&path, "a set", 20.0).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            own.replace("19.31", "20.0")
        );
        let recipe = Recipe::load(&path).unwrap();
        let (expected, tolerance) = (20.0, 0.1);
        let met = Verdict::AsExpected {
            expected,
            tolerance,
        };
        let moved = Verdict::Moved {
            expected,
            tolerance,
        };
        assert_eq!(verdict(&recipe, "a set", 20.1), met);
        assert_eq!(verdict(&recipe, "a set", 19.9), met);
        assert_eq!(verdict(&recipe, "a set", 20.12), moved);
        assert_eq!(verdict(&recipe, "a set", 19.88), moved);
        assert_eq!(verdict(&recipe, "other", 20.0), Verdict::NothingExpected);
    }
}

//! Expected scores: a recipe states the score it should reach, and a run that differs is reported.

use std::fs;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use tuwen::error::{Error, Result};
use tuwen::files;
use tuwen::recipe::Recipe;

/// Tolerance, in points of mR, for recipes that do not set their own. Other processors and versions of OpenCV
/// change the last bits of a descriptor, and k-means then ends elsewhere: rows of Flickr8k-CN moved by up to 0.8.
pub const DEFAULT_TOLERANCE: f64 = 1.0;

/// How a measured mR compares with the one that the recipe expects; both in per cent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// The score is within the tolerance.
    AsExpected {
        /// Expected mR in per cent.
        expected: f64,
        /// Allowed difference in points of mR, either way.
        tolerance: f64,
    },
    /// The score differs by more than the tolerance.
    Moved {
        /// Expected mR in per cent.
        expected: f64,
        /// Allowed difference in points of mR, either way.
        tolerance: f64,
    },
    /// The recipe expects no score on this dataset.
    NothingExpected,
}

/// Rounds to two decimals: scores are written and compared with two.
fn rounded(score: f64) -> f64 {
    (score * 100.0).round() / 100.0
}

/// Compares an mR, in per cent, with the score that the recipe expects on a dataset.
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

/// Records a score, in per cent, as the expected one in a recipe's file and keeps everything else in the file,
/// comments included.
///
/// # Errors
/// [`Error::Recipe`] if the file is not TOML or its `expected` is not a table, [`Error::Io`] if it cannot be read
/// or written.
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

/// Replaces a number and keeps its comment.
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

//! Recipe files: where they are read from, what they inherit, and which views are used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::files;

/// The recipes that are built into the program.
const BUILT_IN: &[(&str, &str)] = &[
    ("card.toml", include_str!("../../experiments/card.toml")),
    ("views.toml", include_str!("../../experiments/views.toml")),
    (
        "hand-crafted.toml",
        include_str!("../../experiments/hand-crafted.toml"),
    ),
    ("main.toml", include_str!("../../experiments/main.toml")),
    (
        "everyday.toml",
        include_str!("../../experiments/everyday.toml"),
    ),
    ("web.toml", include_str!("../../experiments/web.toml")),
];

/// Longest chain of `base`s; a longer one is a cycle.
const MAX_DEPTH: usize = 8;

/// Keys of a view that can be changed without replacing the view.
const CHANGEABLE: &[&str] = &[
    "name",
    "weight",
    "map",
    "pca",
    "tfidf",
    "lsa_dim",
    "projection",
];

/// Tables with exactly one key, which names the kind: another kind replaces them completely.
const ONE_OF: &[&str] = &["fusion", "of", "loss"];

/// Keys that a recipe does not inherit from its base.
const OWN: &[&str] = &["name", "about", "expected"];

/// Largest recipe file in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Where the text of a recipe comes from.
enum Source {
    BuiltIn(&'static str),
    File(PathBuf),
}

impl Source {
    /// What `--recipe` names: a built-in recipe by its bare name, otherwise a file.
    fn named(path: &Path) -> Self {
        let Some(name) = built_in(path) else {
            return Self::File(path.to_owned());
        };
        if path.exists() {
            tracing::warn!(
                "`{name}` is the built-in recipe; write ./{name} for the file in this folder"
            );
        }
        Self::BuiltIn(name)
    }

    /// What a recipe names as its base: a file beside it, otherwise a built-in recipe.
    fn base(&self, name: &str) -> Self {
        let file = match self {
            Self::BuiltIn(_) => None,
            Self::File(path) => Some(path.with_file_name("").join(name)),
        };
        match (file, built_in(Path::new(name))) {
            (Some(file), None) => Self::File(file),
            (Some(file), Some(_)) if file.exists() => Self::File(file),
            (_, Some(name)) => Self::BuiltIn(name),
            (None, None) => Self::File(name.into()), // no built-in recipe has such a base
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::BuiltIn(name) => Path::new(name),
            Self::File(path) => path,
        }
    }

    fn text(&self) -> Result<String> {
        match self {
            Self::BuiltIn(name) => {
                let (_, text) = BUILT_IN
                    .iter()
                    .find(|(n, _)| n == name)
                    .expect("a known name");
                Ok((*text).to_owned())
            }
            Self::File(path) => {
                let known: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
                let bytes = files::read(path, MAX_BYTES).map_err(|e| match e {
                    Error::Io { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => {
                        wrong(
                            path,
                            format!("there is no such file; built in are: {}", known.join(", ")),
                        )
                    }
                    e => e,
                })?;
                String::from_utf8(bytes).map_err(|_| wrong(path, "it is not UTF-8"))
            }
        }
    }
}

/// The name of a built-in recipe, if the path is exactly that.
fn built_in(path: &Path) -> Option<&'static str> {
    let names = BUILT_IN.iter().map(|(name, _)| *name);
    names.into_iter().find(|name| path.as_os_str() == *name)
}

/// The recipe at a path, with everything that it inherits and the views that it uses.
pub(super) fn read(path: &Path) -> Result<Table> {
    let mut table = read_merged(&Source::named(path), MAX_DEPTH)?;
    choose_views(path, &mut table)?;
    Ok(table)
}

pub(super) fn wrong(path: &Path, reason: impl Into<String>) -> Error {
    Error::Recipe {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

fn read_merged(source: &Source, depth: usize) -> Result<Table> {
    let path = source.path();
    let mut table: Table =
        toml::from_str(&source.text()?).map_err(|e| wrong(path, e.to_string()))?;
    let Some(base) = table.remove("base") else {
        return Ok(table);
    };
    if depth == 0 {
        return Err(wrong(path, "its `base` recipes form a cycle"));
    }
    let base = base
        .as_str()
        .ok_or_else(|| wrong(path, "`base` must be a file name"))?;
    let mut merged = read_merged(&source.base(base), depth - 1)?;
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
                if !new.is_empty() && new.iter().all(|v| named(v).is_some()) =>
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

/// Merges views: new names are added; a known view is changed, or replaced if its kind is stated again.
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

/// Keeps the views that `use` names, in its order: `use.image_views = ["dense-sift", "colour"]`.
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
    use std::fs;

    use super::super::Recipe;
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
        merge(&mut base, table("l = []"));
        assert_eq!(base["l"], Value::Array(vec![]), "an empty list is a list");
        merge(&mut base, table("l = [3]"));
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

    #[test]
    fn a_file_of_the_current_folder_is_no_built_in_recipe_and_a_wrong_path_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("card.toml");
        let error = Recipe::load(&path).unwrap_err().to_string();
        assert!(
            error.contains("no such file") && error.contains("hand-crafted.toml"),
            "{error}"
        );
        fs::write(&path, "base = \"views.toml\"\nname = \"mine\"").unwrap();
        assert_eq!(Recipe::load(&path).unwrap().name, "mine");
        // A base is a file beside the recipe, where there is one.
        let other = dir.path().join("other.toml");
        fs::write(&other, "base = \"card.toml\"\nname = \"other\"").unwrap();
        let views = |recipe: Recipe| recipe.image_views.len();
        let [plain, inherited] =
            [Path::new("views.toml"), &other].map(|p| views(Recipe::load(p).unwrap()));
        assert_eq!(plain, inherited);
    }
}

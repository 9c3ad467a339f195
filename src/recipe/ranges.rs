//! Ranges of the numbers in a recipe: all finite, and none that no machine could work with.

use toml::Value;

/// The least and the greatest value of the numbers under a key. A key with a dot also names its parent, and
/// precedes the plain key.
///
/// The limits are wide: they exclude values that would end a run without an answer (a side of four billion pixels),
/// but not values that are merely unwise.
#[rustfmt::skip]
const RANGES: &[(&str, f64, f64)] = &[
    ("seed", 0.0, i64::MAX as f64),
    ("max_bad_images", 0.0, 1e12),
    ("shard", 1.0, 1e6),
    ("max_pixels", 1.0, 4e9),
    ("reader.max_side", 32.0, 65_536.0),
    ("reader.lines", 0.0, 100_000.0),
    ("max_side", 1.0, 65_536.0),
    ("min_side", 0.0, 65_536.0),
    ("weight", 0.0, 1e6),
    // local descriptors and their encodings
    ("sift.features", 0.0, 1e6),
    ("octave_layers", 1.0, 20.0),
    ("contrast_threshold", 0.0, 1.0),
    ("edge_threshold", 1e-3, 1e4),
    ("sigma", 0.1, 16.0),
    ("orb.features", 1.0, 1e5),
    ("scale_factor", 1.01, 16.0),
    ("levels", 1.0, 32.0),
    ("fast_threshold", 0.0, 255.0),
    ("surf.features", 0.0, 1e6),
    ("octaves", 1.0, 8.0),
    ("layers", 3.0, 16.0),
    ("response", 0.0, 1e9),
    ("balance", 0.0, 16.0),
    ("akaze.features", 0.0, 1e6),
    ("akaze_threshold", 0.0, 1.0),
    ("step", 1.0, 4096.0),
    ("cells", 1.0, 1024.0),
    ("reduce", 0.0, 4096.0),
    ("place", 0.0, 1e6),
    ("regions", 1.0, 64.0),
    ("codebook.size", 1.0, 1e6),
    ("codebook.pictures", 1.0, 1e9),
    ("codebook.batch", 1.0, 1e7),
    ("rounds", 0.0, 1e5),
    ("sample", 1.0, 1e9),
    ("power", 0.0, 16.0),
    // whole-picture features
    ("bins", 1.0, 256.0),
    ("grid", 1.0, 64.0),
    ("points", 1.0, 24.0),
    ("radius", 0.1, 256.0),
    ("side", 1.0, 4096.0),
    ("windows", 1.0, 1024.0),
    ("scales", 1.0, 16.0),
    ("orientations", 1.0, 256.0),
    ("blocks", 1.0, 256.0),
    ("block", 1.0, 256.0),
    ("cell", 1.0, 1024.0),
    ("frequencies", 1.0, 256.0),
    // projections
    ("pca.dim", 0.0, 65_536.0),
    ("onnx.shorter", 1.0, 4096.0),
    ("onnx.mean", -1e3, 1e3),
    ("onnx.deviation", 1e-6, 1e3),
    ("onnx.length", 1.0, 4096.0),
    ("class-names.top", 1.0, 1000.0),
    ("class-names.feature", 0.0, 1e6),
    ("whiten", 0.0, 16.0),
    ("landmarks", 1.0, 65_536.0),
    ("width", 1e-6, 1e6),
    ("lsa_dim", 1.0, 65_536.0),
    // texts
    ("min_df", 0.0, 1e9),
    ("characters.min", 0.0, 32.0),
    ("characters.max", 1.0, 32.0),
    ("k1", 0.0, 1e3),
    ("b", 0.0, 1.0),
    // fusions
    ("dims", 1.0, 65_536.0),
    ("regularization", 0.0, 1e9),
    ("clusters", 0.0, 65_536.0),
    ("mlp.batch", 2.0, 65_536.0),
    ("epochs", 1.0, 1e5),
    ("stop", 1.0, 1e5),
    ("checkpoint", 1.0, 1e5),
    ("hidden", 0.0, 65_536.0),
    ("input_dropout", 0.0, 0.999),
    ("hidden_dropout", 0.0, 0.999),
    ("learning_rate", 0.0, 1e3),
    ("warm_up", 0.0, 1e9),
    ("weight_decay", 0.0, 1e3),
    ("clip", 0.0, 1e9),
    ("average", 0.0, 0.999_999),
    ("temperature", 1e-6, 1e6),
    ("margin", 0.0, 1e3),
    ("strength", 0.0, 1.0),
    ("neighbours", 1.0, 1e6),
    ("keep", 1.0, 1e9),
    // networks that are trained here
    ("outputs", 1.0, 65_536.0),
    ("plan.batch", 1.0, 65_536.0),
    ("rate", 0.0, 1e3),
    ("keep_every", 1.0, 1e9),
    ("heads", 1.0, 1024.0),
    ("inner", 1.0, 65_536.0),
    ("encoder_layers", 0.0, 64.0),
    ("decoder_layers", 1.0, 64.0),
    ("dropout", 0.0, 0.999),
    ("smoothing", 0.0, 0.999),
    ("length", 1.0, 4096.0),
    ("captions", 1.0, 1e4),
    ("beam", 1.0, 1e3),
    ("length_power", 0.0, 16.0),
    ("word", 1.0, 65_536.0),
    ("shallow", 0.0, 65_536.0),
    ("fixed", 0.0, 1e3),
    ("most", 0.0, 1e9),
    ("least", 0.0, 1e9),
    ("depth", 0.0, 1e9),
    ("folds", 0.0, 100.0),
    ("pictures", 1.0, 1e9),
    // hubs and words
    ("texts", 1.0, 1e8),
    ("images", 1.0, 1e8),
    ("beta", 1e-6, 1e6),
    ("gamma", 0.0, 1e6),
    ("share", 0.0, 1.0),
    ("judged", 1.0, 1e9),
    ("confidence", 0.0, 1.0),
    // expected scores, in per cent and points
    ("mR", 0.0, 100.0),
    ("tolerance", 0.0, 100.0),
];

/// Checks that every number is in range and no list of numbers is empty.
///
/// # Errors
/// A message with the key that is wrong, its value and its range.
pub fn check(recipe: &Value) -> Result<(), String> {
    each_number(recipe, &mut vec![], &mut |path, number| {
        let Some((_, least, greatest)) = range(path) else {
            return Ok(());
        };
        let name = || path.join(".");
        match number {
            None => Err(format!("`{}` is an empty list; it needs a number", name())),
            Some(n) if n.is_finite() && (*least..=*greatest).contains(&n) => Ok(()),
            Some(n) => Err(format!(
                "`{}` is {n}; it must be from {least} to {greatest}",
                name()
            )),
        }
    })
}

/// Calls `of` with the path of every number, and of every empty list without a number.
fn each_number<E>(
    value: &Value,
    path: &mut Vec<String>,
    of: &mut impl FnMut(&[String], Option<f64>) -> Result<(), E>,
) -> Result<(), E> {
    match value {
        Value::Integer(n) => of(path, Some(*n as f64)),
        Value::Float(n) => of(path, Some(*n)),
        Value::Array(all) if all.is_empty() => of(path, None),
        Value::Array(all) => all.iter().try_for_each(|v| {
            let name = v.get("name").and_then(Value::as_str);
            path.extend(name.map(str::to_owned));
            let outcome = each_number(v, path, of);
            path.truncate(path.len() - name.iter().len());
            outcome
        }),
        Value::Table(table) => table.iter().try_for_each(|(key, v)| {
            path.push(key.clone());
            let outcome = each_number(v, path, of);
            path.pop();
            outcome
        }),
        Value::String(_) | Value::Boolean(_) | Value::Datetime(_) => Ok(()),
    }
}

fn range(path: &[String]) -> Option<&'static (&'static str, f64, f64)> {
    let key = path.last()?;
    let parent = path.len().checked_sub(2).map_or("", |i| path[i].as_str());
    RANGES.iter().find(|(name, ..)| match name.split_once('.') {
        Some(both) => both == (parent, key),
        None => name == key,
    })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::Recipe;
    use super::*;

    fn recipes(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                recipes(&path, found);
            } else if path.extension().is_some_and(|e| e == "toml") {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_number_of_every_recipe_has_a_range() {
        let mut found = vec![];
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
        recipes(&root, &mut found);
        let mut numbers = 0;
        for path in found.iter().filter(|p| !p.ends_with("ablation.toml")) {
            let recipe = Value::try_from(Recipe::load(path).unwrap()).unwrap();
            each_number(&recipe, &mut vec![], &mut |key, number| {
                numbers += 1;
                let known = range(key).is_some() || number.is_none();
                known.then_some(()).ok_or(key.join("."))
            })
            .unwrap_or_else(|key| panic!("{}: {key} has no range", path.display()));
        }
        assert!(numbers > 1000, "{numbers}");
    }

    #[test]
    fn a_number_that_no_machine_can_work_with_is_refused_by_its_key() {
        for (key, bad) in [
            ("size = 64", "size = 4611686018427387904"),
            ("max_side = ", "max_side = 4294967295 #"),
            ("power = 0.5", "power = nan"),
            ("regularization = [", "regularization = [inf, "),
            ("dims = [", "dims = [0, "),
            ("lsa_dim = ", "lsa_dim = -1 #"),
        ] {
            let good = Recipe::load(Path::new("card.toml")).unwrap().to_toml();
            let recipe = good.replacen(key, bad, 1);
            assert_ne!(recipe, good, "{key}");
            let table = toml::from_str(&recipe).unwrap();
            let error = Recipe::parse(Path::new("bad"), table)
                .unwrap_err()
                .to_string();
            let name = key.split(' ').next().unwrap();
            assert!(
                error.contains(name) || error.contains("negative"),
                "{error}"
            );
        }
    }
}

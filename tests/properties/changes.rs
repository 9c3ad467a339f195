//! Pictures that change, or cannot be read for a while, during a run: nothing is kept of it.

use std::fs;
use std::path::{Path, PathBuf};

use tuwen::Error;
use tuwen::dataset::{Dataset, ReadOptions};
use tuwen::progress::Silent;
use tuwen::recipe::Recipe;
use tuwen::training::Training;

use super::made_up::folder;

const RECIPE: &str = r#"
base = "card.toml"
name = "tiny"
shard = 8
use.image_views = ["colours"]

[[image_views]]
name = "colours"
appearance.histogram = {}
pca = { dim = 4 }
"#;

struct Case {
    dir: tempfile::TempDir,
    recipe: Recipe,
}

impl Case {
    fn new() -> Self {
        let dir = folder();
        let from =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/attachments/attachment1");
        let to = dir.path().join("data/attachment1");
        fs::create_dir_all(to.join("ImageData")).unwrap();
        for name in ["ImageWordData.csv", "ImageData"] {
            if from.join(name).is_file() {
                fs::copy(from.join(name), to.join(name)).unwrap();
                continue;
            }
            for entry in from.join(name).read_dir().unwrap() {
                let file = entry.unwrap();
                fs::copy(file.path(), to.join(name).join(file.file_name())).unwrap();
            }
        }
        let path = dir.path().join("tiny.toml");
        fs::write(&path, RECIPE).unwrap();
        let recipe = Recipe::load(&path).unwrap();
        Self { dir, recipe }
    }

    fn picture(&self, number: u32) -> PathBuf {
        let name = format!("data/attachment1/ImageData/shape-{number:04}.png");
        self.dir.path().join(name)
    }

    /// The features, with something done to the data between the digests and the decoding.
    fn features(
        &self,
        work: &str,
        meanwhile: impl FnOnce(),
    ) -> tuwen::Result<ndarray::Array2<f32>> {
        let data = self.dir.path().join("data");
        let dataset = Dataset::open(&data, &ReadOptions::default()).unwrap();
        let work = self.dir.path().join(work);
        let training = Training::new(&self.recipe, &dataset, &work, &Silent);
        meanwhile();
        Ok(training.image_features()?.remove(0).x)
    }
}

#[test]
fn a_picture_that_changed_ends_the_run_and_leaves_no_trace() {
    let case = Case::new();
    let (a, b) = (case.picture(20), case.picture(21));
    let swap = || {
        let (x, y) = (fs::read(&a).unwrap(), fs::read(&b).unwrap());
        fs::write(&a, y).unwrap();
        fs::write(&b, x).unwrap();
    };
    let error = case.features("work", swap).unwrap_err();
    assert!(
        matches!(&error, Error::Changed { picture } if picture.contains("shape-00")),
        "{error}"
    );
    swap();
    let expected = case.features("clean", || {}).unwrap();
    assert_eq!(case.features("work", || {}).unwrap(), expected);
}

#[test]
fn a_picture_that_could_not_be_read_for_a_while_is_read_later() {
    let case = Case::new();
    let (path, away) = (case.picture(20), case.dir.path().join("away"));
    let error = case
        .features("work", || fs::rename(&path, &away).unwrap())
        .unwrap_err();
    assert!(
        error.is_passing() && error.to_string().contains("shape-0020"),
        "{error}"
    );
    fs::rename(&away, &path).unwrap();
    let expected = case.features("clean", || {}).unwrap();
    assert_eq!(case.features("work", || {}).unwrap(), expected);
}

#[test]
fn a_picture_that_cannot_be_read_from_the_start_counts_as_bad() {
    let case = Case::new();
    let path = case.picture(20);
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/nowhere", &path).unwrap();
    let rows = case.features("work", || {}).unwrap();
    assert!(rows.row(19).iter().all(|&v| v == 0.0));
    assert!(rows.row(20).iter().any(|&v| v != 0.0));
}

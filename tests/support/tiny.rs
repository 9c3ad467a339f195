//! A model that is learned in a moment from the committed pairs.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tuwen::dataset::{Dataset, ReadOptions};
use tuwen::model::Model;
use tuwen::progress::Silent;
use tuwen::recipe::Recipe;
use tuwen::training::{Keep, Training};

/// Every kind of part that a model may have, and none that takes long.
const RECIPE: &str = r#"
base = "card.toml"
name = "tiny"
picture = { min_side = 0 }
use.image_views = ["hsv"]
use.text_views = ["words"]

[[image_views]]
name = "hsv"
pca = { dim = 8, whiten = 0.0 }
appearance.histogram = { space = "hsv", bins = [6, 2, 2], grid = [2, 2], power = 1.0 }

[[text_views]]
name = "words"
tokens.words = {}
tfidf = { min_df = 1 }
lsa_dim = 8

[hubness]

[fusion.cca]
dims = [4]
regularization = [0.1]
"#;

/// A folder of the committed data set.
pub fn committed(attachment: u8) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/attachments");
    root.join(format!("attachment{attachment}"))
}

/// What is learned of the first pairs.
pub fn model(pairs: usize) -> Model {
    let folder = TempDir::new().expect("a temporary folder");
    let (data, work) = (folder.path().join("pairs"), folder.path().join("work"));
    let to = data.join("attachment1/ImageData");
    fs::create_dir_all(&to).expect("a new folder");
    let from = committed(1);
    let mut all = csv::Reader::from_path(from.join("ImageWordData.csv")).expect("a table");
    let mut some = csv::Writer::from_path(data.join("attachment1/ImageWordData.csv"))
        .expect("room for a table");
    let header = all.headers().expect("a header");
    some.write_record(header).expect("room for a table");
    for record in all.records().take(pairs) {
        let record = record.expect("a row");
        let picture = from.join("ImageData").join(&record[0]);
        fs::copy(picture, to.join(&record[0])).expect("room for a picture");
        some.write_record(&record).expect("room for a table");
    }
    some.flush().expect("room for a table");
    let recipe = folder.path().join("tiny.toml");
    fs::write(&recipe, RECIPE).expect("room for a recipe");

    let recipe = Recipe::load(&recipe).expect("a recipe");
    let dataset = Dataset::open(&data, &ReadOptions::default()).expect("a data set");
    let training = Training::new(&recipe, &dataset, &work, &Silent);
    let features = training.features().expect("features");
    let fitted = training.fit(&features).expect("a fusion");
    let keep = Keep { captions: true };
    training.model(&features, &fitted, keep).expect("a model")
}

//! Learns from the captioned pictures of a data set and writes the model file.
//!
//! ```sh
//! cargo run --release --example train_on_pairs -- data/demo demo.tuwen
//! cargo run --release --example train_on_pairs -- path/to/flickr8k-cn flickr.tuwen hand-crafted.toml
//! ```
//! Any folder that `tuwen check --data` accepts is a data set: a table with columns such as `image,caption` beside its
//! pictures is enough.

use std::path::Path;

use anyhow::Result;
use tuwen::dataset::{Dataset, ReadOptions};
use tuwen::progress::Silent;
use tuwen::recipe::Recipe;
use tuwen::training::{Keep, Training};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (data, file, recipe) = match args.as_slice() {
        [data, file] => (data, file, "card.toml"),
        [data, file, recipe] => (data, file, recipe.as_str()),
        _ => anyhow::bail!("usage: train_on_pairs DATA MODEL [RECIPE]"),
    };
    let dataset = Dataset::open(Path::new(data), &ReadOptions::default())?;
    let recipe = Recipe::load(Path::new(recipe))?;

    // What was computed is kept below this folder, so that another run continues where this one stopped.
    let work = Path::new(".");
    let training = Training::new(&recipe, &dataset, work, &Silent);
    let features = training.features()?;
    let fitted = training.fit(&features)?;
    for trial in &fitted.outcome.trials {
        println!("mR {:5.2} on {}", trial.score, fitted.outcome.validation);
    }

    // The model keeps the captions, so that a picture can be answered with sentences.
    let model = training.model(&features, &fitted, Keep { captions: true })?;
    model.save(Path::new(file))?;
    println!(
        "{file}: learned from {} pairs",
        model.about().training_pairs
    );
    Ok(())
}

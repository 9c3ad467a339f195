//! Recipes, with other numbers above all.

use std::path::Path;

use rand::Rng;
use tuwen::recipe::Recipe;

use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "recipes",
    inputs: 30_000,
    seeds,
    mutate,
    run,
};

/// Built-in recipes, every default written out, and one that says what differs.
fn seeds() -> Vec<Input> {
    const OVERRIDE: &str = r#"
base = "card.toml"
name = "other"
shard = 8
use.image_views = ["sift-vlad"]
[[image_views]]
name = "sift-vlad"
pca = { dim = 32 }
[fusion.cca]
dims = [8, 16]
"#;
    let whole = ["card.toml", "main.toml", "views.toml"].map(|name| {
        let recipe = Recipe::load(Path::new(name)).expect("a built-in recipe");
        Input::new("recipe.toml", recipe.to_toml())
    });
    let mut seeds = Vec::from(whole);
    seeds.push(Input::new("recipe.toml", OVERRIDE));
    seeds
}

const WORDS: &[&[u8]] = &[
    b"base = \"recipe.toml\"\n",
    b"[fusion.mlp]\n",
    b"[[image_views]]\n",
    b"weight = nan\n",
    b"[[[[[[[[[[[[[[[[",
    b"{a={a={a={a={a={",
    b"\"\"\"",
    b"a.b.c.d.e.f = 1\n",
];

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    if mutator.one_in(3) {
        return mutator.text(&mut input.bytes, WORDS);
    }
    for _ in 0..mutator.rng.gen_range(1..4) {
        mutator.number_in_text(&mut input.bytes);
    }
}

fn run(input: &Input, scratch: &Path) {
    let path = input.file(scratch);
    if let Ok(recipe) = Recipe::load(&path) {
        let _ = recipe.to_toml();
        let _ = recipe.transductive();
    }
}

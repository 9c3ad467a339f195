//! Networks that are not there, and two of them as one space.

use std::fs;
use std::path::Path;

use super::case::Case;
use super::program::{Outcome, program};

fn golden(name: &str) -> String {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/onnx");
    golden.join(name).display().to_string()
}

fn with_network(network: &str) -> Case {
    let case = Case::new();
    let local = "[image_views.local]\ndescriptor.sift = { features = 100 }\n\
                 codebook = { size = 8, sample = 20000 }\nencoding.vlad = { power = 0.5 }\n";
    let onnx = format!("[image_views.onnx]\nnetwork = \"{network}\"\n");
    case.with(local, &onnx)
}

#[test]
fn a_network_that_is_not_there_is_named_and_where_some_come_from() {
    let case = with_network("no/network.onnx");
    let parts = [
        "no/network.onnx",
        "no such network",
        "tuwen models",
        "efficientnet-lite0",
    ];
    case.run("features", &[]).fails().says(&parts);
    assert!(!case.work().exists(), "something was computed");
}

#[test]
fn a_network_of_pictures_is_a_view() {
    let case = with_network(&golden("clip-image.onnx"));
    case.run("features", &[]).ok();
}

#[test]
fn a_file_that_is_no_network_is_named() {
    let case = with_network(&golden("clip-tokenizer.json"));
    case.run("features", &[])
        .fails()
        .says(&["clip-tokenizer.json"]);
}

/// Nothing is learned from pairs; the model is a file that needs the networks no longer.
#[test]
fn two_networks_of_one_space_find_pictures_without_training() {
    let home = tempfile::tempdir().unwrap();
    let recipe = home.path().join("clip.toml");
    let [image, text, tokenizer] =
        ["clip-image.onnx", "clip-text.onnx", "clip-tokenizer.json"].map(golden);
    let text_of_recipe = format!(
        r#"
name = "clip"
[[image_views]]
name = "clip-image"
onnx = {{ network = "{image}", like = "clip" }}
pca.dim = 0
[[text_views]]
name = "clip-text"
onnx = {{ network = "{text}", tokenizer = "{tokenizer}" }}
[fusion.joint]
image_views = ["clip-image"]
text_view = "clip-text"
"#
    );
    fs::write(&recipe, text_of_recipe).unwrap();
    let photos = home.path().join("photos");
    fs::create_dir(&photos).unwrap();
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures/photo.png");
    fs::copy(picture, photos.join("shapes.png")).unwrap();
    let run = |args: &[&str]| Outcome::of(program().args(args).current_dir(home.path())).ok();
    run(&["fit", "--recipe", "clip.toml", "--model", "clip.tuwen"]);
    fs::remove_file(&recipe).unwrap();
    run(&["index", "photos", "--gallery", "g", "--model", "clip.tuwen"]).prints("1 added");
    // the cosine that transformers found: tests/golden/onnx.json
    let found = run(&["search", "two people", "--gallery", "g", "--json"]);
    let golden: serde_json::Value =
        serde_json::from_slice(&fs::read("tests/golden/onnx.json").unwrap()).unwrap();
    let theirs = golden["clip"]["cosines"][1].as_f64().unwrap();
    let ours = found.json()["hits"][0]["score"].as_f64().unwrap();
    assert!((ours - theirs).abs() < 1e-3, "{ours}, not {theirs}");
}

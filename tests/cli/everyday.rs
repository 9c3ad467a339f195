//! Pictures without captions, and no training.

use std::fs;
use std::path::Path;
use std::process::Command;

use ndarray::Array1;
use tempfile::TempDir;
use tuwen::fusion::Side;
use tuwen::model::Model;

use super::program::{Outcome, program};

/// A folder with posters and shapes.
fn photos() -> TempDir {
    let home = TempDir::new().unwrap();
    let photos = home.path().join("photos");
    fs::create_dir(&photos).unwrap();
    for (from, name) in [
        ("tests/golden/ocr/poster.png", "poster.png"),
        ("tests/golden/ocr/slanted.png", "slanted.png"),
        ("tests/fixtures/pictures/photo.png", "shapes.png"),
    ] {
        fs::copy(from, photos.join(name)).unwrap();
    }
    home
}

fn index(home: &Path) -> Command {
    let mut command = program();
    let args = ["index", "photos", "--gallery", "g"];
    command.args(args).current_dir(home);
    command
}

#[test]
fn a_folder_is_searched_without_training() {
    let home = photos();
    let run = |args: &[&str]| Outcome::of(program().args(args).current_dir(home.path())).ok();
    Outcome::of(&mut index(home.path())).ok().prints("3 added");
    let best = |sentence: &str| {
        let found = run(&["search", sentence, "--gallery", "g", "--top", "1", "-q"]);
        found.stdout.trim().to_owned()
    };
    assert!(
        best("校园招聘").ends_with("poster.png"),
        "{}",
        best("校园招聘")
    );
    assert!(
        best("小心台阶").ends_with("slanted.png"),
        "{}",
        best("小心台阶")
    );
    // no word of it stands in the picture
    let other = best("大学生找工作");
    assert!(other.ends_with("poster.png"), "{other}");
    let words = run(&["keywords", "photos/shapes.png", "--gallery", "g"]);
    assert!(words.stdout.lines().count() > 3, "{}", words.stdout);
    run(&["search", "--image", "photos/shapes.png", "--gallery", "g"]).prints("shapes.png");
    run(&["inspect", "g/model.tuwen"]).prints("learned from no pairs");
    // the model needs no other file
    let elsewhere = ["search", "校园招聘", "--gallery", "g", "--top", "1", "-q"];
    let mut search = program();
    search.args(elsewhere).env("TUWEN_MODELS", "nowhere");
    let found = Outcome::of(search.current_dir(home.path())).ok();
    assert_eq!(found.stdout.trim(), best("校园招聘"));
}

#[test]
fn what_is_missing_is_named() {
    let home = photos();
    let outcome = Outcome::of(index(home.path()).env("TUWEN_MODELS", "nowhere"));
    outcome
        .fails()
        .says(&["not a gallery yet", "--model", "nowhere", "tuwen models"]);
    // a gallery is made by `index` alone
    let keywords = ["keywords", "photos/shapes.png", "--gallery", "nowhere"];
    Outcome::of(program().args(keywords).current_dir(home.path()))
        .fails()
        .says(&["nowhere is not a gallery yet", "--model"]);
    let outcome = Outcome::of(program().args(["fit", "--model", "m.tuwen"]));
    outcome.fails().says(&["main", "pairs", "--data"]);
}

#[test]
fn a_text_is_charged_for_being_like_the_names_of_things() {
    let home = photos();
    Outcome::of(&mut index(home.path())).ok();
    let model = Model::open(&home.path().join("g/model.tuwen")).unwrap();
    let texts = model
        .embed_texts(&["一只猫头鹰", "合同于次年到期"])
        .unwrap();
    let charges = model.charges(Side::Text, &texts).unwrap();
    assert!(charges[0] > charges[1], "{charges}");
    assert_eq!(
        model.charges(Side::Image, &texts).unwrap(),
        Array1::<f32>::zeros(2)
    );
}

//! `check`, and `results` before it begins.

use std::fs;

use super::case::{Case, TEST_PAIRS, TRAINING_PAIRS};
use super::files::edit;

#[test]
fn what_a_run_would_use_is_said_without_running() {
    let case = Case::new().copied();
    fs::remove_file(case.picture(1, "shape-0001.png")).unwrap();
    fs::write(case.picture(2, "shape-0097.png"), "").unwrap();
    let outcome = case.run("check", &[]).ok();
    outcome.prints_line("attachment1", "(to learn from)");
    outcome.prints_line("  images  96, 95", "with a picture that can be used");
    outcome.prints_line("attachment2", "(to answer, text -> image)");
    outcome.prints_line("1 x id without a picture", ":");
    outcome.prints_line("1 x picture of no bytes", ":");
    assert!(!case.work().exists(), "something was computed");
    let json = case.run("check", &["--json"]).ok().json();
    assert_eq!(json["collections"][0]["pairs"], TRAINING_PAIRS);
    assert_eq!(
        json["collections"][0]["pairs_with_a_picture"],
        TRAINING_PAIRS - 1
    );
    assert_eq!(
        json["collections"][1]["images_with_a_picture"],
        TEST_PAIRS - 1
    );
    assert_eq!(json["failures"].as_array().unwrap().len(), 0);
    let strict = case.with("max_bad_images = 100", "max_bad_images = 1");
    strict
        .run("check", &[])
        .fails()
        .says(&["ERROR", "2 images", "allows 1", "max_bad_images"]);
}

#[test]
fn a_run_that_would_come_to_nothing_does_not_begin() {
    let case = Case::new().copied();
    edit(&case.table(1, "ImageWordData.csv"), |text| {
        text.replace("shape-", "form-")
    });
    for outcome in [case.run("check", &[]).fails(), case.results(&[]).fails()] {
        outcome.says(&["ERROR", "nothing can be learned", "96 pairs"]);
    }
    case.results(&[])
        .fails()
        .says(&["ERROR", "96 x id without a picture", "form-0001.png"]);
    assert!(!case.work().exists() && !case.out().exists());

    let case = Case::new().copied();
    edit(&case.table(2, "image_data.csv"), |text| {
        text.replace("shape-", "form-")
    });
    case.results(&[])
        .fails()
        .says(&["ERROR", "nothing of attachment2 can be answered"]);
    assert!(!case.work().exists());
}

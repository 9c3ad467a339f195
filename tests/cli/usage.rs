//! What is typed wrong, and where the output goes.

use std::fs::File;
use std::process::Stdio;

use super::case::Case;
use super::files::the_file;
use super::program::{Outcome, program, tuwen};

#[test]
fn bad_usage_ends_with_2() {
    let case = Case::new();
    tuwen::<&str>([]).bad_usage();
    for args in [
        &["retrieve"][..],
        &["results"],
        &["results", "--colour", "red"],
        &["features", "--data"],
        &["--threads", "0", "inspect", "x"],
        &["--threads", "many", "inspect", "x"],
        &["inspect"],
        &["score", "result1.csv"],
        &[
            "validate",
            "r.csv",
            "--attachment2",
            "a",
            "--attachment3",
            "b",
        ],
    ] {
        let outcome = tuwen(args).bad_usage();
        assert!(
            outcome.stdout.is_empty() && outcome.stderr.contains("error:"),
            "{outcome:#?}"
        );
    }
    for (verb, args, named) in [
        ("evaluate", &["--folds", "1"][..], "'1' for '--folds"),
        ("evaluate", &["--folds", "5", "--split", "test"], "--split"),
        ("evaluate", &["--split", "train"], "'train' for '--split"),
        ("search", &["红色", "--top", "0"], "'0' for '--top"),
        ("search", &["红色", "蓝色"], "'蓝色'"),
    ] {
        case.run(verb, args).bad_usage().says(&["error:", named]);
    }
    assert!(!case.work().exists(), "something was computed");
}

#[test]
fn a_search_needs_something_to_look_for_and_somewhere() {
    let case = Case::new();
    let outcome = case.run("search", &[]).bad_usage();
    assert!(outcome.stderr.contains("--image"), "{outcome:#?}");
    let outcome = case
        .run("search", &["红色", "--weights", "text=-1"])
        .bad_usage();
    assert!(outcome.stderr.contains("--weights"), "{outcome:#?}");
    let outcome = tuwen(["search", "红色"]).bad_usage();
    assert!(outcome.stderr.contains("--gallery"), "{outcome:#?}");
}

#[test]
fn help_and_version_are_printed() {
    tuwen(["--help"]).ok().prints("Examples:").prints("results");
    tuwen(["--version"]).ok().prints(env!("CARGO_PKG_VERSION"));
    for verb in [
        "demo", "features", "fit", "results", "evaluate", "search", "validate", "score", "inspect",
    ] {
        tuwen([verb, "--help"])
            .ok()
            .prints("Usage")
            .prints("Example");
    }
}

#[test]
fn quiet_says_warnings_alone_and_the_log_is_not_in_the_results() {
    let case = Case::computed();
    let outcome = case.run("evaluate", &["--json", "-q"]).ok();
    assert_eq!(outcome.stderr, "");
    let talkative = case
        .run("evaluate", &["--json", "-v"])
        .ok()
        .says(&["DEBUG", "up to date"]);
    assert_eq!(talkative.stdout, outcome.stdout);
    assert!(!talkative.stderr.contains('\u{1b}'), "colours in a file");
}

#[test]
fn fit_prints_every_setting_and_which_was_chosen() {
    let outcome = Case::computed().run("fit", &[]).ok();
    let trials = outcome
        .stdout
        .lines()
        .filter(|line| line.contains("\"regularization\""));
    assert_eq!(trials.clone().count(), 2 * 2);
    assert_eq!(trials.filter(|line| line.ends_with("<- chosen")).count(), 1);
    outcome
        .prints("training images held out")
        .prints("96 pairs learned from");
}

#[test]
fn features_count_what_can_be_used() {
    let outcome = Case::computed()
        .run("features", &[])
        .ok()
        .says(&["image features", "up to date"]);
    outcome.prints("attachment1: 96 of 96 images as 32 numbers, 96 of 96 texts as 32");
}

/// `inspect` and `search`, which print several lines.
fn talkative(case: &Case) -> [std::process::Command; 2] {
    let words = the_file(&case.work(), "vocab/attachments/words-", ".safetensors");
    let mut inspect = program();
    inspect.arg("inspect").arg(words);
    [inspect, case.command("search", &["红色"])]
}

#[test]
fn a_reader_that_goes_away_is_no_failure_of_ours() {
    let case = Case::computed();
    for mut command in talkative(&case) {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take()); // as `head` does after its lines
        Outcome::from_output(child.wait_with_output().unwrap()).does_not_say("ERROR");
    }
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let case = Case::computed();
    for mut command in talkative(&case) {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let child = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        Outcome::from_output(child.wait_with_output().unwrap())
            .fails()
            .says(&["No space left on device"]);
    }
}

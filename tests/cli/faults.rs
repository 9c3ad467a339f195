//! What goes wrong around a run: others at the same time, leftovers, names that steer a terminal, reasons that get lost.

use std::fs;

use super::case::{Case, odd_picture};
use super::files::{assert_same, edit, files, tree};
use super::program::{Outcome, tuwen};

#[test]
fn runs_at_the_same_time_share_a_folder() {
    let alone = Case::computed();
    let case = Case::new();
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let mut command = case.command("results", &[]);
            command.arg("--out").arg(case.out());
            std::thread::spawn(move || Outcome::of(&mut command))
        })
        .collect();
    for run in runs {
        run.join().unwrap().ok();
    }
    assert_eq!(case.result_bytes(), alone.result_bytes());
    assert_same(&tree(&case.work()), &tree(&alone.work()));
    let left = files(case.work().as_path()).into_keys();
    assert_eq!(left.filter(|name| name.contains(".tuwen-")).count(), 0);
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let case = Case::computed();
    let left = [
        case.work().join("features/attachments/.tuwen-abc"),
        case.work().join("vocab/attachments/.tuwen-def"),
        case.out().join(".tuwen-ghi"),
    ];
    for path in &left {
        fs::write(path, "half a file").unwrap();
    }
    case.results(&[]).ok();
    for path in &left {
        assert!(!path.exists(), "{}", path.display());
    }
}

#[test]
fn nothing_in_a_text_steers_the_terminal() {
    let case = Case::computed().copied();
    edit(&case.table(3, "word_data.csv"), |text| {
        text.replace(",", ",\u{1b}[2J\u{202e}")
            .replacen("\u{1b}[2J\u{202e}", "", 1) // the header
    });
    let found = case.run(
        "search",
        &[
            "--image",
            case.picture(3, "shape-0113.png").to_str().unwrap(),
        ],
    );
    let found = found.ok();
    assert!(!found.stdout.contains(['\u{1b}', '\u{202e}']), "{found:#?}");
    found.prints("\\x1b[2J\\u{202e}");
    let missing = "no\u{1b}[31m\n ERROR such folder";
    let outcome = tuwen(["check", "--data", missing]).fails();
    assert!(!outcome.stderr.contains('\u{1b}'), "{outcome:#?}");
    let errors = outcome.stderr.lines().filter(|l| l.starts_with("ERROR"));
    assert_eq!(errors.count(), 1, "{outcome:#?}");
}

#[test]
fn reasons_come_before_the_error_that_they_lead_to() {
    let case = Case::new().copied();
    for entry in case.attachment(1).join("ImageData").read_dir().unwrap() {
        fs::copy(odd_picture("truncated.jpg"), entry.unwrap().path()).unwrap();
    }
    case.run("features", &[])
        .fails()
        .says(&["WARN", "picture that cannot be used", "shape-", "truncated"])
        .says(&["WARN", "picture that cannot be used", "96 in all"])
        .says(&["ERROR", "needed, 0 found"]);
}

//! `validate` and `score` on result files, good and bad.

use std::fs;
use std::path::Path;

use super::case::{Case, columns};
use super::program::{Outcome, tuwen};

fn validate(file: &Path, option: &str, attachment: &Path) -> Outcome {
    tuwen(["validate".as_ref(), file, option.as_ref(), attachment])
}

fn score(file: &Path, truth: &Path) -> Outcome {
    tuwen(["score".as_ref(), file, "--truth".as_ref(), truth])
}

/// Result file 2 changed line by line: line 1 is the header, line 2 the first answer.
fn changed(case: &Case, change: impl FnOnce(&mut Vec<String>)) -> std::path::PathBuf {
    let text = fs::read_to_string(case.result_file(2)).unwrap();
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    change(&mut lines);
    let path = case.path("changed.csv");
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    path
}

#[test]
fn every_violation_is_named_with_its_line() {
    let case = Case::computed();
    let check = |file: &Path, parts: &[&str]| {
        let outcome = validate(file, "--attachment3", &case.attachment(3)).fails();
        for part in parts {
            assert!(
                outcome.stdout.contains(part),
                "{part} is not printed: {outcome:#?}"
            );
        }
    };
    check(
        &changed(&case, |lines| lines[0] = "a,b,c".into()),
        &["line 1: the header is `a,b,c`"],
    );
    check(
        &changed(&case, |lines| drop(lines.remove(3))),
        &["line 4: rank `4`", "has 4 results, expected 5"],
    );
    check(
        &changed(&case, |lines| lines[1] = lines[1].replace(",1,", ",2,")),
        &["line 2: rank `2`"],
    );
    let unknown = |lines: &mut Vec<String>| {
        lines[2] = "shape-0113.png,2,Word-1".into();
        lines[3] = "shape-0113.png,3,shape-0114.png".into();
    };
    check(
        &changed(&case, unknown),
        &[
            "line 3: Word-1 is not in the gallery",
            "line 4: shape-0114.png is an id of a query",
        ],
    );
    check(
        &changed(&case, |lines| lines[3] = lines[2].replace(",2,", ",3,")),
        &["line 4:", "is given twice"],
    );
    check(
        &changed(&case, |lines| lines.truncate(6)),
        &[
            "query shape-0114.png is not answered",
            "query shape-0128.jpg is not answered",
        ],
    );
    check(
        &changed(&case, |lines| lines.truncate(1)),
        &["there are no answers"],
    );
    check(
        &changed(&case, |lines| lines.rotate_left(5)),
        &["line 1: the header is"],
    );
    let swapped = |lines: &mut Vec<String>| lines[1..11].rotate_left(5);
    check(
        &changed(&case, swapped),
        &["line 7: query shape-0113.png is out of order"],
    );
    check(
        &changed(&case, |lines| lines[4] = "x,y".into()),
        &["line 5: 2 fields, expected 3"],
    );

    let path = case.path("changed.csv");
    fs::write(&path, [0xff, 0xfe, 0]).unwrap();
    check(&path, &["not UTF-8"]);
    fs::write(&path, "").unwrap();
    check(&path, &["the header is", "there are no answers"]);
}

#[test]
fn a_file_of_the_other_direction_is_recognised() {
    let case = Case::computed();
    let outcome = validate(&case.result_file(1), "--attachment3", &case.attachment(3)).fails();
    outcome.prints("the file answers text -> image, the attachment asks image -> text");
    let truth = case.table(2, "truth.csv");
    score(&case.result_file(2), &truth).fails().says(&[
        "ERROR",
        "result2.csv",
        truth.to_str().unwrap(),
    ]);
}

#[test]
fn without_an_attachment_the_form_alone_is_checked() {
    let case = Case::computed();
    let file = changed(&case, |lines| lines[1] = "anything,1,else".into());
    let whole = case.result_file(2);
    tuwen(["validate".as_ref(), whole.as_os_str()])
        .ok()
        .says(&["WARN", "the form alone"])
        .prints("valid");
    tuwen(["validate".as_ref(), file.as_os_str()])
        .fails()
        .prints("query anything has 1 results");
}

#[test]
fn both_forms_are_scored_the_same() {
    let case = Case::computed();
    let truth = case.table(3, "truth.csv");
    let printed = score(&case.result_file(2), &truth).ok().stdout;
    assert!(
        printed.contains("image -> text: R@1 ") && printed.contains("of 16 queries"),
        "{printed}"
    );
    let blank = changed(&case, |lines| {
        for line in lines[1..].iter_mut().filter(|line| !line.contains(",1,")) {
            *line = line[line.find(',').unwrap()..].to_owned();
        }
    });
    assert_eq!(score(&blank, &truth).ok().stdout, printed);
    validate(&blank, "--attachment3", &case.attachment(3)).ok();
}

/// A result file 2 with the right text of the i-th query at `rank(i)`, none where that is 0.
fn with_right_answers(case: &Case, rank: impl Fn(usize) -> usize) -> std::path::PathBuf {
    let truth = columns::<2>(&case.table(3, "truth.csv"));
    let texts = columns::<2>(&case.table(3, "word_data.csv"));
    let path = case.path("made-up.csv");
    let mut table = csv::Writer::from_path(&path).unwrap();
    table
        .write_record(["image_id", "similarity_ranking", "result_text_id"])
        .unwrap();
    for (i, [image]) in columns::<1>(&case.table(3, "image_test.csv"))
        .iter()
        .enumerate()
    {
        let right = &truth.iter().find(|[_, of]| of == image).unwrap()[0];
        let mut wrong = texts.iter().map(|[id, _]| id).filter(|id| *id != right);
        for r in 1..=5 {
            let result = if r == rank(i) {
                right
            } else {
                wrong.next().unwrap()
            };
            table.write_record([image, &r.to_string(), result]).unwrap();
        }
    }
    path
}

#[test]
fn recalls_are_what_they_are_called() {
    let case = Case::computed();
    let truth = case.table(3, "truth.csv");
    let recalls = |file: &Path| {
        let mut args = vec!["score".as_ref(), file, "--truth".as_ref(), truth.as_path()];
        args.push("--json".as_ref());
        let json = tuwen(args).ok().json();
        assert_eq!(
            [&json["direction"], &json["queries"]],
            [&"i2t".into(), &serde_json::Value::from(16)]
        );
        ["R@1", "R@5"].map(|key| json[key].as_f64().unwrap())
    };
    assert_eq!(recalls(&with_right_answers(&case, |_| 1)), [100.0, 100.0]);
    assert_eq!(recalls(&with_right_answers(&case, |_| 5)), [0.0, 100.0]);
    assert_eq!(recalls(&with_right_answers(&case, |_| 0)), [0.0, 0.0]);
    assert_eq!(recalls(&with_right_answers(&case, |i| i % 4)), [25.0, 75.0]);
    // A query that is not answered is missed, not left out.
    let half = with_right_answers(&case, |_| 1);
    let text = fs::read_to_string(&half).unwrap();
    fs::write(
        &half,
        text.lines()
            .take(1 + 8 * 5)
            .map(|l| format!("{l}\n"))
            .collect::<String>(),
    )
    .unwrap();
    assert_eq!(recalls(&half), [50.0, 50.0]);
}

#[test]
fn score_says_what_is_wrong_with_its_files() {
    let case = Case::computed();
    let (file, truth) = (case.result_file(2), case.table(3, "truth.csv"));
    let bad_header = changed(&case, |lines| lines[0] = "a,b,c".into());
    score(&bad_header, &truth)
        .fails()
        .says(&["changed.csv", "line 1", "the header is `a,b,c`"]);
    score(&file, &case.table(3, "word_data.csv"))
        .fails()
        .says(&["word_data.csv", "`image_id`", "text_id, caption"]);
    let empty = case.path("empty.csv");
    fs::write(&empty, "text_id,image_id\n").unwrap();
    score(&file, &empty)
        .fails()
        .says(&["true pairs", "empty.csv", "0 found"]);
    score(&case.path("nothing.csv"), &truth)
        .fails()
        .says(&["cannot read", "nothing.csv"]);
    score(&file, &case.path("nothing.csv"))
        .fails()
        .says(&["cannot read", "nothing.csv"]);
}

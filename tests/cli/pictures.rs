//! Pictures that cannot be used: named, counted, and never a reason to mix up a pair or to leave out an
//! answer.

use std::fs;
use std::os::unix::fs::symlink;

use super::case::{CHANCE_R1, CHANCE_R5, Case, TRAINING_PAIRS, columns, odd_picture};
use super::files::edit;

/// What is done to a picture, and the reason that is given.
const DAMAGES: [(&str, &str); 6] = [
    ("missing", "there is no such file"),
    ("dangling", "cannot read"),
    ("empty.jpg", "the file is empty"),
    ("truncated.jpg", "truncated"),
    ("not_an_image.jpg", "not a picture in a known format"),
    ("bomb.png", "60000x60000 pixels, more than max_pixels"),
];

fn damage(case: &Case, attachment: u8, id: &str, how: &str) {
    let path = case.picture(attachment, id);
    fs::remove_file(&path).unwrap();
    match how {
        "missing" => {}
        "dangling" => symlink("/nowhere/picture.png", path).unwrap(),
        name => drop(fs::copy(odd_picture(name), path).unwrap()),
    }
}

/// Six pictures of each attachment spoilt, each in another way.
const SPOILT: [(u8, usize); 3] = [(1, 2), (2, 97), (3, 113)]; // attachment, number of its first

fn id(number: usize) -> String {
    let end = if number.is_multiple_of(16) {
        "jpg"
    } else {
        "png"
    };
    format!("shape-{number:04}.{end}")
}

fn spoilt() -> Case {
    let case = Case::new().copied();
    for (attachment, first) in SPOILT {
        for (i, (how, _)) in DAMAGES.iter().enumerate() {
            damage(&case, attachment, &id(first + i), how);
        }
    }
    case
}

#[test]
fn pictures_that_cannot_be_used_are_named_with_the_reason() {
    let case = spoilt();
    let mut outcome = case.run("features", &["-v"]).ok();
    let tables = ["ImageWordData.csv", "image_data.csv", "image_test.csv"];
    for (attachment, first) in SPOILT {
        let table = tables[attachment as usize - 1];
        outcome = outcome.says(&["WARN", "id without a picture", table, &id(first)]);
        for (i, (_, reason)) in DAMAGES.iter().enumerate() {
            let path = case.picture(attachment, &id(first + i));
            outcome = outcome.says(&["cannot be used", path.to_str().unwrap(), reason]);
        }
    }
    outcome
        .says(&["WARN", "id without a picture", "3 in all"])
        .prints("attachment1: 90 of 96 images")
        .prints("attachment2: 10 of 16 images");
    // Of so many, the first are shown.
    let outcome = case.run("features", &[]).ok();
    let all = ["WARN", "cannot be used", "18 in all", "-v"];
    let shown = outcome.says(&all).stderr;
    let named = shown.lines().filter(|line| line.contains("cannot be used"));
    assert_eq!(named.count(), 10 + 1, "{shown}");
}

#[test]
fn pictures_that_cannot_be_used_are_answered_and_are_no_answers() {
    let case = spoilt();
    let mut outcome = case.results(&[]).ok();
    case.assert_valid();
    let bad: Vec<String> = (97..97 + DAMAGES.len()).map(id).collect();
    for (query, results) in case.answers(1) {
        let wrong = results.iter().find(|id| bad.contains(id));
        assert_eq!(wrong, None, "an answer to {query}, though there are others");
    }
    // A picture of which nothing is known gets the gallery's first texts.
    let texts = columns::<2>(&case.table(3, "word_data.csv"));
    let first: Vec<String> = texts.into_iter().map(|[id, _]| id).take(5).collect();
    for query in (113..113 + DAMAGES.len()).map(id) {
        assert_eq!(case.answer(2, &query), first);
        outcome = outcome.says(&["WARN", "without usable features", &query]);
    }
}

#[test]
fn more_bad_pictures_than_the_recipe_allows_end_the_run() {
    let case = spoilt().with("max_bad_images = 100", "max_bad_images = 17");
    case.results(&[])
        .fails()
        .says(&["ERROR", "18 pictures", "allows 17", "max_bad_images"]);
    assert!(!case.out().exists(), "nothing is answered");
    case.with("max_bad_images = 17", "max_bad_images = 18")
        .results(&[])
        .ok();
}

#[test]
fn pictures_without_keypoints_are_answered_and_answer_last() {
    let case = Case::new().copied();
    let flat = [(1, 7), (2, 98), (3, 114)];
    for (attachment, number) in flat {
        fs::copy(
            odd_picture("flat.png"),
            case.picture(attachment, &id(number)),
        )
        .unwrap();
    }
    case.results(&[])
        .ok()
        .says(&["WARN", "without usable features", &id(114)])
        .does_not_say("cannot be used");
    case.assert_valid();
    assert!(
        case.answers(1)
            .iter()
            .all(|(_, results)| !results.contains(&id(98)))
    );
}

#[test]
fn a_gallery_of_which_nothing_is_known_still_answers() {
    for case in [Case::new(), Case::new().with("\"Flat\"", "\"HNSW16\"")] {
        let case = case.copied();
        for number in 97..=112 {
            fs::copy(odd_picture("flat.png"), case.picture(2, &id(number))).unwrap();
        }
        case.results(&[]).ok();
        case.assert_valid();
        let first: Vec<String> = (97..102).map(id).collect();
        assert!(case.answers(1).iter().all(|(_, results)| *results == first));
    }
}

/// How many pairs the last run learned from.
fn learned_from(case: &Case) -> usize {
    let run = fs::read(case.out().join("run.json")).unwrap();
    let run: serde_json::Value = serde_json::from_slice(&run).unwrap();
    run["outcome"]["training_pairs"].as_u64().unwrap() as usize
}

#[test]
fn missing_training_pictures_do_not_shift_the_pairs() {
    let missing: Vec<String> = [1, 2, 3, 20, 21, 40, 60].map(id).to_vec();
    let without_pictures = Case::new().copied();
    let without_rows = Case::new().copied();
    for id in &missing {
        fs::remove_file(without_pictures.picture(1, id)).unwrap();
    }
    let rows = columns::<2>(&without_rows.table(1, "ImageWordData.csv"));
    write_pairs(
        &without_rows,
        rows.iter().filter(|[id, _]| !missing.contains(id)).cloned(),
    );
    for case in [&without_pictures, &without_rows] {
        case.results(&[]).ok();
        assert_eq!(learned_from(case), TRAINING_PAIRS - missing.len());
        for n in [1, 2] {
            let [r1, r5] = case.score(n);
            assert!(
                r1 > 3.0 * CHANCE_R1 && r5 > 2.0 * CHANCE_R5,
                "result{n}: {r1} {r5}"
            );
        }
    }
    // The captions without a picture count as text, so that the two are near each other, not equal.
    assert!(agreement(&without_pictures, &without_rows) > 0.8);

    // What a shift would look like: each caption with the next picture.
    let shifted = Case::new().copied();
    let captions = rows.iter().cycle().skip(1);
    write_pairs(
        &shifted,
        rows.iter()
            .zip(captions)
            .map(|([id, _], [_, caption])| [id.clone(), caption.clone()]),
    );
    shifted.results(&[]).ok();
    assert!(
        [1, 2]
            .iter()
            .any(|&n| shifted.score(n)[1] < 2.0 * CHANCE_R5)
    );
    assert!(agreement(&shifted, &without_rows) < 0.6);
}

fn write_pairs(case: &Case, rows: impl Iterator<Item = [String; 2]>) {
    let mut table = csv::Writer::from_path(case.table(1, "ImageWordData.csv")).unwrap();
    table.write_record(["image_id", "caption"]).unwrap();
    rows.for_each(|row| table.write_record(row).unwrap());
}

/// The share of all answers that two cases have in common.
fn agreement(a: &Case, b: &Case) -> f64 {
    let (mut common, mut all) = (0, 0);
    for n in [1, 2] {
        for ((query, left), (same, right)) in a.answers(n).iter().zip(b.answers(n)) {
            assert_eq!(*query, same);
            common += left.iter().filter(|r| right.contains(r)).count();
            all += left.len();
        }
    }
    common as f64 / all as f64
}

#[test]
fn a_file_without_an_id_is_said_and_not_used() {
    let case = Case::new().copied();
    let (plain, stray) = (Case::computed(), case.picture(2, "stray.png"));
    fs::copy(odd_picture("photo.png"), &stray).unwrap();
    fs::copy(odd_picture("bomb.png"), case.picture(1, "stray.png")).unwrap();
    fs::write(
        case.picture(3, ".DS_Store"),
        "what file managers leave behind",
    )
    .unwrap();
    case.results(&[])
        .ok()
        .says(&[
            "WARN",
            "picture without an id (not used)",
            stray.to_str().unwrap(),
        ])
        .says(&["WARN", "picture without an id", "2 in all"])
        .does_not_say("DS_Store");
    assert_eq!(case.result_bytes(), plain.result_bytes());
}

#[test]
fn an_odd_picture_is_as_good_as_any() {
    let odd = [
        "cmyk.jpg",
        "palette_transparent.png",
        "sixteen_bit_grey.png",
        "animated.gif",
        "rgb.tiff",
        "one_pixel.png",
    ];
    let case = Case::new().copied();
    for (i, name) in odd.iter().enumerate() {
        for (attachment, first) in SPOILT {
            fs::copy(odd_picture(name), case.picture(attachment, &id(first + i))).unwrap();
        }
    }
    case.results(&[]).ok().does_not_say("cannot be used");
    case.assert_valid();
}

#[test]
fn a_gallery_of_fewer_than_five_gives_fewer_rows() {
    let case = Case::new().copied();
    edit(&case.table(2, "image_data.csv"), |text| {
        first_lines(text, 1 + 3)
    });
    edit(&case.table(3, "word_data.csv"), |text| {
        first_lines(text, 1 + 1)
    });
    case.results(&[])
        .ok()
        .says(&["WARN", "attachment2", "only 3 items"])
        .says(&["WARN", "attachment3", "only 1 items"]);
    for (n, rows) in [(1, 3), (2, 1)] {
        assert_eq!(case.answers(n).len(), 16);
        assert!(
            case.answers(n)
                .iter()
                .all(|(_, results)| results.len() == rows)
        );
    }
    case.assert_valid();
}

fn first_lines(text: &str, n: usize) -> String {
    text.lines()
        .take(n)
        .map(|line| format!("{line}\n"))
        .collect()
}

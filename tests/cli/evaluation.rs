//! `evaluate`: its figures, by split and by folds, and the second dataset layout.

use std::fs;

use serde_json::Value;

use super::case::{CHANCE_R1, CHANCE_R5, Case, TRAINING_PAIRS, columns};

#[track_caller]
fn assert_keys(value: &Value, keys: &[&str]) {
    let mut found: Vec<&str> = value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    let mut keys = keys.to_vec();
    found.sort_unstable();
    keys.sort_unstable();
    assert_eq!(found, keys);
}

/// The documented keys and no others, and figures that can be.
#[track_caller]
fn assert_report(json: &Value) {
    const RECALLS: [&str; 3] = ["R@1", "R@5", "R@10"];
    assert_keys(
        json,
        &[
            "dataset",
            "recipe",
            "split",
            "t2i",
            "i2t",
            "mR",
            "ci95",
            "calibration_error",
        ],
    );
    assert_keys(&json["ci95"], &["t2i", "i2t", "mR"]);
    let mut sum = 0.0;
    for direction in ["t2i", "i2t"] {
        let (figures, intervals) = (&json[direction], &json["ci95"][direction]);
        assert_keys(
            figures,
            &[
                "R@1",
                "R@5",
                "R@10",
                "medR",
                "queries",
                "gallery",
                "chance_R@5",
            ],
        );
        assert_keys(intervals, &RECALLS);
        let recalls = RECALLS.map(|key| figures[key].as_f64().unwrap());
        assert!(recalls.is_sorted() && recalls[2] <= 100.0, "{recalls:?}");
        for (key, recall) in RECALLS.iter().zip(recalls) {
            let [low, high] = [0, 1].map(|i| intervals[key][i].as_f64().unwrap());
            assert!(
                low <= recall && recall <= high,
                "{recall} is not in [{low}, {high}]"
            );
        }
        sum += recalls.iter().sum::<f64>();
    }
    assert!((json["mR"].as_f64().unwrap() - sum / 6.0).abs() < 1e-9);
    let [low, high] = [0, 1].map(|i| json["ci95"]["mR"][i].as_f64().unwrap());
    assert!(low < high);
}

#[test]
fn the_test_split_in_both_directions() {
    let case = Case::computed();
    let outcome = case.run("evaluate", &["--json"]).ok();
    assert_eq!(outcome.stdout.lines().count(), 1);
    let json = outcome.json();
    assert_report(&json);
    assert_eq!(json["dataset"], "attachments");
    assert_eq!(json["recipe"], "small");
    assert_eq!(json["split"], "test");
    for (n, direction) in [(1, "t2i"), (2, "i2t")] {
        let figures = &json[direction];
        assert_eq!(figures["queries"], 16);
        assert_eq!(figures["gallery"], 16.0);
        assert_eq!(figures["chance_R@5"], CHANCE_R5);
        // The exact index and no ties: what is measured is what the result file holds.
        assert_eq!(
            [&figures["R@1"], &figures["R@5"]].map(|r| r.as_f64().unwrap()),
            case.score(n)
        );
    }
}

#[test]
fn people_get_a_table_with_gallery_chance_and_intervals() {
    let outcome = Case::computed().run("evaluate", &[]).ok();
    for part in [
        "attachments",
        "test",
        "small",
        "text -> image",
        "image -> text",
        "gallery",
        "chance R@5",
        "31.25",
        "mR",
        "95 %",
    ] {
        assert!(
            outcome.stdout.contains(part),
            "{part} is not printed: {outcome:#?}"
        );
    }
}

#[test]
fn folds_test_every_training_pair_once() {
    let json = Case::new()
        .run("evaluate", &["--folds", "5", "--json"])
        .ok()
        .json();
    assert_report(&json);
    assert_eq!(json["split"], "5 folds");
    for direction in ["t2i", "i2t"] {
        let figures = &json[direction];
        assert_eq!(figures["queries"], TRAINING_PAIRS);
        let gallery = figures["gallery"].as_f64().unwrap();
        assert!(
            (15.0..25.0).contains(&gallery),
            "a fold is about a fifth: {gallery}"
        );
        assert!(
            figures["R@1"].as_f64().unwrap() > 3.0 * CHANCE_R1,
            "{figures}"
        );
    }
}

#[test]
fn a_set_without_the_split_says_what_to_do_instead() {
    let case = Case::computed().copied();
    case.run("evaluate", &["--split", "val"])
        .fails()
        .says(&["attachments", "no val pairs"]);
    for n in [2, 3] {
        fs::remove_file(case.table(n, "truth.csv")).unwrap();
    }
    case.run("evaluate", &[])
        .fails()
        .says(&["no test pairs", "truth.csv", "--folds 5"]);
    case.results(&[]).ok();
    case.assert_valid();
}

/// A Flickr8k-CN of fixture pictures: 64 to learn from, 16 to choose on, 16 to test on, two captions each.
fn flickr8k() -> Case {
    let mut case = Case::new();
    let root = case.path("tiny8k");
    for folder in ["images", "captions"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    let (mut captions, mut lists) = (String::new(), [const { String::new() }; 3]);
    for (i, [id, caption]) in columns::<2>(&case.table(1, "ImageWordData.csv"))
        .iter()
        .enumerate()
    {
        let name = format!("{i:04}.jpg");
        fs::copy(case.picture(1, id), root.join("images").join(&name)).unwrap();
        let caption = caption.replace('\n', " ");
        captions += &format!("{name}#zhc#0 {caption}\n{name}#zhc#1 一幅图：{caption}\n");
        lists[if i < 64 { 0 } else { 1 + i % 2 }] += &format!("{name}\n");
    }
    fs::write(root.join("captions/flickr8kzhc.caption.txt"), captions).unwrap();
    fs::write(
        root.join("captions/flickr8kenc.caption.txt"),
        "0000.jpg#enc#0 no caption\n",
    )
    .unwrap();
    for (name, list) in ["train", "val", "test"].iter().zip(lists) {
        fs::write(root.join(format!("flickr8k{name}.txt")), list).unwrap();
    }
    case.data = root;
    case
}

#[test]
fn flickr8k_has_several_captions_to_a_picture() {
    let case = flickr8k();
    let outcome = case.run("evaluate", &["--json", "--split", "val"]).ok();
    let outcome = outcome
        .says(&["train", "64 images, 128 texts"])
        .does_not_say("WARN");
    assert_eq!(outcome.json()["split"], "val");
    let outcome = case.run("evaluate", &["--json"]).ok();
    let json = outcome.says(&["fusion", "up to date"]).json();
    assert_report(&json);
    assert_eq!(json["dataset"], "tiny8k");
    let [t2i, i2t] = [&json["t2i"], &json["i2t"]];
    assert_eq!(
        [&t2i["queries"], &t2i["gallery"]],
        [&Value::from(32), &Value::from(16.0)]
    );
    assert_eq!(
        [&i2t["queries"], &i2t["gallery"]],
        [&Value::from(16), &Value::from(32.0)]
    );
    assert_eq!(t2i["chance_R@5"], CHANCE_R5);
    // Two right ones among 32: 1 - C(30, 5) / C(32, 5).
    let chance = 100.0 * (1.0 - (27.0 * 26.0) / (32.0 * 31.0));
    assert!((i2t["chance_R@5"].as_f64().unwrap() - chance).abs() < 1e-9);
    for figures in [t2i, i2t] {
        assert!(
            figures["R@5"].as_f64().unwrap() > 1.5 * CHANCE_R5,
            "{figures}"
        );
    }
}

#[test]
fn flickr8k_says_which_captions_there_are_and_what_does_not_fit() {
    let case = flickr8k();
    case.run("features", &["--captions", "flickr30k"])
        .fails()
        .says(&[
            "--captions",
            "flickr8kenc.caption.txt",
            "flickr8kzhc.caption.txt",
        ]);
    fs::remove_file(case.data.join("images/0000.jpg")).unwrap();
    fs::copy(
        case.data.join("images/0001.jpg"),
        case.data.join("images/stray.jpg"),
    )
    .unwrap();
    let list = case.data.join("flickr8ktrain.txt");
    let names = fs::read_to_string(&list).unwrap();
    fs::write(&list, format!("{names}9999.jpg\n")).unwrap();
    case.run("features", &[])
        .ok()
        .says(&["WARN", "id without a picture", "0000.jpg"])
        .says(&["WARN", "picture in no split list", "stray.jpg"])
        .says(&["WARN", "picture without a caption", "9999.jpg"])
        .prints("train: 63 of 64 images");
}

#[test]
fn keywords_are_asked_alone_or_after_the_sentences() {
    let case = Case::new().copied();
    let keywords = |more: &[&str]| case.run("evaluate", &[&["--json"], more].concat());
    let asked = ["--queries", "keywords"];
    keywords(&asked)
        .fails()
        .says(&["has no keywords.txt", "--keywords-from captions"]);
    let captions = columns::<2>(&case.table(1, "ImageWordData.csv"));
    let line = |[image, caption]: &[String; 2]| {
        let words: String = caption.chars().take(4).collect();
        format!("{image}\t{words}，图案\n")
    };
    let lines: String = captions.iter().map(line).collect();
    let file = case.data.join("keywords.txt");
    fs::write(&file, &lines).unwrap();
    let plain = keywords(&[]).ok().json();
    let joint = keywords(&["--queries", "joint"]).ok();
    let joint = joint.says(&["picture without a keyword"]);
    assert_ne!(joint.json()["t2i"], plain["t2i"]);
    fs::write(&file, format!("{lines}no tab\n")).unwrap();
    let line = format!("line {}", captions.len() + 1);
    keywords(&asked)
        .fails()
        .says(&["keywords.txt", &line, "a tab"]);
}

#[test]
fn a_learning_curve_ends_with_the_figure_of_all_pictures() {
    let case = Case::new();
    let curve = case
        .run("evaluate", &["--learning-curve", "--json"])
        .ok()
        .json();
    let measured = curve["measured"].as_array().unwrap();
    let pictures: Vec<u64> = measured
        .iter()
        .map(|m| m["pictures"].as_u64().unwrap())
        .collect();
    let all = TRAINING_PAIRS as u64;
    assert_eq!(pictures, [all / 4, all / 2, all]);
    let whole = case.run("evaluate", &["--json"]).ok().json();
    assert_eq!(measured[2]["mR"], whole["mR"]);
    assert_eq!(measured[2]["ci95"], whole["ci95"]["mR"]);
    let expected = &curve["law"]["expected"];
    assert_eq!(expected[0]["pictures"], 2 * all);
    let text = case.run("evaluate", &["--learning-curve"]).ok();
    assert!(
        text.stdout.contains("Twice the pictures bring"),
        "{}",
        text.stdout
    );
}

//! Scene text: what is written in the pictures counts.

use std::fs;
use std::path::{Path, PathBuf};

use super::case::Case;
use super::files::{edit, files, tree};
use super::program::Outcome;

const POSTER: &str = "shape-0106.png";
const STEPS: &str = "shape-0113.png";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The set with a poster to be found among its pictures, and a warning sign that asks for its text; a recipe that
/// reads them.
fn reading(settings: &str) -> Case {
    let name = "name = \"small\"\n";
    let scene_text = format!("scene_text = {{ {settings} }}\n");
    let case = Case::new().copied();
    for (n, id, picture) in [(2, POSTER, "poster"), (3, STEPS, "slanted")] {
        let picture = path(&format!("tests/golden/ocr/{picture}.png"));
        fs::copy(picture, case.picture(n, id)).unwrap();
    }
    // no training caption has a word of these
    for (n, table, id, caption) in [
        (
            2,
            "word_test.csv",
            "Word-1000001627",
            "本校招聘会在图书馆举行",
        ),
        (3, "word_data.csv", "Word-1000001490", "上下楼时小心台阶"),
    ] {
        edit(&case.table(n, table), |text| {
            let line = text.lines().find(|l| l.starts_with(id)).expect(id);
            text.replace(line, &format!("{id},{caption}"))
        });
    }
    case.with(name, &format!("{name}{scene_text}"))
}

const ONE: &str = "share = [0.9], matching = [\"cosine\"]";

#[test]
fn words_in_pictures_find_and_are_found() {
    let case = reading(ONE);
    let sheet = case.path("page.html");
    let outcome = case.results(&["--contact-sheet", sheet.to_str().unwrap()]);
    outcome.ok().says(&["share of 0.9"]);
    case.assert_valid();
    assert_eq!(case.answer(1, "Word-1000001627")[0], POSTER);
    assert_eq!(case.answer(2, STEPS)[0], "Word-1000001490");
    let page = fs::read_to_string(sheet).unwrap();
    for matched in ["matched: 图书馆<", "matched: 台阶 小心"] {
        assert!(page.contains(matched), "{matched}");
    }
    assert!(page.contains("90 % of a score is the match with the words"));
}

#[test]
fn a_search_reads_too() {
    let case = reading(ONE);
    let found = case.run("search", &["图书馆招聘", "--top", "1"]).ok();
    assert!(found.stdout.contains(POSTER), "{}", found.stdout);
    let sign = path("tests/golden/ocr/slanted.png");
    let page = case.path("page.html");
    let more = ["--image", sign.to_str().unwrap(), "--top", "1", "--html"];
    let found = case
        .run("search", &[&more[..], &[page.to_str().unwrap()]].concat())
        .ok();
    assert!(found.stdout.contains("Word-1000001490"), "{}", found.stdout);
    assert!(
        fs::read_to_string(page)
            .unwrap()
            .contains("matched: 台阶 小心")
    );
}

#[test]
fn answers_and_evaluation_agree_beside_charges_too() {
    let case = reading(&format!("{ONE} }}\nhubness = {{ texts = 50"));
    case.results(&[]).ok();
    let report = case.run("evaluate", &["--json"]).ok().json();
    for (n, direction) in [(1, "t2i"), (2, "i2t")] {
        let figures = ["R@1", "R@5"].map(|key| report[direction][key].as_f64().unwrap());
        assert_eq!(figures, case.score(n), "{direction}");
    }
}

#[test]
fn the_share_is_chosen_and_a_text_alone_can_answer() {
    let case = reading("share = [0.0, 0.5]");
    let fit = case.run("fit", &[]).ok();
    // cosine and BM25 alone; then the shares of the better one
    for (share, rows) in [("1.0", 2), ("0.0", 1), ("0.5", 1)] {
        let row = format!("\"share\":{share}}}");
        let found = fit.stdout.matches(row.as_str()).count();
        assert_eq!(found, rows, "{row} in {}", fit.stdout);
    }
    assert_eq!(fit.stdout.matches("<- chosen").count(), 2);
    let chosen = |case: &Case| {
        let mut files = tree(&case.work().join("vocab"));
        files.retain(|name, _| name.contains("scene-text-"));
        files
    };
    let without_test_data = reading("share = [0.0, 0.5]");
    for n in [2, 3] {
        fs::remove_dir_all(without_test_data.attachment(n)).unwrap();
    }
    without_test_data.run("fit", &[]).ok();
    assert_eq!(chosen(&case).len(), 1);
    assert_eq!(chosen(&without_test_data), chosen(&case));
    let case = reading("share = [1.0], matching = [\"cosine\"]");
    let report = case.run("evaluate", &["--json"]).ok().json();
    assert!(report["t2i"]["R@1"].as_f64().unwrap() > 0.0);
    let none = case.run("evaluate", &["--split", "val"]);
    none.fails().says(&["no val pairs"]);
    let case = reading("share = [1.5]");
    case.run("fit", &[])
        .fails()
        .says(&["scene_text.share", "from 0 to 1"]);
    let case = reading("matching = []");
    case.run("fit", &[])
        .fails()
        .says(&["scene_text.matching", "empty"]);
}

#[test]
fn pictures_are_read_once_and_a_lost_part_again() {
    let case = reading(ONE);
    case.results(&[]).ok();
    let first = case.result_bytes();
    let read = || {
        let all = files(&case.work().join("features")).into_iter();
        let read = all.filter(|(name, _)| name.contains("scene-text-"));
        read.map(|(name, path)| (name, fs::metadata(&path).unwrap().modified().unwrap(), path))
            .collect::<Vec<_>>()
    };
    let before = read();
    assert_eq!(before.len(), 2, "a part per collection: {before:?}");
    // Probabilities are learned from the pictures that are held out, which are read once, too.
    case.run("evaluate", &[]).ok();
    let more = read();
    assert!(more.len() <= 3 && before.iter().all(|part| more.contains(part)));
    case.run("evaluate", &[]).ok();
    assert_eq!(read(), more);
    fs::remove_file(&before[0].2).unwrap();
    fs::remove_dir_all(case.out()).unwrap();
    case.results(&["--threads", "1"]).ok();
    assert_eq!(case.result_bytes(), first);
    let after = read();
    assert!(after.contains(&before[1]));
    let again = after.iter().find(|part| part.0 == before[0].0);
    assert_ne!(again.expect("it is made again").1, before[0].1);
}

#[test]
fn without_the_networks_the_rest_answers() {
    let case = reading(ONE);
    let said = ["scene text is left out", "nowhere", "tuwen models"];
    let mut results = case.command("results", &[]);
    results.arg("--out").arg(case.out());
    Outcome::of(results.env("TUWEN_MODELS", "nowhere"))
        .ok()
        .says(&said);
    let with_nothing = case.result_bytes();
    let line = fs::read_to_string(case.path("small.toml")).unwrap();
    let line = line
        .lines()
        .find(|l| l.starts_with("scene_text"))
        .unwrap()
        .to_owned();
    let case = case.with(&line, "");
    fs::remove_dir_all(case.out()).unwrap();
    case.results(&[]).ok().does_not_say("scene text");
    assert_eq!(case.result_bytes(), with_nothing);
}

#[test]
fn folds_may_ask_in_one_gallery() {
    let case = Case::new();
    let folds = ["--folds", "3", "--whole-gallery", "--json"];
    let report = case.run("evaluate", &folds).ok().json();
    for direction in ["t2i", "i2t"] {
        let number = |key: &str| report[direction][key].as_f64().unwrap();
        assert_eq!((number("queries"), number("gallery")), (96.0, 96.0));
    }
    case.run("evaluate", &["--whole-gallery"]).bad_usage();
}

#[test]
fn a_recipe_does_not_say_where_code_is_loaded_from() {
    let folder = "reader = { models = \"data/models/ocr\", confidence = 0.6 }";
    let outcome = reading(folder).run("fit", &[]).fails();
    outcome
        .says(&["small.toml"])
        .says(&["take out `models`", "TUWEN_MODELS"]);
    reading("reader = { confidence = 0.6, model = 1 }")
        .run("fit", &[])
        .fails()
        .says(&["unknown field `model`"]);
}

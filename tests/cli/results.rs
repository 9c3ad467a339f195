//! Result files: what is in them, and that they depend on nothing but the data and the recipe.

use std::fs;

use super::case::{CHANCE_R1, CHANCE_R5, Case, TEST_PAIRS, columns};
use super::files::{assert_same, edit, times, tree};

const HEADERS: [&str; 2] = [
    "text_id,similarity_ranking,result_image_id\n",
    "image_id,similarity_ranking,result_text_id\n",
];
const MARK: &str = "\u{feff}";

/// The ids in the first column of a table of the committed set.
fn ids(case: &Case, attachment: u8, table: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(case.table(attachment, table)).unwrap();
    reader.records().map(|r| r.unwrap()[0].to_owned()).collect()
}

#[test]
fn five_answers_to_every_query_in_the_order_of_the_input() {
    let case = Case::new();
    let outcome = case.results(&[]).ok();
    for (n, queries, gallery) in [
        (1, "word_test.csv", "image_data.csv"),
        (2, "image_test.csv", "word_data.csv"),
    ] {
        let outcome = &outcome.stdout;
        assert!(
            outcome.contains(case.result_file(n).to_str().unwrap()),
            "{outcome}"
        );
        let bytes = &case.result_bytes()[n as usize - 1];
        assert!(bytes.starts_with(HEADERS[n as usize - 1].as_bytes()));
        let answers = case.answers(n);
        let gallery = ids(&case, n + 1, gallery);
        let asked: Vec<&String> = answers.iter().map(|(query, _)| query).collect();
        assert_eq!(asked, ids(&case, n + 1, queries).iter().collect::<Vec<_>>());
        assert_eq!(asked.len(), TEST_PAIRS);
        for (query, results) in &answers {
            assert_eq!(results.len(), 5, "{query}");
            assert!(
                results.iter().all(|r| gallery.contains(r)),
                "{query}: {results:?}"
            );
        }
    }
    case.assert_valid();
}

#[test]
fn the_right_answers_are_found_far_more_often_than_by_chance() {
    let case = Case::computed();
    for n in [1, 2] {
        let [r1, r5] = case.score(n);
        assert!(r1 > 3.0 * CHANCE_R1, "result{n}: R@1 {r1}");
        assert!(r5 > 2.0 * CHANCE_R5, "result{n}: R@5 {r5}"); // more than 3 times it is all of them
    }
}

#[test]
fn blank_continuation_writes_the_id_once_and_a_mark_can_stand_before_the_header() {
    let case = Case::computed();
    let (plain, scores) = (case.result_bytes(), [1, 2].map(|n| case.score(n)));
    let plain_rows = [1, 2].map(|n| columns::<3>(&case.result_file(n)));
    assert!(
        plain
            .iter()
            .zip(HEADERS)
            .all(|(bytes, header)| bytes.starts_with(header.as_bytes()))
    );

    case.results(&["--blank-continuation", "--bom"]).ok();
    for n in [1, 2] {
        let bytes = &case.result_bytes()[n - 1];
        assert!(bytes.starts_with(format!("{MARK}{}", HEADERS[n - 1]).as_bytes()));
        for (plain, blank) in plain_rows[n - 1]
            .iter()
            .zip(columns::<3>(&case.result_file(n as u8)))
        {
            let id = if plain[1] == "1" {
                plain[0].as_str()
            } else {
                ""
            };
            assert_eq!(blank, [id, &plain[1], &plain[2]]);
        }
    }
    case.assert_valid();
    assert_eq!([1, 2].map(|n| case.score(n)), scores);

    case.results(&["--bom"]).ok();
    let marked = plain.map(|bytes| [MARK.as_bytes(), &bytes].concat());
    assert_eq!(case.result_bytes(), marked);
}

#[test]
fn the_contact_sheet_shows_pictures_and_needs_nothing_but_itself() {
    let case = Case::computed();
    let page = case.path("pages/sheet.html");
    case.results(&["--contact-sheet", page.to_str().unwrap()])
        .ok();
    let html = fs::read_to_string(page).unwrap();
    for reference in [
        "http:", "https:", "url(", "<script", "<link", "@import", "href=",
    ] {
        assert!(!html.contains(reference), "the page has {reference}");
    }
    let pictures = html.matches("src=\"data:image/").count();
    assert_eq!(html.matches("src=").count(), pictures);
    // Every query of either kind is shown: a text with five pictures, a picture with five texts.
    assert_eq!(pictures, TEST_PAIRS * 5 + TEST_PAIRS);
    assert!(
        html.contains("五乘五红色棋盘格构成的图案"),
        "a query of attachment 2"
    );
    assert!(
        html.contains("class=\"item right\""),
        "no right answer is marked"
    );
}

#[test]
fn a_contact_sheet_takes_the_place_of_another_file() {
    let case = Case::computed();
    let page = case.path("sheet.html");
    fs::write(&page, "the page of another run").unwrap();
    case.results(&["--contact-sheet", page.to_str().unwrap()])
        .ok();
    assert!(fs::read_to_string(page).unwrap().contains("<img"));
}

#[test]
fn a_second_run_does_nothing() {
    let case = Case::new();
    let page = case.out().join("sheet.html");
    let more = ["--contact-sheet", page.to_str().unwrap()];
    let first = case.results(&more).ok().does_not_say("up to date");
    let state = || [case.work(), case.out()].map(|dir| (times(&dir), tree(&dir)));
    let before = state();
    let second = case.results(&more).ok().says(&["results", "up to date"]);
    let after = state();
    for ((times, bytes), (times_after, bytes_after)) in before.iter().zip(&after) {
        assert_eq!(times, times_after);
        assert_same(bytes, bytes_after);
    }
    assert_eq!(first.stdout, second.stdout);
}

#[test]
fn queries_under_other_names_are_answered_anew() {
    let case = Case::new().copied();
    case.results(&[]).ok();
    let renamed = |csv: &str| csv.replace("Word-", "Text-");
    for table in ["word_test.csv", "truth.csv"] {
        edit(&case.table(2, table), renamed);
    }
    case.results(&[]).ok().does_not_say("results: up to date");
    case.assert_valid();
}

#[test]
fn the_other_verbs_find_everything_computed() {
    let case = Case::new();
    case.results(&[]).ok();
    case.run("evaluate", &[]).ok(); // learns what probabilities are
    let before = times(&case.work());
    for verb in ["features", "fit", "evaluate"] {
        case.run(verb, &[]).ok().does_not_say("WARN");
        assert_eq!(times(&case.work()), before, "{verb} writes again");
    }
}

#[test]
fn only_what_a_change_touches_is_computed_again() {
    let case = Case::computed().with("regularization = [0.1, 1.0]", "regularization = [0.2]");
    let before = times(&case.work());
    case.results(&[])
        .ok()
        .says(&["image features", "up to date"])
        .does_not_say("fusion: up to date");
    let after = times(&case.work());
    assert!(
        before.iter().all(|(name, time)| after[name] == *time),
        "something old was written"
    );
    let new = after.keys().filter(|&name| !before.contains_key(name));
    assert!(
        new.clone()
            .all(|name| !name.contains("sift-vlad") && !name.contains("words"))
    );
    assert!(new.clone().any(|name| name.contains("fusion")));
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    let [mut one, mut three] = [Case::new(), Case::new()];
    let mut old = "Flat".to_owned();
    for factory in ["Flat", "HNSW16", "IVF4,Flat"] {
        let (from, to) = (
            format!("factory = \"{old}\""),
            format!("factory = \"{factory}\""),
        );
        if old != factory {
            [one, three] = [one, three].map(|case| case.with(&from, &to));
        }
        let outcome = one.results(&["--threads", "1"]).ok();
        assert_eq!(
            outcome.stdout.contains("the index finds"),
            factory != "Flat",
            "{outcome:?}"
        );
        three.results(&["--threads", "3"]).ok();
        assert_same(&tree(&one.out()), &tree(&three.out()));
        assert_same(&tree(&one.work()), &tree(&three.work()));
        one.assert_valid();
        old = factory.to_owned();
    }
}

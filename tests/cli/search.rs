//! `search`: by sentence, by keywords, by picture.

use std::fs;

use super::case::{Case, odd_picture};

/// A line of a search: rank, score, and what was found.
type Hit<'a> = (usize, f64, Vec<&'a str>);

fn hit(line: &str) -> Option<Hit<'_>> {
    let mut fields = line.split('\t');
    let (rank, score) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((rank, score, fields.collect()))
}

fn hits(stdout: &str) -> Vec<Hit<'_>> {
    stdout.lines().map(|line| hit(line).expect(line)).collect()
}

fn assert_ranked(hits: &[Hit]) {
    assert!(
        hits.iter().zip(1..).all(|(hit, rank)| hit.0 == rank),
        "{hits:?}"
    );
    assert!(hits.is_sorted_by(|a, b| a.1 >= b.1), "{hits:?}");
}

#[test]
fn a_sentence_finds_what_the_result_file_answers() {
    let case = Case::computed();
    let (query, sentence) = ("Word-1000001627", "五乘五红色棋盘格构成的图案");
    let outcome = case.run("search", &[sentence]).ok();
    let hits = hits(&outcome.stdout);
    assert_ranked(&hits);
    let ids = case.answer(1, query);
    let paths: Vec<String> = ids
        .iter()
        .map(|id| case.picture(2, id).display().to_string())
        .collect();
    assert_eq!(hits.iter().map(|hit| hit.2[0]).collect::<Vec<_>>(), paths);
}

#[test]
fn keywords_count_as_one_text() {
    let case = Case::computed();
    let by_keywords = case
        .run("search", &["--keywords", "红色,棋盘格", "--top", "3"])
        .ok();
    let by_sentence = case.run("search", &["红色 棋盘格", "--top", "3"]).ok();
    assert_eq!(by_keywords.stdout, by_sentence.stdout);
    assert_eq!(hits(&by_keywords.stdout).len(), 3);
    let other = case
        .run(
            "search",
            &["--keywords", "蓝色", "--keywords", "十字", "--top", "3"],
        )
        .ok();
    assert_ne!(other.stdout, by_keywords.stdout);
}

#[test]
fn a_picture_finds_the_texts_that_the_result_file_answers() {
    let case = Case::computed();
    let id = "shape-0115.png";
    let outcome = case
        .run(
            "search",
            &["--image", case.picture(3, id).to_str().unwrap()],
        )
        .ok();
    let hits = hits(&outcome.stdout);
    assert_ranked(&hits);
    assert_eq!(
        hits.iter().map(|hit| hit.2[0]).collect::<Vec<_>>(),
        case.answer(2, id)
    );
    let captions = fs::read_to_string(case.table(3, "word_data.csv")).unwrap();
    assert!(
        hits.iter().all(|hit| captions.contains(hit.2[1])),
        "each with its caption: {hits:?}"
    );
}

#[test]
fn more_answers_than_there_are_items_are_all_items() {
    let case = Case::computed();
    for query in [
        ["红色的五角星", "--top", "1000"],
        ["--keywords=红色", "--top", "16"],
    ] {
        let outcome = case.run("search", &query).ok();
        let hits = hits(&outcome.stdout);
        assert_eq!(hits.len(), 16);
        assert_ranked(&hits);
    }
    assert_eq!(
        hits(&case.run("search", &["红色", "--top", "1"]).ok().stdout).len(),
        1
    );
}

#[test]
fn a_query_that_says_nothing_is_an_error_that_says_why() {
    let case = Case::computed();
    for words in ["zyzzyva", "的和是", "，。！", "🦜"] {
        let outcome = case.run("search", &[words]).fails();
        let outcome = outcome.says(&["none of these words", "training captions"]);
        assert_eq!(outcome.stdout, "");
    }
    let flat = odd_picture("flat.png");
    case.run("search", &["--image", flat.to_str().unwrap()])
        .fails()
        .says(&["no features were found in this picture"]);
}

#[test]
fn a_picture_that_cannot_be_used_is_named_with_the_reason() {
    let case = Case::computed();
    for (name, reason) in [
        ("empty.jpg", "empty"),
        ("truncated.jpg", "truncated"),
        ("not_an_image.jpg", "known format"),
        ("bomb.png", "60000x60000"),
        ("nowhere.jpg", "cannot read"),
    ] {
        let path = odd_picture(name);
        let path = path.to_str().unwrap();
        let outcome = case
            .run("search", &["--image", path])
            .fails()
            .says(&["ERROR", path, reason]);
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn the_page_shows_query_and_answers_and_needs_nothing_but_itself() {
    let case = Case::computed();
    let page = case.path("page.html");
    let html = ["--html", page.to_str().unwrap()];
    let sentence = "红色 <五角星> & \"圆点\"";
    case.run("search", &[&[sentence][..], &html].concat()).ok();
    let text = fs::read_to_string(&page).unwrap();
    assert!(
        text.contains("红色 &#60;五角星&#62; &#38; &#34;圆点&#34;"),
        "the query is escaped"
    );
    assert!(!text.contains("http:") && !text.contains("https:"));
    assert_eq!(text.matches("src=\"data:image/").count(), 5);

    let id = "shape-0115.png";
    let picture = case.picture(3, id);
    let image = ["--image", picture.to_str().unwrap()];
    case.run("search", &[image, html].concat()).ok();
    let text = fs::read_to_string(&page).unwrap();
    assert_eq!(text.matches("src=\"data:image/").count(), 1);
    let answers = case.answer(2, id);
    assert!(answers.iter().all(|answer| text.contains(answer)));
}

#[test]
fn without_a_test_gallery_the_training_data_is_searched() {
    let case = Case::computed().copied();
    for n in [2, 3] {
        fs::remove_dir_all(case.attachment(n)).unwrap();
    }
    let outcome = case
        .run("search", &["三个绿色十字构成的图案", "--top", "1"])
        .ok();
    assert!(outcome.stdout.contains("attachment1"), "{}", outcome.stdout);
    let image = case.picture(1, "shape-0028.png");
    let outcome = case
        .run("search", &["--image", image.to_str().unwrap()])
        .ok();
    let captions = fs::read_to_string(case.table(1, "ImageWordData.csv")).unwrap();
    for (_, _, found) in hits(&outcome.stdout) {
        let (picture, _line) = found[0].split_once('#').expect("of a picture");
        assert!(captions.contains(picture), "{found:?}");
    }
}

#[test]
fn an_approximate_index_fills_up_what_it_does_not_find() {
    let case = Case::computed().with("\"Flat\"", "\"IVF4,Flat\"");
    let outcome = case.run("search", &["红色的五角星", "--top", "16"]).ok();
    let mut found: Vec<_> = hits(&outcome.stdout)
        .into_iter()
        .map(|hit| hit.2[0].to_owned())
        .collect();
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 16);
}

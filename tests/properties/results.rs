//! Result files are read back as they were written, and scored; a good one to damage.

use std::fs;

use proptest::collection::btree_set;
use proptest::prelude::*;
use tuwen::Error;
use tuwen::contest::{self, Answer, Format, Known};
use tuwen::dataset::{Direction, ReadOptions};

use super::cases::config;
use super::made_up::folder;

const DIRECTIONS: [Direction; 2] = [Direction::TextToImage, Direction::ImageToText];
const FORMATS: [Format; 4] = [
    Format {
        blank_continuation: false,
        bom: false,
    },
    Format {
        blank_continuation: false,
        bom: true,
    },
    Format {
        blank_continuation: true,
        bom: false,
    },
    Format {
        blank_continuation: true,
        bom: true,
    },
];

/// Ids as nobody should choose them.
fn id() -> impl Strategy<Value = String> {
    "[a-c1-3,;\"'\n\r\t 中文图，。\u{1f415}]{1,6}"
}

/// Answers in full to every query, each beginning elsewhere in the gallery.
fn answers(queries: &[String], gallery: &[String]) -> Vec<Answer> {
    let results = |i: usize| {
        gallery
            .iter()
            .cycle()
            .skip(i)
            .take(gallery.len().min(contest::ANSWERS))
            .cloned()
    };
    queries
        .iter()
        .enumerate()
        .map(|(i, q)| Answer {
            query: q.clone(),
            results: results(i).collect(),
        })
        .collect()
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn what_is_written_is_read_back_and_without_fault(
        ids in btree_set(id(), 2..20),
        share in 1..10usize,
        direction in proptest::sample::select(&DIRECTIONS[..]),
        format in proptest::sample::select(&FORMATS[..]),
    ) {
        let ids: Vec<String> = ids.into_iter().collect();
        let (queries, gallery) = ids.split_at(share.min(ids.len() - 1));
        let folder = folder();
        let path = folder.path().join(contest::file_name(direction));
        let written = answers(queries, gallery);
        contest::write(&path, direction, &written, format).unwrap();
        prop_assert_eq!(contest::read(&path).unwrap(), (direction, written));
        let known = Known { direction, queries: queries.to_vec(), gallery: gallery.iter().cloned().collect() };
        prop_assert_eq!(contest::validate(&path, Some(&known)).unwrap(), vec![]);
        if gallery.len() >= contest::ANSWERS {
            prop_assert_eq!(contest::validate(&path, None).unwrap(), vec![]);
        }
        prop_assert_eq!(fs::read(&path).unwrap().starts_with(b"\xef\xbb\xbf"), format.bom);
    }
}

pub const HEADER: &str = "text_id,similarity_ranking,result_image_id";

pub type Row = [String; 3];

const QUERIES: [&str; 3] = ["ImgT-1", "ImgT-2", "ImgT-3"];
const GALLERY: [&str; 7] = [
    "1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg", "7.jpg",
];

pub fn known() -> Known {
    let direction = Direction::TextToImage;
    Known {
        direction,
        queries: QUERIES.map(String::from).to_vec(),
        gallery: GALLERY.map(String::from).into(),
    }
}

/// The rows of a good file; with `blank`, a query's id on the first of its rows alone.
pub fn good_rows(blank: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for Answer { query, results } in answers(&known().queries, &GALLERY.map(String::from)) {
        for (i, result) in results.into_iter().enumerate() {
            let query = if blank && i > 0 {
                String::new()
            } else {
                query.clone()
            };
            rows.push([query, (i + 1).to_string(), result]);
        }
    }
    rows
}

pub fn file(header: &str, rows: &[Row]) -> String {
    let lines = rows.iter().map(|r| r.join(",") + "\n");
    lines.fold(format!("{header}\n"), |text, line| text + &line)
}

#[test]
fn a_damaged_file_is_not_read_as_a_good_one() {
    let folder = folder();
    let path = folder.path().join("result1.csv");
    for bad in [
        String::new(),
        file("id,rank,result", &good_rows(false)),
        file(HEADER, &good_rows(true)[1..]),
    ] {
        fs::write(&path, bad).unwrap();
        assert!(matches!(contest::read(&path), Err(Error::Table { .. })));
    }
    assert!(matches!(
        contest::read(&folder.path().join("absent.csv")),
        Err(Error::Io { .. })
    ));
}

#[test]
fn a_result_file_is_scored_against_the_truth() {
    let folder = folder();
    let (path, truth) = (
        folder.path().join("result1.csv"),
        folder.path().join("truth.csv"),
    );
    fs::write(&path, file(HEADER, &good_rows(true))).unwrap();
    // Answers begin at 1.jpg, 2.jpg, 3.jpg: right at the first place, at the third, not at all, not asked.
    fs::write(
        &truth,
        "text_id,image_id\nImgT-1,1.jpg\nImgT-2,4.jpg\nImgT-3,1.jpg\nImgT-4,1.jpg\n",
    )
    .unwrap();
    let score = contest::score(&path, &truth, &ReadOptions::default()).unwrap();
    assert_eq!((score.queries, score.r1, score.r5), (4, 25.0, 50.0));
    fs::write(&truth, "text_id,image_id\n").unwrap();
    let empty = contest::score(&path, &truth, &ReadOptions::default());
    assert!(
        matches!(empty, Err(Error::TooFew { found: 0, .. })),
        "{empty:?}"
    );
    fs::write(&truth, "text_id,image_id\nOther-1,1.jpg\n").unwrap();
    let others = contest::score(&path, &truth, &ReadOptions::default());
    assert!(matches!(others, Err(Error::Mismatch { .. })), "{others:?}");
}

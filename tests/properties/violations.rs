//! Whatever is wrong with a result file is found, and said with its line.

use std::fs;

use encoding_rs::GB18030;
use tuwen::contest;

use super::made_up::folder;
use super::results::{HEADER, Row, file, good_rows, known};

fn violations_in(bytes: &[u8]) -> Vec<String> {
    let folder = folder();
    let path = folder.path().join("result1.csv");
    fs::write(&path, bytes).unwrap();
    let found = contest::validate(&path, Some(&known())).unwrap();
    found.iter().map(ToString::to_string).collect()
}

fn assert_found(bytes: impl AsRef<[u8]>, words: &str) {
    let bytes = bytes.as_ref();
    let found = violations_in(bytes);
    let file = String::from_utf8_lossy(bytes);
    assert!(
        found.iter().any(|v| v.contains(words)),
        "no `{words}` in {found:?} of\n{file}"
    );
}

/// Damages a good file in both forms; the violation must be found, by some of its words.
fn assert_damage_found(words: &str, damage: impl Fn(&mut Vec<Row>)) {
    for blank in [false, true] {
        let mut rows = good_rows(blank);
        damage(&mut rows);
        assert_ne!(rows, good_rows(blank));
        assert_found(file(HEADER, &rows), words);
    }
}

#[test]
fn a_good_file_has_no_fault() {
    for blank in [false, true] {
        let text = file(HEADER, &good_rows(blank));
        for good in [
            text.clone(),
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}"),
            text.trim_end().into(),
        ] {
            assert_eq!(
                violations_in(good.as_bytes()),
                Vec::<String>::new(),
                "{good}"
            );
        }
    }
}

#[test]
fn a_dropped_row_is_found() {
    for row in 0..15 {
        assert_damage_found("results, expected 5", |rows| {
            rows.remove(row);
        });
    }
    assert_damage_found("4 results, expected 5", |rows| {
        rows.pop();
    });
}

#[test]
fn a_surplus_row_is_found() {
    assert_damage_found("6 results, expected 5", |rows| {
        rows.push([String::new(), "6".into(), "1.jpg".into()])
    });
}

#[test]
fn swapped_and_strange_ranks_are_found() {
    for (a, b) in (0..5).flat_map(|b| (0..b).map(move |a| (a, b))) {
        assert_damage_found("expected", |rows| {
            let (first, second) = (rows[5 + a][1].clone(), rows[5 + b][1].clone());
            (rows[5 + a][1], rows[5 + b][1]) = (second, first);
        });
    }
    for rank in ["0", "6", "01", "3.0", "", "三", "-3"] {
        assert_damage_found("expected 3", |rows| rows[7][1] = rank.into());
    }
}

#[test]
fn wrong_results_are_found() {
    assert_damage_found("3.jpg is given twice", |rows| rows[8][2] = "3.jpg".into());
    assert_damage_found("line 10: 8.jpg is not in the gallery", |rows| {
        rows[8][2] = "8.jpg".into()
    });
    assert_damage_found("id of a query, not of the gallery", |rows| {
        rows[8][2] = "ImgT-3".into()
    });
    assert_damage_found("not in the gallery", |rows| rows[8][2] = String::new());
}

fn rename(rows: &mut [Row], from: &str, to: &str) {
    rows.iter_mut()
        .filter(|r| r[0] == from)
        .for_each(|r| r[0] = to.into());
}

#[test]
fn wrong_queries_are_found() {
    assert_damage_found("line 7: ImgT-9 is not a query", |rows| {
        rename(rows, "ImgT-2", "ImgT-9")
    });
    assert_damage_found("7.jpg is an id of the gallery", |rows| {
        rename(rows, "ImgT-2", "7.jpg")
    });
    assert_damage_found("query ImgT-2 is not answered", |rows| {
        rows.drain(5..10);
    });
    assert_damage_found(
        "line 17: query ImgT-1 is answered again (first on line 2)",
        |rows| {
            rows.extend_from_within(..5);
        },
    );
    assert_damage_found("line 7: query ImgT-1 is answered again", |rows| {
        rows.splice(5..5, rows[..5].to_vec());
    });
    assert_damage_found("line 12: query ImgT-1 is out of order", |rows| {
        rows.rotate_left(5)
    });
    assert_damage_found("line 2: the first row has no id", |rows| rows[0][0].clear());
}

#[test]
fn files_of_another_form_are_found() {
    let rows = good_rows(false);
    for header in [
        "id,rank,result",
        "text_id,similarity_ranking",
        "similarity_ranking,text_id,result_image_id",
        "",
    ] {
        assert_found(file(header, &rows), "header");
    }
    assert_found(
        file("image_id,similarity_ranking,result_text_id", &rows),
        "the attachment asks text -> image",
    );
    assert_found(file(&rows[0].join(","), &rows[1..]), "header");
    assert_found("", "header");
    assert_found(file(HEADER, &[]), "there are no answers");
    assert_found(
        file(HEADER, &rows).replace("ImgT-2,3,", "ImgT-2,3,3.jpg,"),
        "line 9: 4 fields, expected 3",
    );
    assert_found(
        file(HEADER, &rows).replace(",3.jpg", ""),
        "2 fields, expected 3",
    );
    let in_chinese = file(HEADER, &rows).replace("1.jpg", "标题.jpg");
    assert_found(GB18030.encode(&in_chinese).0, "not UTF-8");
}

#[test]
fn a_violation_has_the_same_line_whatever_ends_a_line() {
    let mut rows = good_rows(false);
    rows[4][2] = "8.jpg".into();
    rows[9][1] = "6".into();
    let text = file(HEADER, &rows);
    let found = violations_in(text.as_bytes());
    assert_eq!(
        found,
        [
            "line 6: 8.jpg is not in the gallery",
            "line 11: rank `6` of query ImgT-2, expected 5"
        ]
    );
    assert_eq!(violations_in(text.replace('\n', "\r\n").as_bytes()), found);
}

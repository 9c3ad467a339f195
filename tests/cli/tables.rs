//! Tables as people send them: in any encoding, with lines missing, empty or doubled.

use std::fs;
use std::path::PathBuf;

use encoding_rs::GB18030;

use super::case::{Case, TEST_PAIRS, columns};
use super::files::edit;

fn tables(case: &Case) -> Vec<PathBuf> {
    [
        (1, "ImageWordData"),
        (2, "word_test"),
        (2, "image_data"),
        (3, "image_test"),
        (3, "word_data"),
    ]
    .map(|(n, name)| case.table(n, &format!("{name}.csv")))
    .to_vec()
}

/// Results of the set with its tables written by `encode`: the same as from plain UTF-8.
fn assert_same_results(encode: impl Fn(&str) -> Vec<u8>) {
    let case = Case::computed().copied();
    let plain = case.result_bytes();
    for table in tables(&case) {
        let text = fs::read_to_string(&table).unwrap();
        fs::write(&table, encode(&text)).unwrap();
    }
    fs::remove_dir_all(case.out()).unwrap();
    case.results(&[]).ok().does_not_say("WARN");
    assert_eq!(case.result_bytes(), plain);
    case.assert_valid();
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_column() {
    assert_same_results(|text| format!("\u{feff}{text}").into());
}

#[test]
fn lines_may_end_with_a_carriage_return() {
    assert_same_results(|text| text.replace('\n', "\r\n").into());
}

#[test]
fn tables_may_be_in_gb18030() {
    assert_same_results(|text| {
        let (bytes, _, unmappable) = GB18030.encode(text);
        assert!(!unmappable);
        bytes.into_owned()
    });
}

#[test]
fn tables_may_be_in_utf_16_of_either_order() {
    let marked = |text: &str| {
        format!("\u{feff}{text}")
            .encode_utf16()
            .collect::<Vec<u16>>()
    };
    assert_same_results(|text| {
        marked(text)
            .iter()
            .flat_map(|unit| unit.to_le_bytes())
            .collect()
    });
    assert_same_results(|text| {
        marked(text)
            .iter()
            .flat_map(|unit| unit.to_be_bytes())
            .collect()
    });
}

/// A table's rows written by the csv crate, and not by hand.
fn rewritten(text: &str, separator: u8, quotes: csv::QuoteStyle) -> String {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(separator)
        .quote_style(quotes)
        .from_writer(vec![]);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    reader
        .records()
        .for_each(|row| writer.write_record(&row.unwrap()).unwrap());
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

#[test]
fn tables_may_be_as_spreadsheets_write_them() {
    use csv::QuoteStyle::{Always, Necessary};
    // "Unicode text": tabs, in UTF-16
    assert_same_results(|text| {
        let text = format!("\u{feff}{}", rewritten(text, b'\t', Necessary)).replace('\n', "\r\n");
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    });
    assert_same_results(|text| format!("sep=;\n{}", rewritten(text, b';', Always)).into());
    // blank rows at the end, and names of columns as people write them
    assert_same_results(|text| {
        let text = text.replacen("image_id", "Image ID", 1);
        format!("{text},\n,\n\n")
            .replacen("caption", " Caption", 1)
            .into()
    });
}

#[test]
fn columns_are_found_by_their_names() {
    let case = Case::computed().copied();
    let plain = case.result_bytes();
    edit(&case.table(2, "image_data.csv"), |text| {
        let row = |(i, line): (usize, &str)| format!("{i}, {line} ,备注\n");
        let rows: String = text.lines().enumerate().skip(1).map(row).collect();
        format!("序号, image_id ,备注\n{rows}")
    });
    fs::remove_dir_all(case.out()).unwrap();
    case.results(&[]).ok().does_not_say("WARN");
    assert_eq!(case.result_bytes(), plain);
}

#[test]
fn a_missing_column_is_named_beside_those_that_are_there() {
    for (attachment, table, column) in [
        (1, "ImageWordData.csv", "caption"),
        (2, "word_test.csv", "text_id"),
        (2, "image_data.csv", "image_id"),
        (3, "image_test.csv", "image_id"),
        (3, "word_data.csv", "caption"),
    ] {
        let case = Case::new().copied();
        let path = case.table(attachment, table);
        edit(&path, |text| text.replacen(column, "编号", 1));
        let other = if column == "caption" {
            "_id, 编号"
        } else {
            "编号"
        };
        case.results(&[]).fails().says(&[
            "ERROR",
            path.to_str().unwrap(),
            &format!("`{column}`"),
            other,
        ]);
        assert!(!case.out().exists());
    }
}

#[test]
fn a_table_that_is_not_there_or_no_text_is_named() {
    for spoil in [
        |path: PathBuf| fs::remove_file(path).unwrap(),
        |path| fs::write(path, [0xff; 99]).unwrap(),
    ] {
        let case = Case::new().copied();
        let path = case.table(3, "word_data.csv");
        spoil(path.clone());
        case.results(&[])
            .fails()
            .says(&["ERROR", path.to_str().unwrap()]);
    }
}

/// Puts another caption in the row of an id.
fn set_caption(case: &Case, attachment: u8, table: &str, id: &str, caption: &str) {
    let path = case.table(attachment, table);
    let mut rows = columns::<2>(&path);
    rows.iter_mut()
        .find(|row| row[0] == id)
        .expect("the id is there")[1] = caption.to_owned();
    let mut table = csv::Writer::from_path(&path).unwrap();
    table.write_record(["text_id", "caption"]).unwrap();
    rows.iter().for_each(|row| table.write_record(row).unwrap());
}

const EMPTY: &str = "";
const STOP_WORDS: &str = "的，是在 和";
const UNKNOWN: &str = "zyzzyva";

#[test]
fn a_query_that_says_nothing_gets_the_first_of_the_gallery() {
    let case = Case::computed().copied();
    let queries = [
        ("Word-1000001819", EMPTY),
        ("Word-1000002091", STOP_WORDS),
        ("Word-1000009550", UNKNOWN),
    ];
    let before = case.answers(1);
    for (id, caption) in queries {
        set_caption(&case, 2, "word_test.csv", id, caption);
    }
    let mut outcome = case
        .results(&[])
        .ok()
        .says(&["WARN", "without usable features", "3 in all"]);
    case.assert_valid();
    let first: Vec<String> = columns::<1>(&case.table(2, "image_data.csv"))
        .into_iter()
        .map(|[id]| id)
        .take(5)
        .collect();
    for ((query, results), (_, old)) in case.answers(1).iter().zip(&before) {
        let says_nothing = queries.iter().any(|(id, _)| id == query);
        assert_eq!(results, if says_nothing { &first } else { old }, "{query}");
        if says_nothing {
            outcome = outcome.says(&["WARN", "without usable features", query]);
        }
    }
}

#[test]
fn a_text_that_says_nothing_answers_last() {
    let case = Case::computed().copied();
    let texts = [
        ("Word-1000001490", EMPTY),
        ("Word-1000003140", STOP_WORDS),
        ("Word-1000009824", UNKNOWN),
    ];
    for (id, caption) in texts {
        set_caption(&case, 3, "word_data.csv", id, caption);
    }
    case.results(&[]).ok();
    case.assert_valid();
    for (query, results) in case.answers(2) {
        let answer = texts.iter().find(|(id, _)| results.iter().any(|r| r == id));
        assert_eq!(answer, None, "an answer to {query}");
    }
}

#[test]
fn an_id_given_twice_counts_once() {
    let case = Case::computed().copied();
    let plain = case.result_bytes();
    for (attachment, table, row) in [
        (2, "word_test.csv", "Word-1000001819,四个黄色十字\n"),
        (2, "image_data.csv", "shape-0097.png\n"),
        (3, "image_test.csv", "shape-0113.png\n"),
        (3, "word_data.csv", "Word-1000003140,四个黄色十字\n"),
        (
            1,
            "ImageWordData.csv",
            "shape-0004.png,\"一张白色底的图片,上面是四条黄色条纹\"\n",
        ),
    ] {
        edit(&case.table(attachment, table), |text| {
            format!("{text}{row}")
        });
    }
    fs::remove_dir_all(case.out()).unwrap();
    case.results(&[])
        .ok()
        .says(&["WARN", "id given twice", "word_test.csv", "Word-1000001819"])
        .says(&[
            "WARN",
            "pair given twice",
            "ImageWordData.csv",
            "shape-0004.png",
        ])
        .says(&["WARN", "id given twice", "4 in all"]);
    assert_eq!(case.result_bytes(), plain);
    case.assert_valid();
}

#[test]
fn rows_that_cannot_be_used_are_left_out_with_a_warning() {
    let case = Case::computed().copied();
    let plain = case.result_bytes();
    let rows = "shape-0001.png,\n ,没有编号\n";
    edit(&case.table(1, "ImageWordData.csv"), |text| {
        format!("{text}{rows}")
    });
    edit(&case.table(2, "word_test.csv"), |text| {
        format!("{text},没有编号\n")
    });
    fs::remove_dir_all(case.out()).unwrap();
    let table = "ImageWordData.csv, line ";
    case.results(&[])
        .ok()
        .says(&["WARN", "empty caption (left out)", table, "shape-0001.png"])
        .says(&["WARN", "row without an id (left out)", table])
        .says(&["WARN", "row without an id", "2 in all"]);
    assert_eq!(case.result_bytes(), plain);
}

#[test]
fn a_caption_with_a_comma_that_nobody_quoted_is_kept_whole() {
    let case = Case::computed().copied();
    let plain = case.result_bytes();
    let unquoted =
        |text: &str| text.replace("\"两个橙色五角星,简洁又醒目\"", "两个橙色五角星,简洁又醒目");
    edit(&case.table(2, "word_test.csv"), unquoted);
    fs::remove_dir_all(case.out()).unwrap();
    case.results(&[])
        .ok()
        .says(&["WARN", "wrong number of fields", "word_test.csv", "line "]);
    assert_eq!(case.result_bytes(), plain);
}

#[test]
fn one_picture_may_have_several_captions() {
    let case = Case::new().copied();
    let row = "shape-0001.png,五条黑色的折线\n";
    edit(&case.table(1, "ImageWordData.csv"), |text| {
        format!("{text}{row}")
    });
    case.run("fit", &[])
        .ok()
        .says(&["96 images, 97 texts, 97 known pairs"])
        .prints("97 pairs learned from");
}

#[test]
fn tables_without_rows_end_the_run() {
    let case = Case::new().copied();
    let header = |text: &str| text.lines().next().unwrap().to_owned() + "\n";
    edit(&case.table(2, "image_data.csv"), header);
    let attachment = case.attachment(2);
    case.results(&[]).fails().says(&[
        "ERROR",
        attachment.to_str().unwrap(),
        &format!("{TEST_PAIRS} texts and 0 images"),
    ]);
    let case = Case::new().copied();
    edit(&case.table(1, "ImageWordData.csv"), header);
    case.results(&[])
        .fails()
        .says(&["ERROR", "nothing can be learned", "attachment1 has 0 pairs"]);
}

#[test]
fn a_quote_that_is_not_closed_loses_no_query() {
    let case = Case::computed().copied();
    edit(&case.table(2, "word_test.csv"), |text| {
        text.replace("Word-1000002091,", "Word-1000002091,\"")
    });
    case.results(&[])
        .ok()
        .says(&["WARN", "quote that is not closed", "word_test.csv, line "]);
    case.assert_valid();
    assert_eq!(case.answers(1).len(), TEST_PAIRS);
}

#[test]
fn the_encoding_of_tables_can_be_said() {
    let case = Case::computed().copied();
    let plain = case.result_bytes();
    let table = case.table(2, "word_test.csv");
    let text = fs::read_to_string(&table).unwrap();
    let (bytes, _, _) = GB18030.encode(&text);
    fs::write(&table, &bytes).unwrap();
    case.results(&["--encoding", "gbk"]).ok();
    assert_eq!(case.result_bytes(), plain);
    case.results(&["--encoding", "utf-8"]).fails().says(&[
        "ERROR",
        "word_test.csv",
        "not UTF-8",
        "--encoding",
    ]);
    case.results(&["--encoding", "klingon"]).bad_usage();
}

//! Tables of captions and of ids, in any encoding and with any quoting.

use std::fs;

use encoding_rs::GB18030;
use proptest::collection::vec;
use proptest::prelude::*;
use tuwen::Error;
use tuwen::dataset::Table;

use super::cases::config;
use super::made_up::folder;

#[derive(Clone, Copy, Debug)]
enum Coding {
    Utf8,
    Utf8Mark,
    Utf16Le,
    Utf16Be,
    Gb18030,
}

const CODINGS: [Coding; 5] = [
    Coding::Utf8,
    Coding::Utf8Mark,
    Coding::Utf16Le,
    Coding::Utf16Be,
    Coding::Gb18030,
];

fn coded(text: &str, coding: Coding) -> Vec<u8> {
    let marked = format!("\u{feff}{text}");
    match coding {
        Coding::Utf8 => text.into(),
        Coding::Utf8Mark => marked.into(),
        Coding::Utf16Le => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Coding::Utf16Be => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Coding::Gb18030 => GB18030.encode(text).0.into_owned(),
    }
}

fn line(fields: &[String], quote_all: bool) -> String {
    let quoted = |f: &String| match quote_all || f.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", f.replace('"', "\"\"")),
        false => f.clone(),
    };
    fields.iter().map(quoted).collect::<Vec<_>>().join(",")
}

/// 标 begins with a byte that begins no character of UTF-8, so that GB18030 is not taken for it.
fn columns(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("标题{i}")).collect()
}

fn read_table(bytes: &[u8], columns: &[&str]) -> (tuwen::Result<Table>, usize) {
    let folder = folder();
    let path = folder.path().join("table.csv");
    fs::write(&path, bytes).unwrap();
    let mut warnings = Vec::new();
    let table = Table::read(&path, columns, &mut warnings);
    (table, warnings.len())
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn tables_come_back_in_every_encoding(
        rows in (2..5usize).prop_flat_map(|n| vec(vec("[a-c,;\"'\n\r\t 中文，。·ｱ\u{1f415}]{0,6}", n), 1..8)),
        coding in proptest::sample::select(&CODINGS[..]),
        ending in proptest::sample::select(vec!["\n", "\r\n"]),
        quote_all in any::<bool>(),
        final_ending in any::<bool>(),
    ) {
        let header = columns(rows[0].len());
        let mut text = line(&header, quote_all) + ending;
        rows.iter().for_each(|row| text += &(line(row, quote_all) + ending));
        if !final_ending {
            text.truncate(text.len() - ending.len());
        }
        let wanted: Vec<&str> = header.iter().rev().map(String::as_str).collect();
        let (table, warnings) = read_table(&coded(&text, coding), &wanted);
        let records = table.unwrap().records;
        prop_assert_eq!(warnings, 0);
        let fields: Vec<Vec<String>> = records.iter().map(|r| r.fields.iter().rev().cloned().collect()).collect();
        prop_assert_eq!(fields, rows);
    }
}

#[test]
fn a_record_knows_its_first_line() {
    let text = "id,caption\n1,狗\n2,\"两只\n狗\"\n3,猫\n";
    for text in [text.into(), text.replace('\n', "\r\n")] {
        let (table, _) = read_table(text.as_bytes(), &["id"]);
        let lines: Vec<u64> = table.unwrap().records.iter().map(|r| r.line).collect();
        assert_eq!(lines, [2, 3, 5], "{text:?}");
    }
}

#[test]
fn an_unquoted_comma_belongs_to_the_last_column() {
    let (table, warnings) = read_table(
        "id,caption\n1,一个人,在跑\n2,狗\n3\n".as_bytes(),
        &["caption", "id"],
    );
    let records = table.unwrap().records;
    let fields: Vec<_> = records
        .iter()
        .map(|r| [r.fields[0].as_str(), r.fields[1].as_str()])
        .collect();
    assert_eq!(fields, [["一个人,在跑", "1"], ["狗", "2"], ["", "3"]]);
    assert_eq!(warnings, 2);
}

#[test]
fn a_missing_column_is_named_with_those_there_are() {
    let (table, _) = read_table("id, 标题 \n1,狗\n".as_bytes(), &["标题", "caption"]);
    match table.unwrap_err() {
        Error::MissingColumn { column, found, .. } => {
            assert_eq!(
                (column.as_str(), found),
                ("caption", vec!["id".to_owned(), "标题".into()])
            );
        }
        other => panic!("{other}"),
    }
}

#[test]
fn bytes_in_no_known_encoding_are_an_error() {
    let (table, _) = read_table(b"id,caption\n1,\x80\xff\xff\n", &["id"]);
    assert!(matches!(table, Err(Error::Table { .. })));
    let (table, _) = read_table(b"\xef\xbb\xbfid,caption\n1,\xff\n", &["id"]);
    assert!(
        matches!(table, Err(Error::Table { .. })),
        "marked as UTF-8, and is not"
    );
}

//! Tables of captions and of ids, in any encoding, with any separator and quoting, and as badly written as can be.

use std::fs;

use csv::{QuoteStyle, Terminator};
use encoding_rs::{BIG5, GB18030};
use proptest::collection::vec;
use proptest::prelude::*;
use tuwen::Error;
use tuwen::dataset::{Table, Warning};

use super::cases::config;
use super::made_up::folder;

#[derive(Clone, Copy, Debug)]
pub enum Coding {
    Utf8,
    Utf8Mark,
    Utf16Le,
    Utf16Be,
    Utf16LeUnmarked,
    Utf16BeUnmarked,
    Gb18030,
    Big5,
}

pub const CODINGS: [Coding; 8] = [
    Coding::Utf8,
    Coding::Utf8Mark,
    Coding::Utf16Le,
    Coding::Utf16Be,
    Coding::Utf16LeUnmarked,
    Coding::Utf16BeUnmarked,
    Coding::Gb18030,
    Coding::Big5,
];

pub fn coded(text: &str, coding: Coding) -> Vec<u8> {
    let marked = format!("\u{feff}{text}");
    match coding {
        Coding::Utf8 => text.into(),
        Coding::Utf8Mark => marked.into(),
        Coding::Utf16Le => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Coding::Utf16Be => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Coding::Utf16LeUnmarked => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Coding::Utf16BeUnmarked => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Coding::Gb18030 => GB18030.encode(text).0.into_owned(),
        Coding::Big5 => BIG5.encode(text).0.into_owned(),
    }
}

pub fn read_table(bytes: &[u8], columns: &[&str]) -> (tuwen::Result<Table>, Vec<Warning>) {
    let folder = folder();
    let path = folder.path().join("table.csv");
    fs::write(&path, bytes).unwrap();
    let mut warnings = Vec::new();
    let table = Table::read(&path, columns, &mut warnings);
    (table, warnings)
}

/// The ids and captions of a table.
#[track_caller]
pub fn rows(bytes: &[u8]) -> (Vec<[String; 2]>, Vec<Warning>) {
    let (table, warnings) = read_table(bytes, &["text_id", "caption"]);
    let records = table.unwrap().records.into_iter();
    let fields = records.map(|r| r.fields.try_into().unwrap());
    (fields.collect(), warnings)
}

#[track_caller]
pub fn assert_rows(bytes: impl AsRef<[u8]>, expected: &[[&str; 2]], warned: &[(&str, &str)]) {
    let (found, warnings) = rows(bytes.as_ref());
    assert_eq!(found, expected);
    let fits = |(w, (kind, message)): (&Warning, &(&str, &str))| {
        w.kind.contains(kind) && w.message.contains(message)
    };
    let all = warnings.len() == warned.len() && warnings.iter().zip(warned).all(fits);
    assert!(all, "{warnings:?}, expected {warned:?}");
}

fn written(rows: &[[String; 2]], separator: u8, ending: Terminator, quotes: QuoteStyle) -> String {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(separator)
        .terminator(ending)
        .quote_style(quotes)
        .from_writer(vec![]);
    writer.write_record(["text_id", "caption"]).unwrap();
    rows.iter()
        .for_each(|row| writer.write_record(row).unwrap());
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn tables_come_back_as_they_were_written(
        captions in vec("[a-c,;|\\\\\"'\n\r\t 中文的一人大，。]{0,12}", 1..8),
        coding in proptest::sample::select(&CODINGS[..]),
        separator in proptest::sample::select(&b",;\t|"[..]),
        ending in proptest::sample::select(vec![Terminator::CRLF, Terminator::Any(b'\n'), Terminator::Any(b'\r')]),
        quotes in proptest::sample::select(vec![QuoteStyle::Always, QuoteStyle::Necessary]),
        final_ending in any::<bool>(),
    ) {
        let row = |(i, caption): (usize, &String)| [format!("Word-{i:03}"), caption.clone()];
        // Something in Chinese in each, so that the encoding can be told; in characters that all encodings have.
        let mut all: Vec<[String; 2]> = captions.iter().enumerate().map(row).collect();
        all.push(["Word-999".into(), "一大人在山中".into()]);
        let mut text = written(&all, separator, ending, quotes);
        if !final_ending {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
        let (found, warnings) = rows(&coded(&text, coding));
        prop_assert_eq!(found, all);
        prop_assert!(warnings.iter().all(|w| w.kind.contains("could be rows")), "{:?}", warnings);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        bytes in vec(proptest::sample::select(&b"a1\",;\t|\\\r\n \0=\xff\xfe\xef\xbb\xbf\xd6\xd0\xa4\xa4\x81\x30"[..]), 0..200),
        headed in any::<bool>(),
    ) {
        let mut table = if headed { b"text_id,caption\n".to_vec() } else { vec![] };
        table.extend(bytes);
        for columns in [&["text_id", "caption"][..], &["text_id"], &["caption"], &["a"]] {
            drop(read_table(&table, columns));
        }
    }

    #[test]
    fn a_quote_that_nothing_closes_swallows_no_row(at in 0..20usize, place in 0..4usize, doubled in any::<bool>()) {
        let mut all: Vec<[String; 2]> = (0..20).map(|i| [format!("Word-{i:03}"), format!("一只狗，{i}号")]).collect();
        all[7][1] = "他说\"好\"，5\" 宽".into();
        let quote = if doubled { "\"\"\"" } else { "\"" };
        let [before, after] = [&["Word-", "\"Word-", "Word-", "Word-"][place], &[",\"", ",", ",一\"", ", \""][place]];
        let lines = all.iter().enumerate().map(|(i, [id, caption])| match i == at {
            true => format!("{before}{}{}{caption}\n", &id[5..], after.replace('"', quote)),
            false => format!("{id},{caption}\n"),
        });
        let text = format!("text_id,caption\n{}", lines.collect::<String>());
        let (found, _) = rows(text.as_bytes());
        prop_assert_eq!(found.len(), 20);
        for (i, (row, expected)) in found.iter().zip(&all).enumerate() {
            prop_assert_eq!(&row[0], &expected[0]);
            prop_assert!(i == at || row[1] == expected[1]);
        }
    }
}

#[test]
fn a_record_knows_its_first_line() {
    let text = "id,caption\n1,狗\n2,\"两只\n狗\"\n\n3,猫\n";
    for text in [
        text.into(),
        text.replace('\n', "\r\n"),
        text.replace('\n', "\r"),
    ] {
        let (table, _) = read_table(text.as_bytes(), &["id"]);
        let lines: Vec<u64> = table.unwrap().records.iter().map(|r| r.line).collect();
        assert_eq!(lines, [2, 3, 6], "{text:?}");
    }
}

#[test]
fn surplus_fields_belong_to_the_caption_wherever_it_stands() {
    let ragged = |line| ("wrong number of fields", line);
    assert_rows(
        "text_id,caption\n1,一个人,在跑\n2,狗,\n3\n",
        &[["1", "一个人,在跑"], ["2", "狗"], ["3", ""]],
        &[ragged("line 2: 3 fields"), ragged("line 4: 1 fields")],
    );
    assert_rows(
        "caption;text_id;x\n一个人;在跑; a1 ;y\n",
        &[["a1", "一个人;在跑"]],
        &[ragged("line 2: 4 fields")],
    );
}

#[test]
fn nothing_becomes_part_of_an_id() {
    let ids = |text: &str| {
        let (table, warnings) = read_table(text.as_bytes(), &["image_id"]);
        let ids: Vec<String> = table
            .unwrap()
            .records
            .into_iter()
            .map(|mut r| r.fields.remove(0))
            .collect();
        (ids, warnings.len())
    };
    assert_eq!(
        ids("image_id\n a.png \n\n,\n;;\n \t \nb.png,\nc.png;\n"),
        (vec!["a.png".into(), "b.png".into(), "c.png;".into()], 0)
    );
    assert_eq!(ids("image_id\na.png;\nb.png;;\n;\n").0, ["a.png", "b.png"]);
    assert_eq!(
        ids("image_id\na.png,surplus\n\"b.png\n\"c.png\"\n"),
        (vec!["a.png".into(), "b.png".into(), "c.png".into()], 2)
    );
    // whichever column is asked for, the caption takes what is too much
    let (table, _) = read_table(
        "caption,image_id\n一只,狗,a.png\n".as_bytes(),
        &["image_id"],
    );
    assert_eq!(table.unwrap().records[0].fields, ["a.png"]);
}

#[test]
fn a_quote_ends_where_another_row_begins() {
    let unclosed = |line| ("quote that is not closed", line);
    let header = "text_id,caption\n";
    let kept = [["a-1", "一只狗,在跑"], ["a-2", "猫"], ["a-3", "鸟"]];
    assert_rows(
        format!("{header}a-1,\"一只狗,在跑\na-2,猫\na-3,鸟\n"),
        &kept,
        &[unclosed("line 2")],
    );
    assert_rows(
        format!("{header}a-1,\"一只狗,在跑\na-2,\"猫\"\na-3,鸟\n"),
        &kept,
        &[unclosed("line 2")],
    );
    assert_rows(
        format!("{header}a-1,\"一只狗,在跑\na-2,猫\na-3,鸟\"\n"),
        &[kept[0], kept[1], ["a-3", "鸟\""]],
        &[unclosed("line 2"), ("nothing opens", "line 4")],
    );
    assert_rows(
        format!("{header}a-2,猫\na-3,\"鸟"),
        &kept[1..],
        &[unclosed("line 3")],
    );
    assert_rows(
        format!("{header}a-2,猫\na-3,\"鸟\n\n"),
        &kept[1..],
        &[unclosed("line 3")],
    );
    // two lines of one caption, and the quote still open
    assert_rows(
        format!("{header}a-1,\"一只狗\n在跑\na-2,猫\n"),
        &[["a-1", "一只狗\n在跑"], kept[1]],
        &[unclosed("line 2")],
    );
    // words for ids: no line can be told to be a row, so that it is said
    assert_rows(
        format!("{header}dog,\"狗\ncat,猫\nbird,\"\n"),
        &[["dog", "狗\ncat,猫\nbird,"]],
        &[("could be rows", "line 2 to 4")],
    );
    assert_rows(
        format!("{header}dog,\"狗\ncat,猫\nbird,鸟\n"),
        &[["dog", "狗"], ["cat", "猫"], ["bird", "鸟"]],
        &[unclosed("line 2")],
    );
}

#[test]
fn captions_may_go_over_lines_and_hold_quotes() {
    let header = "text_id,caption\n";
    assert_rows(
        format!(
            "{header}a-1,\"题为\"\"狗\"\",\n见附图, 1\n\n完\"\na-2,他说\"好\"\na-3, \"引,用\" \n"
        ),
        &[
            ["a-1", "题为\"狗\",\n见附图, 1\n\n完"],
            ["a-2", "他说\"好\""],
            ["a-3", "引,用"],
        ],
        &[],
    );
    assert_rows(
        format!("{header}\"a-1\",\"题为\\\"狗\\\",\n见附图\"\n\"a-2\",\"C:\\dir\"\n"),
        &[["a-1", "题为\"狗\",\n见附图"], ["a-2", "C:\\dir"]],
        &[],
    );
    assert_rows(
        format!("{header}a-1,\"C:\\dir\\\"\na-2,狗\n"),
        &[["a-1", "C:\\dir\\"], ["a-2", "狗"]],
        &[],
    );
    assert_rows(
        "caption,text_id\n\"一只狗,\n在跑\",a-1\n\"猫\",a-2\n",
        &[["a-1", "一只狗,\n在跑"], ["a-2", "猫"]],
        &[],
    );
}

#[test]
fn headers_are_found_as_spreadsheets_write_them() {
    for header in [
        "Text_Id,Caption",
        " text_id , caption ",
        "\"TEXT_ID\",\"caption\"",
        "text id,CAPTION",
        "sep=;\r\ntext_id;caption",
        "\"sep=,\"\ntext_id,caption",
        "sep=\t\ntext_id\tcaption",
        "\n,\ntext_id,caption",
        "text-id|caption",
        "ＴextID\tcaption",
        "text_id,\"caption",
    ] {
        let separator = header.chars().rev().find(|c| ",;|\t".contains(*c)).unwrap();
        assert_rows(
            format!("{header}\na-1{separator}狗\n"),
            &[["a-1", "狗"]],
            &[],
        );
    }
}

#[test]
fn columns_without_a_name_may_be_missing() {
    assert_rows(
        "text_id,caption,,\na-1,狗\na-2,猫,,\na-3,鸟,x\n",
        &[["a-1", "狗"], ["a-2", "猫"], ["a-3", "鸟"]],
        &[],
    );
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
fn overlong_captions_are_cut_and_said() {
    let long = "长".repeat(1 << 20);
    for caption in [
        long.clone(),
        format!("\"{long}\""),
        format!("\"{long}"),
        "狗,".repeat(1 << 20),
    ] {
        let (found, warnings) =
            rows(format!("text_id,caption\na-1,{caption}\na-2,狗\n").as_bytes());
        assert!(found[0][1].len() <= 1 << 16, "{}", found[0][1].len());
        assert_eq!(found[1], ["a-2", "狗"]);
        assert!(
            warnings
                .iter()
                .any(|w| w.kind.contains("overlong") && w.message.contains("line 2")),
            "{warnings:?}"
        );
    }
}

#[test]
fn what_is_not_a_regular_file_is_no_table() {
    let folder = folder();
    let pipe = folder.path().join("pipe.csv");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    for path in [pipe.as_path(), "/dev/zero".as_ref(), folder.path()] {
        let table = Table::read(path, &["text_id"], &mut vec![]);
        let error = table.unwrap_err().to_string();
        assert!(error.contains("not a regular file"), "{error}");
    }
}

#[test]
fn stray_quotes_in_ids_are_left_out_and_said() {
    assert_rows(
        "text_id,caption\na-1\",狗\na\"2,猫\n",
        &[["a-1", "狗"], ["a\"2", "猫"]],
        &[("id with a quote", "line 2"), ("id with a quote", "line 3")],
    );
}

#[test]
fn backslashes_escape_quotes_in_fields_without_quotes_too() {
    assert_rows(
        "text_id,caption\na-1,他说\\\"好\\\"\na-2,猫\n",
        &[["a-1", "他说\"好\""], ["a-2", "猫"]],
        &[],
    );
}

//! Encodings of tables: told apart, asked for, and broken.

use std::fs;

use tuwen::Error;
use tuwen::dataset::{Table, Warning, encoding};

use super::made_up::folder;
use super::tables::{Coding, assert_rows, coded, read_table, rows};

#[test]
fn bytes_in_no_known_encoding_are_an_error() {
    let (table, _) = read_table(b"\xef\xbb\xbfid,caption\n1,\xff\n", &["id"]);
    assert!(
        matches!(table, Err(Error::Table { .. })),
        "marked as UTF-8, and is not"
    );
}

#[test]
fn a_bad_byte_spoils_its_own_line_alone() {
    let text: String = (1..=9).map(|i| format!("a-{i},一大人在山中走\n")).collect();
    let text = format!("text_id,caption\n{text}");
    for coding in [
        Coding::Utf8,
        Coding::Utf8Mark,
        Coding::Gb18030,
        Coding::Big5,
    ] {
        let mut bytes = coded(&text, coding);
        let line = bytes.windows(4).position(|w| w == b"a-5,").unwrap();
        bytes.insert(line + 4, 0xff);
        let (found, warnings) = rows(&bytes);
        assert_eq!(found.len(), 9, "{coding:?}");
        assert_eq!(
            (found[4][0].as_str(), found[4][1].chars().last()),
            ("a-5", Some('走'))
        );
        assert_eq!(found[3][1], "一大人在山中走");
        let [Warning { kind, message }] = &warnings[..] else {
            panic!("{warnings:?}")
        };
        assert!(
            kind.contains("cannot be read") && message.contains("line 6"),
            "{warnings:?}"
        );
        // in an id it is a row that cannot be answered
        bytes.remove(line + 4);
        bytes.insert(line + 1, 0xff);
        let (found, warnings) = rows(&bytes);
        assert_eq!(
            (found.len(), warnings.len()),
            (8, 2),
            "{coding:?}: {warnings:?}"
        );
    }
    let (found, warnings) = rows(b"text_id,caption\na-1,one caf\xe9\na-2,two\na-3,two\na-4,x\na-5,x\na-6,x\na-7,x\na-8,x\na-9,x\n");
    assert_eq!(
        (found[0][1].as_str(), warnings.len()),
        ("one caf", 1),
        "English with one byte of Latin-1"
    );
}

#[test]
fn nuls_are_left_out_and_said() {
    assert_rows(
        "text_id,caption\na-1,\0狗\na-2,猫\n\0\0\0",
        &[["a-1", "狗"], ["a-2", "猫"]],
        &[("NUL", "line 2"), ("NUL", "line 4")],
    );
}

#[test]
fn chinese_encodings_are_told_apart_by_short_captions() {
    for caption in [
        "一只狗",
        "五个红色的圆环",
        "两个人在海边散步",
        "小女孩",
        "他的球衣是红色的",
    ] {
        let text = format!("text_id,caption\n1,{caption}\n");
        assert_rows(coded(&text, Coding::Gb18030), &[["1", caption]], &[]);
    }
    for caption in [
        "一隻狗",
        "五個紅色的圓環",
        "兩個人在海邊散步",
        "小女孩",
        "他的球衣是紅色的",
    ] {
        let text = format!("text_id,caption\n1,{caption}\n");
        assert_rows(coded(&text, Coding::Big5), &[["1", caption]], &[]);
    }
}

#[test]
fn an_unlikely_text_is_said_to_be_so() {
    let (_, warnings) =
        rows(b"text_id,caption\n1,\xe9t\xe9 \xe0 la plage\n2,gar\xe7on\n3,\xeatre\n");
    assert!(
        warnings
            .iter()
            .any(|w| w.kind.contains("uncertain encoding") && w.message.contains("--encoding")),
        "{warnings:?}"
    );
}

#[test]
fn the_encoding_that_is_asked_for_is_used() {
    let folder = folder();
    let path = folder.path().join("table.csv");
    let read = |bytes: &[u8], name: &str| {
        fs::write(&path, bytes).unwrap();
        let mut warnings = Vec::new();
        let encoding = Some(encoding(name).unwrap());
        let table = Table::read_as(&path, &["text_id", "caption"], encoding, &mut warnings);
        table.map(|t| (t.records[0].fields[1].clone(), warnings.len()))
    };
    let text = "text_id,caption\n1,犬が走る\n";
    let (japanese, _, _) = encoding_rs::SHIFT_JIS.encode(text);
    assert_eq!(
        read(&japanese, "shift_jis").unwrap(),
        ("犬が走る".into(), 0)
    );
    assert_eq!(
        read(&coded(text, Coding::Utf16Be), "gbk").unwrap().0,
        "犬が走る",
        "a mark says more"
    );
    assert_eq!(read(text.as_bytes(), "gbk").unwrap().1, 1, "it is UTF-8");
    assert!(
        read(
            &coded("text_id,caption\n1,中文\n", Coding::Gb18030),
            "utf-8"
        )
        .is_err()
    );
    assert!(encoding("klingon").unwrap_err().contains("big5"));
}

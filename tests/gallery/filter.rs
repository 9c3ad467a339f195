//! Filters: what is read, written and selected.

use proptest::prelude::*;
use tuwen::gallery::filter::{
    Filter, Has, Number, NumberField, Period, Range, TextField, TextTest, UNKNOWN,
};

use super::cases::config;
use super::columns::{Row, Table, has};

fn parse(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn refused(text: &str) -> String {
    Filter::parse(text).expect_err(text).to_string()
}

/// The meaning of a filter, one row at a time, in other words than those of the library.
fn holds(filter: &Filter, row: &Row) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|p| holds(p, row)),
        Filter::Any(parts) => parts.iter().any(|p| holds(p, row)),
        Filter::Not(inner) => !holds(inner, row),
        Filter::Has(what) => has(row, *what),
        Filter::Number(field, range) => {
            let value = match field {
                NumberField::Width => f64::from(row.width),
                NumberField::Height => f64::from(row.height),
                NumberField::Pixels => f64::from(row.width) * f64::from(row.height),
                NumberField::Bytes => row.bytes as f64,
                NumberField::Aspect if row.height == 0 => return false,
                NumberField::Aspect => f64::from(row.width) / f64::from(row.height),
            };
            ordered(range, |v| value.total_cmp(&v.value()))
        }
        Filter::Date(_) if row.taken == UNKNOWN => false,
        Filter::Date(range) => ordered(range, |p| {
            // The digits that the period has, compared with as many of the moment.
            let shown: String = p.to_string().chars().filter(char::is_ascii_digit).collect();
            let moment = format!("{:014}", row.taken);
            moment[..shown.len()].cmp(&shown)
        }),
        Filter::Text(field, test) => {
            let equals = |value: &str, wanted: &str| match field {
                TextField::Folder => {
                    let wanted = wanted.trim_matches('/');
                    wanted.is_empty() || value == wanted || value.starts_with(&format!("{wanted}/"))
                }
                TextField::Format => value.eq_ignore_ascii_case(wanted),
                _ => value == wanted,
            };
            let values: Vec<&String> = match field {
                TextField::Folder => vec![&row.folder],
                TextField::Camera => vec![&row.camera],
                TextField::Format => vec![&row.format],
                TextField::Id => vec![&row.id],
                TextField::Tag => row.tags.iter().collect(),
            };
            let any = |wanted: &str| values.iter().any(|v| equals(v, wanted));
            match test {
                TextTest::Is(wanted) => any(wanted),
                TextTest::IsNot(wanted) => !any(wanted),
                TextTest::In(wanted) => wanted.iter().any(|w| any(w)),
                TextTest::Contains(part) => {
                    let part = part.to_lowercase();
                    values.iter().any(|v| v.to_lowercase().contains(&part))
                }
            }
        }
    }
}

fn ordered<V>(range: &Range<V>, order: impl Fn(&V) -> std::cmp::Ordering) -> bool {
    match range {
        Range::Is(v) => order(v).is_eq(),
        Range::IsNot(v) => order(v).is_ne(),
        Range::Below(v) => order(v).is_lt(),
        Range::AtMost(v) => order(v).is_le(),
        Range::Above(v) => order(v).is_gt(),
        Range::AtLeast(v) => order(v).is_ge(),
        Range::In(values) => values.iter().any(|v| order(v).is_eq()),
    }
}

fn range_of<V: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = V> + Clone + 'static,
) -> impl Strategy<Value = Range<V>> {
    let many = prop::collection::vec(value.clone(), 1..4).prop_map(Range::In);
    let one = (0..6, value).prop_map(|(kind, v)| match kind {
        0 => Range::Is(v),
        1 => Range::IsNot(v),
        2 => Range::Below(v),
        3 => Range::AtMost(v),
        4 => Range::Above(v),
        _ => Range::AtLeast(v),
    });
    prop_oneof![6 => one, 1 => many]
}

fn number() -> impl Strategy<Value = Number> + Clone {
    let small = (0u32..12).prop_map(|v| f64::from(v) / 2.0);
    let any = prop_oneof![4 => small, 1 => 0.0..1e9f64, 1 => Just(9_007_199_254_740_992.0)];
    any.prop_map(|v| Number::new(v).unwrap())
}

fn period() -> impl Strategy<Value = Period> + Clone {
    let texts = (2022..2025, 1..13, 1..29, 0..24, 0..60, 0..4);
    texts.prop_map(|(y, m, d, h, min, known)| {
        let text = match known {
            0 => format!("{y}"),
            1 => format!("{y}-{m}"),
            2 => format!("{y}-{m}-{d:02}"),
            _ => format!("{y}-{m}-{d} {h}:{min:02}"),
        };
        Period::parse(&text).unwrap()
    })
}

fn words() -> impl Strategy<Value = String> + Clone {
    const KNOWN: &[&str] = &[
        "",
        "a",
        "A",
        "a/b",
        "a/b/",
        "a/bc",
        "b",
        "and",
        "NOT",
        "图 1.jpg",
        "“",
        "x\"\\\n\t'",
        "2024",
        "（",
    ];
    prop_oneof![4 => prop::sample::select(KNOWN).prop_map(str::to_owned), 1 => any::<String>()]
}

fn filter() -> impl Strategy<Value = Filter> {
    let fields = prop::sample::select(
        &[
            NumberField::Width,
            NumberField::Height,
            NumberField::Pixels,
            NumberField::Bytes,
            NumberField::Aspect,
        ][..],
    );
    let texts = prop::sample::select(
        &[
            TextField::Folder,
            TextField::Camera,
            TextField::Format,
            TextField::Id,
            TextField::Tag,
        ][..],
    );
    let test =
        (0..4, prop::collection::vec(words(), 1..4)).prop_map(|(kind, mut all)| match kind {
            0 => TextTest::Is(all.remove(0)),
            1 => TextTest::IsNot(all.remove(0)),
            2 => TextTest::Contains(all.remove(0)),
            _ => TextTest::In(all),
        });
    let leaf = prop_oneof![
        (fields, range_of(number())).prop_map(|(f, r)| Filter::Number(f, r)),
        range_of(period()).prop_map(Filter::Date),
        (texts, test).prop_map(|(f, t)| match (f, t) {
            (TextField::Tag, TextTest::Contains(tag)) => Filter::Text(f, TextTest::Is(tag)),
            (f, t) => Filter::Text(f, t),
        }),
        prop::sample::select(&[Has::Captions, Has::Tags, Has::Text][..]).prop_map(Filter::Has),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let parts = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            parts.clone().prop_map(|p| Filter::all(p).unwrap()),
            parts.prop_map(|p| Filter::any(p).unwrap()),
            inner.prop_map(|f| Filter::Not(Box::new(f))),
        ]
    })
}

fn row() -> impl Strategy<Value = Row> {
    let sizes = (0u32..6, 0u32..6, 0u64..6);
    let date =
        (2022i64..2025, 1i64..13, 1i64..29, 0i64..24, 0i64..60).prop_map(|(y, m, d, h, min)| {
            ((((y * 100 + m) * 100 + d) * 100 + h) * 100 + min) * 100 + 30
        });
    let date = prop_oneof![1 => Just(UNKNOWN), 4 => date];
    let texts = (
        words(),
        words(),
        words(),
        words(),
        prop::collection::vec(words(), 0..3),
    );
    (sizes, date, texts, any::<bool>(), any::<bool>()).prop_map(|(s, taken, t, captions, text)| {
        Row {
            width: s.0,
            height: s.1,
            bytes: s.2,
            taken,
            folder: t.0.trim_matches('/').to_owned(),
            camera: t.1,
            format: t.2,
            id: t.3,
            tags: t.4,
            captions,
            text,
        }
    })
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn what_is_written_is_read_as_the_same(filter in filter()) {
        let text = filter.to_string();
        let read = Filter::parse(&text);
        prop_assert_eq!(read.as_ref().ok(), Some(&filter), "{}: {:?}", text, read);
    }

    #[test]
    fn what_is_selected_holds_row_by_row(filter in filter(), rows in prop::collection::vec(row(), 0..150)) {
        let table = Table::new(rows);
        let selected = filter.select(&table);
        let expected: Vec<usize> = (0..table.rows.len()).filter(|&i| holds(&filter, &table.rows[i])).collect();
        prop_assert_eq!(selected.iter().collect::<Vec<_>>(), expected, "{}", filter);
        prop_assert_eq!(selected.count(), selected.iter().count());
        prop_assert!(selected.iter().all(|i| selected.contains(i)));
    }

    #[test]
    fn any_text_is_read_or_refused(text in r#"[a-z0-9 ()=<>!~,"'\\“”（）＝≥.:-]{0,60}|\PC{0,40}"#) {
        if let Ok(filter) = Filter::parse(&text) {
            prop_assert_eq!(Filter::parse(&filter.to_string()).unwrap(), filter);
        }
    }
}

#[test]
fn filters_are_written_in_one_form() {
    for (text, written) in [
        (
            "width > 1000 and folder = \"2024\" and not camera ~ 'Canon'",
            "width > 1000 and folder = 2024 and not camera ~ Canon",
        ),
        (
            "WIDTH>=1.5k OR bytes<2M",
            "width >= 1500 or bytes < 2000000",
        ),
        ("((a_b))=1 or width = 1", ""),
        (
            "(width = 1 or height = 2) and (pixels != 3 and bytes = 4)",
            "(width = 1 or height = 2) and pixels != 3 and bytes = 4",
        ),
        (
            "date = 2024-5 or date>=2024/5/1T9:05",
            "date = 2024-05 or date >= \"2024-05-01 09:05\"",
        ),
        ("（ｗｉｄｔｈ＞１０００，）", ""),
        ("（宽）", ""),
        (
            "（ｗｉｄｔｈ＞１０００ and folder＝“照片 2024”）or aspect≥１．５",
            "(width > 1000 and folder = \"照片 2024\") or aspect >= 1.5",
        ),
        (
            "id in （“a”，'b'） and tag not in (x)",
            "id in (a, b) and not tag in (x)",
        ),
        (
            "height≤2 and height ≠ 3 and height！＝4 and width == 5",
            "height <= 2 and height != 3 and height != 4 and width = 5",
        ),
        (
            "has captions and not HAS Text",
            "has captions and not has text",
        ),
        ("not not has tags", "not not has tags"),
        ("folder = \"他说“好”\"", "folder = \"他说“好”\""),
        ("id = 'it\\'s \\\\ \\n'", "id = \"it's \\\\ \\n\""),
        ("tag = 'and'", "tag = \"and\""),
    ] {
        match written {
            "" => drop(refused(text)),
            _ => assert_eq!(parse(text).to_string(), written, "{text}"),
        }
    }
}

#[test]
fn errors_say_where_what_and_what_else() {
    for (text, parts) in [
        (
            "",
            &["character 1:", "found the end", "a field, `not` or `("][..],
        ),
        (
            "widht > 3",
            &[
                "character 1:",
                "`widht`",
                "fields are: width, height, pixels",
            ],
        ),
        ("width 3", &["character 7:", "`3`", "`>=` or `in`"]),
        ("width > ", &["character 9:", "the end", "a value"]),
        (
            "width > big",
            &["character 9:", "`big`", "a number such as"],
        ),
        ("width > 1k5", &["a number such as"]),
        ("bytes < 1e400", &["a number such as"]),
        ("bytes < 9999999G", &["a number such as"]),
        ("width ~ 3", &["character 7:", "`~`", "`<=`"]),
        ("camera < 3", &["character 8:", "`<`", "`~` or `in`"]),
        ("tag ~ x", &["character 5:", "`~`", "`=`, `!=` or `in`"]),
        (
            "date = 2024-13",
            &["character 8:", "`2024-13`", "a date such as"],
        ),
        ("date = 2023-02-29", &["a date such as"]),
        ("date = \"2024-05 12:30\"", &["a date such as"]),
        ("（width > 3", &["character 11:", "the end", "`)`"]),
        (
            "width > 3)",
            &["character 10:", "`)`", "`and`, `or` or the end"],
        ),
        ("width > 3 height = 2", &["character 11:", "`height`"]),
        ("id in ()", &["character 8:", "`)`", "a value"]),
        ("id in (a b)", &["character 10:", "`b`", "`,` or `)`"]),
        ("id not = 3", &["character 8:", "`in`"]),
        (
            "has wings",
            &["character 5:", "`wings`", "`captions`, `tags` or `text`"],
        ),
        (
            "id = \"open",
            &["character 6:", "a text that does not end", "a closing \""],
        ),
        (
            "id = \"a\\qb\"",
            &["character 8:", "a backslash before 'q'"],
        ),
        ("id = \"a\\", &["a backslash at the end"]),
        ("id = and", &["character 6:", "`and`", "a value"]),
        ("id & x", &["character 4:", "`&`"]),
        ("id = a ! b", &["character 8:", "'!'"]),
    ] {
        let said = refused(text);
        for part in parts {
            assert!(said.contains(part), "{text}: {part} is not in: {said}");
        }
    }
}

#[test]
fn nesting_is_bounded() {
    let many = 100_000;
    for text in ["(".repeat(many), "not ".repeat(many), "not(".repeat(many)] {
        assert!(refused(&text).contains("at most 64"));
    }
    let deep = format!("{}has tags{}", "(".repeat(64), ")".repeat(64));
    assert_eq!(parse(&deep), Filter::Has(Has::Tags));
    let long = vec!["has tags"; many].join(" and ");
    assert!(matches!(parse(&long), Filter::All(parts) if parts.len() == many));
}

#[test]
fn dates_are_periods() {
    let days = [
        20240430235959,
        20240501000000,
        20240531235959,
        20240601000000,
        UNKNOWN,
    ];
    let rows = days.map(|taken| Row {
        width: 1,
        height: 0,
        bytes: 1,
        taken,
        folder: String::new(),
        camera: String::new(),
        format: String::new(),
        id: String::new(),
        tags: vec![],
        captions: false,
        text: false,
    });
    let table = Table::new(rows.to_vec());
    for (text, expected) in [
        ("date = 2024-05", &[1, 2][..]),
        ("date != 2024-05", &[0, 3]),
        ("date < 2024-05", &[0]),
        ("date <= 2024-05", &[0, 1, 2]),
        ("date > 2024-05", &[3]),
        ("date >= 2024-05", &[1, 2, 3]),
        ("date in (2024-04, 2024-06)", &[0, 3]),
        ("not date = 2024", &[4]),
        ("aspect != 3", &[]),
    ] {
        assert_eq!(
            parse(text).select(&table).iter().collect::<Vec<_>>(),
            expected,
            "{text}"
        );
    }
}

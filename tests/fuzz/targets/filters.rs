//! Filters: what can be read is written such that it is read as the same again, and selects.

use std::path::Path;
use std::sync::OnceLock;

use tuwen::gallery::filter::{Filter, UNKNOWN};

use crate::fuzz::columns::{Row, Table};
use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "filters",
    inputs: 60_000,
    seeds,
    mutate,
    run,
};

fn seeds() -> Vec<Input> {
    let texts = [
        "width > 1000 and folder = \"2024\" and not camera ~ 'Canon'",
        "(width = 1.5k or height <= 2M) and (pixels != 3 and bytes >= 4G)",
        "date = 2024-05 or date >= \"2024-05-01 12:30\" or date in (2023, 2024-02-29)",
        "（ｗｉｄｔｈ＞１０００ and folder＝“照片 2024”）or aspect≥１．５",
        "id in (“a”，'b') and tag not in (x) and not has text",
        "has captions and not (has tags or format = JPEG)",
        "id = 'it\\'s \\\\ \\n'",
    ];
    texts.map(|text| Input::new("filter.txt", text)).into()
}

const WORDS: &[&[u8]] = &[
    b"not ",
    b" and ",
    b" or ",
    b"(",
    b")",
    b" in (",
    b"\"",
    b"\\",
    b"~",
    b"!=",
    b">=",
    b"has ",
    b"tags",
    b"width",
    b"aspect",
    b"folder",
    b"tag",
    b"date",
    b"2024-05",
    b"9999-12-31",
    b"0000",
    b"1e3",
    "\u{2265}".as_bytes(),
    "\u{ff08}".as_bytes(),
    "\u{201c}".as_bytes(),
    "\u{3000}".as_bytes(),
];

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    mutator.bytes(&mut input.bytes, WORDS);
}

/// Pictures with and without each thing.
fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let row = |i: u32| Row {
            width: i * 500,
            height: (i % 3) * 700,
            bytes: u64::from(i) << 30,
            taken: [UNKNOWN, 20240501123000, 20230229000000][i as usize % 3],
            folder: ["", "2024", "照片 2024/a"][i as usize % 3].into(),
            camera: ["", "Canon EOS 5D"][i as usize % 2].into(),
            format: ["jpeg", "png"][i as usize % 2].into(),
            id: format!("{i}"),
            tags: vec!["x".into(); i as usize % 2],
            captions: i.is_multiple_of(2),
            text: i.is_multiple_of(3),
        };
        Table::new((0..70).map(row).collect())
    })
}

fn run(input: &Input, _: &Path) {
    let text = String::from_utf8_lossy(&input.bytes);
    match Filter::parse(&text) {
        Ok(filter) => {
            let again = Filter::parse(&filter.to_string());
            assert_eq!(again.as_ref().ok(), Some(&filter), "{filter}");
            let rows = filter.select(table());
            assert!(rows.iter().all(|row| row < 70) && rows.count() <= 70);
        }
        Err(e) => assert!(e.to_string().contains("character"), "{e}"),
    }
}

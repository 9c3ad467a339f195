//! Made-up pictures by columns, as a filter sees them.

use tuwen::gallery::filter::{Bitmap, Coded, Columns, Has};

#[derive(Clone, Debug)]
pub struct Row {
    pub width: u32,
    pub height: u32,
    pub bytes: u64,
    pub taken: i64,
    pub folder: String,
    pub camera: String,
    pub format: String,
    pub id: String,
    pub tags: Vec<String>,
    pub captions: bool,
    pub text: bool,
}

/// Rows as columns.
pub struct Table {
    pub rows: Vec<Row>,
    widths: Vec<u32>,
    heights: Vec<u32>,
    bytes: Vec<u64>,
    taken: Vec<i64>,
    coded: [(Vec<u32>, Vec<String>); 3],
}

impl Table {
    pub fn new(rows: Vec<Row>) -> Self {
        let coded = |of: fn(&Row) -> &String| {
            let mut entries: Vec<String> = rows.iter().map(|r| of(r).clone()).collect();
            entries.sort();
            entries.dedup();
            let place = |r| entries.binary_search(of(r)).unwrap() as u32;
            (rows.iter().map(place).collect(), entries)
        };
        Self {
            widths: rows.iter().map(|r| r.width).collect(),
            heights: rows.iter().map(|r| r.height).collect(),
            bytes: rows.iter().map(|r| r.bytes).collect(),
            taken: rows.iter().map(|r| r.taken).collect(),
            coded: [
                coded(|r| &r.folder),
                coded(|r| &r.camera),
                coded(|r| &r.format),
            ],
            rows,
        }
    }

    fn column(&self, i: usize) -> Coded<'_> {
        Coded {
            codes: &self.coded[i].0,
            entries: self.coded[i].1.iter().map(String::as_str).collect(),
        }
    }

    fn rows_where(&self, passes: impl Fn(&Row) -> bool) -> Bitmap {
        let passing = self.rows.iter().enumerate().filter(|(_, r)| passes(r));
        Bitmap::from_rows(self.rows.len(), passing.map(|(i, _)| i))
    }
}

impl Columns for Table {
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn widths(&self) -> &[u32] {
        &self.widths
    }
    fn heights(&self) -> &[u32] {
        &self.heights
    }
    fn bytes(&self) -> &[u64] {
        &self.bytes
    }
    fn taken(&self) -> &[i64] {
        &self.taken
    }
    fn folders(&self) -> Coded<'_> {
        self.column(0)
    }
    fn cameras(&self) -> Coded<'_> {
        self.column(1)
    }
    fn formats(&self) -> Coded<'_> {
        self.column(2)
    }
    fn ids(&self, passes: &dyn Fn(&str) -> bool) -> Bitmap {
        self.rows_where(|r| passes(&r.id))
    }
    fn tagged(&self, tag: &str) -> Bitmap {
        self.rows_where(|r| r.tags.iter().any(|t| t == tag))
    }
    fn has(&self, what: Has) -> Bitmap {
        self.rows_where(|r| has(r, what))
    }
}

pub fn has(row: &Row, what: Has) -> bool {
    match what {
        Has::Captions => row.captions,
        Has::Tags => !row.tags.is_empty(),
        Has::Text => row.text,
    }
}

//! Reading the rows of a result file, however many of them are wrong.

use std::path::Path;

use csv::StringRecord;

use super::{Violation, header};
use crate::dataset::{Direction, MAX_TABLE};
use crate::error::Result;
use crate::files;

/// The line on which a record begins, from 1. The csv crate's position may still be before the line break that ends
/// the line above.
fn first_line(text: &str, position: &csv::Position) -> u64 {
    let rest = text
        .as_bytes()
        .get(position.byte() as usize..)
        .unwrap_or_default();
    let breaks = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    position.line() + breaks.filter(|&&b| b == b'\n').count() as u64
}

/// The rows of one query in a file.
pub(super) struct Group {
    pub query: String,
    /// Of its first row.
    pub line: u64,
    /// (line, rank as written, result)
    pub rows: Vec<(u64, String, String)>,
}

/// A file as it was read, with what is wrong with its form.
#[derive(Default)]
pub(super) struct Parsed {
    /// As the header says; `None` if it is none that is known.
    pub direction: Option<Direction>,
    pub groups: Vec<Group>,
    pub violations: Vec<Violation>,
}

impl Parsed {
    fn say(&mut self, line: Option<u64>, message: String) {
        self.violations.push(Violation { line, message });
    }

    /// Finds out which of the two files this is.
    fn set_direction(&mut self, first: &StringRecord) {
        let both = [Direction::TextToImage, Direction::ImageToText];
        self.direction = both.into_iter().find(|&d| first.iter().eq(header(d)));
        if self.direction.is_none() {
            let expected = both.map(|d| header(d).join(","));
            let found: Vec<&str> = first.iter().collect();
            let message = format!(
                "the header is `{}`, expected `{}` or `{}`",
                found.join(","),
                expected[0],
                expected[1]
            );
            self.say(Some(1), message);
        }
    }

    fn add(&mut self, line: u64, record: &StringRecord) {
        if record.len() != 3 {
            let message = format!("{} fields, expected 3", record.len());
            return self.say(Some(line), message);
        }
        let [query, rank, result] = [0, 1, 2].map(|i| record[i].to_owned());
        match self.groups.last_mut() {
            // A group goes on where the id is blank, or repeated with a rank that is not the first.
            Some(g) if query.is_empty() || (query == g.query && rank.trim() != "1") => {
                g.rows.push((line, rank, result));
            }
            _ => {
                if query.is_empty() {
                    self.say(Some(line), "the first row has no id".into());
                }
                self.groups.push(Group {
                    query,
                    line,
                    rows: vec![(line, rank, result)],
                });
            }
        }
    }
}

/// Reads a file of either direction and either layout.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if the file cannot be read.
pub(super) fn parse(path: &Path) -> Result<Parsed> {
    let bytes = files::read(path, MAX_TABLE)?;
    let mut parsed = Parsed::default();
    let Ok(text) = std::str::from_utf8(&bytes) else {
        parsed.say(None, "the file is not UTF-8".into());
        return Ok(parsed);
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let first = records.next().and_then(std::result::Result::ok);
    parsed.set_direction(&first.unwrap_or_default());
    for record in records {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, |p| first_line(text, p));
                parsed.add(line, &record);
            }
            Err(e) => {
                let line = e.position().map(|p| first_line(text, p));
                parsed.say(line, format!("not CSV: {e}"));
            }
        }
    }
    Ok(parsed)
}

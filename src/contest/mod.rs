//! The contest's result files: written, read in both of their layouts, checked and scored.
//!
//! `result1.csv` answers texts with images (`text_id,similarity_ranking,result_image_id`), `result2.csv` images
//! with texts (`image_id,similarity_ranking,result_text_id`). Each query has five rows, ranks 1 to 5. The query's
//! id is on every row, or only on the first of its rows, as in the contest's printed tables.

mod gallery;
mod parse;
mod score;
mod validate;

pub use gallery::{Found, Gallery};
pub use score::{FileScore, score};
pub use validate::{Known, Violation, validate};

use std::path::Path;

use crate::dataset::Direction;
use crate::error::{Error, Result};
use crate::files;

/// Number of answers per query.
pub const ANSWERS: usize = 5;

/// The column names of the file for a direction.
pub fn header(direction: Direction) -> [&'static str; 3] {
    match direction {
        Direction::TextToImage => ["text_id", "similarity_ranking", "result_image_id"],
        Direction::ImageToText => ["image_id", "similarity_ranking", "result_text_id"],
    }
}

/// The contest's file name for a direction.
pub fn file_name(direction: Direction) -> &'static str {
    match direction {
        Direction::TextToImage => "result1.csv",
        Direction::ImageToText => "result2.csv",
    }
}

/// The answers to one query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Id of the query.
    pub query: String,
    /// Ids of the answers, best first.
    pub results: Vec<String>,
}

/// The layout of a result file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Format {
    /// Writes the query's id only on the first of its rows.
    pub blank_continuation: bool,
    /// Begins with a byte-order mark, by which spreadsheets recognise UTF-8.
    pub bom: bool,
}

/// Writes a result file, completely or not at all.
///
/// # Errors
/// [`Error::Io`] if the file cannot be written.
pub fn write(path: &Path, direction: Direction, answers: &[Answer], format: Format) -> Result<()> {
    let mut bytes = Vec::new();
    if format.bom {
        bytes.extend("\u{feff}".as_bytes());
    }
    let mut writer = csv::Writer::from_writer(bytes);
    let failed = |e: csv::Error| Error::Table {
        path: path.to_owned(),
        line: None,
        reason: e.to_string(),
    };
    writer.write_record(header(direction)).map_err(failed)?;
    for answer in answers {
        for (i, result) in answer.results.iter().enumerate() {
            let blank = format.blank_continuation && i > 0;
            let query = if blank { "" } else { &answer.query };
            let rank = (i + 1).to_string();
            writer
                .write_record([query, &rank, result])
                .map_err(failed)?;
        }
    }
    let bytes = writer
        .into_inner()
        .expect("writing to memory does not fail");
    files::write(path, &bytes)
}

/// Reads a well-formed result file.
///
/// # Errors
/// [`Error::Table`] with the first error in the file.
pub fn read(path: &Path) -> Result<(Direction, Vec<Answer>)> {
    let parsed = parse::parse(path)?;
    if let Some(v) = parsed.violations.first() {
        return Err(Error::Table {
            path: path.to_owned(),
            line: v.line,
            reason: v.message.clone(),
        });
    }
    let direction = parsed
        .direction
        .expect("a file without violations has a header");
    let answers = parsed.groups.into_iter().map(|g| Answer {
        query: g.query,
        results: g.rows.into_iter().map(|(_, _, result)| result).collect(),
    });
    Ok((direction, answers.collect()))
}

//! CSV as people send it: UTF-8 with or without a byte-order mark, UTF-16, GB18030; CRLF; quoted line
//! breaks; a caption with a comma that nobody quoted.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, GB18030};

use super::Warning;
use crate::error::{Error, Result};

/// The wanted columns of a CSV file.
#[derive(Debug)]
pub struct Table {
    pub path: PathBuf,
    pub records: Vec<Record>,
}

/// One record: its first line in the file (from 1), and its fields in the order that was asked for.
#[derive(Debug)]
pub struct Record {
    pub line: u64,
    pub fields: Vec<String>,
}

/// Text in UTF-8, UTF-16 (by its mark) or GB18030.
///
/// # Errors
/// [`Error::Table`] where it is none of them.
pub fn decode_text<'a>(path: &Path, bytes: &'a [u8]) -> Result<Cow<'a, str>> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, bad) = encoding.decode_without_bom_handling(&bytes[mark..]);
        if !bad {
            return Ok(text);
        }
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.into());
    } else if let Some(text) = GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
        return Ok(text);
    }
    Err(Error::Table {
        path: path.to_owned(),
        line: None,
        reason: "neither UTF-8 nor UTF-16 nor GB18030; save it as UTF-8".into(),
    })
}

/// The line a record begins on, from 1. The position of the csv crate may still be before the line break
/// that ends the line above.
pub fn first_line(text: &str, position: &csv::Position) -> u64 {
    let rest = text
        .as_bytes()
        .get(position.byte() as usize..)
        .unwrap_or_default();
    let breaks = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    position.line() + breaks.filter(|&&b| b == b'\n').count() as u64
}

impl Table {
    /// Reads the columns with the given names, by their names.
    ///
    /// A record with too few fields gets empty ones; surplus fields belong to the last column, commas
    /// and all, if it is the last wanted one. Both are warned of.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], [`Error::Table`] for a broken file.
    pub fn read(path: &Path, columns: &[&str], warnings: &mut Vec<Warning>) -> Result<Self> {
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        let text = decode_text(path, &bytes)?;
        let broken = |line: Option<u64>, reason: String| Error::Table {
            path: path.to_owned(),
            line,
            reason,
        };
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(text.as_bytes());
        let header: Vec<String> = reader
            .headers()
            .map_err(|e| broken(Some(1), e.to_string()))?
            .iter()
            .map(|h| h.trim().to_owned())
            .collect();
        let places: Vec<usize> = columns
            .iter()
            .map(|c| {
                let missing = || Error::MissingColumn {
                    path: path.to_owned(),
                    column: (*c).to_owned(),
                    found: header.clone(),
                };
                header.iter().position(|h| h == c).ok_or_else(missing)
            })
            .collect::<Result<_>>()?;
        let mut records = Vec::new();
        for record in reader.records() {
            let record = record
                .map_err(|e| broken(e.position().map(|p| first_line(&text, p)), e.to_string()))?;
            let line = record.position().map_or(0, |p| first_line(&text, p));
            let ragged = record.len() != header.len();
            if ragged {
                warnings.push(Warning {
                    kind: "row with a wrong number of fields",
                    message: format!(
                        "{}, line {line}: {} fields, the header has {}",
                        path.display(),
                        record.len(),
                        header.len()
                    ),
                });
            }
            let field = |&place: &usize| {
                if place + 1 == header.len() {
                    record.iter().skip(place).collect::<Vec<_>>().join(",")
                } else {
                    record.get(place).unwrap_or_default().to_owned()
                }
            };
            let fields = places.iter().map(field).collect();
            records.push(Record { line, fields });
        }
        Ok(Self {
            path: path.to_owned(),
            records,
        })
    }
}

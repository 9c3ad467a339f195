//! Tables in the varieties that occur: any encoding ([`super::text`]), any separator, header names in any case;
//! blank rows, quoted line breaks, a caption with an unquoted comma.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;

use super::Warning;
use super::header::{Begin, Header};
use super::rows::{Fault, MAX_FIELD, Row};
use super::text::{self, Text};
use crate::error::{Error, Result};

/// The wanted columns of a table.
#[derive(Debug)]
pub struct Table {
    /// File of the table.
    pub path: PathBuf,
    /// Its records, in the order of the file.
    pub records: Vec<Record>,
}

/// A record of a table.
#[derive(Debug)]
pub struct Record {
    /// Line of the file on which the record begins, from 1.
    pub line: u64,
    /// Its fields in the order of the requested columns. Ids have no surrounding blanks.
    pub fields: Vec<String>,
}

impl Table {
    /// Reads a table with [`Table::read_as`] in the encoding that is detected.
    ///
    /// # Errors
    /// As [`Table::read_as`].
    pub fn read(path: &Path, columns: &[&str], warnings: &mut Vec<Warning>) -> Result<Self> {
        Self::read_as(path, columns, None, warnings)
    }

    /// Reads the columns with the given names.
    ///
    /// Blank rows are skipped. A record with too few fields gets empty ones; surplus fields, including their
    /// separators, belong to the column of captions, wherever it is, and to no other. Repairs are reported in
    /// `warnings`.
    ///
    /// # Errors
    /// [`Error::MissingColumn`]; [`Error::Table`] for a file in no known encoding; those of
    /// [`files::read`](crate::files::read).
    pub fn read_as(
        path: &Path,
        columns: &[&str],
        encoding: Option<&'static Encoding>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self> {
        let text = text::read(path, encoding, warnings)?;
        let begin = Begin::of(&text.text);
        let header = Header::of(&text.text, begin, columns).map_err(|(column, found)| {
            Error::MissingColumn {
                path: path.to_owned(),
                column,
                found,
            }
        })?;
        let rows = header.rows(&text.text);
        let mut table = Self {
            path: path.to_owned(),
            records: Vec::with_capacity(rows.len()),
        };
        for row in rows {
            let kept = Reading {
                header: &header,
                text: &text,
                path,
                warnings,
            }
            .record(row);
            table.records.extend(kept);
        }
        Ok(table)
    }

    /// Whether the file begins like a table with all these columns.
    pub(super) fn has_columns(text: &str, columns: &[&str]) -> bool {
        Header::of(text, Begin::of(text), columns).is_ok()
    }
}

/// The context in which a row becomes a record.
struct Reading<'a> {
    header: &'a Header,
    text: &'a Text,
    path: &'a Path,
    warnings: &'a mut Vec<Warning>,
}

impl Reading<'_> {
    fn record(&mut self, mut row: Row) -> Option<Record> {
        let columns = self.header.names.len();
        while row.fields.len() > columns && row.fields.last().is_some_and(|f| f.trim().is_empty()) {
            row.fields.pop();
        }
        let line = row.line;
        self.warn_of_form(&row);
        let spoilt = self
            .text
            .bad_lines
            .range(line..=row.last_line)
            .next()
            .is_some();
        let fields: Vec<Cow<str>> = self
            .header
            .wanted
            .iter()
            .map(|&p| self.header.field(&row, p))
            .collect();
        let is_id = |i: usize| self.header.places.ids.contains(&self.header.wanted[i]);
        let id_has = |c| (0..fields.len()).any(|i| is_id(i) && fields[i].contains(c));
        if spoilt && id_has('\u{fffd}') {
            self.warn(line, "row with an id that cannot be read (left out)", "");
            return None;
        }
        if id_has('"') {
            let kind = "id with a quote (left out where it stands at an end)";
            self.warn(line, kind, "");
        }
        let mut cut = row.cut;
        let finish = |(i, field): (usize, Cow<str>)| {
            let mut field = if is_id(i) {
                field.trim().trim_matches('"').trim().to_owned()
            } else {
                field.into_owned()
            };
            if spoilt {
                field.retain(|c| c != '\u{fffd}');
            }
            cut |= shorten(&mut field);
            field
        };
        let fields = fields.into_iter().enumerate().map(finish).collect();
        if cut {
            let what = format!(": more than {MAX_FIELD} bytes");
            self.warn(line, "row with an overlong field (cut)", &what);
        }
        Some(Record { line, fields })
    }

    fn warn(&mut self, line: u64, kind: &'static str, what: &str) {
        let message = format!("{}, line {line}{what}", self.path.display());
        self.warnings.push(Warning { kind, message });
    }

    /// Warns of quotes that are not as they should be, and of fields too many or too few.
    fn warn_of_form(&mut self, row: &Row) {
        let fault = row.fault.as_ref().map(|fault| match fault {
            Fault::Unclosed => {
                "quote that is not closed before the next row (it is taken to end there)"
            }
            Fault::LikeRows => "quoted text whose lines could be rows (it is kept as one text)",
            Fault::Unopened => "text with a quote that nothing opens (it is kept)",
        });
        if let Some(kind) = fault {
            let what = match row.fault {
                Some(Fault::LikeRows) => format!(" to {}", row.last_line),
                _ => String::new(),
            };
            self.warn(row.line, kind, &what);
        }
        let (count, columns) = (row.fields.len(), self.header.names.len());
        if self.header.is_ragged(count) {
            let what = format!(": {count} fields, the header has {columns}");
            self.warn(row.line, "row with a wrong number of fields", &what);
        }
    }
}

/// Cuts a field that is too long.
pub(super) fn shorten(text: &mut String) -> bool {
    let long = text.len() > MAX_FIELD;
    if long {
        text.truncate(text.floor_char_boundary(MAX_FIELD));
    }
    long
}

//! Tables as people send them: any encoding ([`super::text`]), any separator, header names in any case; blank rows,
//! quoted line breaks, a caption with a comma that nobody quoted.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;
use unicode_normalization::UnicodeNormalization;

use super::Warning;
use super::rows::{Fault, Grammar, MAX_FIELD, Places, Row, Rows};
use super::text::{self, Text};
use crate::error::{Error, Result};

/// The wanted columns of a table.
#[derive(Debug)]
pub struct Table {
    pub path: PathBuf,
    pub records: Vec<Record>,
}

/// One record: its first line in the file (from 1), and its fields in the order that was asked for. Ids have no
/// blanks around them.
#[derive(Debug)]
pub struct Record {
    pub line: u64,
    pub fields: Vec<String>,
}

/// What columns of free text are called. They alone may have line breaks, and separators that nobody quoted.
const TEXTS: [&str; 5] = ["caption", "comment", "sentence", "text", "raw"];

/// What separates fields, the likeliest first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A name of a column as it is compared: `Image_Id`, `image id` and `ＩｍａｇｅＩＤ` are one.
fn plain(name: &str) -> String {
    let name = name
        .nfkc()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '"' | '\u{feff}'));
    name.flat_map(char::to_lowercase).collect()
}

/// The columns of each wanted name in a header.
fn find(header: &[String], wanted: &[&str]) -> Result<Vec<usize>, String> {
    let place = |name: &&str| {
        let exact = header.iter().position(|h| h.trim() == *name);
        let place = exact.or_else(|| header.iter().position(|h| plain(h) == plain(name)));
        place.ok_or_else(|| (*name).to_owned())
    };
    wanted.iter().map(place).collect()
}

impl Table {
    /// [`Table::read_as`] in the encoding that the file seems to be in.
    pub fn read(path: &Path, columns: &[&str], warnings: &mut Vec<Warning>) -> Result<Self> {
        Self::read_as(path, columns, None, warnings)
    }

    /// Reads the columns with the given names, by their names.
    ///
    /// Blank rows are no rows. A record with too few fields gets empty ones; surplus fields belong to the column of
    /// captions, commas and all, wherever it stands, and to no other. What had to be mended is warned of.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], [`Error::Table`] for a file in no known encoding, those of
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

/// What stands before the header.
#[derive(Clone, Copy, Default)]
struct Begin {
    /// Bytes and lines to leave out.
    at: usize,
    line: u64,
    /// What a line `sep=;` says, by which spreadsheets are told the separator.
    separator: Option<u8>,
}

impl Begin {
    fn of(text: &str) -> Self {
        let mut begin = Self {
            at: 0,
            line: 1,
            separator: None,
        };
        let grammar = Grammar {
            separator: 0,
            backslash: false,
        };
        let mut lines = Rows::new(text, 0, 1, grammar, Places::default());
        loop {
            let Some(line) = (begin.at < text.len()).then(|| lines.without_quotes()) else {
                return begin;
            };
            let says = line.fields[0]
                .trim_start_matches('\u{feff}')
                .trim_matches('"');
            let separator = says
                .strip_prefix("sep=")
                .or_else(|| says.strip_prefix("SEP="));
            match separator.map(str::as_bytes) {
                Some(&[separator]) if separator.is_ascii() => begin.separator = Some(separator),
                Some([]) => begin.separator = Some(b'\t'), // a tab, which was trimmed
                _ if line.is_blank() => {}
                _ => return begin,
            }
            (begin.at, begin.line) = lines.position();
        }
    }
}

/// The names of the columns, and how the rows below are written.
struct Header {
    names: Vec<String>,
    wanted: Vec<usize>,
    separator: u8,
    places: Places,
    /// Where the rows begin.
    at: usize,
    line: u64,
}

impl Header {
    /// # Errors
    /// The column that is missing, and the names that were found.
    fn of(text: &str, begin: Begin, columns: &[&str]) -> Result<Self, (String, Vec<String>)> {
        let candidates = match begin.separator {
            Some(separator) => vec![separator],
            None => SEPARATORS.to_vec(),
        };
        let mut found = Vec::new();
        let mut missing: Option<(String, Vec<String>)> = None;
        for separator in candidates {
            match Self::with(text, begin, separator, columns) {
                Ok(header) => found.push(header),
                Err(other) if missing.as_ref().is_none_or(|m| other.1.len() > m.1.len()) => {
                    missing = Some(other)
                }
                Err(_) => {}
            }
        }
        // A single column is found with any separator: the one that the rows have counts.
        let usual = |h: &Header| {
            let lines = text::lines(&text[h.at..]).take(100);
            lines
                .filter(|l| l.as_bytes().contains(&h.separator))
                .count()
        };
        let best = found.into_iter().rev().max_by_key(|h| {
            if h.names.len() == 1 {
                usual(h)
            } else {
                usize::MAX
            }
        });
        best.ok_or_else(|| missing.expect("there is a candidate"))
    }

    fn with(
        text: &str,
        begin: Begin,
        separator: u8,
        columns: &[&str],
    ) -> Result<Self, (String, Vec<String>)> {
        let grammar = Grammar {
            separator,
            backslash: false,
        };
        let rows = || Rows::new(text, begin.at, begin.line, grammar, Places::default());
        let (mut quoted, mut unquoted) = (rows(), rows());
        let first = quoted.next();
        let of = |row: Option<Row>, rows: &Rows| {
            let names: Vec<String> = row.map_or_else(Vec::new, |r| r.fields);
            let names: Vec<String> = names
                .iter()
                .map(|n| n.trim().trim_start_matches('\u{feff}').to_owned())
                .collect();
            let wanted = find(&names, columns).map_err(|missing| (missing, names.clone()))?;
            let (at, line) = rows.position();
            let is_text = |place: &usize| TEXTS.contains(&plain(&names[*place]).as_str());
            let places = Places {
                columns: names.len(),
                ids: wanted.iter().copied().filter(|p| !is_text(p)).collect(),
                text: (0..names.len()).find(is_text),
            };
            Ok(Self {
                names,
                wanted,
                separator,
                places,
                at,
                line,
            })
        };
        of(first, &quoted).or_else(|e| {
            let literal = unquoted.without_quotes();
            of(Some(literal), &unquoted).map_err(|_| e)
        })
    }

    /// Whether a quote within a field follows a backslash, other than in a field that ends with one: `"C:\\"`.
    fn escapes_quotes(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let within = |b: u8| b != self.separator && !matches!(b, b'"' | b'\r' | b'\n');
        let mut three = bytes.windows(3);
        three.any(|b| b.starts_with(b"\\\"") && within(b[2]))
    }

    /// Whether a row of so many fields lacks some or has too many; columns without a name at the end may be missing.
    fn is_ragged(&self, fields: usize) -> bool {
        let named = self
            .names
            .iter()
            .rposition(|n| !n.is_empty())
            .map_or(0, |last| last + 1);
        fields < named || fields > self.names.len()
    }

    /// The rows below; with the habit of quoting that makes fewer of them odd.
    fn rows(&self, text: &str) -> Vec<Row> {
        let read = |backslash| -> Vec<Row> {
            let grammar = Grammar {
                separator: self.separator,
                backslash,
            };
            Rows::new(text, self.at, self.line, grammar, self.places.clone())
                .filter(|r| !r.is_blank())
                .collect()
        };
        let odd = |rows: &[Row]| {
            let is_odd = |r: &&Row| {
                r.fault.is_some_and(|f| f != Fault::Unopened) || self.is_ragged(r.fields.len())
            };
            rows.iter().filter(is_odd).count()
        };
        let doubled = read(false);
        if !self.escapes_quotes(text) {
            return doubled;
        }
        let escaped = read(true);
        if odd(&escaped) <= odd(&doubled) {
            escaped
        } else {
            doubled
        }
    }

    /// The field of a column; that of captions has what is too much, whatever stands behind it.
    fn field<'r>(&self, row: &'r Row, place: usize) -> Cow<'r, str> {
        let surplus = row.fields.len().saturating_sub(self.names.len());
        let text = self.places.text;
        match text {
            Some(text) if text == place && surplus > 0 => {
                let separator = char::from(self.separator).to_string();
                row.fields[place..=place + surplus].join(&separator).into()
            }
            _ => {
                let shift = if text.is_some_and(|t| t < place) {
                    surplus
                } else {
                    0
                };
                row.fields
                    .get(place + shift)
                    .map_or("", String::as_str)
                    .into()
            }
        }
    }
}

/// What is known when a row becomes a record.
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
        let mut warn = |kind, what: String| {
            let message = format!("{}, line {line}{what}", self.path.display());
            self.warnings.push(Warning { kind, message });
        };
        match row.fault {
            Some(Fault::Unclosed) => warn(
                "quote that is not closed before the next row (it is taken to end there)",
                String::new(),
            ),
            Some(Fault::LikeRows) => {
                warn(
                    "quoted text whose lines could be rows (it is kept as one text)",
                    format!(" to {}", row.last_line),
                );
            }
            Some(Fault::Unopened) => warn(
                "text with a quote that nothing opens (it is kept)",
                String::new(),
            ),
            None => {}
        }
        let count = row.fields.len();
        if self.header.is_ragged(count) {
            let what = format!(": {count} fields, the header has {columns}");
            warn("row with a wrong number of fields", what);
        }
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
        if spoilt && (0..fields.len()).any(|i| is_id(i) && fields[i].contains('\u{fffd}')) {
            warn(
                "row with an id that cannot be read (left out)",
                String::new(),
            );
            return None;
        }
        if (0..fields.len()).any(|i| is_id(i) && fields[i].contains('"')) {
            warn(
                "id with a quote (left out where it stands at an end)",
                String::new(),
            );
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
            warn(
                "row with an overlong field (cut)",
                format!(": more than {MAX_FIELD} bytes"),
            );
        }
        Some(Record { line, fields })
    }
}

/// Cuts what is longer than a field may be.
pub(super) fn shorten(text: &mut String) -> bool {
    let long = text.len() > MAX_FIELD;
    if long {
        text.truncate(text.floor_char_boundary(MAX_FIELD));
    }
    long
}

//! The header of a table: what precedes it, which separator it uses, which columns are wanted, and how the rows
//! below are quoted.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::rows::{Fault, Grammar, Places, Row, Rows};
use super::text;

/// Names of columns of free text. Only these may have line breaks and unquoted separators.
const TEXTS: [&str; 5] = ["caption", "comment", "sentence", "text", "raw"];

/// Separators of fields, the most common first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A column name in the form that is compared: `Image_Id`, `image id` and `ＩｍａｇｅＩＤ` are equal.
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
/// What precedes the header.
#[derive(Clone, Copy, Default)]
pub(super) struct Begin {
    /// Bytes and lines to skip.
    at: usize,
    line: u64,
    /// The separator in a line `sep=;`, which tells spreadsheets what to use.
    separator: Option<u8>,
}

impl Begin {
    pub fn of(text: &str) -> Self {
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
pub(super) struct Header {
    pub names: Vec<String>,
    pub wanted: Vec<usize>,
    separator: u8,
    pub places: Places,
    /// Where the rows begin.
    at: usize,
    line: u64,
}

impl Header {
    /// Reads the header.
    ///
    /// # Errors
    /// The column that is missing, and the names that were found.
    pub fn of(text: &str, begin: Begin, columns: &[&str]) -> Result<Self, (String, Vec<String>)> {
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

    /// Whether quotes within fields are escaped by a backslash; a field that ends with one, such as `"C:\\"`, is no
    /// evidence.
    fn escapes_quotes(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let within = |b: u8| b != self.separator && !matches!(b, b'"' | b'\r' | b'\n');
        let mut three = bytes.windows(3);
        three.any(|b| b.starts_with(b"\\\"") && within(b[2]))
    }

    /// Whether a row of so many fields has too few or too many; unnamed columns at the end may be missing.
    pub fn is_ragged(&self, fields: usize) -> bool {
        let named = self
            .names
            .iter()
            .rposition(|n| !n.is_empty())
            .map_or(0, |last| last + 1);
        fields < named || fields > self.names.len()
    }

    /// The rows below the header, read with the quoting convention that leaves fewer rows odd.
    pub fn rows(&self, text: &str) -> Vec<Row> {
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

    /// The field of a column. The column of captions includes surplus fields, whatever column follows it.
    pub fn field<'r>(&self, row: &'r Row, place: usize) -> Cow<'r, str> {
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

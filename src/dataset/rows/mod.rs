//! Rows of a separated table, read as leniently as possible without losing one silently.
//!
//! A quoted field may span several lines and contain quotes, either doubled or, if the table has that convention,
//! after a backslash. An unclosed quote would swallow the rows below, so it ends where a line begins like a row,
//! with an id of the kind that the rows above have. Ids never span lines.

mod ids;
mod quoted;

use ids::Ids;

/// Longest field in bytes, some twenty thousand Chinese characters; longer ones are cut.
pub(super) const MAX_FIELD: usize = 1 << 16;

/// Number of fields that are kept beyond those of the header.
const MAX_SURPLUS: usize = 1000;

/// How a table is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar {
    pub separator: u8,
    /// A quote within quotes follows a backslash.
    pub backslash: bool,
}

/// The roles of the columns in a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// Number of columns in the header; 0 for the header itself.
    pub columns: usize,
    /// Columns of ids, which never span lines; rows are recognised by the first of them.
    pub ids: Vec<usize>,
    /// Column of captions, the only one that may have unquoted separators.
    pub text: Option<usize>,
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A quote that is not closed before the next row, or at all.
    Unclosed,
    /// Quoted lines that could be rows.
    LikeRows,
    /// A quote at the end of a text without an opening one.
    Unopened,
}

#[derive(Debug)]
pub(super) struct Row {
    /// First and last line in the file, from 1.
    pub line: u64,
    pub last_line: u64,
    pub fields: Vec<String>,
    pub fault: Option<Fault>,
    /// A field was too long and was cut.
    pub cut: bool,
}

impl Row {
    pub fn is_blank(&self) -> bool {
        let nothing = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '"');
        self.fields.iter().all(|f| f.chars().all(nothing))
    }
}

/// Reads a text row by row.
pub(super) struct Rows<'a> {
    text: &'a str,
    at: usize,
    line: u64,
    grammar: Grammar,
    places: Places,
    ids: Ids,
}

impl<'a> Rows<'a> {
    /// Starts at a byte of the text, at which the given line begins.
    pub fn new(text: &'a str, at: usize, line: u64, grammar: Grammar, places: Places) -> Self {
        Self {
            text,
            at,
            line,
            grammar,
            places,
            ids: Ids::default(),
        }
    }

    /// Byte and line at which the next row begins.
    pub fn position(&self) -> (usize, u64) {
        (self.at, self.line)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The end of the line that contains `at`, without its line break.
    fn line_end(&self, at: usize) -> usize {
        let rest = &self.text.as_bytes()[at..];
        let length = rest.iter().position(|b| matches!(b, b'\r' | b'\n'));
        at + length.unwrap_or(rest.len())
    }

    /// The byte after the line break at `at`.
    fn after_line_end(&self, at: usize) -> usize {
        match (self.byte(at), self.byte(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => at + 2,
            (Some(b'\r' | b'\n'), _) => at + 1,
            _ => at,
        }
    }

    fn skip_blanks(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), Some(b @ (b' ' | b'\t')) if b != self.grammar.separator) {
            at += 1;
        }
        at
    }

    /// Whether a field or line ends here.
    fn ends(&self, at: usize) -> bool {
        self.byte(at)
            .is_none_or(|b| b == self.grammar.separator || matches!(b, b'\r' | b'\n'))
    }

    fn row(&mut self) -> Row {
        let start = self.at;
        let mut row = Row {
            line: self.line,
            last_line: self.line,
            fields: vec![],
            fault: None,
            cut: false,
        };
        loop {
            let quote = self.skip_blanks(self.at);
            let mut field = Field::default();
            if self.byte(quote) != Some(b'"') {
                self.plain(&mut field, self.grammar.backslash);
                let odd = field.value.matches('"').count() % 2 == 1;
                if odd
                    && field.value.trim_end().ends_with('"')
                    && self.places.text == Some(row.fields.len())
                {
                    field.fault = Some(Fault::Unopened);
                }
            } else if !self.quoted(quote + 1, &mut field, row.fields.len()) {
                self.at = start;
                self.line = row.line;
                return self.without_quotes();
            }
            row.fault = row.fault.or(field.fault);
            row.cut |= field.cut;
            if row.fields.len() < self.places.columns.max(1) + MAX_SURPLUS {
                row.fields.push(field.value);
            } else {
                row.cut = true;
            }
            if self.byte(self.at) == Some(self.grammar.separator) {
                self.at += 1;
                continue;
            }
            row.last_line = self.line;
            self.at = self.after_line_end(self.at);
            self.line += 1;
            return row;
        }
    }

    /// Reads a field without quotes.
    fn plain(&mut self, field: &mut Field, backslash: bool) {
        let mut from = self.at;
        while !self.ends(self.at) {
            let escaped = backslash && self.byte(self.at) == Some(b'\\');
            let next = self.byte(self.at + 1);
            if escaped
                && next.is_some_and(|b| b == self.grammar.separator || matches!(b, b'"' | b'\\'))
            {
                field.push(&self.text[from..self.at]);
                from = self.at + 1;
                self.at += 1;
            }
            self.at += 1;
        }
        field.push(&self.text[from..self.at]);
    }

    /// The line from here on, with quotes taken literally.
    pub fn without_quotes(&mut self) -> Row {
        let (line, fault) = (self.line, Some(Fault::Unclosed));
        let mut row = Row {
            line,
            last_line: line,
            fields: vec![],
            fault,
            cut: false,
        };
        loop {
            let mut field = Field::default();
            self.plain(&mut field, false);
            let value = field.value.trim().trim_matches('"');
            if row.fields.len() < self.places.columns.max(1) + MAX_SURPLUS {
                row.fields.push(value.to_owned());
            }
            row.cut |= field.cut;
            if self.byte(self.at) != Some(self.grammar.separator) {
                break;
            }
            self.at += 1;
        }
        self.at = self.after_line_end(self.at);
        self.line += 1;
        row
    }

    /// The id in a line that has all columns.
    fn id_of<'l>(&self, line: &'l str, id: usize) -> Option<&'l str> {
        let columns = self.places.columns;
        let fields: Vec<&str> = line
            .split(char::from(self.grammar.separator))
            .take(columns + MAX_SURPLUS)
            .collect();
        if fields.len() < columns {
            return None;
        }
        // separators that nobody quoted stand in the text: count from the other side of it
        let before = self.places.text.is_some_and(|t| t < id);
        let place = if before {
            fields.len() - (columns - id)
        } else {
            id
        };
        fields.get(place).map(|f| f.trim().trim_matches('"'))
    }

    /// Learns the id at the front of the next row, before the end of that row is known.
    fn learn_id(&mut self, id: usize) {
        let line = &self.text[self.at..self.line_end(self.at)];
        if let Some(id) = self.id_of(line, id) {
            self.ids.learn(id);
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.at >= self.text.len() {
            return None;
        }
        if let Some(&id) = self.places.ids.first() {
            self.learn_id(id);
        }
        Some(self.row())
    }
}

/// A field under construction.
#[derive(Default)]
struct Field {
    value: String,
    fault: Option<Fault>,
    cut: bool,
}

impl Field {
    fn push(&mut self, part: &str) {
        let room = MAX_FIELD - self.value.len();
        if part.len() <= room {
            self.value.push_str(part);
        } else {
            self.value.push_str(&part[..part.floor_char_boundary(room)]);
            self.cut = true;
        }
    }
}

//! Rows of a separated table, as forgiving as can be without losing one in silence.
//!
//! A field in quotes may go over several lines, and hold quotes that are doubled or, where the table has that
//! habit, follow a backslash. A quote that nothing closes would swallow the rows below: it ends where a line begins
//! like a row, with an id of the kind that the rows above have. Ids never go over several lines.

use std::collections::BTreeSet;

/// Longer fields are cut: some twenty thousand Chinese characters.
pub(super) const MAX_FIELD: usize = 1 << 16;

/// Lines that a field in quotes may go over.
const MAX_LINES: u64 = 500;

/// Kinds of ids that are told apart.
const MAX_KINDS: usize = 1000;

/// Fields beyond those of the header that are kept.
const MAX_SURPLUS: usize = 1000;

/// How a table is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar {
    pub separator: u8,
    /// A quote within quotes follows a backslash.
    pub backslash: bool,
}

/// What is where in a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// Columns of the header; 0 for the header itself.
    pub columns: usize,
    /// The columns of ids, which never go over several lines; by the first of them rows are known.
    pub ids: Vec<usize>,
    /// The column of captions, which alone may have separators that nobody quoted.
    pub text: Option<usize>,
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A quote that is not closed where it should be: before the next row, or at all.
    Unclosed,
    /// Lines within quotes that could be rows.
    LikeRows,
    /// A quote at the end of a text that nothing opens.
    Unopened,
}

#[derive(Debug)]
pub(super) struct Row {
    /// Its first and last line in the file, from 1.
    pub line: u64,
    pub last_line: u64,
    pub fields: Vec<String>,
    pub fault: Option<Fault>,
    /// Something was too long.
    pub cut: bool,
}

impl Row {
    pub fn is_blank(&self) -> bool {
        let nothing = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '"');
        self.fields.iter().all(|f| f.chars().all(nothing))
    }
}

/// Goes through a text row by row.
pub(super) struct Rows<'a> {
    text: &'a str,
    at: usize,
    line: u64,
    grammar: Grammar,
    places: Places,
    kinds: BTreeSet<String>,
    numbers: BTreeSet<String>,
}

impl<'a> Rows<'a> {
    /// From a byte of the text that begins the given line.
    pub fn new(text: &'a str, at: usize, line: u64, grammar: Grammar, places: Places) -> Self {
        let (kinds, numbers) = Default::default();
        Self {
            text,
            at,
            line,
            grammar,
            places,
            kinds,
            numbers,
        }
    }

    /// Where the next row begins: its byte, and its line.
    pub fn position(&self) -> (usize, u64) {
        (self.at, self.line)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The end of the line that holds `at`, without what ends it.
    fn line_end(&self, at: usize) -> usize {
        let rest = &self.text.as_bytes()[at..];
        let length = rest.iter().position(|b| matches!(b, b'\r' | b'\n'));
        at + length.unwrap_or(rest.len())
    }

    /// Behind the line end at `at`.
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

    /// A field without quotes.
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

    /// The line from here on with quotes that mean nothing.
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

    /// A field in quotes, from behind the first of them. False where the quote means nothing: the field is an id,
    /// and goes on where an id would not, or further columns of the line would be lost.
    fn quoted(&mut self, start: usize, field: &mut Field, column: usize) -> bool {
        let is_id = self.places.ids.contains(&column);
        let is_last = column + 1 == self.places.columns;
        let (mut from, mut at, mut lines) = (start, start, 0);
        let mut separated = true; // all lines but the first have separators
        let mut named = false; // one of them has something like an id
        let mut first = None; // where the first line ends, and the field as far
        while let Some(byte) = self.byte(at) {
            match byte {
                b'\\'
                    if self.grammar.backslash
                        && matches!(self.byte(at + 1), Some(b'"' | b'\\')) =>
                {
                    field.push(&self.text[from..at]);
                    (from, at) = (at + 1, at + 2);
                }
                b'"' if self.byte(at + 1) == Some(b'"') => {
                    field.push(&self.text[from..=at]);
                    (from, at) = (at + 2, at + 2);
                }
                b'"' => {
                    let behind = self.skip_blanks(at + 1);
                    if self.ends(behind) {
                        field.push(&self.text[from..at]);
                        let like_rows = named || !self.has_telling_ids();
                        if lines > 0 && separated && self.places.columns > 1 && like_rows {
                            field.fault = Some(Fault::LikeRows);
                        }
                        self.at = behind;
                        self.line += lines;
                        return true;
                    }
                    if is_id {
                        return false;
                    }
                    at += 1;
                }
                b'\r' | b'\n' => {
                    let next = self.after_line_end(at);
                    let ends =
                        self.begins_a_row(next) || lines == MAX_LINES || self.nothing_follows(next);
                    if is_id || (ends && lines == 0 && !is_last && self.places.columns > 0) {
                        return false;
                    }
                    if ends {
                        break;
                    }
                    if first.is_none() {
                        field.push(&self.text[from..at]);
                        from = at;
                        first = Some((at, field.value.clone()));
                    }
                    let line = &self.text[next..self.line_end(next)];
                    separated &= line.as_bytes().contains(&self.grammar.separator);
                    named |= self.has_a_name(line);
                    lines += 1;
                    at = next;
                }
                _ => at += 1,
            }
        }
        if is_id {
            return false;
        }
        field.fault = Some(Fault::Unclosed);
        match first {
            // nothing closes it, and what follows looks like rows
            Some((end, value)) if separated && !self.has_telling_ids() => {
                field.value = value;
                self.at = end;
            }
            _ => {
                field.push(&self.text[from..at]);
                self.at = at;
                self.line += lines;
            }
        }
        true
    }

    fn nothing_follows(&self, at: usize) -> bool {
        self.text.as_bytes()[at..]
            .iter()
            .all(u8::is_ascii_whitespace)
    }

    /// Whether the line at `at` looks like a row of its own.
    fn begins_a_row(&self, at: usize) -> bool {
        let line = &self.text[at..self.line_end(at)];
        let Some(id) = self.id_of_row(line) else {
            return false;
        };
        let kind = kind(id);
        match kind.as_str() {
            "" | "w" | "c" => false, // a word says nothing
            "0" => self.kinds.contains("0") && !self.numbers.contains(id),
            _ => self.kinds.contains(&kind),
        }
    }

    /// What stands in a line where rows have their ids, if the line could be a row: the last line of a text before
    /// the id holds the quote that closes it.
    fn id_of_row<'l>(&self, line: &'l str) -> Option<&'l str> {
        let &id = self.places.ids.first()?;
        let closes = self.places.text.is_some_and(|t| t < id) && line.matches('"').count() % 2 == 1;
        self.id_of(line, id).filter(|_| !closes)
    }

    /// Whether a line has something like an id where rows have theirs: one word with a digit or an extension.
    fn has_a_name(&self, line: &str) -> bool {
        let like_an_id = |kind: String| {
            let word = !kind.contains(char::is_whitespace);
            word && (kind.ends_with('1') || kind.contains("w.w") || kind == "0")
        };
        self.id_of_row(line).map(kind).is_some_and(like_an_id)
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

    /// Whether rows can be told from other lines by their ids.
    fn has_telling_ids(&self) -> bool {
        !self.kinds.iter().any(|k| matches!(k.as_str(), "w" | "c"))
    }

    /// The id at the front of the next row, before it is known where the row ends.
    fn learn_id(&mut self, id: usize) {
        let line = &self.text[self.at..self.line_end(self.at)];
        let Some(id) = self.id_of(line, id).filter(|id| !id.is_empty()) else {
            return;
        };
        let kind = kind(id);
        if kind == "0" {
            self.numbers.insert(id.to_owned());
        }
        if self.kinds.len() < MAX_KINDS {
            self.kinds.insert(kind);
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

/// What an id is like: words, what stands between them, and whether there are digits: `w-w.w1` for
/// `shape-0001.png`, `0` for a number.
fn kind(id: &str) -> String {
    if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) {
        return "0".into();
    }
    let mut kind = String::new();
    for c in id.chars().take(200) {
        let class = match c {
            _ if c.is_ascii_alphanumeric() => 'w',
            _ if c.is_alphanumeric() => 'c',
            _ => c,
        };
        if !kind.ends_with(class) {
            kind.push(class);
        }
    }
    if id.bytes().any(|b| b.is_ascii_digit()) {
        kind.push('1');
    }
    kind
}

/// A field as it is put together.
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

//! Reads a quoted field and finds its end, also if no quote closes it.

use super::ids::is_name;
use super::{Fault, Field, Rows};

/// Largest number of lines that a quoted field spans.
const MAX_LINES: u64 = 500;

/// Number of quoted lines with separators after which they are taken for rows, if ids do not tell.
const SEPARATED_LINES: u64 = 20;

/// A field as far as it was read.
struct Open {
    /// Start of what was read but is not yet part of the field.
    from: usize,
    at: usize,
    lines: u64,
    /// All lines after the first have separators.
    separated: bool,
    /// One of those lines has something like an id.
    named: bool,
    /// End of the first line, and the field up to there.
    first: Option<(usize, String)>,
}

impl Rows<'_> {
    /// Reads a quoted field from after its opening quote. Returns false if the quote is literal: the field is an id
    /// that would continue where an id cannot, or further columns of the line would be lost.
    pub(super) fn quoted(&mut self, start: usize, field: &mut Field, column: usize) -> bool {
        let is_id = self.places.ids.contains(&column);
        let is_last = column + 1 == self.places.columns;
        let mut open = Open {
            from: start,
            at: start,
            lines: 0,
            separated: true,
            named: false,
            first: None,
        };
        while let Some(byte) = self.byte(open.at) {
            match byte {
                b'\\'
                    if self.grammar.backslash
                        && matches!(self.byte(open.at + 1), Some(b'"' | b'\\')) =>
                {
                    field.push(&self.text[open.from..open.at]);
                    (open.from, open.at) = (open.at + 1, open.at + 2);
                }
                b'"' if self.byte(open.at + 1) == Some(b'"') => {
                    field.push(&self.text[open.from..=open.at]);
                    (open.from, open.at) = (open.at + 2, open.at + 2);
                }
                b'"' if self.ends(self.skip_blanks(open.at + 1)) => {
                    self.close(&open, field);
                    return true;
                }
                b'"' | b'\r' | b'\n' if is_id => return false,
                b'\r' | b'\n' => {
                    let next = self.after_line_end(open.at);
                    let ends = self.ends_before(next, &open);
                    if ends && open.lines == 0 && !is_last && self.places.columns > 0 {
                        return false;
                    }
                    if ends {
                        break;
                    }
                    self.go_on(next, &mut open, field);
                }
                _ => open.at += 1,
            }
        }
        if !is_id {
            self.end_unclosed(open, field);
        }
        !is_id
    }

    /// Ends the field at its closing quote.
    fn close(&mut self, open: &Open, field: &mut Field) {
        field.push(&self.text[open.from..open.at]);
        let like_rows = open.separated && (open.named || !self.ids.are_telling());
        if open.lines > 0 && self.places.columns > 1 && like_rows {
            field.fault = Some(Fault::LikeRows);
        }
        self.at = self.skip_blanks(open.at + 1);
        self.line += open.lines;
    }

    /// Whether the field cannot continue in the line at `next`.
    fn ends_before(&self, next: usize, open: &Open) -> bool {
        let like_rows = open.lines >= SEPARATED_LINES && open.separated && !self.ids.are_telling();
        let line = &self.text[next..self.line_end(next)];
        let is_row = self.id_of_row(line).is_some_and(|id| self.ids.are_like(id));
        let nothing_follows = || {
            self.text.as_bytes()[next..]
                .iter()
                .all(u8::is_ascii_whitespace)
        };
        is_row || like_rows || open.lines == MAX_LINES || nothing_follows()
    }

    /// Continues in the line at `next`.
    fn go_on(&self, next: usize, open: &mut Open, field: &mut Field) {
        if open.first.is_none() {
            field.push(&self.text[open.from..open.at]);
            open.from = open.at;
            open.first = Some((open.at, field.value.clone()));
        }
        let line = &self.text[next..self.line_end(next)];
        open.separated &= line.as_bytes().contains(&self.grammar.separator);
        open.named = open.named || self.id_of_row(line).is_some_and(is_name);
        open.lines += 1;
        open.at = next;
    }

    /// Ends a field that nothing closes: here, or after its first line if the rest looks like rows.
    fn end_unclosed(&mut self, open: Open, field: &mut Field) {
        field.fault = Some(Fault::Unclosed);
        match open.first {
            Some((end, value)) if open.separated && !self.ids.are_telling() => {
                field.value = value;
                self.at = end;
            }
            _ => {
                field.push(&self.text[open.from..open.at]);
                self.at = open.at;
                self.line += open.lines;
            }
        }
    }

    /// What is in a line at the place of an id, if the line could be a row. The last line of a text holds the
    /// closing quote before that place.
    fn id_of_row<'l>(&self, line: &'l str) -> Option<&'l str> {
        let &id = self.places.ids.first()?;
        let closes = self.places.text.is_some_and(|t| t < id) && line.matches('"').count() % 2 == 1;
        self.id_of(line, id).filter(|_| !closes)
    }
}

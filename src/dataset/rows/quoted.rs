//! A field in quotes: where it ends, also where nothing closes it.

use super::ids::is_name;
use super::{Fault, Field, Rows};

/// Lines that a field in quotes may go over.
const MAX_LINES: u64 = 500;

/// Lines with separators within quotes after which they are taken for rows, where ids do not tell.
const SEPARATED_LINES: u64 = 20;

/// A field as far as it was read.
struct Open {
    /// What is read and not yet part of the field begins here.
    from: usize,
    at: usize,
    lines: u64,
    /// All lines but the first have separators.
    separated: bool,
    /// One of them has something like an id.
    named: bool,
    /// Where the first line ends, and the field as far.
    first: Option<(usize, String)>,
}

impl Rows<'_> {
    /// A field in quotes, from behind the first of them. False where the quote means nothing: the field is an id,
    /// and goes on where an id would not, or further columns of the line would be lost.
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

    /// At the quote that closes the field.
    fn close(&mut self, open: &Open, field: &mut Field) {
        field.push(&self.text[open.from..open.at]);
        let like_rows = open.separated && (open.named || !self.ids.are_telling());
        if open.lines > 0 && self.places.columns > 1 && like_rows {
            field.fault = Some(Fault::LikeRows);
        }
        self.at = self.skip_blanks(open.at + 1);
        self.line += open.lines;
    }

    /// Whether the field cannot go on in the line at `next`.
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

    /// To the line at `next`.
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

    /// Where nothing closes the field: it ends here, or after its first line where what follows looks like rows.
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

    /// What stands in a line where rows have their ids, if the line could be a row: the last line of a text before
    /// the id holds the quote that closes it.
    fn id_of_row<'l>(&self, line: &'l str) -> Option<&'l str> {
        let &id = self.places.ids.first()?;
        let closes = self.places.text.is_some_and(|t| t < id) && line.matches('"').count() % 2 == 1;
        self.id_of(line, id).filter(|_| !closes)
    }
}

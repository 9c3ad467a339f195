//! A filter as text that is read as the same filter.

use std::fmt::{self, Display, Formatter, Write as _};

use super::lexer::in_word;
use super::parser::{KEYWORDS, is_word};
use super::{Filter, Has, Number, NumberField, Range, TextField, TextTest};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Self::All(parts) => joined(f, parts, " and "),
            Self::Any(parts) => joined(f, parts, " or "),
            Self::Not(inner) => {
                f.write_str("not ")?;
                part(f, inner)
            }
            Self::Number(field, range) => write!(f, "{field} {range}"),
            Self::Date(range) => write!(f, "date {range}"),
            Self::Text(field, test) => write!(f, "{field} {test}"),
            Self::Has(Has::Captions) => f.write_str("has captions"),
            Self::Has(Has::Tags) => f.write_str("has tags"),
            Self::Has(Has::Text) => f.write_str("has text"),
        }
    }
}

fn joined(f: &mut Formatter, parts: &[Filter], word: &str) -> fmt::Result {
    for (i, inner) in parts.iter().enumerate() {
        if i > 0 {
            f.write_str(word)?;
        }
        part(f, inner)?;
    }
    Ok(())
}

/// What stands in parentheses where it is a part of something.
fn part(f: &mut Formatter, filter: &Filter) -> fmt::Result {
    match filter {
        Filter::All(_) | Filter::Any(_) => write!(f, "({filter})"),
        _ => write!(f, "{filter}"),
    }
}

impl<V: Display> Display for Range<V> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Self::Is(v) => write!(f, "= {v}"),
            Self::IsNot(v) => write!(f, "!= {v}"),
            Self::Below(v) => write!(f, "< {v}"),
            Self::AtMost(v) => write!(f, "<= {v}"),
            Self::Above(v) => write!(f, "> {v}"),
            Self::AtLeast(v) => write!(f, ">= {v}"),
            Self::In(values) => list(f, values.iter()),
        }
    }
}

impl Display for TextTest {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Self::Is(text) => write!(f, "= {}", Text(text)),
            Self::IsNot(text) => write!(f, "!= {}", Text(text)),
            Self::Contains(text) => write!(f, "~ {}", Text(text)),
            Self::In(texts) => list(f, texts.iter().map(|t| Text(t))),
        }
    }
}

fn list(f: &mut Formatter, values: impl Iterator<Item = impl Display>) -> fmt::Result {
    f.write_str("in (")?;
    for (i, value) in values.enumerate() {
        f.write_str(if i > 0 { ", " } else { "" })?;
        write!(f, "{value}")?;
    }
    f.write_str(")")
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        // The shortest digits that are read as the same number, without an exponent.
        write!(f, "{}", self.value())
    }
}

impl Display for NumberField {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Width => "width",
            Self::Height => "height",
            Self::Pixels => "pixels",
            Self::Bytes => "bytes",
            Self::Aspect => "aspect",
        })
    }
}

impl Display for TextField {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "folder",
            Self::Camera => "camera",
            Self::Format => "format",
            Self::Id => "id",
            Self::Tag => "tag",
        })
    }
}

/// A text: alone where it is a word, in quotation marks otherwise.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let keyword = KEYWORDS.iter().any(|word| is_word(self.0, word));
        if !self.0.is_empty() && !keyword && self.0.chars().all(in_word) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                _ => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

//! A filter's text to a filter, by recursive descent.

use super::lexer::{Placed, Sign, Token, Wrong, narrow, tokens};
use super::{FIELDS, Filter, Has, Number, NumberField, Period, Range, TextField, TextTest};
use crate::error::{Error, Result};

/// Parentheses and `not` within each other. People need three; the stack has room for more than these.
const MOST_NESTING: usize = 64;

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// [`Error::Filter`] with the place, what stands there and what was expected.
    pub fn parse(text: &str) -> Result<Self> {
        let read = || {
            let mut parser = Parser {
                tokens: tokens(text)?,
                next: 0,
            };
            let filter = parser.any(0)?;
            match parser.peek() {
                Token::End => Ok(filter),
                _ => Err(parser.wrong("`and`, `or` or the end")),
            }
        };
        read().map_err(|wrong: Wrong| Error::Filter {
            position: wrong.at,
            found: wrong.found,
            expected: wrong.expected,
            fields: FIELDS.into(),
        })
    }
}

struct Parser {
    /// The last is the end.
    tokens: Vec<Placed>,
    next: usize,
}

enum Field {
    Number(NumberField),
    Date,
    Text(TextField),
}

/// What a comparison compares with.
enum Comparison {
    With(Sign, Placed),
    In(Vec<Placed>),
    NotIn(Vec<Placed>),
}

impl Parser {
    fn placed(&self) -> &Placed {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn peek(&self) -> &Token {
        &self.placed().token
    }

    fn take(&mut self) -> Placed {
        let taken = self.placed().clone();
        self.next += 1;
        taken
    }

    /// The next token is not what was expected.
    fn wrong(&self, expected: impl Into<String>) -> Wrong {
        wrong(self.placed(), expected)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(w) if is_word(w, word))
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        self.next += usize::from(is);
        is
    }

    fn any(&mut self, depth: usize) -> Result<Filter, Wrong> {
        let mut parts = vec![self.all(depth)?];
        while self.takes_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(Filter::any(parts).expect("it has a part"))
    }

    fn all(&mut self, depth: usize) -> Result<Filter, Wrong> {
        let mut parts = vec![self.part(depth)?];
        while self.takes_word("and") {
            parts.push(self.part(depth)?);
        }
        Ok(Filter::all(parts).expect("it has a part"))
    }

    fn part(&mut self, depth: usize) -> Result<Filter, Wrong> {
        let nests = *self.peek() == Token::Open || self.is_word("not");
        if nests && depth == MOST_NESTING {
            return Err(self.wrong(format!(
                "at most {MOST_NESTING} of `(` and `not` within each other"
            )));
        }
        if self.takes_word("not") {
            return Ok(Filter::Not(Box::new(self.part(depth + 1)?)));
        }
        if *self.peek() == Token::Open {
            self.take();
            let inner = self.any(depth + 1)?;
            return match self.take() {
                Placed {
                    token: Token::Close,
                    ..
                } => Ok(inner),
                other => Err(wrong(&other, "`and`, `or` or `)`")),
            };
        }
        if self.takes_word("has") {
            return self.has();
        }
        self.comparison()
    }

    fn has(&mut self) -> Result<Filter, Wrong> {
        let found = [
            ("captions", Has::Captions),
            ("tags", Has::Tags),
            ("text", Has::Text),
        ]
        .into_iter()
        .find(|(name, _)| self.is_word(name));
        let (_, has) = found.ok_or_else(|| self.wrong("`captions`, `tags` or `text`"))?;
        self.take();
        Ok(Filter::Has(has))
    }

    fn comparison(&mut self) -> Result<Filter, Wrong> {
        let field = self.field()?;
        let at = self.placed().clone();
        let comparison = self.compared(&field)?;
        Ok(match field {
            Field::Number(field) => match range(comparison, &at, number)? {
                (range, false) => Filter::Number(field, range),
                (range, true) => Filter::Not(Box::new(Filter::Number(field, range))),
            },
            Field::Date => match range(comparison, &at, period)? {
                (range, false) => Filter::Date(range),
                (range, true) => Filter::Not(Box::new(Filter::Date(range))),
            },
            Field::Text(field) => text_filter(field, comparison, &at)?,
        })
    }

    fn field(&mut self) -> Result<Field, Wrong> {
        let expected = "a field, `not` or `(`";
        let Token::Word(name) = self.peek() else {
            return Err(self.wrong(expected));
        };
        let name: String = name.chars().map(narrow).collect();
        let field = match name.to_ascii_lowercase().as_str() {
            "width" => Field::Number(NumberField::Width),
            "height" => Field::Number(NumberField::Height),
            "pixels" => Field::Number(NumberField::Pixels),
            "bytes" => Field::Number(NumberField::Bytes),
            "aspect" => Field::Number(NumberField::Aspect),
            "date" => Field::Date,
            "folder" => Field::Text(TextField::Folder),
            "camera" => Field::Text(TextField::Camera),
            "format" => Field::Text(TextField::Format),
            "id" => Field::Text(TextField::Id),
            "tag" => Field::Text(TextField::Tag),
            _ => return Err(self.wrong(expected)),
        };
        self.take();
        Ok(field)
    }

    /// A comparison's sign and what follows it.
    fn compared(&mut self, field: &Field) -> Result<Comparison, Wrong> {
        if let Token::Sign(sign) = *self.peek() {
            self.take();
            return Ok(Comparison::With(sign, self.value()?));
        }
        let not = self.takes_word("not");
        if !self.takes_word("in") {
            let expected = if not { "`in`" } else { signs(field) };
            return Err(self.wrong(expected));
        }
        if *self.peek() != Token::Open {
            return Err(self.wrong("`(`"));
        }
        self.take();
        let mut values = vec![self.value()?];
        loop {
            match self.take() {
                Placed {
                    token: Token::Comma,
                    ..
                } => values.push(self.value()?),
                Placed {
                    token: Token::Close,
                    ..
                } => break,
                other => return Err(wrong(&other, "`,` or `)`")),
            }
        }
        Ok(match not {
            true => Comparison::NotIn(values),
            false => Comparison::In(values),
        })
    }

    fn value(&mut self) -> Result<Placed, Wrong> {
        let keyword = KEYWORDS.iter().any(|word| self.is_word(word));
        match self.peek() {
            Token::Word(_) if !keyword => Ok(self.take()),
            Token::Quoted(_) => Ok(self.take()),
            _ => Err(self.wrong("a value")),
        }
    }
}

/// Words that are values only in quotation marks.
pub const KEYWORDS: [&str; 4] = ["and", "or", "not", "in"];

/// Whatever its case and width.
pub fn is_word(found: &str, word: &str) -> bool {
    found
        .chars()
        .map(|c| narrow(c).to_ascii_lowercase())
        .eq(word.chars())
}

fn wrong(found: &Placed, expected: impl Into<String>) -> Wrong {
    Wrong {
        at: found.at,
        found: found.token.to_string(),
        expected: expected.into(),
    }
}

fn signs(field: &Field) -> &'static str {
    match field {
        Field::Text(TextField::Tag) => "`=`, `!=` or `in`",
        Field::Text(_) => "`=`, `!=`, `~` or `in`",
        _ => "`=`, `!=`, `<`, `<=`, `>`, `>=` or `in`",
    }
}

/// A comparison of what is ordered, and whether it is denied.
fn range<V>(
    comparison: Comparison,
    at: &Placed,
    value: impl Fn(&Placed) -> Result<V, Wrong>,
) -> Result<(Range<V>, bool), Wrong> {
    let all = |values: &[Placed]| values.iter().map(&value).collect::<Result<Vec<V>, _>>();
    Ok(match comparison {
        Comparison::In(values) => (Range::In(all(&values)?), false),
        Comparison::NotIn(values) => (Range::In(all(&values)?), true),
        Comparison::With(sign, placed) => {
            let make = match sign {
                Sign::Is => Range::Is,
                Sign::IsNot => Range::IsNot,
                Sign::Below => Range::Below,
                Sign::AtMost => Range::AtMost,
                Sign::Above => Range::Above,
                Sign::AtLeast => Range::AtLeast,
                Sign::Contains => return Err(wrong(at, signs(&Field::Date))),
            };
            (make(value(&placed)?), false)
        }
    })
}

fn text_filter(field: TextField, comparison: Comparison, at: &Placed) -> Result<Filter, Wrong> {
    let text = |placed: Placed| match placed.token {
        Token::Word(text) | Token::Quoted(text) => text,
        _ => String::new(), // values are words or texts
    };
    let texts = |values: Vec<Placed>| values.into_iter().map(text).collect();
    let test = match comparison {
        Comparison::With(Sign::Is, value) => TextTest::Is(text(value)),
        Comparison::With(Sign::IsNot, value) => TextTest::IsNot(text(value)),
        Comparison::With(Sign::Contains, value) if field != TextField::Tag => {
            TextTest::Contains(text(value))
        }
        Comparison::With(..) => return Err(wrong(at, signs(&Field::Text(field)))),
        Comparison::In(values) => TextTest::In(texts(values)),
        Comparison::NotIn(values) => {
            let inside = Filter::Text(field, TextTest::In(texts(values)));
            return Ok(Filter::Not(Box::new(inside)));
        }
    };
    Ok(Filter::Text(field, test))
}

/// The text of a value as it was typed, with full-width characters made narrow.
fn narrowed(placed: &Placed) -> String {
    match &placed.token {
        Token::Word(text) | Token::Quoted(text) => text.chars().map(narrow).collect(),
        _ => String::new(),
    }
}

fn number(placed: &Placed) -> Result<Number, Wrong> {
    let text = narrowed(placed);
    let (digits, unit) = match text.chars().last().map(|c| c.to_ascii_lowercase()) {
        Some('k') => (&text[..text.len() - 1], 1e3),
        Some('m') => (&text[..text.len() - 1], 1e6),
        Some('g') => (&text[..text.len() - 1], 1e9),
        _ => (text.as_str(), 1.0),
    };
    let plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let value = plain.then(|| digits.parse::<f64>().ok()).flatten();
    let number = value.and_then(|v| Number::new(v * unit));
    number.ok_or_else(|| wrong(placed, "a number such as 1000, 1.5, 200k or 2M"))
}

fn period(placed: &Placed) -> Result<Period, Wrong> {
    Period::parse(&narrowed(placed)).ok_or_else(|| {
        wrong(
            placed,
            "a date such as 2024, 2024-05, 2024-05-01 or \"2024-05-01 12:30\"",
        )
    })
}

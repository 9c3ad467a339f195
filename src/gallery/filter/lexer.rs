//! A filter's text as words, texts and signs.

use std::fmt;

/// A piece of a filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// What stands alone: a field, a number, a simple text.
    Word(String),
    /// What stood in quotation marks.
    Quoted(String),
    Sign(Sign),
    Open,
    Close,
    Comma,
    End,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Is,
    IsNot,
    Below,
    AtMost,
    Above,
    AtLeast,
    Contains,
}

/// A token and where it begins, in characters from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    pub token: Token,
    pub at: usize,
}

/// What is wrong with a text, and where.
pub struct Wrong {
    pub at: usize,
    pub found: String,
    pub expected: String,
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Contains => "~",
        })
    }
}

/// As a message names it.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{}`", shortened(word)),
            Self::Quoted(text) => write!(f, "the text {:?}", shortened(text)),
            Self::Sign(sign) => write!(f, "`{sign}`"),
            Self::Open => f.write_str("`(`"),
            Self::Close => f.write_str("`)`"),
            Self::Comma => f.write_str("`,`"),
            Self::End => f.write_str("the end"),
        }
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The half-width form of a full-width character (U+FF01 to U+FF5E), any other as it is.
pub fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// The sign that a character means, if it is one, whatever the keyboard.
fn plain(c: char) -> char {
    match c {
        '“' | '”' | '„' | '‟' => '"',
        '‘' | '’' | '‚' | '‛' => '\'',
        '、' => ',',
        '〜' | '∼' => '~',
        _ => narrow(c),
    }
}

/// Whether a character belongs to a word.
pub fn in_word(c: char) -> bool {
    let sign = matches!(c, '≥' | '≤' | '≠') || "()=!<>~,\"'\\".contains(plain(c));
    !sign && !c.is_whitespace() && !c.is_control()
}

/// All tokens; the last is the end.
pub fn tokens(text: &str) -> Result<Vec<Placed>, Wrong> {
    let chars: Vec<char> = text.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(&c) = chars.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let (token, length) = token(&chars[at..]).map_err(|w| Wrong { at: at + w.at, ..w })?;
        found.push(Placed { token, at: at + 1 });
        at += length;
    }
    found.push(Placed {
        token: Token::End,
        at: at + 1,
    });
    Ok(found)
}

/// The token that the characters, of which there is one, begin with, and its length.
fn token(chars: &[char]) -> Result<(Token, usize), Wrong> {
    let equals = chars.get(1).is_some_and(|&c| plain(c) == '=');
    let or_equals = |alone, with| match equals {
        true => (Token::Sign(with), 2),
        false => (Token::Sign(alone), 1),
    };
    Ok(match plain(chars[0]) {
        '(' => (Token::Open, 1),
        ')' => (Token::Close, 1),
        ',' => (Token::Comma, 1),
        '~' => (Token::Sign(Sign::Contains), 1),
        '≥' => (Token::Sign(Sign::AtLeast), 1),
        '≤' => (Token::Sign(Sign::AtMost), 1),
        '≠' => (Token::Sign(Sign::IsNot), 1),
        '=' => or_equals(Sign::Is, Sign::Is),
        '<' => or_equals(Sign::Below, Sign::AtMost),
        '>' => or_equals(Sign::Above, Sign::AtLeast),
        '!' if equals => (Token::Sign(Sign::IsNot), 2),
        '"' | '\'' => return quoted(chars),
        _ if in_word(chars[0]) => {
            let word: String = chars.iter().take_while(|&&c| in_word(c)).collect();
            let length = word.chars().count();
            (Token::Word(word), length)
        }
        c => {
            return Err(Wrong {
                at: 1,
                found: format!("{c:?}"),
                expected: "a field, a value or a comparison".into(),
            });
        }
    })
}

/// A text in quotation marks. Straight ones end with the same; curly and full-width ones with any of their kind that is
/// not straight, so that a text in straight ones may hold the others.
fn quoted(chars: &[char]) -> Result<(Token, usize), Wrong> {
    let open = chars[0];
    let straight = matches!(open, '"' | '\'');
    let closes = |c: char| match straight {
        true => c == open,
        false => plain(c) == plain(open) && !matches!(c, '"' | '\''),
    };
    let (mut text, mut at) = (String::new(), 1);
    while let Some(&c) = chars.get(at) {
        if closes(c) {
            return Ok((Token::Quoted(text), at + 1));
        }
        if c == '\\' {
            at += 1;
            text.push(match chars.get(at) {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(&c) if c == '\\' || matches!(plain(c), '"' | '\'') => c,
                other => {
                    return Err(Wrong {
                        at,
                        found: match other {
                            Some(c) => format!("a backslash before {c:?}"),
                            None => "a backslash at the end".into(),
                        },
                        expected: "one of `\\\\`, `\\\"`, `\\'`, `\\n`, `\\t`".into(),
                    });
                }
            });
        } else {
            text.push(c);
        }
        at += 1;
    }
    Err(Wrong {
        at: 1,
        found: "a text that does not end".into(),
        expected: format!("a closing {open}"),
    })
}

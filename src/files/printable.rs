//! File names as text: in tables, so that the files can be found again; on screens, so that names cannot pretend to
//! be something else.
//!
//! On Linux a name may consist of any bytes. Bytes that are not UTF-8 are written as `\xHH`, and every backslash of
//! such a name as `\\`. A name that would look like this by itself is written the same way, so that no two names
//! look alike, and a text without `\x` and `\\` is the name itself.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write as _;

/// A name for a table, from which the file can be found again: unchanged if it is UTF-8.
pub fn written(name: impl AsRef<OsStr>) -> String {
    escaped(name.as_ref(), |_| false)
}

/// A name or other text from outside, for a terminal, a log or a page: one line, without characters that move the
/// cursor, change colours or reverse the direction of writing.
pub fn printable(text: impl AsRef<OsStr>) -> String {
    escaped(text.as_ref(), is_control)
}

/// A message for a terminal: characters that move the cursor, change colours or reverse the direction of writing
/// are spelled out; line breaks and tabs stay. Unlike [`printable`], it keeps backslashes, because names in
/// messages are already written.
pub fn visible(message: &str) -> Cow<'_, str> {
    let hidden = |c: char| is_control(c) && !matches!(c, '\n' | '\t');
    if !message.contains(hidden) {
        return message.into();
    }
    let mut text = String::new();
    for c in message.chars() {
        match hidden(c) {
            true => spell(&mut text, c),
            false => text.push(c),
        }
    }
    text.into()
}

/// Spells a character as `\xHH` or `\u{HHHH}`.
fn spell(text: &mut String, c: char) {
    let code = u32::from(c);
    let _ = match c.is_ascii() {
        true => write!(text, "\\x{code:02x}"),
        false => write!(text, "\\u{{{code:x}}}"),
    };
}

/// Whether a character controls lines, a terminal (C0, DEL, C1) or the direction of writing (Unicode,
/// Bidi_Control).
fn is_control(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

fn escaped(name: &OsStr, hide: impl Fn(char) -> bool) -> String {
    let bytes = name.as_encoded_bytes();
    let plain = std::str::from_utf8(bytes).ok();
    let plain = plain.filter(|s| !s.contains("\\x") && !s.contains("\\\\") && !s.contains(&hide));
    if let Some(plain) = plain {
        return plain.to_owned();
    }
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                c if hide(c) => spell(&mut text, c),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

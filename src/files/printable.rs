//! Names as text: in tables so that they are found again, on screens so that they cannot pretend to be anything else.
//!
//! A name on Linux is any bytes. What is not UTF-8 is written `\xHH`, byte by byte, and every backslash of such a name
//! `\\`. A name that would look like that by itself is written so, too: no two names are written alike, and a text
//! without `\x` and `\\` is the name itself.

use std::ffi::OsStr;
use std::fmt::Write as _;

/// A name for a table, by which the file is found again: as it is where it is UTF-8.
pub fn written(name: impl AsRef<OsStr>) -> String {
    escaped(name.as_ref(), |_| false)
}

/// A name or any other text from outside, for a terminal, a log or a page: in one line, without what moves the cursor,
/// colours what follows, or turns the direction of writing.
pub fn printable(text: impl AsRef<OsStr>) -> String {
    escaped(text.as_ref(), is_control)
}

/// Of a line, a terminal (C0, DEL, C1) or the direction of writing (Unicode, Bidi_Control).
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
                c if hide(c) && c.is_ascii() => {
                    let _ = write!(text, "\\x{:02x}", u32::from(c));
                }
                c if hide(c) => {
                    let _ = write!(text, "\\u{{{:x}}}", u32::from(c));
                }
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

//! Text files in the encodings that occur: finds out which one a file has, and decodes what can be read.
//!
//! A byte-order mark decides; without one, valid UTF-8 is UTF-8. Otherwise Chinese encodings are told apart by the
//! characters that the bytes would be: GB18030 and Big5 both put the common characters first, so the wrong one of
//! the two gives rare characters. Anything else is guessed (`chardetng`), and the guess is reported.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Encoding, GB18030, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

use super::Warning;
use crate::error::{Error, Result};
use crate::files;

/// Largest table in bytes; ten million captions need less.
pub const MAX_TABLE: u64 = 1 << 30;

/// The decoded contents of a file.
#[derive(Debug)]
pub(super) struct Text {
    pub text: String,
    /// Lines, from 1, with bytes that are invalid in the file's encoding; they are decoded as U+FFFD.
    pub bad_lines: BTreeSet<u64>,
    pub encoding: &'static Encoding,
}

/// Looks up an encoding by any of its usual names, in any case: `gb18030`, `GBK`, `big5`, `utf-16le`, `shift_jis`.
///
/// # Errors
/// A message with the names of the most common encodings.
pub fn encoding(name: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(name.as_bytes()).ok_or_else(|| {
        format!("`{name}` is not the name of an encoding; try gb18030, big5, utf-8, utf-16le")
    })
}

/// Reads a text file, in the encoding that was asked for or in the one that is detected.
///
/// # Errors
/// [`Error::Table`] if most of it cannot be decoded; those of [`files::read`].
pub(super) fn read(
    path: &Path,
    asked: Option<&'static Encoding>,
    warnings: &mut Vec<Warning>,
) -> Result<Text> {
    let bytes = files::read(path, MAX_TABLE)?;
    let mut warn = |kind, message: String| {
        let message = format!("{}: {message}", path.display());
        warnings.push(Warning { kind, message });
    };
    let guess = match asked {
        Some(encoding) => Guess::sure(as_asked(encoding, &bytes, &mut warn)),
        None => guess(&bytes),
    };
    let decoded = decode(bytes, guess.encoding).ok_or_else(|| Error::Table {
        path: path.to_owned(),
        line: None,
        reason: format!(
            "most of its lines are not {}; say the right encoding with --encoding, or save it as UTF-8",
            guess.encoding.name()
        ),
    })?;
    if !guess.sure {
        warn(
            "text in an uncertain encoding",
            format!(
                "it is read as {}; --encoding says which it is",
                guess.encoding.name()
            ),
        );
    }
    let Text {
        text,
        bad_lines,
        encoding,
    } = decoded;
    for line in &bad_lines {
        warn(
            "line with bytes that cannot be read (they are left out)",
            format!("line {line} is not {}", encoding.name()),
        );
    }
    let text = without_nuls(text, &mut warn);
    Ok(Text {
        text,
        bad_lines,
        encoding,
    })
}

/// The encoding that was asked for, unless a byte-order mark or bytes that it does not have say another.
fn as_asked(
    asked: &'static Encoding,
    bytes: &[u8],
    warn: &mut impl FnMut(&'static str, String),
) -> &'static Encoding {
    if let Some((marked, _)) = Encoding::for_bom(bytes) {
        return marked;
    }
    let is_utf8 = std::str::from_utf8(bytes).is_ok_and(|t| !t.is_ascii());
    if !is_utf8 || asked == UTF_8 {
        return asked;
    }
    // One table of several may be in another encoding than the others.
    let wrong = asked.decode_without_bom_handling(bytes).1;
    let encoding = if wrong { UTF_8 } else { asked };
    let message = format!("it is read as {}", encoding.name());
    warn("text that seems to be UTF-8", message);
    encoding
}

/// Removes the zero bytes that a full disk or a broken transfer leaves in a text.
fn without_nuls(text: String, warn: &mut impl FnMut(&'static str, String)) -> String {
    if !text.contains('\0') {
        return text;
    }
    for (line, of_line) in (1..).zip(lines(&text)) {
        if of_line.contains('\0') {
            warn(
                "line with NUL characters (they are left out)",
                format!("line {line}"),
            );
        }
    }
    text.replace('\0', "")
}

/// The lines of a text, with any kind of line end.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    pieces(text.as_bytes()).map(move |range| text[range].trim_end_matches(['\r', '\n']))
}

/// The lines with their ends: CR LF, LF, or CR alone.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(start..).filter(|r| !r.is_empty())?;
        let end = rest.iter().position(|b| matches!(b, b'\r' | b'\n'));
        let length = match end {
            Some(i) if rest[i..].starts_with(b"\r\n") => i + 2,
            Some(i) => i + 1,
            None => rest.len(),
        };
        start += length;
        Some(start - length..start)
    })
}

struct Guess {
    encoding: &'static Encoding,
    sure: bool,
}

impl Guess {
    fn sure(encoding: &'static Encoding) -> Self {
        Self {
            encoding,
            sure: true,
        }
    }
}

/// Likelihood from which a text is taken to be in an encoding; see [`Counts::likelihood`]. Single captions of
/// Flickr8k-CN reach 0.6 in 99 of 100 cases, and are below 0 in the wrong encoding.
const LIKELY: f64 = 0.3;

/// Difference of likelihoods from which the choice of an encoding is not reported.
const CLEARLY: f64 = 0.3;

fn guess(bytes: &[u8]) -> Guess {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return Guess::sure(encoding);
    }
    if let Some(encoding) = unmarked_utf16(bytes) {
        return Guess::sure(encoding);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let by_chance = is_unlikely(text) && gb18030_likelihood(bytes) >= LIKELY;
        return Guess::sure(if by_chance { GB18030 } else { UTF_8 });
    }
    let (mut all, mut beyond_ascii, mut broken) = (0, 0, 0);
    for line in pieces(bytes) {
        all += 1;
        beyond_ascii += usize::from(!bytes[line.clone()].is_ascii());
        broken += usize::from(std::str::from_utf8(&bytes[line]).is_err());
    }
    if 2 * broken < beyond_ascii {
        return Guess::sure(UTF_8);
    }
    let [gb, big5] = [gb18030_likelihood(bytes), big5_likelihood(bytes)];
    let (encoding, best, other) = if gb >= big5 {
        (GB18030, gb, big5)
    } else {
        (BIG5, big5, gb)
    };
    if best >= LIKELY {
        return Guess {
            encoding,
            sure: best - other >= CLEARLY,
        };
    }
    if 10 * broken <= all {
        return Guess::sure(UTF_8); // few bad bytes in a text that is ASCII otherwise
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    let chinese = encoding.name() == "GBK" || encoding == BIG5;
    Guess {
        encoding: if encoding.name() == "GBK" {
            GB18030
        } else {
            encoding
        },
        sure: chinese && encoding.name() == if gb >= big5 { "GBK" } else { "Big5" },
    }
}

/// Whether a text is valid UTF-8 only by chance: pairs of GB18030 bytes can form two-byte characters, but of no
/// living alphabet. (图片 becomes ͼƬ.)
fn is_unlikely(text: &str) -> bool {
    let living = |c: char| {
        // Latin, combining marks, Greek, Cyrillic, Hebrew, Arabic
        matches!(u32::from(c), 0..=0x17f | 0x2b0..=0x377 | 0x384..=0x3ce | 0x400..=0x45f | 0x5d0..=0x6ff)
    };
    text.chars().all(|c| u32::from(c) < 0x800) && !text.chars().all(living)
}

/// The UTF-16 encoding of an unmarked file, if it is one: tables and lists begin with ASCII names, which have a
/// zero in every other byte.
fn unmarked_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    const LOOKED_AT: usize = 64;
    let head = &bytes[..bytes.len().min(LOOKED_AT) / 2 * 2];
    let zeros = |from: usize| {
        head.iter()
            .skip(from)
            .step_by(2)
            .filter(|&&b| b == 0)
            .count()
    };
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    let mostly = |many: usize, few: usize| pairs >= 4 && 2 * many > pairs && 10 * few < pairs;
    match (mostly(odd, even), mostly(even, odd)) {
        (true, _) => Some(UTF_16LE),
        (_, true) => Some(UTF_16BE),
        _ => None,
    }
}

/// Numbers of characters by their rank in an encoding.
#[derive(Default)]
struct Counts {
    common: f64,
    rare: f64,
    none: f64,
}

impl Counts {
    /// 1 if all characters are common ones; lower values are less likely.
    fn likelihood(&self) -> f64 {
        let all = self.common + self.rare + self.none;
        (self.common - 2.0 * self.rare - 4.0 * self.none) / all.max(1.0)
    }
}

/// The likelihood of the bytes beyond ASCII. `character` gives the length of the character at the front, 0 if there
/// is none, and whether it is common.
fn likelihood(bytes: &[u8], character: impl Fn(&[u8]) -> (usize, bool)) -> f64 {
    let (mut counts, mut at) = (Counts::default(), 0);
    while at < bytes.len() {
        if bytes[at].is_ascii() {
            at += 1;
            continue;
        }
        match character(&bytes[at..]) {
            (0, _) => {
                counts.none += 1.0;
                at += 1;
            }
            (length, common) => {
                *(if common {
                    &mut counts.common
                } else {
                    &mut counts.rare
                }) += 1.0;
                at += length;
            }
        }
    }
    counts.likelihood()
}

/// GB 2312 keeps punctuation in rows 1 to 3 (lead bytes A1 to A3) and the 3,755 most common characters in rows 16
/// to 55 (B0 to D7).
fn gb18030_likelihood(bytes: &[u8]) -> f64 {
    likelihood(bytes, |b| match *b {
        [0xa1..=0xa3 | 0xb0..=0xd7, 0xa1..=0xfe, ..] => (2, true),
        [0x81..=0xfe, 0x30..=0x39, 0x81..=0xfe, 0x30..=0x39, ..] => (4, false),
        [0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe, ..] => (2, false),
        _ => (0, false),
    })
}

/// Big5 keeps punctuation at lead bytes A1 to A3 and the 5,401 most common characters at A4 to C6.
fn big5_likelihood(bytes: &[u8]) -> f64 {
    likelihood(bytes, |b| match *b {
        [0xa1..=0xc6, 0x40..=0x7e | 0xa1..=0xfe, ..] => (2, true),
        [0x81..=0xfe, 0x40..=0x7e | 0xa1..=0xfe, ..] => (2, false),
        _ => (0, false),
    })
}

/// Decodes line by line, so that a bad byte spoils only its own line; `None` if most lines are bad.
fn decode(mut bytes: Vec<u8>, encoding: &'static Encoding) -> Option<Text> {
    if let Some((marked, mark)) = Encoding::for_bom(&bytes)
        && marked == encoding
    {
        bytes.drain(..mark);
    }
    let whole = |text| {
        Some(Text {
            text,
            bad_lines: BTreeSet::new(),
            encoding,
        })
    };
    if encoding == UTF_8 {
        match String::from_utf8(bytes) {
            Ok(text) => return whole(text),
            Err(e) => bytes = e.into_bytes(),
        }
    } else if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(&bytes)
    {
        return whole(text.into_owned());
    }
    let by_line = ![UTF_16LE, UTF_16BE, ISO_2022_JP].contains(&encoding);
    let (mut text, mut bad_lines, mut beyond_ascii) = (String::new(), BTreeSet::new(), 0);
    if by_line {
        for (line, range) in (1..).zip(pieces(&bytes)) {
            beyond_ascii += usize::from(!bytes[range.clone()].is_ascii());
            let (decoded, bad) = encoding.decode_without_bom_handling(&bytes[range]);
            text += &decoded;
            if bad {
                bad_lines.insert(line);
            }
        }
    } else {
        text = encoding.decode_without_bom_handling(&bytes).0.into_owned();
        for (line, of_line) in (1..).zip(lines(&text)) {
            beyond_ascii += 1;
            if of_line.contains('\u{fffd}') {
                bad_lines.insert(line);
            }
        }
    }
    let all = pieces(text.as_bytes()).count();
    let few = 2 * bad_lines.len() <= beyond_ascii || 10 * bad_lines.len() <= all;
    few.then_some(Text {
        text,
        bad_lines,
        encoding,
    })
}

/// Decodes a file name that may be UTF-8 or, as in old archives, GB18030 or Big5; `None` if it is unlikely to be
/// any of them.
pub(super) fn file_name(bytes: &[u8]) -> Option<String> {
    let utf8 = std::str::from_utf8(bytes).ok();
    if let Some(name) = utf8.filter(|name| !is_unlikely(name)) {
        return Some(name.to_owned());
    }
    let [gb, big5] = [gb18030_likelihood(bytes), big5_likelihood(bytes)];
    let encoding = if gb >= big5 { GB18030 } else { BIG5 };
    let likely = Some(encoding).filter(|_| gb.max(big5) >= LIKELY);
    let name = likely.and_then(|e| e.decode_without_bom_handling_and_without_replacement(bytes));
    name.map(Cow::into_owned)
        .or_else(|| utf8.map(str::to_owned))
}

/// The first lines of a regular file, to recognise it by; `None` if it cannot be read.
pub(super) fn head(path: &Path, most: u64) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|f| f.take(most).read_to_end(&mut bytes));
    read.ok()?;
    if bytes.len() as u64 == most {
        let end = bytes
            .iter()
            .rposition(|b| matches!(b, b'\r' | b'\n'))
            .unwrap_or(bytes.len());
        bytes.truncate(end);
    }
    let (encoding, mark) = Encoding::for_bom(&bytes).unwrap_or_else(|| (guess(&bytes).encoding, 0));
    Some(
        encoding
            .decode_without_bom_handling(&bytes[mark..])
            .0
            .into_owned(),
    )
}

//! When and with what a picture was taken, as its file says (EXIF 2.32).
//!
//! Only headers are looked at. The block is found in JPEG, PNG, WebP and TIFF files by walking over what stands around
//! it; `bounds` counts what its directories hold before the parser sees it, whose memory grows with the entries of
//! directories that may overlap.

mod bounds;
mod container;

use exif::{DateTime, Exif, In, Reader, Tag, Value};

/// What is known of how a picture was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// YYYYMMDDhhmmss in the camera's time.
    pub at: Option<i64>,
    /// Maker and model.
    pub camera: Option<String>,
}

/// The year of the first photograph that is left. Years before it are what cameras without a clock write.
const FIRST_YEAR: u16 = 1826;
/// Bytes of a maker or a model that are looked at.
const MOST_NAME: usize = 256;

impl Taken {
    /// Reads it from the bytes of a picture file. What is damaged or not there is not known.
    pub fn read(bytes: &[u8]) -> Self {
        let Some(exif) = parse(bytes) else {
            return Self::default();
        };
        let dates = [Tag::DateTimeOriginal, Tag::DateTimeDigitized, Tag::DateTime];
        Self {
            at: dates.into_iter().find_map(|tag| date(ascii(&exif, tag)?)),
            camera: camera(&name(&exif, Tag::Make), &name(&exif, Tag::Model)),
        }
    }
}

/// The fields of the block that can be read.
fn parse(bytes: &[u8]) -> Option<Exif> {
    let block = container::block(bytes)?;
    let needed = bounds::needed(block)?;
    let mut reader = Reader::new();
    reader.continue_on_error(true);
    let read = reader.read_raw(block[..needed].to_vec());
    read.or_else(|e| e.distill_partial_result(|_| ())).ok()
}

fn ascii(exif: &Exif, tag: Tag) -> Option<&[u8]> {
    match &exif.get_field(tag, In::PRIMARY)?.value {
        Value::Ascii(parts) => parts.first().map(Vec::as_slice),
        _ => None,
    }
}

/// A date that the calendar has, from `2024:05:01 12:30:00`; some programs write other signs between the numbers.
fn date(text: &[u8]) -> Option<i64> {
    let mut text: [u8; 19] = *text.first_chunk()?;
    for (at, sign, others) in [(4, b':', b"-/."), (7, b':', b"-/."), (10, b' ', b"T::")] {
        if others.contains(&text[at]) {
            text[at] = sign;
        }
    }
    let d = DateTime::from_ascii(&text).ok()?;
    let leap = d.year % 4 == 0 && (d.year % 100 != 0 || d.year % 400 == 0);
    let days = match d.month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let is = d.year >= FIRST_YEAR
        && (1..=days).contains(&d.day)
        && d.hour < 24
        && d.minute < 60
        && d.second < 60;
    let parts = [d.month, d.day, d.hour, d.minute, d.second];
    is.then(|| {
        parts
            .iter()
            .fold(i64::from(d.year), |all, &part| all * 100 + i64::from(part))
    })
}

/// A name without what surrounds it, one space between its words.
fn name(exif: &Exif, tag: Tag) -> String {
    let bytes = ascii(exif, tag).unwrap_or_default();
    let bytes = &bytes[..bytes.len().min(MOST_NAME)];
    let text = String::from_utf8_lossy(bytes);
    let clean = text.replace(|c: char| c.is_control() || c == '\u{fffd}', " ");
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Maker and model; the model alone where it begins with the maker's first word, as in "Canon" and "Canon EOS 5D", or
/// "NIKON CORPORATION" and "NIKON D90".
fn camera(make: &str, model: &str) -> Option<String> {
    let first = make.split(' ').next().unwrap_or("").to_lowercase();
    let begins = model.split(' ').next().unwrap_or("").to_lowercase() == first;
    let whole = match begins || model.to_lowercase().starts_with(&make.to_lowercase()) {
        true => model.to_owned(),
        false => format!("{make} {model}"),
    };
    let camera = if model.is_empty() { make } else { whole.trim() };
    (!camera.is_empty()).then(|| camera.to_owned())
}

//! Which pictures are wanted, in a small language: `width > 1000 and folder = "2024" and not camera ~ "Canon"`.
//!
//! ```text
//! filter     = all { "or" all }
//! all        = part { "and" part }
//! part       = "not" part | "(" filter ")" | "has" ( "captions" | "tags" | "text" ) | comparison
//! comparison = field operator value | field [ "not" ] "in" "(" value { "," value } ")"
//! ```
//!
//! | fields | operators | values |
//! |---|---|---|
//! | `width` `height` `pixels` `bytes` `aspect` | `= != < <= > >= in` | numbers, also `12k`, `1.5M`, `2G` (thousands) |
//! | `date` | `= != < <= > >= in` | `2024`, `2024-05`, `2024-05-01`, `"2024-05-01 12:30"` |
//! | `folder` | `= != ~ in` | the folder or one below it; `~`: part of its path |
//! | `camera` `format` `id` | `= != ~ in` | the text; `~`: a part of it |
//! | `tag` | `= != in` | a tag that it has |
//!
//! `~` ignores case. Texts stand in `"…"` or `'…'`, where a backslash takes `"`, `'`, `\`, `n` or `t`; simple ones stand
//! alone. The full-width signs of Chinese keyboards （）＝＞＜，“”≥≤ are as good. A date is a period: `date = 2024-05`
//! is within the month, `<` and `>=` are about its beginning, `>` and `<=` about its end. A picture whose value is
//! not known (no date, no height) matches no comparison of it, so that `not date = 2024` has it and `date != 2024` has it not.

mod columns;
mod date;
mod evaluate;
mod lexer;
mod parser;
mod span;
mod written;

pub use super::bitmap::Bitmap;
pub use columns::{Coded, Columns, UNKNOWN};
pub use date::Period;

/// A condition on pictures. [`Filter::parse`] reads it, [`Filter::select`] applies it, and `Display` writes it such that
/// it is read as the same again.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// At least two, none of which is `All`: [`Filter::all`] makes it so.
    All(Vec<Filter>),
    /// At least two, none of which is `Any`: [`Filter::any`] makes it so.
    Any(Vec<Filter>),
    /// The condition does not hold.
    Not(Box<Filter>),
    /// A number is compared.
    Number(NumberField, Range<Number>),
    /// The date is compared.
    Date(Range<Period>),
    /// A text is compared.
    Text(TextField, TextTest),
    /// The picture has captions, tags or text.
    Has(Has),
}

/// What is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberField {
    /// In pixels.
    Width,
    /// In pixels.
    Height,
    /// Width × height.
    Pixels,
    /// Size of the file.
    Bytes,
    /// Width / height.
    Aspect,
}

/// What is a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextField {
    /// Folder of the file below the gallery's folder, its parts separated by `/`; empty for the uppermost.
    Folder,
    /// Name of the camera, from the picture's Exif data.
    Camera,
    /// Name of the file format: `jpeg`, `png`, ...
    Format,
    /// The picture's id: its path below the folder.
    Id,
    /// One of the picture's tags.
    Tag,
}

/// What a picture may have or lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Has {
    /// Captions.
    Captions,
    /// Tags.
    Tags,
    /// Text was read in it.
    Text,
}

/// A comparison of what is ordered.
#[derive(Clone, Debug, PartialEq)]
pub enum Range<V> {
    /// Equal to the value.
    Is(V),
    /// Known, and not equal to the value.
    IsNot(V),
    /// Less than the value.
    Below(V),
    /// The value or less.
    AtMost(V),
    /// More than the value.
    Above(V),
    /// The value or more.
    AtLeast(V),
    /// One of these.
    In(Vec<V>),
}

/// A comparison of texts.
#[derive(Clone, Debug, PartialEq)]
pub enum TextTest {
    /// This text.
    Is(String),
    /// Another text.
    IsNot(String),
    /// Whatever the case.
    Contains(String),
    /// One of these.
    In(Vec<String>),
}

/// A number that is not negative and no more than 2⁵³, up to which all whole ones are exact.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Number(f64);

impl Number {
    /// None for what is negative, too large or no number.
    pub fn new(value: f64) -> Option<Self> {
        // −0 would be written as "-0".
        (0.0..=9_007_199_254_740_992.0)
            .contains(&value)
            .then_some(Self(value.abs()))
    }

    /// The number itself.
    pub fn value(self) -> f64 {
        self.0
    }
}

impl Filter {
    /// All of these hold. Those within `All` are taken out of it; a single one stands for itself. None at all is
    /// `None`: every picture would match.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let open = |part| match part {
            Self::All(inner) => inner,
            other => vec![other],
        };
        joined(parts.into_iter().flat_map(open).collect(), Self::All)
    }

    /// One of these holds. Those within `Any` are taken out of it; a single one stands for itself. None at all is
    /// `None`.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let open = |part| match part {
            Self::Any(inner) => inner,
            other => vec![other],
        };
        joined(parts.into_iter().flat_map(open).collect(), Self::Any)
    }
}

/// Several parts as one; a single one stands for itself.
fn joined(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Option<Filter> {
    match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(join(parts)),
    }
}

/// The names of all fields, for messages.
pub const FIELDS: &str =
    "width, height, pixels, bytes, aspect, date, folder, camera, format, id, tag, has";

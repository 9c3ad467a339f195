//! What a gallery holds, as it goes in and as it comes out.

use half::f16;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What the rows of a gallery were made by. A gallery takes rows of one stamp only, because points of two models
/// cannot be compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamp {
    /// The fingerprint of the model.
    pub model: String,
    /// Dimensions of a point in the shared space.
    pub point: usize,
    /// Dimensions of a look-alike vector; 0 where there is none.
    pub look: usize,
    /// Anything else that rows depend on.
    pub notes: serde_json::Value,
}

/// The terms of a text, rising, with their counts, and the norm by which a cosine divides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bag {
    /// Digest and count of each term, the digests rising.
    pub terms: Vec<(u64, f32)>,
    /// Length of the vector of weighted terms.
    pub norm: f32,
}

/// What a search touches of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PictureRow {
    /// The point in the shared space.
    pub point: Vec<f16>,
    /// What is subtracted from its scores because it suits every query; 0 for nothing.
    pub charge: f32,
    /// The vector by which look-alikes are found.
    pub look: Vec<f16>,
    /// What copies are found by; its format is known to those who write and read it alone.
    pub copies: Vec<u8>,
    /// The terms of the text that was read in the picture.
    pub read: Bag,
    /// The terms of its tags.
    pub tags: Bag,
}

/// What a search touches of a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextRow {
    /// The point in the shared space.
    pub point: Vec<f16>,
    /// What is subtracted from its scores because it suits every query; 0 for nothing.
    pub charge: f32,
    /// The terms of the text.
    pub terms: Bag,
}

/// What is recorded of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The path below the folder, or a name; no two items have the same.
    pub id: String,
    /// Where the file is.
    pub path: String,
    /// The size of the file.
    pub bytes: u64,
    /// When the file was changed, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Digest of the file's bytes.
    pub digest: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Local date and time in ISO 8601, such as `2024-05-01T12:30:00`.
    pub taken: Option<String>,
    /// Name of the camera.
    pub camera: Option<String>,
    /// Folder of the file below the gallery's folder, its parts separated by `/`; empty for the uppermost.
    pub folder: String,
    /// Name of the file format: `jpeg`, `png`, ...
    pub format: String,
    /// Tags of the picture.
    pub tags: Vec<String>,
    /// What was read in the picture.
    pub read: serde_json::Value,
}

/// Whether a picture can be found.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// It can be found, by this row.
    Good(PictureRow),
    /// The reason why it cannot be used. It is recorded so that it is not opened again until its file changes.
    Bad(String),
}

/// A picture to be added, or to replace the one that has its id.
#[derive(Clone, Debug, PartialEq)]
pub struct NewItem {
    /// What is recorded of the picture.
    pub facts: Facts,
    /// The picture's row, or why it has none.
    pub seen: Seen,
    /// Its captions. With `None`, a picture that replaces another takes over the captions of that one.
    pub captions: Option<Vec<NewCaption>>,
}

/// A caption that goes in together with its picture.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCaption {
    /// No two texts have the same; a new text replaces the one that has its id.
    pub id: String,
    /// The text itself.
    pub caption: String,
    /// What a search touches of it.
    pub row: TextRow,
}

/// A text to be added, of a picture that is in the gallery already or of none.
#[derive(Clone, Debug, PartialEq)]
pub struct NewText {
    /// Key of the picture that the text is about.
    pub item: Option<u64>,
    /// The text.
    pub text: NewCaption,
}

/// A picture whose file was touched or moved, but is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Key of the picture.
    pub key: u64,
    /// Where the file is now.
    pub path: String,
    /// Size of the file now.
    pub bytes: u64,
    /// When the file was changed, in nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// What one commit does, as a whole or not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Pictures to be added or replaced.
    pub add: Vec<NewItem>,
    /// Texts to be added or replaced.
    pub texts: Vec<NewText>,
    /// Keys of items; their captions go with them.
    pub remove: Vec<u64>,
    /// Keys of texts.
    pub remove_texts: Vec<u64>,
    /// Pictures whose files are the same, with another time.
    pub touch: Vec<Touch>,
}

/// The keys that a commit gave, in the order of the change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Keys of the added pictures.
    pub items: Vec<u64>,
    /// For every added item, those of its captions, given or taken over.
    pub captions: Vec<Vec<u64>>,
    /// Keys of the added texts.
    pub texts: Vec<u64>,
}

/// What tells whether a file is the one that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Key of the picture.
    pub key: u64,
    /// Where the file was.
    pub path: String,
    /// Size of the file.
    pub bytes: u64,
    /// When the file was changed, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Digest of the file's bytes.
    pub digest: String,
    /// Whether the picture cannot be used.
    pub bad: bool,
    /// Its tags.
    pub tags: Vec<String>,
}

impl Known {
    /// Whether a file of such a size and time is taken for the one that was recorded.
    pub fn is_of(&self, bytes: u64, mtime_ns: i64) -> bool {
        self.bytes == bytes && self.mtime_ns == mtime_ns
    }
}

/// A picture of a gallery.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Key of the picture, which it keeps as long as it is in the gallery.
    pub key: u64,
    /// What is recorded of it.
    pub facts: Facts,
    /// The reason why it cannot be used.
    pub bad: Option<String>,
}

/// A text of a gallery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Key of the text.
    pub key: u64,
    /// Its id.
    pub id: String,
    /// The picture that it is about.
    pub item: Option<u64>,
    /// The text itself.
    pub caption: String,
}

/// A picture that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// Key of the picture.
    pub key: u64,
    /// Its id.
    pub id: String,
    /// Where the file is.
    pub path: String,
    /// Why it cannot be used.
    pub reason: String,
}

/// How much a gallery holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pictures that can be found.
    pub pictures: usize,
    /// Pictures that cannot be used.
    pub bad: usize,
    /// Texts, captions among them.
    pub texts: usize,
    /// Segments that they lie in.
    pub segments: usize,
}

/// The charge of a picture or text of which nothing is known in the shared space: it is near to nothing there.
pub const UNUSABLE: f32 = f32::INFINITY;

/// Stands for a picture without a date.
pub const UNDATED: i64 = i64::MIN;

/// A date as a number that sorts, `YYYYMMDDhhmmss`; what is missing of the time is 0. [`UNDATED`] stands for what
/// does not begin with a date.
pub fn sortable(taken: Option<&str>) -> i64 {
    let digits = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse::<i64>().ok())
    };
    let number = |text: &str| {
        let part = |at: usize, len: usize| text.get(at..at + len).and_then(digits).flatten();
        let (year, month, day) = (part(0, 4)?, part(5, 2)?, part(8, 2)?);
        let time = |at| part(at, 2).unwrap_or(0);
        let date = (year * 100 + month) * 100 + day;
        Some(((date * 100 + time(11)) * 100 + time(14)) * 100 + time(17))
    };
    taken.and_then(number).unwrap_or(UNDATED)
}

impl Stamp {
    /// # Errors
    /// [`Error::Mismatch`] with both stamps, where they differ.
    pub(super) fn require(&self, of: &str, wanted: &Self) -> Result<()> {
        if self == wanted {
            return Ok(());
        }
        let spelled = |stamp: &Self| {
            let Self {
                model,
                point,
                look,
                notes,
            } = stamp;
            format!("of model {model} ({point} dimensions, {look} for look-alikes, {notes})")
        };
        Err(Error::Mismatch {
            left: format!("the gallery {of}"),
            left_is: spelled(self),
            right: "what is to be stored in it".into(),
            right_is: spelled(wanted),
        })
    }
}

//! What a filter asks of the pictures.

use super::{Bitmap, Has};

/// The date of a picture that has none.
pub const UNKNOWN: i64 = crate::gallery::UNDATED;

/// A column of texts that repeat.
#[derive(Clone, Debug)]
pub struct Coded<'a> {
    /// For each row, the index of its text in `entries`.
    pub codes: &'a [u32],
    /// Every text once.
    pub entries: Vec<&'a str>,
}

/// Pictures by columns, all of which have a value for each row.
pub trait Columns {
    /// Number of rows.
    fn rows(&self) -> usize;
    /// Widths in pixels; 0 if unknown.
    fn widths(&self) -> &[u32];
    /// Heights in pixels; 0 if unknown.
    fn heights(&self) -> &[u32];
    /// Sizes of the files.
    fn bytes(&self) -> &[u64];
    /// Dates as YYYYMMDDhhmmss, or [`UNKNOWN`].
    fn taken(&self) -> &[i64];
    /// Folders below the gallery's folder, their parts separated by `/`.
    fn folders(&self) -> Coded<'_>;
    /// Names of the cameras.
    fn cameras(&self) -> Coded<'_>;
    /// Names of the file formats.
    fn formats(&self) -> Coded<'_>;
    /// The rows whose name passes.
    fn ids(&self, passes: &dyn Fn(&str) -> bool) -> Bitmap;
    /// The rows that have a tag.
    fn tagged(&self, tag: &str) -> Bitmap;
    /// The rows that have captions, tags or text.
    fn has(&self, what: Has) -> Bitmap;
}

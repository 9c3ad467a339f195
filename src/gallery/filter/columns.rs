//! What a filter asks of the pictures.

use super::{Bitmap, Has};

/// The date of a picture that has none.
pub const UNKNOWN: i64 = crate::gallery::UNDATED;

/// A column of texts that repeat.
#[derive(Clone, Debug)]
pub struct Coded<'a> {
    /// Of each row, the place of its text among the entries.
    pub codes: &'a [u32],
    /// Every text once.
    pub entries: Vec<&'a str>,
}

/// Pictures by columns, all of which have a value for each row.
pub trait Columns {
    fn rows(&self) -> usize;
    fn widths(&self) -> &[u32];
    fn heights(&self) -> &[u32];
    /// Of the files.
    fn bytes(&self) -> &[u64];
    /// As YYYYMMDDhhmmss, or [`UNKNOWN`].
    fn taken(&self) -> &[i64];
    /// Relative to the gallery, parts separated by `/`.
    fn folders(&self) -> Coded<'_>;
    fn cameras(&self) -> Coded<'_>;
    fn formats(&self) -> Coded<'_>;
    /// The rows whose name passes.
    fn ids(&self, passes: &dyn Fn(&str) -> bool) -> Bitmap;
    /// The rows that have a tag.
    fn tagged(&self, tag: &str) -> Bitmap;
    fn has(&self, what: Has) -> Bitmap;
}

//! The rows of a segment as slices, whether they lie in a mapped file or in memory.

use std::ops::Deref;

use half::f16;

use crate::gallery::postings::Postings;
use crate::gallery::scan::Points;

/// Stands for a camera that is not known.
pub const NO_CODE: u32 = u32::MAX;

/// A column of few different texts: codes, and the sorted texts that they are places of.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    /// For each row, the index of its text in `names`, or [`NO_CODE`].
    pub codes: &'a [u32],
    /// The different texts, sorted.
    pub names: &'a [String],
}

impl<'a> Labels<'a> {
    /// The text of a row.
    pub fn get(&self, row: usize) -> Option<&'a str> {
        let code = *self.codes.get(row)?;
        self.names.get(code as usize).map(String::as_str)
    }

    /// The code of a text, by which rows can be compared without their texts.
    pub fn code(&self, name: &str) -> Option<u32> {
        let place = self.names.binary_search_by(|n| n.as_str().cmp(name)).ok()?;
        Some(place as u32)
    }
}

/// The pictures of a segment, by row; their keys, points and charges are those of the rows.
#[derive(Clone, Copy, Debug)]
pub struct Pictures<'a> {
    /// In the shared space.
    pub rows: Points<'a>,
    /// Row-major, rows × `look`.
    pub looks: &'a [f16],
    /// Dimensions of a look-alike vector.
    pub look: usize,
    pub(crate) blobs: &'a [u8],
    pub(crate) ends: &'a [u64],
    /// Widths in pixels.
    pub widths: &'a [u32],
    /// Heights in pixels.
    pub heights: &'a [u32],
    /// Sizes of the files.
    pub bytes: &'a [u64],
    /// Dates as numbers that sort; [`crate::gallery::UNDATED`] where there is none.
    pub taken: &'a [i64],
    /// Folders of the files.
    pub folders: Labels<'a>,
    /// Names of the cameras.
    pub cameras: Labels<'a>,
    /// Names of the file formats.
    pub formats: Labels<'a>,
    /// Inverted lists over what was read in the pictures.
    pub read: Postings<'a>,
    /// Inverted lists over the tags of the pictures.
    pub tags: Postings<'a>,
}

/// The texts of a segment, by row; their keys, points and charges are those of the rows.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    /// In the shared space.
    pub rows: Points<'a>,
    /// The pictures that they are about; 0 for a text on its own.
    pub items: &'a [u64],
    /// Inverted lists over the words of the texts.
    pub captions: Postings<'a>,
}

impl<'a> Deref for Pictures<'a> {
    type Target = Points<'a>;

    fn deref(&self) -> &Points<'a> {
        &self.rows
    }
}

impl<'a> Deref for Texts<'a> {
    type Target = Points<'a>;

    fn deref(&self) -> &Points<'a> {
        &self.rows
    }
}

impl<'a> Pictures<'a> {
    /// The same rows with their look-alike vectors for points, which nothing is charged for.
    pub fn by_look(&self) -> Points<'a> {
        Points {
            values: self.looks,
            dim: self.look,
            charges: &[],
            ..self.rows
        }
    }

    /// # Panics
    /// Where there is no such row.
    pub fn look(&self, row: usize) -> &'a [f16] {
        self.by_look().point(row)
    }

    /// What the copies of a picture are found by; nothing where the file is damaged.
    pub fn copies(&self, row: usize) -> Option<&'a [u8]> {
        let start = match row {
            0 => 0,
            _ => usize::try_from(*self.ends.get(row - 1)?).ok()?,
        };
        let end = usize::try_from(*self.ends.get(row)?).ok()?;
        self.blobs.get(start..end)
    }
}

impl Texts<'_> {
    /// The picture that a text is about.
    pub fn item(&self, row: usize) -> Option<u64> {
        self.items.get(row).copied().filter(|&key| key != 0)
    }
}

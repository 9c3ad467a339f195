//! The pictures of a segment as a filter sees them.

use std::cell::OnceCell;

use super::filter::{Bitmap, Coded, Columns, Has};
use super::{Labels, Part, Pictures, Snapshot};

/// Pictures of a segment, with the database that knows their names and tags.
pub struct PartColumns<'a> {
    snapshot: &'a Snapshot,
    pictures: Pictures<'a>,
    cameras: OnceCell<Vec<u32>>,
}

impl<'a> PartColumns<'a> {
    /// The pictures of a segment of a snapshot.
    pub fn new(snapshot: &'a Snapshot, part: &'a Part) -> Self {
        Self {
            snapshot,
            pictures: part.pictures(),
            cameras: OnceCell::new(),
        }
    }

    fn rows_of(&self, keys: impl IntoIterator<Item = u64>) -> Bitmap {
        let rows = keys.into_iter().filter_map(|key| self.pictures.row_of(key));
        Bitmap::from_rows(self.rows(), rows)
    }
}

fn coded<'a>(labels: Labels<'a>) -> Coded<'a> {
    Coded {
        codes: labels.codes,
        entries: labels.names.iter().map(String::as_str).collect(),
    }
}

impl Columns for PartColumns<'_> {
    fn rows(&self) -> usize {
        self.pictures.len()
    }

    fn widths(&self) -> &[u32] {
        self.pictures.widths
    }

    fn heights(&self) -> &[u32] {
        self.pictures.heights
    }

    fn bytes(&self) -> &[u64] {
        self.pictures.bytes
    }

    fn taken(&self) -> &[i64] {
        self.pictures.taken
    }

    fn folders(&self) -> Coded<'_> {
        coded(self.pictures.folders)
    }

    fn cameras(&self) -> Coded<'_> {
        let Labels { codes, names } = self.pictures.cameras;
        // a picture without a camera has the code after the last
        let none = names.len() as u32;
        let codes = self
            .cameras
            .get_or_init(|| codes.iter().map(|&c| c.min(none)).collect());
        Coded {
            codes,
            entries: names.iter().map(String::as_str).chain([""]).collect(),
        }
    }

    fn formats(&self) -> Coded<'_> {
        coded(self.pictures.formats)
    }

    fn ids(&self, passes: &dyn Fn(&str) -> bool) -> Bitmap {
        let ids = self.snapshot.all_ids().filter_map(Result::ok);
        self.rows_of(ids.filter(|(_, id)| passes(id)).map(|(key, _)| key))
    }

    fn tagged(&self, tag: &str) -> Bitmap {
        self.rows_of(self.snapshot.tagged(tag).unwrap_or_default())
    }

    fn has(&self, what: Has) -> Bitmap {
        let lengths = |lengths: &[f32]| Bitmap::of(lengths, |l| l > 0.0);
        match what {
            Has::Tags => lengths(self.pictures.tags.lengths),
            Has::Text => lengths(self.pictures.read.lengths),
            Has::Captions => {
                let items = self
                    .snapshot
                    .parts()
                    .iter()
                    .flat_map(|part| part.captioned());
                self.rows_of(items)
            }
        }
    }
}

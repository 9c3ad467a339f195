//! A gallery at one moment, with all that answers are made from.

use std::path::Path;
use std::sync::OnceLock;

use half::f16;

use super::copies::Copies;
use super::words::{with_word, without_text};
use super::{Query, Ranked, Rows};
use crate::error::{Error, Result};
use crate::gallery::{
    Bitmap, Nearest, Part, PartColumns, Postings, Snapshot, UNUSABLE, nearest_of,
};
use crate::lazy::Lazy;
use crate::model::{Described, Model};
use crate::scene_text::Terms;

/// A snapshot, and what is built over it.
pub struct View {
    /// What is in the gallery.
    pub snapshot: Snapshot,
    /// The index over the pictures of each part that is large enough.
    nearest: Vec<Option<Box<dyn Nearest>>>,
    /// Mean number of terms of the texts of both kinds, counted when words are first matched.
    means: [OnceLock<f32>; 2],
    copies: Lazy<Copies>,
}

/// Texts of a gallery that words are matched with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    InPictures,
    Captions,
}

impl Written {
    /// The texts of a part.
    pub fn of(self, part: &Part) -> Postings<'_> {
        match self {
            Self::InPictures => part.pictures().read,
            Self::Captions => part.texts().captions,
        }
    }

    /// Those that are left.
    fn live(self, part: &Part) -> Bitmap {
        match self {
            Self::InPictures => part.live_pictures(),
            Self::Captions => part.live_texts(),
        }
    }
}

/// In single precision.
fn wide(values: &[f16]) -> Vec<f32> {
    values.iter().map(|v| v.to_f32()).collect()
}

impl View {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let snapshot = Snapshot::open(folder)?;
        let parts = snapshot.parts();
        Ok(Self {
            nearest: parts.iter().map(|part| nearest_of(folder, part)).collect(),
            means: Default::default(),
            copies: Lazy::default(),
            snapshot,
        })
    }

    /// The mean number of terms of the texts that have any. Those that are left count: answers depend on what a gallery
    /// holds, not on what it held.
    pub(super) fn mean_length(&self, written: Written) -> f32 {
        let count = || {
            let (mut sum, mut n) = (0.0f64, 0u64);
            for part in self.snapshot.parts() {
                let lengths = written.of(part).lengths;
                let lengths = written
                    .live(part)
                    .iter()
                    .map(|row| lengths[row])
                    .filter(|&l| l > 0.0)
                    .collect::<Vec<_>>();
                sum += lengths.iter().map(|&l| f64::from(l)).sum::<f64>();
                n += lengths.len() as u64;
            }
            (sum / n.max(1) as f64) as f32
        };
        *self.means[written as usize].get_or_init(count)
    }

    /// The pictures in the shared space.
    pub(super) fn pictures(&self, allowed: Vec<Bitmap>) -> Rows<'_> {
        let parts = self.snapshot.parts().iter();
        Rows {
            points: parts.map(|part| part.pictures().rows).collect(),
            allowed,
        }
    }

    /// The pictures by how they look, without those in which nothing was found.
    pub(super) fn looks(&self, mut allowed: Vec<Bitmap>) -> Rows<'_> {
        let pictures = self.snapshot.parts().iter().map(|part| part.pictures());
        for (rows, pictures) in allowed.iter_mut().zip(pictures.clone()) {
            rows.keep(&Bitmap::of(pictures.charges, |c| c < UNUSABLE));
        }
        Rows {
            points: pictures.map(|p| p.by_look()).collect(),
            allowed,
        }
    }

    /// The texts in the shared space.
    pub(super) fn texts(&self) -> Rows<'_> {
        let parts = self.snapshot.parts().iter();
        Rows {
            allowed: parts.clone().map(Part::live_texts).collect(),
            points: parts.map(|part| part.texts().rows).collect(),
        }
    }

    /// The indexes over pictures in the shared space.
    pub(super) fn nearest(&self) -> Vec<Option<&dyn Nearest>> {
        self.nearest.iter().map(|n| n.as_deref()).collect()
    }

    /// The pictures that the conditions of a query let through.
    pub(super) fn allowed(&self, query: &Query, terms: Option<&Terms>) -> Result<Vec<Bitmap>> {
        let mut allowed = Vec::new();
        for part in self.snapshot.parts() {
            let mut rows = part.live_pictures();
            if let Some(filter) = &query.filter {
                rows.keep(&filter.select(&PartColumns::new(&self.snapshot, part)));
            }
            allowed.push(rows);
        }
        for (part, row) in query
            .like
            .iter()
            .filter_map(|&key| self.snapshot.picture_row(key))
        {
            allowed[part].remove(row);
        }
        let Some(terms) = terms else {
            return Ok(allowed);
        };
        if !query.must.is_empty() {
            let unknown = without_text(&self.snapshot);
            for word in &query.must {
                let with = with_word(&self.snapshot, terms, word)?;
                for ((rows, mut with), unknown) in allowed.iter_mut().zip(with).zip(&unknown) {
                    with.add(unknown);
                    rows.keep(&with);
                }
            }
        }
        for word in &query.not {
            let with = with_word(&self.snapshot, terms, word)?;
            for (rows, mut with) in allowed.iter_mut().zip(with) {
                with.invert();
                rows.keep(&with);
            }
        }
        Ok(allowed)
    }

    /// What finds copies, built when it is first asked for.
    pub(super) fn copies(&self, model: &Model) -> Result<&Copies> {
        self.copies.get(|| Copies::build(&self.snapshot, model))
    }

    /// The point of a picture in the shared space.
    pub(super) fn point(&self, hit: &Ranked) -> Vec<f32> {
        let pictures = self.snapshot.parts()[hit.part].pictures();
        wide(pictures.point(hit.row))
    }

    /// How a picture looks.
    pub(super) fn look(&self, hit: &Ranked) -> Vec<f32> {
        let pictures = self.snapshot.parts()[hit.part].pictures();
        wide(pictures.by_look().point(hit.row))
    }

    /// A picture as it is kept.
    ///
    /// # Errors
    /// [`Error::Query`] for a key that no usable picture has.
    pub(super) fn described(&self, key: u64) -> Result<Described> {
        let (part, row) = self.snapshot.picture_row(key).ok_or_else(|| Error::Query {
            reason: format!("there is no picture with the key {key}"),
        })?;
        let pictures = self.snapshot.parts()[part].pictures();
        let charge = pictures.charges[row];
        Ok(Described {
            point: wide(pictures.point(row)).into(),
            charge,
            look: wide(pictures.by_look().point(row)).into(),
            usable: charge < UNUSABLE,
        })
    }
}

//! A gallery at one moment, with all that answers are made from.

use std::path::Path;

use super::copies::Copies;
use super::words::{mean_length, with_word, without_text};
use super::{Query, Ranked, Rows};
use crate::error::Result;
use crate::gallery::filter::Bitmap;
use crate::gallery::{Nearest, PartColumns, Points, Snapshot, UNUSABLE, nearest_of};
use crate::lazy::Lazy;
use crate::model::Model;
use crate::scene_text::Terms;

/// A snapshot, and what is built over it.
pub struct View {
    /// What is in the gallery.
    pub snapshot: Snapshot,
    /// The index over the pictures of each part that is large enough.
    nearest: Vec<Option<Box<dyn Nearest>>>,
    /// Mean number of terms of what was read in pictures, and of captions.
    pub means: [f32; 2],
    copies: Lazy<Copies>,
}

impl View {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let snapshot = Snapshot::open(folder)?;
        let parts = snapshot.parts();
        let read: Vec<&[f32]> = parts.iter().map(|p| p.pictures().read.lengths).collect();
        let captions: Vec<&[f32]> = parts.iter().map(|p| p.texts().captions.lengths).collect();
        Ok(Self {
            means: [read, captions].map(|lengths| mean_length(lengths.into_iter())),
            nearest: parts.iter().map(|part| nearest_of(folder, part)).collect(),
            copies: Lazy::default(),
            snapshot,
        })
    }

    /// The pictures in the shared space, or by how they look.
    pub(super) fn pictures(&self, by_look: bool, mut allowed: Vec<Bitmap>) -> Rows<'_> {
        if by_look {
            for (rows, part) in allowed.iter_mut().zip(self.snapshot.parts()) {
                rows.keep(&Bitmap::of(part.pictures().charges, |c| c < UNUSABLE));
            }
        }
        let all = self.snapshot.parts().iter().map(|part| part.pictures());
        let points = all.clone().map(|p| match by_look {
            true => Points {
                values: p.looks,
                dim: p.look,
                charges: &[],
            },
            false => Points {
                values: p.points,
                dim: p.point,
                charges: p.charges,
            },
        });
        Rows {
            points: points.collect(),
            keys: all.map(|p| p.keys).collect(),
            allowed,
        }
    }

    /// The texts in the shared space.
    pub(super) fn texts(&self) -> Rows<'_> {
        let parts = self.snapshot.parts().iter();
        let texts = parts.clone().map(|part| part.texts());
        let live = parts.map(|part| Bitmap::without(part.texts().len(), part.dead_texts().words()));
        Rows {
            allowed: live.collect(),
            points: texts
                .clone()
                .map(|t| Points {
                    values: t.points,
                    dim: t.point,
                    charges: t.charges,
                })
                .collect(),
            keys: texts.map(|t| t.keys).collect(),
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
            let columns = PartColumns::new(&self.snapshot, part);
            let mut rows = columns.live();
            if let Some(filter) = &query.filter {
                rows.keep(&filter.select(&columns));
            }
            allowed.push(rows);
        }
        let Some(terms) = terms.filter(|_| !(query.must.is_empty() && query.not.is_empty())) else {
            return Ok(allowed);
        };
        let unknown = without_text(&self.snapshot);
        for word in &query.must {
            let with = with_word(&self.snapshot, terms, word)?;
            for ((rows, mut with), unknown) in allowed.iter_mut().zip(with).zip(&unknown) {
                with.add(unknown);
                rows.keep(&with);
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
        pictures.point(hit.row).iter().map(|v| v.to_f32()).collect()
    }
}

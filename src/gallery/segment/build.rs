//! The rows of one commit in memory, in the form of a segment.

use std::collections::BTreeSet;

use half::f16;

use super::views::{Labels, NO_CODE, Pictures, Texts};
use crate::gallery::postings::Built;
use crate::gallery::scan::Points;
use crate::gallery::types::{Bag, Facts, PictureRow, TextRow, sortable};

/// A picture to be stored: its key, what is recorded, and what is searched.
type Picture<'a> = (u64, &'a Facts, &'a PictureRow);
/// A text to be stored: its key, the key of its picture or 0, and what is searched.
type Text<'a> = (u64, u64, &'a TextRow);

#[derive(Default)]
struct Coded {
    codes: Vec<u32>,
    names: Vec<String>,
}

impl Coded {
    fn new<'a>(texts: impl Iterator<Item = Option<&'a str>> + Clone) -> Self {
        let names: BTreeSet<&str> = texts.clone().flatten().collect();
        let names: Vec<&str> = names.into_iter().collect();
        let code = |text: Option<&str>| match text {
            Some(text) => names.partition_point(|&n| n < text) as u32,
            None => NO_CODE,
        };
        Self {
            codes: texts.map(code).collect(),
            names: names.iter().map(|&n| n.to_owned()).collect(),
        }
    }

    fn view(&self) -> Labels<'_> {
        Labels {
            codes: &self.codes,
            names: &self.names,
        }
    }
}

/// The columns of pictures and texts.
pub(crate) struct Rows {
    point: usize,
    look: usize,
    keys: Vec<u64>,
    points: Vec<f16>,
    charges: Vec<f32>,
    looks: Vec<f16>,
    blobs: Vec<u8>,
    ends: Vec<u64>,
    widths: Vec<u32>,
    heights: Vec<u32>,
    bytes: Vec<u64>,
    taken: Vec<i64>,
    folders: Coded,
    cameras: Coded,
    formats: Coded,
    read: Built,
    tags: Built,
    text_keys: Vec<u64>,
    text_points: Vec<f16>,
    text_charges: Vec<f32>,
    items: Vec<u64>,
    captions: Built,
}

impl Rows {
    /// Of pictures and texts whose keys rise, and whose vectors have the dimensions that are given.
    pub fn new(point: usize, look: usize, pictures: &[Picture], texts: &[Text]) -> Self {
        let bags = |of: fn(&PictureRow) -> &Bag| {
            Built::new(&pictures.iter().map(|p| of(p.2)).collect::<Vec<_>>())
        };
        let facts = pictures.iter().map(|p| p.1);
        let mut ends = Vec::with_capacity(pictures.len());
        let mut blobs = Vec::new();
        for (_, _, row) in pictures {
            blobs.extend_from_slice(&row.copies);
            ends.push(blobs.len() as u64);
        }
        Self {
            point,
            look,
            keys: pictures.iter().map(|p| p.0).collect(),
            points: pictures.iter().flat_map(|p| &p.2.point).copied().collect(),
            charges: pictures.iter().map(|p| p.2.charge).collect(),
            looks: pictures.iter().flat_map(|p| &p.2.look).copied().collect(),
            blobs,
            ends,
            widths: facts.clone().map(|f| f.width).collect(),
            heights: facts.clone().map(|f| f.height).collect(),
            bytes: facts.clone().map(|f| f.bytes).collect(),
            taken: facts
                .clone()
                .map(|f| sortable(f.taken.as_deref()))
                .collect(),
            folders: Coded::new(facts.clone().map(|f| Some(f.folder.as_str()))),
            cameras: Coded::new(facts.clone().map(|f| f.camera.as_deref())),
            formats: Coded::new(facts.map(|f| Some(f.format.as_str()))),
            read: bags(|row| &row.read),
            tags: bags(|row| &row.tags),
            text_keys: texts.iter().map(|t| t.0).collect(),
            text_points: texts.iter().flat_map(|t| &t.2.point).copied().collect(),
            text_charges: texts.iter().map(|t| t.2.charge).collect(),
            items: texts.iter().map(|t| t.1).collect(),
            captions: Built::new(&texts.iter().map(|t| &t.2.terms).collect::<Vec<_>>()),
        }
    }

    pub fn pictures(&self) -> Pictures<'_> {
        Pictures {
            rows: Points {
                keys: &self.keys,
                values: &self.points,
                dim: self.point,
                charges: &self.charges,
            },
            looks: &self.looks,
            look: self.look,
            blobs: &self.blobs,
            ends: &self.ends,
            widths: &self.widths,
            heights: &self.heights,
            bytes: &self.bytes,
            taken: &self.taken,
            folders: self.folders.view(),
            cameras: self.cameras.view(),
            formats: self.formats.view(),
            read: self.read.view(),
            tags: self.tags.view(),
        }
    }

    pub fn texts(&self) -> Texts<'_> {
        Texts {
            rows: Points {
                keys: &self.text_keys,
                values: &self.text_points,
                dim: self.point,
                charges: &self.text_charges,
            },
            items: &self.items,
            captions: self.captions.view(),
        }
    }
}

//! A listed segment that is open, with the rows of it that are removed.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::bitmap::Bitmap;
use super::database::{Listed, PICTURE, Place, TEXT};
use super::segment::{Pictures, Segment, Texts};
use super::types::Stamp;
use crate::error::Result;

/// A segment of a gallery as a search sees it.
#[derive(Debug)]
pub struct Part {
    pub(super) listed: Listed,
    pub(super) segment: Segment,
    pub(super) dead_pictures: Bitmap,
    pub(super) dead_texts: Bitmap,
}

impl Part {
    /// All pictures of the segment, the removed ones too.
    pub fn pictures(&self) -> Pictures<'_> {
        self.segment.pictures()
    }

    /// All texts of the segment, the removed ones too.
    pub fn texts(&self) -> Texts<'_> {
        self.segment.texts()
    }

    /// The file, which may be gone from its folder.
    pub fn path(&self) -> &std::path::Path {
        self.segment.path()
    }

    /// The name of the segment.
    pub fn name(&self) -> &str {
        &self.listed.name
    }

    /// Rows of pictures that are removed.
    pub fn dead_pictures(&self) -> &Bitmap {
        &self.dead_pictures
    }

    /// Rows of texts that are removed.
    pub fn dead_texts(&self) -> &Bitmap {
        &self.dead_texts
    }

    /// Rows of pictures that are left.
    pub fn live_pictures(&self) -> Bitmap {
        let mut live = self.dead_pictures.clone();
        live.invert();
        live
    }

    /// Rows of texts that are left.
    pub fn live_texts(&self) -> Bitmap {
        let mut live = self.dead_texts.clone();
        live.invert();
        live
    }

    /// The keys of the pictures that the texts which are left are about; a picture comes as often as it has texts.
    pub fn captioned(&self) -> impl Iterator<Item = u64> + '_ {
        let texts = self.texts();
        let live = (0..texts.len()).filter(|&row| !self.dead_texts.contains(row));
        live.filter_map(move |row| texts.item(row))
    }

    /// How many pictures and texts are left.
    pub fn live(&self) -> [usize; 2] {
        let Listed {
            pictures, texts, ..
        } = self.listed;
        [
            pictures - self.dead_pictures.count(),
            texts - self.dead_texts.count(),
        ]
    }

    /// # Errors
    /// [`crate::Error::Artifact`] where the file is not the one that was written.
    pub(super) fn require_digest(&self) -> Result<()> {
        match self.segment.digest().to_string() == self.listed.digest {
            true => Ok(()),
            false => Err(self
                .segment
                .damaged("its content does not match its checksum")),
        }
    }

    /// Opens a segment that the database is about to list, or lists.
    pub(super) fn open(place: &Place, stamp: &Stamp, listed: Listed) -> Result<Self> {
        let segment = Segment::open(&place.segment(&listed.name), stamp)?;
        if [segment.pictures().len(), segment.texts().len()] != [listed.pictures, listed.texts] {
            return Err(segment.damaged("it does not have as many rows as the database says"));
        }
        Ok(Self {
            segment,
            dead_pictures: Bitmap::empty(listed.pictures),
            dead_texts: Bitmap::empty(listed.texts),
            listed,
        })
    }
}

/// Opens all segments that the database lists, from the oldest to the newest.
pub(super) fn open_all(place: &Place, connection: &Connection, stamp: &Stamp) -> Result<Vec<Part>> {
    let listed = place.listed(connection)?;
    let parts = listed
        .into_iter()
        .map(|listed| Part::open(place, stamp, listed));
    let mut parts = parts.collect::<Result<Vec<_>>>()?;
    let by_number: BTreeMap<u64, usize> = parts
        .iter()
        .enumerate()
        .map(|(i, p)| (p.listed.number, i))
        .collect();
    for (number, kind, row) in place.tombstones(connection)? {
        let part = by_number.get(&number).map(|&i| &mut parts[i]);
        let rows = part.and_then(|part| match kind {
            PICTURE => Some((part.listed.pictures, &mut part.dead_pictures)),
            TEXT => Some((part.listed.texts, &mut part.dead_texts)),
            _ => None,
        });
        match rows {
            Some((n, dead)) if row < n => dead.insert(row),
            _ => return Err(place.wrong("a removed row is of no segment")),
        }
    }
    Ok(parts)
}

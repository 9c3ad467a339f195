//! A gallery as it was at one moment.

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::vec;

use rusqlite::Connection;

use super::database::Place;
use super::part::{Part, open_all};
use super::queries;
use super::types::{Bad, Counts, Item, Stamp, Text};
use crate::error::{Error, Result};

/// Ids that are read at a time.
const PAGE: usize = 4096;

/// A gallery as it was when this was opened; what is committed later changes nothing in it. There may be any number of
/// them, in any number of threads and processes, beside a [`super::Writer`]. While one is open, what is committed stays
/// in the log of the database, so that a process that runs for long opens a new one from time to time, when
/// [`Self::is_current`] says so.
pub struct Snapshot {
    pub(super) place: Place,
    stamp: Stamp,
    parts: Vec<Part>,
    bad: usize,
    generation: u64,
    /// In a read transaction for as long as the snapshot lives.
    reading: Mutex<Connection>,
    /// Outside of any transaction, to see what is committed.
    watching: Mutex<Connection>,
}

impl Snapshot {
    /// Opens a gallery to read it. It takes as long for a million pictures as for a few.
    ///
    /// # Errors
    /// [`Error::File`] where there is no gallery, or its database is damaged or of another version;
    /// [`Error::Artifact`] for a damaged segment; [`Error::Io`] from the system.
    pub fn open(folder: &Path) -> Result<Self> {
        let place = Place(folder.to_owned());
        let connection = place.connect_to_read()?;
        let watching = place.connect_to_read()?;
        let mut failed_at = None;
        loop {
            connection
                .execute_batch("BEGIN DEFERRED")
                .map_err(place.failed())?;
            // The first query fixes what the transaction sees.
            let generation: u64 = place.meta(&connection, "generation")?;
            let stamp: Stamp = place.meta(&connection, "stamp")?;
            match open_all(&place, &connection, &stamp) {
                // A writer unlinks a file after it has committed a list without that file. When a listed file is gone,
                // there is thus a newer list, and a transaction that begins now sees it; where it sees the same list
                // again, the file is missing. Every turn of the loop is a commit of the writer in between.
                Err(Error::Io { cause, .. })
                    if is_gone(&cause) && failed_at != Some(generation) =>
                {
                    failed_at = Some(generation);
                    connection
                        .execute_batch("ROLLBACK")
                        .map_err(place.failed())?;
                }
                parts => {
                    let count = "SELECT count(*) FROM items WHERE bad IS NOT NULL";
                    let bad = connection
                        .query_row(count, [], |row| row.get(0))
                        .map_err(place.failed())?;
                    return Ok(Self {
                        stamp,
                        parts: parts?,
                        bad,
                        generation,
                        reading: Mutex::new(connection),
                        watching: Mutex::new(watching),
                        place,
                    });
                }
            }
        }
    }

    /// The segments, from the oldest to the newest, with what is removed of them.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What the rows of the gallery were made by.
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// A number that every commit raises.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether nothing was committed since this was opened.
    ///
    /// # Errors
    /// [`Error::File`] where the database cannot be read.
    pub fn is_current(&self) -> Result<bool> {
        let watching = lock(&self.watching);
        let generation: u64 = self.place.meta(&watching, "generation")?;
        Ok(generation == self.generation)
    }

    /// How much there is.
    pub fn counts(&self) -> Counts {
        let live = self.parts.iter().map(Part::live);
        let [pictures, texts] = live.fold([0, 0], |[p, t], [pictures, texts]| {
            [p + pictures, t + texts]
        });
        Counts {
            pictures,
            bad: self.bad,
            texts,
            segments: self.parts.len(),
        }
    }

    /// The segment and the row of a picture; nothing for one that cannot be used.
    pub fn picture_row(&self, key: u64) -> Option<(usize, usize)> {
        let mut parts = self.parts.iter().enumerate();
        parts.find_map(|(place, part)| {
            let row = part.pictures().row_of(key)?;
            (!part.dead_pictures.contains(row)).then_some((place, row))
        })
    }

    /// The segment and the row of a text.
    pub fn text_row(&self, key: u64) -> Option<(usize, usize)> {
        let mut parts = self.parts.iter().enumerate();
        parts.find_map(|(place, part)| {
            let row = part.texts().row_of(key)?;
            (!part.dead_texts.contains(row)).then_some((place, row))
        })
    }

    /// An item, usable or not.
    ///
    /// # Errors
    /// [`Error::File`] where the database is damaged; this goes for all questions below.
    pub fn item(&self, key: u64) -> Result<Option<Item>> {
        self.ask(|connection| queries::item_of(connection, key))
    }

    /// Items in the order of their keys in the list.
    ///
    /// # Errors
    /// Those of [`Self::item`].
    pub fn items(&self, keys: &[u64]) -> Result<Vec<Option<Item>>> {
        self.ask(|connection| {
            keys.iter()
                .map(|&key| queries::item_of(connection, key))
                .collect()
        })
    }

    /// A text.
    ///
    /// # Errors
    /// Those of [`Self::item`].
    pub fn text(&self, key: u64) -> Result<Option<Text>> {
        self.ask(|connection| queries::text_of(connection, key))
    }

    /// The captions of a picture, by key.
    ///
    /// # Errors
    /// Those of [`Self::item`].
    pub fn texts_of(&self, item: u64) -> Result<Vec<Text>> {
        self.ask(|connection| queries::texts_of(connection, item))
    }

    /// The key of an item.
    ///
    /// # Errors
    /// Those of [`Self::item`].
    pub fn key_of(&self, id: &str) -> Result<Option<u64>> {
        self.ask(|connection| queries::key_of(connection, id))
    }

    /// The key of a text.
    ///
    /// # Errors
    /// Those of [`Self::item`].
    pub fn text_key_of(&self, id: &str) -> Result<Option<u64>> {
        self.ask(|connection| queries::text_key_of(connection, id))
    }

    /// The keys of the pictures that have a tag.
    ///
    /// # Errors
    /// Those of [`Self::item`].
    pub fn tagged(&self, tag: &str) -> Result<Vec<u64>> {
        self.ask(|connection| queries::tagged(connection, tag))
    }

    /// The pictures that cannot be used, and why, by key.
    ///
    /// # Errors
    /// Those of [`Self::item`].
    pub fn bad(&self) -> Result<Vec<Bad>> {
        self.ask(queries::bad)
    }

    /// Keys and ids of all items, by key.
    pub fn all_ids(&self) -> Ids<'_> {
        self.ids_after(0)
    }

    /// Keys and ids of the items whose keys are larger than one, by key.
    pub fn ids_after(&self, key: u64) -> Ids<'_> {
        Ids::new(self, "items", key)
    }

    /// Keys and ids of all texts, by key.
    pub fn all_text_ids(&self) -> Ids<'_> {
        Ids::new(self, "texts", 0)
    }

    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        question(&lock(&self.reading)).map_err(self.place.failed())
    }
}

/// Keys and ids, page by page, so that other questions are answered in between.
pub struct Ids<'a> {
    snapshot: &'a Snapshot,
    table: &'static str,
    /// The last key that was read; nothing after the end.
    last: Option<u64>,
    page: vec::IntoIter<(u64, String)>,
}

impl<'a> Ids<'a> {
    fn new(snapshot: &'a Snapshot, table: &'static str, after: u64) -> Self {
        Self {
            snapshot,
            table,
            last: Some(after),
            page: vec![].into_iter(),
        }
    }
}

impl Iterator for Ids<'_> {
    type Item = Result<(u64, String)>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(next) = self.page.next() {
            return Some(Ok(next));
        }
        let last = self.last.take()?;
        match self
            .snapshot
            .ask(|connection| queries::ids_after(connection, self.table, last, PAGE))
        {
            Err(e) => Some(Err(e)),
            Ok(page) => {
                self.last = page.last().map(|(key, _)| *key);
                self.page = page.into_iter();
                self.page.next().map(Ok)
            }
        }
    }
}

/// A question that panicked leaves a connection as it was: none of them changes anything.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_gone(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::NotFound
}

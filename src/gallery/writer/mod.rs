//! The one process that changes a gallery.

mod lock;
mod merging;
mod plan;
mod publish;
mod require;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::database::Place;
use super::part::{Part, open_all};
use super::queries;
use super::segment::sync_folder;
use super::types::{Change, Committed, Known, Stamp};
use crate::error::{Error, Result};
use lock::Lock;
pub use merging::Merging;

/// Changes a gallery, commit by commit. There is one at a time.
pub struct Writer {
    place: Place,
    stamp: Stamp,
    merging: Merging,
    connection: Connection,
    /// As the database lists them.
    parts: Vec<Part>,
    /// Set while a transaction is under way, and left where it failed: the parts must then be read again.
    stale: bool,
    /// Dropped last.
    _lock: Lock,
}

impl Writer {
    /// Opens a gallery to change it, or creates one. What a run that was killed has left is removed.
    ///
    /// # Errors
    /// [`Error::File`] where another process is changing it (the reason says which), where the folder holds something
    /// else, or where the database is damaged or of another version; [`Error::Mismatch`] where the gallery has another
    /// stamp; [`Error::Artifact`] for a damaged segment; [`Error::Io`] from the system.
    pub fn open(folder: &Path, stamp: &Stamp) -> Result<Self> {
        let place = Place(folder.to_owned());
        require_no_other(&place)?;
        let segments = place.segments();
        fs::create_dir_all(&segments).map_err(Error::io("create", &segments))?;
        sync_folder(folder).map_err(Error::io("write", folder))?;
        let lock = Lock::take(&place)?;
        let connection = place.connect_to_write(stamp)?;
        let found: Stamp = place.meta(&connection, "stamp")?;
        found.require(&folder.display().to_string(), stamp)?;
        let mut writer = Self {
            place,
            stamp: found,
            merging: Merging::default(),
            connection,
            parts: vec![],
            stale: true,
            _lock: lock,
        };
        writer.refresh()?;
        Ok(writer)
    }

    /// Changes when segments are merged.
    pub fn set_merging(&mut self, merging: Merging) {
        self.merging = merging;
    }

    /// What the rows of the gallery were made by.
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// All pictures, usable or not, by id.
    ///
    /// # Errors
    /// [`Error::File`] where the database is damaged.
    pub fn known(&self) -> Result<BTreeMap<String, Known>> {
        let known = queries::known(&self.connection).map_err(self.place.failed())?;
        Ok(known.into_iter().collect())
    }

    /// The same of one picture.
    ///
    /// # Errors
    /// Those of [`Self::known`].
    pub fn known_of(&self, id: &str) -> Result<Option<Known>> {
        let known = queries::known_of(&self.connection, id).map_err(self.place.failed())?;
        Ok(known.map(|(_, known)| known))
    }

    /// Makes a change, as a whole or not at all: once this returns, it outlasts a loss of power. Small segments are
    /// merged afterwards; where that fails, the change is made all the same, and the next commit tries again.
    ///
    /// # Errors
    /// [`Error::File`] for a change that cannot be made: two items with one id, a key that is not there, a vector with
    /// other dimensions than the stamp's; [`Error::Io`] from the system.
    pub fn commit(&mut self, change: &Change) -> Result<Committed> {
        if *change == Change::default() {
            return Ok(Committed::default());
        }
        let committed = self.publish(change)?;
        let chosen = self.merging.choose(&self.parts);
        if let Err(e) = self.merge(&chosen) {
            tracing::warn!("segments were not merged: {e}");
        }
        Ok(committed)
    }

    /// Removes items by their ids, with their captions, and returns how many there were.
    ///
    /// # Errors
    /// Those of [`Self::commit`].
    pub fn remove<S: AsRef<str>>(&mut self, ids: &[S]) -> Result<usize> {
        let keys = ids
            .iter()
            .map(|id| queries::key_of(&self.connection, id.as_ref()));
        let keys = keys
            .collect::<rusqlite::Result<Vec<_>>>()
            .map_err(self.place.failed())?;
        let keys: BTreeSet<u64> = keys.into_iter().flatten().collect();
        let remove: Vec<u64> = keys.into_iter().collect();
        let removed = remove.len();
        self.commit(&Change {
            remove,
            ..Change::default()
        })?;
        Ok(removed)
    }

    /// Merges all segments into one, without the rows that are removed.
    ///
    /// # Errors
    /// [`Error::Artifact`] for a damaged segment, [`Error::Io`] from the system.
    pub fn compact(&mut self) -> Result<()> {
        self.refresh()?;
        let whole = |part: &Part| part.dead_pictures.count() + part.dead_texts.count() == 0;
        if self.parts.len() > 1 || !self.parts.iter().all(whole) {
            self.merge(&(0..self.parts.len()).collect::<Vec<_>>())?;
        }
        // Without it the log of the database would stay as long as it ever was. A reader may prevent it.
        let _ = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        Ok(())
    }

    /// How many segments there are.
    pub fn segments(&self) -> usize {
        self.parts.len()
    }

    /// Reads the parts again where a transaction failed, and removes files that are not listed.
    fn refresh(&mut self) -> Result<()> {
        if self.stale {
            self.parts = open_all(&self.place, &self.connection, &self.stamp)?;
            self.sweep()?;
            self.stale = false;
        }
        Ok(())
    }

    fn sweep(&self) -> Result<()> {
        let folder = self.place.segments();
        let listed: BTreeSet<_> = self
            .parts
            .iter()
            .map(|p| self.place.segment(&p.listed.name))
            .collect();
        for entry in fs::read_dir(&folder).map_err(Error::io("read", &folder))? {
            let path = entry.map_err(Error::io("read", &folder))?.path();
            if path.file_name().is_some_and(is_ours) && !listed.contains(&path) {
                fs::remove_file(&path).map_err(Error::io("remove", &path))?;
            }
        }
        Ok(())
    }
}

/// Whether a writer gave a file its name: `.00000001.tmp`, `00000001-0123abcd.safetensors`.
fn is_ours(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let is_number = |text: &str| text.len() >= 8 && text.bytes().all(|b| b.is_ascii_digit());
    let temporary = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(".tmp"));
    let segment = name
        .strip_suffix(".safetensors")
        .and_then(|name| name.split_once('-'));
    temporary.is_some_and(is_number)
        || segment.is_some_and(|(number, digest)| is_number(number) && digest.len() == 8)
}

/// Keeps a gallery from being created among the pictures of somebody who named the wrong folder.
fn require_no_other(place: &Place) -> Result<()> {
    let path = &place.0;
    if place.database().exists() || !path.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(Error::io("read", path))? {
        let name = entry.map_err(Error::io("read", path))?.file_name();
        if name != "segments" && name != "writer.lock" {
            return Err(Error::File {
                path: path.clone(),
                reason: "it is neither empty nor a gallery; name another folder".into(),
            });
        }
    }
    Ok(())
}

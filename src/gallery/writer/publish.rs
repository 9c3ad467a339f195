//! What every change comes down to: a file is written, and then one transaction lists it.
//!
//! Killed before the transaction, a process leaves a file that is not listed; after it, files that are no longer
//! listed. The next writer removes both. A reader that still needs one of these has mapped it, or sees that it is gone
//! and begins anew with the newer list.

use std::fs;

use rusqlite::{Transaction, params};

use super::Writer;
use super::plan::{Before, Plan};
use crate::error::{Error, Result};
use crate::gallery::bitmap::Bitmap;
use crate::gallery::database::{Listed, PICTURE, TEXT, raise_generation};
use crate::gallery::part::Part;
use crate::gallery::queries;
use crate::gallery::segment::{self, Rows};
use crate::gallery::types::{Change, Committed, PictureRow, Seen};

/// Places of segments, and rows that are removed there, of pictures and of texts.
type Tombstones = [Vec<(usize, usize)>; 2];

impl Writer {
    /// Makes a change.
    pub(super) fn publish(&mut self, change: &Change) -> Result<Committed> {
        self.refresh()?;
        let before = Before {
            place: &self.place,
            connection: &self.connection,
            stamp: &self.stamp,
            parts: &self.parts,
        };
        let plan = Plan::new(&before, change)?;
        let tombstones = before.tombstones(&plan)?;
        let rows = self.rows(&plan);
        let (pictures, texts) = (rows.pictures(), rows.texts());
        let new = self.write(&[segment::Part {
            dead_pictures: &Bitmap::empty(pictures.len()),
            dead_texts: &Bitmap::empty(texts.len()),
            pictures,
            texts,
        }])?;
        self.stale = true;
        self.record(
            change,
            &plan,
            &tombstones,
            new.as_ref().map(|part| &part.listed),
        )
        .map_err(self.place.failed())?;
        for (part, row) in &tombstones[0] {
            self.parts[*part].dead_pictures.insert(*row);
        }
        for (part, row) in &tombstones[1] {
            self.parts[*part].dead_texts.insert(*row);
        }
        self.parts.extend(new);
        self.stale = false;
        Ok(plan.committed)
    }

    /// Makes one segment of some, without the rows that are removed.
    pub(super) fn merge(&mut self, chosen: &[usize]) -> Result<()> {
        if chosen.is_empty() {
            return Ok(());
        }
        let parts: Vec<&Part> = chosen.iter().map(|&i| &self.parts[i]).collect();
        for part in &parts {
            part.require_digest()?; // otherwise damage would get a checksum that it matches
        }
        let sources = parts.iter().map(|part| segment::Part {
            pictures: part.pictures(),
            texts: part.texts(),
            dead_pictures: &part.dead_pictures,
            dead_texts: &part.dead_texts,
        });
        let new = self.write(&sources.collect::<Vec<_>>())?;
        let numbers: Vec<u64> = parts.iter().map(|part| part.listed.number).collect();
        self.stale = true;
        self.replace(&numbers, new.as_ref().map(|part| &part.listed))
            .map_err(self.place.failed())?;
        let mut place = 0..;
        let (old, left) = std::mem::take(&mut self.parts).into_iter().partition(|_| {
            let place = place.next().unwrap_or(usize::MAX);
            chosen.binary_search(&place).is_ok()
        });
        let old: Vec<Part> = old;
        self.parts = left;
        self.parts.extend(new);
        self.stale = false;
        for part in old {
            let _ = fs::remove_file(part.segment.path()); // otherwise the next writer removes it
        }
        Ok(())
    }

    fn rows(&self, plan: &Plan) -> Rows {
        let good = |seen: &'_ Seen| matches!(seen, Seen::Good(_));
        let pictures: Vec<_> = plan
            .items
            .iter()
            .filter(|(_, new)| good(&new.seen))
            .collect();
        let empty = PictureRow::default();
        let pictures = pictures.iter().map(|(key, new)| match &new.seen {
            Seen::Good(row) => (*key, &new.facts, row),
            Seen::Bad(_) => (*key, &new.facts, &empty), // left out above
        });
        let texts = plan
            .texts
            .iter()
            .map(|(text, row)| (text.key, text.item.unwrap_or(0), &**row));
        let (pictures, texts): (Vec<_>, Vec<_>) = (pictures.collect(), texts.collect());
        Rows::new(self.stamp.point, self.stamp.look, &pictures, &texts)
    }

    /// Writes a segment and opens it, so that nothing is left that can fail after it is listed.
    fn write(&self, sources: &[segment::Part]) -> Result<Option<Part>> {
        let number =
            1 + queries::last_key(&self.connection, "segments").map_err(self.place.failed())?;
        let folder = self.place.segments();
        let Some((written, [pictures, texts])) =
            segment::write(&folder, number, &self.stamp, sources)?
        else {
            return Ok(None);
        };
        let listed = Listed {
            number,
            name: written.name,
            pictures,
            texts,
            digest: written.digest.to_string(),
        };
        Part::open(&self.place, &self.stamp, listed)
            .map(Some)
            .inspect_err(|e: &Error| {
                tracing::warn!("{e}");
                let _ = fs::remove_file(&written.path); // otherwise the next writer removes it
            })
    }

    fn record(
        &mut self,
        change: &Change,
        plan: &Plan,
        tombstones: &Tombstones,
        new: Option<&Listed>,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for touch in &change.touch {
            let update = "UPDATE items SET path = ?, bytes = ?, mtime_ns = ? WHERE key = ?";
            let mut update = transaction.prepare_cached(update)?;
            update.execute(params![touch.path, touch.bytes, touch.mtime_ns, touch.key])?;
        }
        // Before others come that have their ids.
        plan.dead_texts
            .iter()
            .try_for_each(|&key| queries::delete_text(&transaction, key))?;
        plan.dead_items
            .iter()
            .try_for_each(|&key| queries::delete_item(&transaction, key))?;
        plan.items
            .iter()
            .try_for_each(|(key, new)| queries::insert_item(&transaction, *key, new))?;
        plan.texts
            .iter()
            .try_for_each(|(text, _)| queries::insert_text(&transaction, text))?;
        for (kind, rows) in [PICTURE, TEXT].into_iter().zip(tombstones) {
            for &(part, row) in rows {
                let mut insert =
                    transaction.prepare_cached("INSERT INTO tombstones VALUES(?, ?, ?)")?;
                insert.execute(params![self.parts[part].listed.number, kind, row])?;
            }
        }
        new.map_or(Ok(()), |new| list(&transaction, new))?;
        raise_generation(&transaction)?;
        transaction.commit()
    }

    fn replace(&mut self, old: &[u64], new: Option<&Listed>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for number in old {
            transaction.execute("DELETE FROM segments WHERE number = ?", [number])?;
            transaction.execute("DELETE FROM tombstones WHERE segment = ?", [number])?;
        }
        new.map_or(Ok(()), |new| list(&transaction, new))?;
        raise_generation(&transaction)?;
        transaction.commit()
    }
}

fn list(transaction: &Transaction, new: &Listed) -> rusqlite::Result<()> {
    let insert = "INSERT INTO segments VALUES(?, ?, ?, ?, ?)";
    let values = params![new.number, new.name, new.pictures, new.texts, new.digest];
    transaction.execute(insert, values).map(drop)
}

//! Whether a gallery is as it was written. It reads everything, so that it is done when somebody asks for it.

use rusqlite::Connection;

use super::part::Part;
use super::snapshot::Snapshot;
use crate::error::Result;

/// The key of a text, and the one of the picture that it is about, or 0.
type About = (u64, u64);

impl Snapshot {
    /// What is wrong with the gallery, for people to read; nothing where all is well.
    ///
    /// # Errors
    /// [`crate::Error::File`] where the database is so damaged that it cannot be asked.
    pub fn verify(&self) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for part in self.parts() {
            if let Err(e) = part.require_digest() {
                wrong.push(e.to_string());
                continue;
            }
            let sound = part
                .pictures()
                .require_sound()
                .and_then(|()| part.texts().require_sound());
            wrong.extend(
                sound
                    .err()
                    .map(|reason| part.segment.damaged(reason).to_string()),
            );
        }
        wrong.extend(self.ask(integrity)?);
        let (pictures, texts) = self.ask(recorded)?;
        if pictures != self.live_pictures() {
            wrong.push(
                self.place
                    .wrong("its items are not those that segments have rows of")
                    .to_string(),
            );
        }
        if texts != self.live_texts() {
            wrong.push(
                self.place
                    .wrong("its texts are not those that segments have rows of")
                    .to_string(),
            );
        }
        let orphans = "SELECT count(*) FROM texts WHERE item IS NOT NULL AND item NOT IN (SELECT key FROM items)";
        let orphans: u64 =
            self.ask(|connection| connection.query_row(orphans, [], |row| row.get(0)))?;
        if orphans > 0 {
            let reason = format!("{orphans} of its texts are about pictures that it does not have");
            wrong.push(self.place.wrong(reason).to_string());
        }
        Ok(wrong)
    }

    fn live_pictures(&self) -> Vec<u64> {
        let of = |part: &Part| {
            let keys = part.pictures().keys.iter().enumerate();
            let live = keys.filter(|(row, _)| !part.dead_pictures.contains(*row));
            live.map(|(_, &key)| key).collect::<Vec<_>>()
        };
        let mut keys: Vec<u64> = self.parts().iter().flat_map(of).collect();
        keys.sort_unstable();
        keys
    }

    fn live_texts(&self) -> Vec<About> {
        let of = |part: &Part| {
            let texts = part.texts();
            let rows = texts.keys.iter().zip(texts.items).enumerate();
            let live = rows.filter(|(row, _)| !part.dead_texts.contains(*row));
            live.map(|(_, (&key, &item))| (key, item))
                .collect::<Vec<_>>()
        };
        let mut keys: Vec<About> = self.parts().iter().flat_map(of).collect();
        keys.sort_unstable();
        keys
    }
}

fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let said = statement.query_map([], |row| row.get::<_, String>(0))?;
    let said: Vec<String> = said.collect::<rusqlite::Result<_>>()?;
    let wrong = said.into_iter().filter(|line| line != "ok");
    Ok(wrong.map(|line| format!("the database: {line}")).collect())
}

/// What segments should have rows of: pictures and texts.
fn recorded(connection: &Connection) -> rusqlite::Result<(Vec<u64>, Vec<About>)> {
    let mut items = connection.prepare("SELECT key FROM items WHERE bad IS NULL ORDER BY key")?;
    let items = items
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut texts = connection.prepare("SELECT key, coalesce(item, 0) FROM texts ORDER BY key")?;
    let texts = texts
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok((items, texts))
}

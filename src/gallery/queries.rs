//! Rows of the database as values of this program.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::types::{Bad, Facts, Item, Known, NewItem, Seen, Text};

type Result<T> = rusqlite::Result<T>;

/// Items and what was read in them; a condition follows.
const ITEMS: &str = "SELECT key, id, path, bytes, mtime_ns, digest, width, height, taken, camera, folder, format, tags, \
    bad, read FROM items LEFT JOIN readings ON item = key";

fn not_json(column: usize, cause: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(cause))
}

/// A list of texts; most are empty.
fn list(row: &Row, column: usize) -> Result<Vec<String>> {
    match row.get_ref(column)?.as_str()? {
        "[]" => Ok(vec![]),
        text => serde_json::from_str(text).map_err(|e| not_json(column, e)),
    }
}

fn item(row: &Row) -> Result<Item> {
    let read: Option<String> = row.get(14)?;
    let read = read.map(|read| serde_json::from_str(&read).map_err(|e| not_json(14, e)));
    let facts = Facts {
        id: row.get(1)?,
        path: row.get(2)?,
        bytes: row.get(3)?,
        mtime_ns: row.get(4)?,
        digest: row.get(5)?,
        width: row.get(6)?,
        height: row.get(7)?,
        taken: row.get(8)?,
        camera: row.get(9)?,
        folder: row.get(10)?,
        format: row.get(11)?,
        tags: list(row, 12)?,
        read: read.transpose()?.unwrap_or_default(),
    };
    Ok(Item {
        key: row.get(0)?,
        facts,
        bad: row.get(13)?,
    })
}

fn text(row: &Row) -> Result<Text> {
    Ok(Text {
        key: row.get(0)?,
        id: row.get(1)?,
        item: row.get(2)?,
        caption: row.get(3)?,
    })
}

/// A key as SQLite takes it. Larger numbers are nobody's keys, and are not an error either.
fn bound(key: u64) -> i64 {
    i64::try_from(key).unwrap_or(i64::MAX)
}

pub(super) fn item_of(connection: &Connection, key: u64) -> Result<Option<Item>> {
    let mut statement = connection.prepare_cached(&format!("{ITEMS} WHERE key = ?"))?;
    statement.query_row([bound(key)], item).optional()
}

pub(super) fn key_of(connection: &Connection, id: &str) -> Result<Option<u64>> {
    let mut statement = connection.prepare_cached("SELECT key FROM items WHERE id = ?")?;
    statement.query_row([id], |row| row.get(0)).optional()
}

pub(super) fn text_of(connection: &Connection, key: u64) -> Result<Option<Text>> {
    let mut statement =
        connection.prepare_cached("SELECT key, id, item, caption FROM texts WHERE key = ?")?;
    statement.query_row([bound(key)], text).optional()
}

pub(super) fn text_key_of(connection: &Connection, id: &str) -> Result<Option<u64>> {
    let mut statement = connection.prepare_cached("SELECT key FROM texts WHERE id = ?")?;
    statement.query_row([id], |row| row.get(0)).optional()
}

/// The captions of a picture, by key.
pub(super) fn texts_of(connection: &Connection, item: u64) -> Result<Vec<Text>> {
    let query = "SELECT key, id, item, caption FROM texts WHERE item = ? ORDER BY key";
    let mut statement = connection.prepare_cached(query)?;
    statement.query_map([bound(item)], text)?.collect()
}

/// Whether there is an item, and whether it has a row in a segment.
pub(super) fn is_good(connection: &Connection, key: u64) -> Result<Option<bool>> {
    let mut statement = connection.prepare_cached("SELECT bad IS NULL FROM items WHERE key = ?")?;
    statement
        .query_row([bound(key)], |row| row.get(0))
        .optional()
}

pub(super) fn bad(connection: &Connection) -> Result<Vec<Bad>> {
    let query = "SELECT key, id, path, bad FROM items WHERE bad IS NOT NULL ORDER BY key";
    let mut statement = connection.prepare_cached(query)?;
    let rows = statement.query_map([], |row| {
        Ok(Bad {
            key: row.get(0)?,
            id: row.get(1)?,
            path: row.get(2)?,
            reason: row.get(3)?,
        })
    })?;
    rows.collect()
}

/// Keys and ids of at most `limit` items or texts after a key.
pub(super) fn ids_after(
    connection: &Connection,
    table: &str,
    key: u64,
    limit: usize,
) -> Result<Vec<(u64, String)>> {
    let query = format!("SELECT key, id FROM {table} WHERE key > ? ORDER BY key LIMIT ?");
    let mut statement = connection.prepare_cached(&query)?;
    let rows = statement.query_map(params![bound(key), limit], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    rows.collect()
}

/// All items, by id.
pub(super) fn known(connection: &Connection) -> Result<Vec<(String, Known)>> {
    let query = "SELECT id, key, bytes, mtime_ns, digest, bad IS NOT NULL, tags, path FROM items";
    let mut statement = connection.prepare_cached(query)?;
    statement.query_map([], known_row)?.collect()
}

/// An item, by its id.
pub(super) fn known_of(connection: &Connection, id: &str) -> Result<Option<(String, Known)>> {
    let query = "SELECT id, key, bytes, mtime_ns, digest, bad IS NOT NULL, tags, path FROM items WHERE id = ?";
    let mut statement = connection.prepare_cached(query)?;
    statement.query_row([id], known_row).optional()
}

fn known_row(row: &Row) -> Result<(String, Known)> {
    let known = Known {
        key: row.get(1)?,
        bytes: row.get(2)?,
        mtime_ns: row.get(3)?,
        digest: row.get(4)?,
        bad: row.get(5)?,
        tags: list(row, 6)?,
        path: row.get(7)?,
    };
    Ok((row.get(0)?, known))
}

/// The highest key that was ever given in a table.
pub(super) fn last_key(connection: &Connection, table: &str) -> Result<u64> {
    let query = "SELECT seq FROM sqlite_sequence WHERE name = ?";
    let last = connection
        .query_row(query, [table], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or(0))
}

pub(super) fn insert_item(transaction: &Transaction, key: u64, new: &NewItem) -> Result<()> {
    let facts = &new.facts;
    let bad = match &new.seen {
        Seen::Good(_) => None,
        Seen::Bad(reason) => Some(reason),
    };
    let tags = serde_json::to_string(&facts.tags).expect("a list of texts always serialises");
    let insert = "INSERT INTO items(key, id, bytes, mtime_ns, digest, bad, path, width, height, taken, camera, folder, \
        format, tags) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    transaction.prepare_cached(insert)?.execute(params![
        key,
        facts.id,
        facts.bytes,
        facts.mtime_ns,
        facts.digest,
        bad,
        facts.path,
        facts.width,
        facts.height,
        facts.taken,
        facts.camera,
        facts.folder,
        facts.format,
        tags
    ])?;
    if !facts.read.is_null() {
        let mut insert = transaction.prepare_cached("INSERT INTO readings VALUES(?, ?)")?;
        insert.execute(params![key, facts.read.to_string()])?;
    }
    Ok(())
}

pub(super) fn insert_text(transaction: &Transaction, text: &Text) -> Result<()> {
    let mut insert = transaction.prepare_cached("INSERT INTO texts VALUES(?, ?, ?, ?)")?;
    insert
        .execute(params![text.key, text.id, text.item, text.caption])
        .map(drop)
}

pub(super) fn delete_item(transaction: &Transaction, key: u64) -> Result<()> {
    transaction
        .prepare_cached("DELETE FROM items WHERE key = ?")?
        .execute([key])?;
    transaction
        .prepare_cached("DELETE FROM readings WHERE item = ?")?
        .execute([key])
        .map(drop)
}

pub(super) fn delete_text(transaction: &Transaction, key: u64) -> Result<()> {
    transaction
        .prepare_cached("DELETE FROM texts WHERE key = ?")?
        .execute([key])
        .map(drop)
}

pub(super) fn tagged(connection: &Connection, tag: &str) -> rusqlite::Result<Vec<u64>> {
    let query = "SELECT key FROM items WHERE tags <> '[]'
        AND EXISTS (SELECT 1 FROM json_each(items.tags) WHERE json_each.value = ?) ORDER BY key";
    let mut statement = connection.prepare_cached(query)?;
    let keys = statement.query_map([tag], |row| row.get(0))?;
    keys.collect()
}

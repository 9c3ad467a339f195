//! The database of a gallery: its tables, and how connections to it are opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};

use super::types::Stamp;
use crate::error::{Error, Result};

/// Raised when a table changes.
const SCHEMA: u32 = 1;
const FILE: &str = "gallery.sqlite";
/// How long a connection waits for another; SQLite itself takes a lock only for moments where there is one writer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was read is long and seldom wanted, so that it is apart from what is read at every start.
const TABLES: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE items(
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    digest TEXT NOT NULL,
    bad TEXT,
    path TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    taken TEXT,
    camera TEXT,
    folder TEXT NOT NULL,
    format TEXT NOT NULL,
    tags TEXT NOT NULL
) STRICT;
CREATE INDEX bad_items ON items(key) WHERE bad IS NOT NULL;
CREATE TABLE readings(item INTEGER PRIMARY KEY, read TEXT NOT NULL) STRICT;
CREATE TABLE texts(
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    item INTEGER,
    caption TEXT NOT NULL
) STRICT;
CREATE INDEX texts_of_items ON texts(item) WHERE item IS NOT NULL;
CREATE TABLE segments(
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    pictures INTEGER NOT NULL,
    texts INTEGER NOT NULL,
    digest TEXT NOT NULL
) STRICT;
CREATE TABLE tombstones(
    segment INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY(segment, kind, row)
) STRICT, WITHOUT ROWID;
";

/// The kinds of rows that tombstones tell apart.
pub(super) const PICTURE: u8 = 0;
pub(super) const TEXT: u8 = 1;

/// A listed segment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listed {
    pub number: u64,
    pub name: String,
    pub pictures: usize,
    pub texts: usize,
    pub digest: String,
}

/// Where a gallery keeps its files.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place(pub PathBuf);

impl Place {
    pub fn database(&self) -> PathBuf {
        self.0.join(FILE)
    }

    pub fn segments(&self) -> PathBuf {
        self.0.join("segments")
    }

    pub fn segment(&self, name: &str) -> PathBuf {
        self.segments().join(format!("{name}.safetensors"))
    }

    pub fn lock(&self) -> PathBuf {
        self.0.join("writer.lock")
    }

    /// For `map_err` on a call of the database.
    pub fn failed(&self) -> impl Fn(rusqlite::Error) -> Error + Copy + '_ {
        |cause| self.wrong(format!("the database of the gallery: {cause}"))
    }

    pub fn wrong(&self, reason: impl Into<String>) -> Error {
        Error::File {
            path: self.database(),
            reason: reason.into(),
        }
    }

    /// # Errors
    /// [`Error::File`] for a folder that is no gallery, or none at all.
    pub fn require(&self) -> Result<()> {
        if self.database().is_file() {
            return Ok(());
        }
        Err(Error::File {
            path: self.0.clone(),
            reason: format!("not a gallery: it has no {FILE}; `tuwen index` makes galleries"),
        })
    }

    /// For the one writer. Creates the tables where there are none.
    pub fn connect_to_write(&self, stamp: &Stamp) -> Result<Connection> {
        let connect = || {
            let mut connection = Connection::open(self.database())?;
            connection.busy_timeout(PATIENCE)?;
            let log = |row: &rusqlite::Row| row.get::<_, String>(0);
            let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", log)?;
            if mode != "wal" {
                return Ok(Err(mode));
            }
            connection.pragma_update(None, "synchronous", "full")?;
            if !has_tables(&connection)? {
                let transaction = connection.transaction()?;
                create_tables(&transaction, stamp)?;
                transaction.commit()?;
            }
            Ok(Ok(connection))
        };
        let connection = connect().map_err(self.failed())?.map_err(|mode| {
            self.wrong(format!(
                "SQLite cannot keep a write-ahead log on this file system, but only `{mode}`"
            ))
        })?;
        self.require_schema(&connection)?;
        Ok(connection)
    }

    /// For a reader, which changes nothing.
    pub fn connect_to_read(&self) -> Result<Connection> {
        self.require()?;
        let connection = self.try_to_read().map_err(self.failed())?;
        self.require_schema(&connection)?;
        Ok(connection)
    }

    /// A reader needs to write beside the database, to say what it is reading. Where it cannot, as on a medium that is
    /// read-only, and no log of a writer is there, the database does not change and needs none of that.
    fn try_to_read(&self) -> rusqlite::Result<Connection> {
        let open = |path: &Path, flags| {
            let connection =
                Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "query_only", true)?;
            has_tables(&connection)?;
            Ok(connection)
        };
        let path = self.database();
        let tried = open(&path, OpenFlags::SQLITE_OPEN_READ_WRITE);
        let log = path.with_extension("sqlite-wal");
        if tried.is_ok() || log.exists() || !is_read_only(&self.0) {
            return tried;
        }
        let escaped = path
            .to_string_lossy()
            .replace('%', "%25")
            .replace('?', "%3f")
            .replace('#', "%23");
        let uri = format!("file:{escaped}?immutable=1");
        open(
            Path::new(&uri),
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
        )
    }

    fn require_schema(&self, connection: &Connection) -> Result<()> {
        if !has_tables(connection).map_err(self.failed())? {
            return Err(self.wrong("it is not the database of a gallery"));
        }
        let schema: u32 = self.meta(connection, "schema")?;
        if schema == SCHEMA {
            return Ok(());
        }
        let remedy = match schema > SCHEMA {
            true => "a newer tuwen wrote it: use that one",
            false => "an older tuwen wrote it: build the gallery anew",
        };
        Err(self.wrong(format!(
            "it has schema {schema}, this program {SCHEMA}; {remedy}"
        )))
    }

    /// A value of the table `meta`, from JSON.
    pub fn meta<T: serde::de::DeserializeOwned>(
        &self,
        connection: &Connection,
        key: &str,
    ) -> Result<T> {
        let query = "SELECT value FROM meta WHERE key = ?";
        let value = connection.query_row(query, [key], |row| row.get::<_, String>(0));
        let value = value.optional().map_err(self.failed())?;
        let value = value.ok_or_else(|| self.wrong(format!("its table `meta` has no `{key}`")))?;
        serde_json::from_str(&value)
            .map_err(|e| self.wrong(format!("`{key}` in its table `meta`: {e}")))
    }

    /// The segments, from the oldest to the newest.
    pub fn listed(&self, connection: &Connection) -> Result<Vec<Listed>> {
        let list = || {
            let query =
                "SELECT number, name, pictures, texts, digest FROM segments ORDER BY number";
            let mut statement = connection.prepare_cached(query)?;
            let rows = statement.query_map([], |row| {
                Ok(Listed {
                    number: row.get(0)?,
                    name: row.get(1)?,
                    pictures: row.get(2)?,
                    texts: row.get(3)?,
                    digest: row.get(4)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        list().map_err(self.failed())
    }

    /// The removed rows: number of the segment, kind, row.
    pub fn tombstones(&self, connection: &Connection) -> Result<Vec<(u64, u8, usize)>> {
        let list = || {
            let mut statement =
                connection.prepare_cached("SELECT segment, kind, row FROM tombstones")?;
            let rows =
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        list().map_err(self.failed())
    }
}

/// Raises the number by which readers see that something was committed.
pub(super) fn raise_generation(transaction: &Transaction) -> rusqlite::Result<()> {
    let raise =
        "UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'generation'";
    transaction.execute(raise, []).map(drop)
}

fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    let query = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'meta'";
    connection
        .query_row(query, [], |row| row.get::<_, i64>(0))
        .map(|n| n == 1)
}

fn create_tables(transaction: &Transaction, stamp: &Stamp) -> rusqlite::Result<()> {
    transaction.execute_batch(TABLES)?;
    let stamp = serde_json::to_string(stamp).expect("a stamp is plain data");
    for (key, value) in [
        ("schema", SCHEMA.to_string()),
        ("stamp", stamp),
        ("generation", "0".into()),
    ] {
        transaction.execute("INSERT INTO meta VALUES(?, ?)", params![key, value])?;
    }
    Ok(())
}

/// Whether no file can be created in a folder.
fn is_read_only(folder: &Path) -> bool {
    tempfile::tempfile_in(folder).is_err()
}

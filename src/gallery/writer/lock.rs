//! One process changes a gallery at a time.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Write as _};

use crate::error::{Error, Result};
use crate::gallery::database::Place;

/// A lock that the system takes away when the process ends, however it ends. The file stays: a lock on a file that was
/// unlinked would not keep anybody out.
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// # Errors
    /// [`Error::File`] that says who has it.
    pub fn take(place: &Place) -> Result<Self> {
        let path = place.lock();
        let mut options = File::options();
        let opened = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = opened.map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut who = String::new();
                let _ = file.read_to_string(&mut who); // the message does without it
                let who = match who.trim() {
                    "" => String::new(),
                    who => format!(" ({who})"),
                };
                let reason =
                    format!("another tuwen{who} is changing this gallery; wait for it or stop it");
                return Err(Error::File { path, reason });
            }
            Err(TryLockError::Error(cause)) => return Err(Error::io("lock", &path)(cause)),
        }
        let who = format!(
            "process {} on {}, since {}\n",
            std::process::id(),
            host(),
            now(place)?
        );
        let written = file
            .set_len(0)
            .and_then(|()| file.write_all(who.as_bytes()));
        written.map_err(Error::io("write", &path))?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.file.set_len(0); // a name that is left is overwritten by the next
    }
}

fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("COMPUTERNAME").ok());
    name.map_or("this machine".into(), |n| n.trim().to_owned())
}

/// The local time; SQLite knows it, and the standard library does not.
fn now(place: &Place) -> Result<String> {
    let memory = rusqlite::Connection::open_in_memory();
    let now = memory
        .and_then(|c| c.query_row("SELECT datetime('now', 'localtime')", [], |row| row.get(0)));
    now.map_err(place.failed())
}

//! Changes that were accepted and are not yet made: each is a file, so that a server that stops, or is killed, makes them
//! when it is started again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tuwen::files::{self, printable};

use super::changes::Change;
use super::tasks::Task;

/// The accepted changes of a gallery.
pub struct Journal(PathBuf);

/// A change, and the task that it is known by.
#[derive(Debug, Serialize, Deserialize)]
pub struct Accepted {
    pub task: Task,
    pub change: Change,
}

/// Writes a file that outlasts a loss of power.
pub fn keep(path: &Path, bytes: &[u8]) -> tuwen::Result<()> {
    files::write(path, bytes)?;
    let folder = path.parent().unwrap_or(path);
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|cause| tuwen::Error::Io {
        action: "write in",
        path: folder.to_owned(),
        cause,
    })
}

impl Journal {
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn file(&self, task: u64) -> PathBuf {
        self.0.join(format!("{task}.json"))
    }

    /// Notes a change before its client is told that it is accepted.
    pub fn add(&self, accepted: &Accepted) -> tuwen::Result<()> {
        let json = serde_json::to_vec(accepted).map_err(|e| tuwen::Error::File {
            path: self.file(accepted.task.id),
            reason: e.to_string(),
        })?;
        keep(&self.file(accepted.task.id), &json)
    }

    /// Forgets a change that is made, or was not accepted after all.
    pub fn forget(&self, task: u64) {
        // What is made twice comes out the same.
        let _ = fs::remove_file(self.file(task));
    }

    /// The changes that are still to be made, in the order in which they were accepted.
    pub fn waiting(&self) -> Vec<Accepted> {
        let mut waiting = Vec::new();
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|e| e != "json") {
                continue;
            }
            let json = fs::read(&path).map_err(|e| e.to_string());
            match json.and_then(|j| serde_json::from_slice(&j).map_err(|e| e.to_string())) {
                Ok(accepted) => waiting.push(accepted),
                Err(e) => tracing::warn!("{}: no accepted change ({e})", printable(&path)),
            }
        }
        waiting.sort_by_key(|accepted: &Accepted| accepted.task.id);
        waiting
    }
}

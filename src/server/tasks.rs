//! What was asked to be changed, and what became of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A change that was accepted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Task {
    /// Later tasks have larger ones, also after the server was started again.
    pub id: u64,
    pub gallery: String,
    pub kind: Kind,
    pub status: Status,
    /// Ids of the pictures that it is about; a task that looks at a folder has none.
    pub pictures: Vec<String>,
    /// Keys of these pictures, once they are in the gallery.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<u64>,
    /// What was done, or why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Seconds since 1970.
    pub queued_at: u64,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Pictures are added.
    Add,
    /// Captions or tags of a picture change.
    Patch,
    /// Pictures are removed.
    Delete,
    /// The gallery is brought in step with its folder.
    Sync,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Queued,
    Running,
    Done,
    Failed,
}

impl Task {
    fn is_over(&self) -> bool {
        matches!(self.status, Status::Done | Status::Failed)
    }
}

/// The tasks of a server, the oldest ones that are over forgotten.
pub struct Tasks {
    tasks: Mutex<BTreeMap<u64, Task>>,
    first: u64,
}

/// Tasks that are remembered after they are over.
const REMEMBERED: usize = 10_000;

impl Default for Tasks {
    fn default() -> Self {
        Self {
            tasks: Mutex::default(),
            // A server that is started again gives no number twice. JavaScript counts as far.
            first: now().as_millis() as u64,
        }
    }
}

impl Tasks {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a task, and returns it as it stands.
    pub fn add(&self, gallery: &str, kind: Kind, pictures: Vec<String>) -> Task {
        let mut tasks = self.lock();
        let task = Task {
            id: tasks
                .keys()
                .next_back()
                .map_or(0, |last| last + 1)
                .max(self.first),
            gallery: gallery.to_owned(),
            kind,
            status: Status::Queued,
            pictures,
            keys: vec![],
            detail: String::new(),
            queued_at: now().as_secs(),
            ended_at: None,
        };
        while tasks.len() >= REMEMBERED {
            let over = tasks.values().find(|t| t.is_over()).map(|t| t.id);
            let Some(over) = over else { break };
            tasks.remove(&over);
        }
        tasks.insert(task.id, task.clone());
        task
    }

    /// Takes up a task of a server that was stopped.
    pub fn take_up(&self, task: Task) {
        self.lock().insert(task.id, task);
    }

    pub fn begin(&self, id: u64) {
        if let Some(task) = self.lock().get_mut(&id) {
            task.status = Status::Running;
        }
    }

    pub fn end(&self, id: u64, outcome: Result<(String, Vec<u64>), String>) {
        if let Some(task) = self.lock().get_mut(&id) {
            task.ended_at = Some(now().as_secs());
            (task.status, task.detail, task.keys) = match outcome {
                Ok((detail, keys)) => (Status::Done, detail, keys),
                Err(reason) => (Status::Failed, reason, vec![]),
            };
        }
    }

    /// Whether a change is being made.
    pub fn is_running(&self) -> bool {
        self.lock().values().any(|t| t.status == Status::Running)
    }

    /// Whether a task waits that brings a gallery in step with its folder.
    pub fn has_waiting_sync(&self, gallery: &str) -> bool {
        let waits =
            |t: &Task| t.kind == Kind::Sync && t.status == Status::Queued && t.gallery == gallery;
        self.lock().values().any(waits)
    }

    /// Takes a task back that was not accepted after all.
    pub fn forget(&self, id: u64) {
        self.lock().remove(&id);
    }

    pub fn get(&self, id: u64) -> Option<Task> {
        self.lock().get(&id).cloned()
    }

    /// The newest ones first.
    pub fn newest(&self, most: usize) -> Vec<Task> {
        self.lock().values().rev().take(most).cloned().collect()
    }
}

/// Since 1970.
fn now() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default()
}

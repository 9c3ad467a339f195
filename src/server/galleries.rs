//! The galleries of a server: each has an engine that answers, and a thread that changes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use anyhow::{Context, Result};
use tuwen::engine::Engine;
use tuwen::files::printable;
use tuwen::indexing::folder_of;

use super::changes::Change;
use super::journal::{Accepted, Journal};
use super::problem::{Problem, Reply};
use super::tasks::{Task, Tasks};

/// A gallery that is served.
pub struct Gallery {
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    pub engine: Engine,
    /// The folder whose pictures it has.
    pub folder: Option<PathBuf>,
    changes: SyncSender<Accepted>,
    journal: Journal,
    pub tasks: Arc<Tasks>,
}

/// Changes that wait at most.
const QUEUE: usize = 1000;
/// Where changes wait that are accepted, below a gallery.
const ACCEPTED: &str = "accepted";
/// Where pictures go that are uploaded, below a gallery.
const UPLOADS: &str = "uploads";

impl Gallery {
    /// Opens a gallery, and starts the thread that changes it.
    pub fn open(path: &Path, tasks: &Arc<Tasks>) -> Result<Arc<Self>> {
        let path = path
            .canonicalize()
            .with_context(|| format!("cannot open {}", printable(path)))?;
        let engine = Engine::open(&path)?;
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let folder = folder_of(&path)?.map(PathBuf::from);
        let (changes, receiver) = sync_channel(QUEUE);
        let gallery = Arc::new(Self {
            name,
            engine,
            folder,
            changes,
            journal: Journal::new(path.join(ACCEPTED)),
            tasks: tasks.clone(),
            path,
        });
        let weak = Arc::downgrade(&gallery);
        thread::Builder::new()
            .name("changes".into())
            .spawn(move || {
                let gallery = || weak.upgrade();
                work(gallery, &receiver);
            })?;
        Ok(gallery)
    }

    /// Where uploaded pictures are kept.
    pub fn uploads(&self) -> PathBuf {
        self.path.join(UPLOADS)
    }

    /// The id of an uploaded file: no picture below a folder has such a one.
    pub fn upload_id(name: &str) -> String {
        format!("/{UPLOADS}/{name}")
    }

    /// The uploaded file of an id; nothing for a picture that was not uploaded.
    pub fn upload(&self, id: &str) -> Option<PathBuf> {
        let name = id.strip_prefix(&Self::upload_id(""))?;
        Some(self.uploads().join(name))
    }

    /// The file of a picture that is in the gallery or is to be added.
    pub fn file(&self, id: &str) -> tuwen::Result<PathBuf> {
        if let Some(upload) = self.upload(id) {
            return Ok(upload);
        }
        let snapshot = &self.engine.view()?.snapshot;
        let item = match snapshot.key_of(id)? {
            Some(key) => snapshot.item(key)?,
            None => None,
        };
        let new = || self.folder.clone().unwrap_or_default().join(id);
        Ok(item.map_or_else(new, |item| item.facts.path.into()))
    }

    /// Has a change made when those before are. What is accepted is made, even if the server is killed before.
    pub fn change(&self, change: Change) -> Reply<Task> {
        let pictures = change.pictures().to_vec();
        let task = self.tasks.add(&self.name, change.kind(), pictures);
        let accepted = Accepted {
            task: task.clone(),
            change,
        };
        let noted = self.journal.add(&accepted).map_err(Problem::internal);
        let queued = noted.and_then(|()| self.queue(accepted));
        if queued.is_err() {
            self.tasks.forget(task.id);
            self.journal.forget(task.id);
        }
        queued.map(|()| task)
    }

    fn queue(&self, accepted: Accepted) -> Reply<()> {
        self.changes.try_send(accepted).map_err(|e| match e {
            TrySendError::Full(_) => Problem::busy(),
            TrySendError::Disconnected(_) => Problem::internal("the thread of changes is gone"),
        })
    }

    /// Takes up what a stopped server had accepted and not yet made.
    pub fn take_up(&self) -> Result<()> {
        let waiting = self.journal.waiting();
        if !waiting.is_empty() {
            tracing::info!(
                "{}: taking up {} accepted changes",
                self.name,
                waiting.len()
            );
        }
        for accepted in waiting {
            self.tasks.take_up(accepted.task.clone());
            self.changes.send(accepted)?;
        }
        Ok(())
    }
}

fn work(gallery: impl Fn() -> Option<Arc<Gallery>>, changes: &Receiver<Accepted>) {
    while let Ok(Accepted { task, change }) = changes.recv() {
        let (Some(gallery), task) = (gallery(), task.id) else {
            return;
        };
        gallery.tasks.begin(task);
        let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| gallery.make(&change)));
        let outcome = match made {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(e)) => Err(e.to_string()),
            Err(_) => Err("the change panicked; the gallery is as it was".into()),
        };
        if let Err(reason) = &outcome {
            tracing::warn!("{}: task {task} failed: {reason}", gallery.name);
        }
        gallery.journal.forget(task);
        gallery.tasks.end(task, outcome);
    }
}

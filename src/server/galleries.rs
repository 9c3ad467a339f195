//! The galleries of a server: each has an engine that answers, and a thread that changes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tuwen::engine::Engine;
use tuwen::files::printable;
use tuwen::indexing::{Captions, Indexer, Source, Synced, Tags, folder_of};
use tuwen::progress::Silent;

use super::problem::{Problem, Reply};
use super::tasks::{Kind, Task, Tasks};

/// A gallery that is served.
pub struct Gallery {
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    pub engine: Engine,
    /// The folder whose pictures it has.
    pub folder: Option<PathBuf>,
    jobs: SyncSender<Job>,
    pub tasks: Arc<Tasks>,
}

/// A change to be made.
pub enum Change {
    /// Pictures, by id.
    Put {
        files: Vec<(String, PathBuf)>,
        source: Source,
    },
    /// Captions or tags of a picture.
    Patch {
        id: String,
        path: PathBuf,
        captions: Option<Vec<String>>,
        tags: Option<Vec<String>>,
    },
    Remove(Vec<String>),
    Sync(PathBuf),
}

struct Job {
    task: u64,
    change: Change,
}

/// Changes that wait at most.
const QUEUE: usize = 1000;
/// How long a change waits for another program that is changing the gallery.
const PATIENCE: Duration = Duration::from_secs(60);
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
        let (jobs, receiver) = sync_channel(QUEUE);
        let gallery = Arc::new(Self {
            name,
            engine,
            folder,
            jobs,
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

    /// Has a change made when those before are.
    pub fn change(&self, kind: Kind, ids: Vec<String>, change: Change) -> Reply<Task> {
        let task = self.tasks.add(&self.name, kind, ids);
        let job = Job {
            task: task.id,
            change,
        };
        self.jobs.try_send(job).map_err(|e| {
            self.tasks.forget(task.id);
            match e {
                TrySendError::Full(_) => Problem::busy(),
                TrySendError::Disconnected(_) => Problem::internal("the thread of changes is gone"),
            }
        })?;
        Ok(task)
    }

    /// Adds uploaded files that a stopped server had accepted and not yet added.
    pub fn take_up_uploads(&self) -> Result<()> {
        let Ok(entries) = std::fs::read_dir(self.uploads()) else {
            return Ok(()); // nothing was ever uploaded
        };
        let view = self.engine.view()?;
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry?;
            let id = Self::upload_id(&entry.file_name().to_string_lossy());
            let is_whole = !entry.file_name().to_string_lossy().starts_with('.');
            if is_whole && view.snapshot.key_of(&id)?.is_none() {
                files.push((id, entry.path()));
            }
        }
        if files.is_empty() {
            return Ok(());
        }
        tracing::info!("{}: {} uploads are taken up again", self.name, files.len());
        let ids = files.iter().map(|(id, _)| id.clone()).collect();
        let source = Source::default();
        let accepted = self.change(Kind::Add, ids, Change::Put { files, source });
        ensure!(
            accepted.is_ok(),
            "{}: the uploads cannot be taken up",
            self.name
        );
        Ok(())
    }

    fn make(&self, change: &Change) -> tuwen::Result<(String, Vec<u64>)> {
        let model = self.engine.model().clone();
        let mut indexer = self.indexer(&model)?;
        match change {
            Change::Put { files, source } => {
                let mut all = Synced::default();
                for (id, path) in files {
                    let synced = indexer.put(id, path, source)?;
                    all.added += synced.added;
                    all.changed += synced.changed;
                    all.bad += synced.bad;
                    all.unreadable.extend(synced.unreadable);
                }
                self.told(&all, files.iter().map(|(id, _)| id))
            }
            Change::Patch {
                id,
                path,
                captions,
                tags,
            } => {
                if let Some(tags) = tags {
                    let source = Source {
                        captions: captions
                            .clone()
                            .map(|c| [(id.clone(), c)].into_iter().collect::<Captions>()),
                        tags: Some([(id.clone(), tags.clone())].into_iter().collect::<Tags>()),
                        ..Source::default()
                    };
                    let synced = indexer.put(id, path, &source)?;
                    return self.told(&synced, [id].into_iter());
                }
                if let Some(captions) = captions {
                    indexer.set_captions(id, captions)?;
                }
                self.told(&Synced::default(), [id].into_iter())
            }
            Change::Remove(ids) => {
                let removed = indexer.remove(ids)?;
                for name in ids
                    .iter()
                    .filter_map(|id| id.strip_prefix(&Self::upload_id("")))
                {
                    let _ = std::fs::remove_file(self.uploads().join(name));
                }
                Ok((format!("{removed} removed"), vec![]))
            }
            Change::Sync(folder) => {
                let synced = indexer.sync(folder, &Source::default())?;
                let (detail, _) = self.told(&synced, [].into_iter())?;
                Ok((detail, vec![]))
            }
        }
    }

    /// Waits while another program changes the gallery.
    fn indexer<'a>(&self, model: &'a tuwen::model::Model) -> tuwen::Result<Indexer<'a>> {
        let start = Instant::now();
        loop {
            match Indexer::open(&self.path, model, &Silent) {
                Err(tuwen::Error::File { .. }) if start.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(200));
                }
                opened => return opened,
            }
        }
    }

    /// What came of a change, and the keys of the pictures that it was about.
    fn told<'a>(
        &self,
        synced: &Synced,
        ids: impl Iterator<Item = &'a String>,
    ) -> tuwen::Result<(String, Vec<u64>)> {
        let Synced {
            added,
            changed,
            removed,
            bad,
            unreadable,
            ..
        } = synced;
        let snapshot = &self.engine.view()?.snapshot;
        let mut keys = Vec::new();
        let mut reasons: Vec<String> = unreadable
            .iter()
            .map(|p| format!("{p} cannot be read"))
            .collect();
        for id in ids {
            let Some(key) = snapshot.key_of(id)? else {
                continue;
            };
            match snapshot.item(key)?.and_then(|item| item.bad) {
                Some(reason) => reasons.push(format!("{id}: {reason}")),
                None => keys.push(key),
            }
        }
        let mut detail = format!("{added} added, {changed} changed, {removed} removed");
        if bad + unreadable.len() > 0 {
            detail += &format!(
                ", {} cannot be used: {}",
                bad + unreadable.len(),
                reasons.join("; ")
            );
        }
        Ok((detail, keys))
    }
}

fn work(gallery: impl Fn() -> Option<Arc<Gallery>>, jobs: &Receiver<Job>) {
    while let Ok(Job { task, change }) = jobs.recv() {
        let Some(gallery) = gallery() else { return };
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
        gallery.tasks.end(task, outcome);
    }
}

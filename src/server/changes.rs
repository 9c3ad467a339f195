//! What is changed in a gallery, and how.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tuwen::indexing::{Indexer, Source, Synced};
use tuwen::progress::Silent;

use super::galleries::Gallery;
use super::tasks::Kind;

/// A change to be made.
#[derive(Debug, Serialize, Deserialize)]
pub enum Change {
    /// Pictures are added, by id, and all get the same texts.
    Put { ids: Vec<String>, texts: Texts },
    /// A picture gets other texts.
    Patch { id: String, texts: Texts },
    /// Pictures are removed, by id.
    Remove { ids: Vec<String> },
    /// The gallery is brought in step with its folder.
    Sync { folder: PathBuf },
}

/// What is said of a picture; what is left out stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Texts {
    pub captions: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
}

/// How long a change waits for another program that is changing the gallery.
const PATIENCE: Duration = Duration::from_secs(60);

impl Change {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Put { .. } => Kind::Add,
            Self::Patch { .. } => Kind::Patch,
            Self::Remove { .. } => Kind::Delete,
            Self::Sync { .. } => Kind::Sync,
        }
    }

    /// Ids of the pictures that it is about.
    pub fn pictures(&self) -> &[String] {
        match self {
            Self::Put { ids, .. } | Self::Remove { ids } => ids,
            Self::Patch { id, .. } => std::slice::from_ref(id),
            Self::Sync { .. } => &[],
        }
    }
}

impl Texts {
    fn source(&self, ids: &[String]) -> Source {
        let each = |texts: &Vec<String>| -> Vec<_> {
            ids.iter().map(|id| (id.clone(), texts.clone())).collect()
        };
        Source {
            captions: self
                .captions
                .as_ref()
                .map(|c| each(c).into_iter().collect()),
            tags: self.tags.as_ref().map(|t| each(t).into_iter().collect()),
            hidden: false,
        }
    }
}

impl Gallery {
    /// Makes a change. Returns what was done, and the keys of the pictures that it was about.
    pub fn make(&self, change: &Change) -> tuwen::Result<(String, Vec<u64>)> {
        let model = self.engine.model().clone();
        let mut indexer = self.indexer(&model)?;
        match change {
            Change::Put { ids, texts } => {
                let synced = indexer.put(&self.files(ids)?, &texts.source(ids))?;
                self.told(&synced, ids)
            }
            Change::Patch { id, texts } => {
                let ids = change.pictures();
                let synced = match (&texts.tags, &texts.captions) {
                    (Some(_), _) => indexer.put(&self.files(ids)?, &texts.source(ids))?,
                    // The file is not opened for this.
                    (None, Some(captions)) => {
                        indexer.set_captions(id, captions)?;
                        Synced::default()
                    }
                    (None, None) => Synced::default(),
                };
                self.told(&synced, ids)
            }
            Change::Remove { ids } => {
                let removed = indexer.remove(ids)?;
                for file in ids.iter().filter_map(|id| self.upload(id)) {
                    let _ = std::fs::remove_file(file); // it may be gone already
                }
                Ok((format!("{removed} removed"), vec![]))
            }
            Change::Sync { folder } => {
                let synced = indexer.sync(folder, &Source::default())?;
                self.told(&synced, &[])
            }
        }
    }

    fn files(&self, ids: &[String]) -> tuwen::Result<BTreeMap<String, PathBuf>> {
        let file = |id: &String| Ok((id.clone(), self.file(id)?));
        ids.iter().map(file).collect()
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

    fn told(&self, synced: &Synced, ids: &[String]) -> tuwen::Result<(String, Vec<u64>)> {
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
        let cannot = |file: &String| format!("{file} cannot be read");
        let mut reasons: Vec<String> = unreadable.iter().map(cannot).collect();
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
            let (bad, reasons) = (bad + unreadable.len(), reasons.join("; "));
            detail += &format!(", {bad} cannot be used: {reasons}");
        }
        Ok((detail, keys))
    }
}

//! Indexing keeps a gallery in step with a folder of pictures: new pictures are described and added, changed ones are
//! described again, and those whose files are gone are removed.
//!
//! A file that has the size and the time that were recorded is not opened. Pictures are committed by blocks: after a run
//! that was stopped, the next one continues with the block that was not finished.
//!
//! ```no_run
//! use tuwen::indexing::{Indexer, Source};
//! use tuwen::model::Model;
//! use tuwen::progress::Silent;
//!
//! let model = Model::open("demo.tuwen".as_ref())?;
//! let mut indexer = Indexer::open("gallery".as_ref(), &model, &Silent)?;
//! let synced = indexer.sync("photos".as_ref(), &Source::default())?;
//! println!("{} new pictures", synced.added);
//! # Ok::<(), tuwen::Error>(())
//! ```

mod describe;
mod rows;
mod tables;

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rayon::prelude::*;

pub use describe::Describer;
use describe::Looked;
pub(crate) use rows::{bag, charge, halves};
pub use tables::{Captions, Tags};

use crate::error::{Error, Result};
use crate::files::{self, printable, walk, written};
use crate::gallery::{
    Change, Known, MODEL, NewCaption, NewText, Snapshot, Stamp, Writer, index_parts,
};
use crate::model::Model;
use crate::progress::Progress;

/// What a gallery is kept in step with.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Captions of pictures, where there are some; without, those that the gallery has stay.
    pub captions: Option<Captions>,
    /// Tags of pictures; without, those that the gallery has stay as long as the picture does.
    pub tags: Option<Tags>,
    /// Whether hidden files, trash and thumbnails are pictures, too.
    pub hidden: bool,
}

impl Source {
    /// Whether a picture has the tags that it is to have.
    fn has_tags(&self, id: &str, known: &Known) -> bool {
        let tags = self.tags.as_ref();
        known.bad || tags.is_none_or(|tags| tags.of(id) == known.tags)
    }
}

/// What became of a gallery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// Pictures that are new.
    pub added: usize,
    /// Pictures whose files have other contents than before, or that have other tags.
    pub changed: usize,
    /// Pictures whose files are gone.
    pub removed: usize,
    /// Pictures whose captions are others than before.
    pub captioned: usize,
    /// Files that are as they were.
    pub unchanged: usize,
    /// New or changed pictures that cannot be used.
    pub bad: usize,
    /// Files and folders that could not be looked at; nothing is removed because of them.
    pub unreadable: Vec<String>,
}

impl Synced {
    /// Whether anything was written.
    pub fn is_change(&self) -> bool {
        self.added + self.changed + self.removed + self.captioned + self.bad > 0
    }
}

/// Pictures that are committed together: what a run that is stopped loses at most.
const BLOCK: usize = 256;
/// Where the folder of a gallery is written down.
const FOLDER: &str = "folder.txt";
/// Why a file that is no picture is not looked at again.
pub const NOT_A_PICTURE: &str = "not a picture";

/// Changes a gallery; there is one at a time.
pub struct Indexer<'a> {
    describer: Describer<'a>,
    gallery: PathBuf,
    writer: Writer,
    progress: &'a dyn Progress,
}

/// A file that is to be looked at.
struct Found {
    id: String,
    path: PathBuf,
    bytes: u64,
    mtime_ns: i64,
}

impl Found {
    /// Nothing for a file that cannot be looked at.
    fn new(id: &str, path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        Some(Self {
            id: id.to_owned(),
            path: path.to_owned(),
            bytes: metadata.len(),
            mtime_ns: mtime(&metadata),
        })
    }
}

/// Whether an id is that of a picture that is not below the gallery's folder: paths below a folder have no `/` before them.
fn is_elsewhere(id: &str) -> bool {
    id.starts_with('/')
}

/// The folder whose pictures a gallery has, as [`written`] has it; nothing for one that was made without a folder.
///
/// # Errors
/// [`Error::Io`] from the system.
pub fn folder_of(gallery: &Path) -> Result<Option<String>> {
    let file = gallery.join(FOLDER);
    match fs::read_to_string(&file) {
        Ok(folder) => Ok(Some(folder.trim_end().to_owned())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("read", &file)(e)),
    }
}

/// What the points of a model are stored under.
///
/// # Errors
/// Those of reading the model.
pub fn stamp(model: &Model) -> Result<Stamp> {
    Ok(Stamp {
        model: model.fingerprint().to_string(),
        point: model.dim(),
        look: model.look_dim()?,
        notes: serde_json::Value::Null,
    })
}

impl<'a> Indexer<'a> {
    /// Opens a gallery to change it; creates it where there is none, with a copy of the model in it.
    ///
    /// # Errors
    /// Those of [`Writer::open`]: another process is changing it, or it is of another model.
    pub fn open(gallery: &Path, model: &'a Model, progress: &'a dyn Progress) -> Result<Self> {
        let writer = Writer::open(gallery, &stamp(model)?)?;
        let kept = gallery.join(MODEL);
        if !kept.exists() {
            model.save(&kept)?;
        }
        Ok(Self {
            describer: Describer::new(model),
            gallery: gallery.to_owned(),
            writer,
            progress,
        })
    }

    /// Brings the gallery in step with the pictures below a folder.
    ///
    /// # Errors
    /// [`Error::File`] for a gallery of another folder; those of reading the folder and of writing the gallery.
    pub fn sync(&mut self, folder: &Path, source: &Source) -> Result<Synced> {
        let folder = &folder.canonicalize().map_err(Error::io("read", folder))?;
        self.claim(folder)?;
        let found = walk(folder, source.hidden)?;
        let mut known = self.writer.known()?;
        let mut synced = Synced {
            unreadable: found.unreadable,
            ..Synced::default()
        };
        let mut wanted = Vec::new();
        let mut unchanged = Vec::new();
        let own = self
            .gallery
            .canonicalize()
            .map_err(Error::io("read", &self.gallery))?;
        for path in found
            .files
            .into_iter()
            .filter(|path| !path.starts_with(&own))
        {
            let id = written(path.strip_prefix(folder).unwrap_or(&path));
            let Some(file) = Found::new(&id, &path) else {
                synced.unreadable.push(printable(&path));
                known.remove(&id);
                continue;
            };
            match known.remove(&file.id) {
                Some(k)
                    if k.is_of(file.bytes, file.mtime_ns)
                        && k.path == written(&file.path)
                        && source.has_tags(&file.id, &k) =>
                {
                    if !k.bad {
                        unchanged.push((file.id, k.key));
                    }
                    synced.unchanged += 1;
                }
                before => wanted.push((file, before)),
            }
        }
        // What cannot be looked at may be there all the same, and what is elsewhere was not looked for.
        let gone = match synced.unreadable.is_empty() {
            true => known
                .into_iter()
                .filter(|(id, _)| !is_elsewhere(id))
                .collect(),
            false => BTreeMap::new(),
        };
        unchanged.extend(self.add(wanted, source, &mut synced)?);
        self.remove_gone(gone, &mut synced)?;
        if let Some(captions) = &source.captions {
            self.caption(&unchanged, captions, &mut synced)?;
        }
        self.index()?;
        Ok(synced)
    }

    /// Adds picture files that are not below the gallery's folder, or looks at some again that are in the gallery, by their
    /// ids. An id begins with `/` unless it is the path below the folder, so that [`Self::sync`] leaves it alone.
    ///
    /// # Errors
    /// Those of reading the file and of writing the gallery.
    pub fn put(&mut self, files: &BTreeMap<String, PathBuf>, source: &Source) -> Result<Synced> {
        let mut synced = Synced::default();
        let mut wanted = Vec::new();
        for (id, path) in files {
            match Found::new(id, path) {
                Some(file) => wanted.push((file, self.writer.known_of(id)?)),
                None => synced.unreadable.push(printable(path)),
            }
        }
        let same = self.add(wanted, source, &mut synced)?;
        if let Some(captions) = &source.captions {
            self.caption(&same, captions, &mut synced)?;
        }
        self.index()?;
        Ok(synced)
    }

    /// Gives a picture of the gallery other captions; its file is not opened.
    ///
    /// # Errors
    /// Those of writing the gallery.
    pub fn set_captions(&mut self, id: &str, captions: &[String]) -> Result<()> {
        let Some(known) = self.writer.known_of(id)? else {
            return Ok(());
        };
        let captions = [(id.to_owned(), captions.to_vec())].into_iter().collect();
        let picture = (id.to_owned(), known.key);
        self.caption(&[picture], &captions, &mut Synced::default())
    }

    /// Removes pictures by their ids, and returns how many there were.
    ///
    /// # Errors
    /// Those of [`Writer::remove`].
    pub fn remove(&mut self, ids: &[String]) -> Result<usize> {
        self.writer.remove(ids)
    }

    /// Adds texts that belong to no picture, each with its id; a text with an id that is there replaces that one.
    ///
    /// # Errors
    /// Those of [`Writer::commit`].
    pub fn add_texts(&mut self, texts: &[(String, String)]) -> Result<()> {
        for block in texts.chunks(BLOCK * 4) {
            let rows = self.describer.texts(block)?;
            let texts = rows.into_iter().map(|text| NewText { item: None, text });
            self.writer.commit(&Change {
                texts: texts.collect(),
                ..Change::default()
            })?;
        }
        Ok(())
    }

    /// The folder of a gallery, by its full path, is that of the first time.
    fn claim(&self, folder: &Path) -> Result<()> {
        let full = written(folder);
        let file = self.gallery.join(FOLDER);
        match folder_of(&self.gallery)? {
            Some(before) if before == full => Ok(()),
            Some(before) => Err(Error::File {
                path: self.gallery.clone(),
                reason: format!(
                    "this gallery is of the folder {}, not of {full}; use another gallery, or, where the folder has moved, \
                     remove {}",
                    before,
                    printable(&file)
                ),
            }),
            None => files::write(&file, format!("{full}\n").as_bytes()),
        }
    }

    /// Describes files and commits them, block by block. Returns the pictures that turn out to be as they were.
    fn add(
        &mut self,
        wanted: Vec<(Found, Option<Known>)>,
        source: &Source,
        synced: &mut Synced,
    ) -> Result<Vec<(String, u64)>> {
        let mut same = Vec::new();
        if wanted.is_empty() {
            return Ok(same);
        }
        self.describer.prepare()?;
        self.progress.start("adding pictures", wanted.len() as u64);
        for block in wanted.chunks(BLOCK) {
            let (describer, progress) = (&self.describer, self.progress);
            let look = |(file, before): &(Found, Option<Known>)| {
                let looked = describer.look(file, before.as_ref(), source);
                progress.step(1);
                looked
            };
            let looked: Vec<Result<Looked>> = block.par_iter().map(look).collect();
            let mut change = Change::default();
            for ((file, before), looked) in block.iter().zip(looked) {
                match looked? {
                    Looked::Unreadable(reason) => synced.unreadable.push(reason),
                    Looked::Same(touch) => {
                        synced.unchanged += 1;
                        same.push((file.id.clone(), touch.key));
                        change.touch.push(touch);
                    }
                    Looked::New(item) => {
                        match (item.is_bad(), before) {
                            (true, _) => synced.bad += usize::from(!item.is_no_picture()),
                            (false, Some(_)) => synced.changed += 1,
                            (false, None) => synced.added += 1,
                        }
                        change.add.push(item.0);
                    }
                }
            }
            self.writer.commit(&change)?;
        }
        self.progress.finish();
        Ok(same)
    }

    fn remove_gone(&mut self, gone: BTreeMap<String, Known>, synced: &mut Synced) -> Result<()> {
        synced.removed += gone.values().filter(|k| !k.bad).count();
        self.writer.commit(&Change {
            remove: gone.values().map(|k| k.key).collect(),
            ..Change::default()
        })?;
        Ok(())
    }

    /// Gives pictures that stay the captions that they have now.
    fn caption(
        &mut self,
        pictures: &[(String, u64)],
        captions: &Captions,
        synced: &mut Synced,
    ) -> Result<()> {
        let snapshot = Snapshot::open(&self.gallery)?;
        let mut change = Change::default();
        for (id, key) in pictures {
            let before = snapshot.texts_of(*key)?;
            let now = captions.of(id);
            let same =
                before.len() == now.len() && before.iter().zip(now).all(|(b, n)| b.caption == *n);
            if same {
                continue;
            }
            synced.captioned += 1;
            change.remove_texts.extend(before.iter().map(|t| t.key));
            let texts: Vec<NewCaption> = self.describer.captions(id, now)?;
            let item = Some(*key);
            change
                .texts
                .extend(texts.into_iter().map(|text| NewText { item, text }));
        }
        drop(snapshot);
        self.writer.commit(&change)?;
        Ok(())
    }

    /// Builds indexes over large segments.
    fn index(&self) -> Result<()> {
        let snapshot = Snapshot::open(&self.gallery)?;
        index_parts(&self.gallery, snapshot.parts())
    }
}

/// Nanoseconds since 1970; 0 where the system does not tell.
fn mtime(metadata: &Metadata) -> i64 {
    let modified = metadata.modified().ok();
    let since = modified.and_then(|m| m.duration_since(UNIX_EPOCH).ok());
    since
        .and_then(|d| i64::try_from(d.as_nanos()).ok())
        .unwrap_or(0)
}

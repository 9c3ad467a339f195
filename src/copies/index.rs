//! The index of a folder's pictures, kept from run to run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::method::{Found, Method, Pictures, Searcher, open};
use crate::artifact::{Artifact, Fingerprint, Spec, Store};
use crate::error::{Error, Result};
use crate::files::{self, printable};
use crate::picture::limits::MAX_BYTES;
use crate::picture::{Picture, PictureParams};
use crate::progress::Progress;

/// The pictures of a gallery, ready to be searched. Byte-identical files are one picture.
pub struct Index {
    picture: PictureParams,
    /// `None` if the gallery has nothing to learn from: then only byte-identical files are found.
    searcher: Option<Box<dyn Searcher>>,
    /// Byte-identical files together, sorted by digest.
    files: Vec<(Fingerprint, Vec<PathBuf>)>,
}

/// Byte-identical files together.
type Files = BTreeMap<Fingerprint, Vec<PathBuf>>;

/// Number of pictures that are processed before the results are written.
const BLOCK: usize = 256;

/// Sets of pictures as a method sees them.
pub struct Looked<M: Method> {
    /// What the method learned; `None` if there is nothing to learn from.
    pub learned: Option<M::Learned>,
    /// The sets, in the order in which they were given.
    pub sets: Vec<Set<M::Seen>>,
}

/// One set of pictures, each with the files that hold it, sorted by digest.
pub struct Set<S> {
    /// Digests of the pictures, each with its byte-identical files.
    pub files: Vec<(Fingerprint, Vec<PathBuf>)>,
    /// What was seen in each picture; the default for pictures that cannot be used, and for all if there is nothing
    /// to learn from.
    pub seen: Vec<S>,
}

/// What can be learned from pictures, if anything, and its artifact if it may be kept for other pictures.
fn learn<M: Method>(
    method: &M,
    spec: Spec,
    pictures: &Pictures,
) -> Result<(Option<M::Learned>, Option<Artifact>)> {
    let artifact = match method.learn(spec, pictures) {
        Ok(artifact) => artifact,
        Err(e) => return Ok((nothing_to_judge_by(e)?, None)),
    };
    let learned = method.load(&artifact)?;
    let settled = method.is_settled(&learned, pictures.files.len());
    Ok((Some(learned), settled.then_some(artifact)))
}

impl<M: Method> Looked<M> {
    /// Learns from the first set and describes the pictures of all sets. The results stay in `folder` if the first
    /// set is large enough to learn from, and later runs reuse them; a smaller set is processed anew each time.
    /// Files that cannot be used are named in `bad`.
    pub fn at(
        method: &M,
        sets: &[&[PathBuf]],
        folder: &Path,
        progress: &dyn Progress,
        bad: &mut Vec<String>,
    ) -> Result<Self> {
        files::sweep(folder);
        let sets: Vec<Files> = sets
            .iter()
            .map(|files| by_digest(files, progress, bad))
            .collect();
        let path = folder.join("learned.safetensors");
        let spec = method.spec();
        let mut kept = Artifact::read_fresh(&path, &spec);
        let learned = match &kept {
            Some(artifact) => Some(method.load(artifact)?),
            None => {
                let first = sets.first().into_iter().flatten();
                let pictures = Pictures {
                    files: first.map(|(digest, paths)| (digest, &*paths[0])).collect(),
                    params: method.picture(),
                    progress,
                };
                let (learned, settled) = learn(method, spec, &pictures)?;
                if let Some(artifact) = &settled {
                    artifact.write(&path)?;
                }
                kept = settled;
                learned
            }
        };
        let store = kept.map(|artifact| {
            let spec = Spec::new("copies", &(), 0).input("learned", artifact.content());
            Store::new(folder.join(spec.fingerprint().short()), spec)
        });
        let see = |files: Files| {
            let seen = match &learned {
                None => files.keys().map(|_| M::Seen::default()).collect(),
                Some(learned) => Looking {
                    method,
                    learned,
                    store: store.as_ref(),
                    progress,
                    bad,
                }
                .at(&files)?,
            };
            let files = files.into_iter().collect();
            Ok(Set { files, seen })
        };
        Ok(Self {
            sets: sets.into_iter().map(see).collect::<Result<_>>()?,
            learned,
        })
    }
}

impl Index {
    /// Builds the index of picture files; `background` holds pictures that have nothing to do with the queries. See
    /// [`Looked::at`] and [`Method::searcher`].
    pub fn build<M: Method>(
        method: &M,
        files: &[PathBuf],
        background: &[PathBuf],
        folder: &Path,
        progress: &dyn Progress,
        bad: &mut Vec<String>,
    ) -> Result<Self> {
        let mut looked = Looked::at(method, &[files, background], folder, progress, bad)?;
        let background = looked.sets.pop().expect("the second of two");
        let gallery = looked.sets.pop().expect("the first");
        let searcher = looked
            .learned
            .map(|l| method.searcher(l, gallery.seen, background.seen));
        Ok(Self {
            picture: method.picture().clone(),
            searcher: searcher.transpose().or_else(nothing_to_judge_by)?,
            files: gallery.files,
        })
    }

    /// Number of different pictures.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether the gallery has no pictures.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The files of a picture, all byte-identical.
    pub fn files(&self, picture: usize) -> &[PathBuf] {
        &self.files[picture].1
    }

    /// The picture whose files are identical to these bytes.
    pub fn same(&self, bytes: &[u8]) -> Option<usize> {
        let digest = Fingerprint::of_bytes(bytes);
        self.files.binary_search_by(|(d, _)| d.cmp(&digest)).ok()
    }

    /// Decodes a picture file at the size at which pictures are compared.
    ///
    /// # Errors
    /// Those of [`Picture::decode`].
    pub fn open(&self, bytes: &[u8]) -> Result<Picture> {
        Picture::decode(bytes, &self.picture)
    }

    /// Searches with the bytes of a picture file: pictures that show the same thing, best first. A byte-identical
    /// picture has an infinite score.
    pub fn search(&self, bytes: &[u8]) -> Result<Vec<Found>> {
        if let Some(picture) = self.same(bytes) {
            let same = Found {
                picture,
                score: f64::INFINITY,
                comparison: None,
            };
            return Ok([vec![same], self.like(picture)?].concat());
        }
        let picture = self.open(bytes)?;
        let searcher = self.searcher.as_ref();
        searcher.map_or(Ok(vec![]), |s| s.search(&picture))
    }

    /// Searches with picture files: what each may be a copy of, best first, as far as scores are at least `threshold`; or why
    /// a file cannot be used.
    pub fn search_files(
        &self,
        files: &[PathBuf],
        threshold: f64,
        progress: &dyn Progress,
    ) -> Vec<Result<Vec<Found>>> {
        progress.start("comparing", files.len() as u64);
        let ask = |path: &PathBuf| {
            let found = crate::picture::read(path).and_then(|bytes| self.search(&bytes));
            progress.step(1);
            let mut found = found?;
            found.retain(|f| f.score >= threshold);
            Ok(found)
        };
        let found = files.par_iter().map(ask).collect();
        progress.finish();
        found
    }

    /// Searches with a picture of the gallery: other pictures that show the same thing, best first.
    pub fn like(&self, picture: usize) -> Result<Vec<Found>> {
        let searcher = self.searcher.as_ref();
        searcher.map_or(Ok(vec![]), |s| s.like(picture))
    }
}

/// Turns the error of a gallery that is too small for its method into a warning.
fn nothing_to_judge_by<T>(e: Error) -> Result<Option<T>> {
    match e {
        Error::TooFew { .. } => {
            tracing::warn!("only equal files are found: {e}");
            Ok(None)
        }
        e => Err(e),
    }
}

/// Describes pictures that were not seen before.
struct Looking<'a, M: Method> {
    method: &'a M,
    learned: &'a M::Learned,
    store: Option<&'a Store>,
    progress: &'a dyn Progress,
    bad: &'a mut Vec<String>,
}

impl<M: Method> Looking<'_, M> {
    /// What was seen in each picture, in the order of the digests.
    fn at(&mut self, files: &Files) -> Result<Vec<M::Seen>> {
        let mut known = match self.store {
            Some(store) => store.read(|digest| files.contains_key(digest))?,
            None => BTreeMap::new(),
        };
        let new = files.iter().filter(|(d, _)| !known.contains_key(d));
        let new: Vec<(&Fingerprint, &Vec<PathBuf>)> = new.collect();
        if !new.is_empty() {
            self.progress.start("looking at pictures", new.len() as u64);
            for block in new.chunks(BLOCK) {
                let seen = self.look(block);
                if let Some(store) = self.store
                    && !seen.is_empty()
                {
                    store.add(&seen)?;
                }
                known.extend(seen);
            }
            self.progress.finish();
        }
        let seen = files.keys().map(|d| known.remove(d).unwrap_or_default());
        Ok(seen.collect())
    }

    fn look(&mut self, files: &[(&Fingerprint, &Vec<PathBuf>)]) -> Vec<(Fingerprint, M::Seen)> {
        let (method, learned, progress) = (self.method, self.learned, self.progress);
        let see = |&(digest, paths): &(&Fingerprint, &Vec<PathBuf>)| {
            let picture = open(digest, &paths[0], method.picture());
            let seen = picture.and_then(|picture| method.see(learned, &picture));
            progress.step(1);
            seen
        };
        let outcomes: Vec<_> = files.par_iter().map(see).collect();
        let mut all = Vec::new();
        for (&(digest, paths), outcome) in files.iter().zip(outcomes) {
            match outcome {
                Ok(seen) => all.push((digest.clone(), seen)),
                Err(e @ Error::Picture { .. }) => {
                    let each = paths.iter().map(|path| format!("{}: {e}", printable(path)));
                    self.bad.extend(each);
                }
                Err(e) => self.bad.push(e.to_string()), // names the file
            }
        }
        all
    }
}

fn by_digest(files: &[PathBuf], progress: &dyn Progress, bad: &mut Vec<String>) -> Files {
    progress.start("checking pictures", files.len() as u64);
    let one = |path: &PathBuf| {
        progress.step(1);
        digest(path)
    };
    let digests: Vec<Result<Fingerprint>> = files.par_iter().map(one).collect();
    progress.finish();
    let mut found = Files::new();
    for (path, digest) in files.iter().zip(digests) {
        match digest {
            Ok(digest) => found.entry(digest).or_default().push(path.clone()),
            Err(e) => bad.push(e.to_string()),
        }
    }
    found
}

/// The digest of a regular file that is small enough to be read.
fn digest(path: &Path) -> Result<Fingerprint> {
    let refused = |reason: String| {
        let path = path.to_owned();
        Err(Error::File { path, reason })
    };
    let metadata = path.metadata().map_err(Error::io("read", path))?;
    match metadata.len() {
        _ if !metadata.is_file() => refused("not a regular file".into()),
        n if n > MAX_BYTES => refused(format!("{n} bytes, more than {MAX_BYTES}")),
        _ => Fingerprint::of_file(path),
    }
}

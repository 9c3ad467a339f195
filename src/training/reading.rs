//! Reading pictures, each once: what was read is kept by the digest of the picture's bytes, so that folds,
//! collections and later runs find it again.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::{Training, pictures};
use crate::artifact::{Fingerprint, Spec, Store};
use crate::error::{Error, Result};
use crate::ocr::{Line, Models, Reader, ReaderParams};

/// A reader whose networks are there.
pub(super) struct Reading<'a> {
    params: &'a ReaderParams,
    models: Models,
    /// Of all that determines what is read, but for the picture.
    pub(super) spec: Spec,
}

/// What was read, by the digests of the pictures.
type Known = BTreeMap<Fingerprint, Vec<Line>>;

/// Pictures that are read before what was read is written: what a killed run loses at most.
const BLOCK: usize = 64;

impl<'a> Reading<'a> {
    /// # Errors
    /// [`Error::Weights`] where a network is not there.
    pub(super) fn new(params: &'a ReaderParams) -> Result<Self> {
        let models = Models::find();
        Ok(Self {
            spec: params.spec(&models)?,
            params,
            models,
        })
    }

    pub(super) fn load(&self) -> Result<Reader> {
        self.params.load(&self.models)
    }
}

impl Training<'_> {
    /// The lines in each picture of a collection for which `wanted` holds; in the others none.
    pub(super) fn read(
        &self,
        reading: &Reading,
        collection: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Vec<Vec<Line>>> {
        let contents = &self.contents[collection];
        let wanted: Vec<usize> = (0..contents.len()).filter(|&i| wanted(i)).collect();
        let folder = format!("scene-text-{}", reading.spec.fingerprint().short());
        let store = Store::new(self.folder("features").join(folder), reading.spec.clone());
        let mut known: Known = store.read(|_| true)?;
        let unread = wanted.iter().map(|&i| (&contents[i], i));
        let unread: HashMap<_, _> = unread.filter(|(d, _)| !known.contains_key(d)).collect();
        let mut unread: Vec<(&Fingerprint, usize)> = unread.into_iter().collect();
        unread.sort_unstable_by_key(|&(_, i)| i);
        if !unread.is_empty() {
            let reader = reading.load()?;
            self.progress.start("reading pictures", unread.len() as u64);
            for block in unread.chunks(BLOCK) {
                let read = self.read_block(&reader, collection, block)?;
                store.add(&read)?;
                known.extend(read);
            }
            self.progress.finish();
        }
        let mut lines = vec![vec![]; contents.len()];
        for i in wanted {
            lines[i].clone_from(&known[&contents[i]]);
        }
        Ok(lines)
    }

    /// What is no picture has no lines; the image views name it.
    ///
    /// # Errors
    /// Those that may be gone the next time.
    fn read_block(
        &self,
        reader: &Reader,
        collection: usize,
        block: &[(&Fingerprint, usize)],
    ) -> Result<Vec<(Fingerprint, Vec<Line>)>> {
        let images = &self.dataset.collections[collection].images;
        let read = block.par_iter().map(|&(digest, i)| {
            let bytes = pictures::read(&images[i], digest);
            let lines = bytes.and_then(|bytes| reader.read(&bytes));
            self.progress.step(1);
            match lines {
                Ok(lines) => Ok((digest.clone(), lines)),
                Err(e @ (Error::Picture { .. } | Error::File { .. })) => {
                    tracing::debug!("{}: not read: {e}", images[i].source.describe());
                    Ok((digest.clone(), vec![]))
                }
                Err(e) => Err(e),
            }
        });
        read.collect()
    }
}

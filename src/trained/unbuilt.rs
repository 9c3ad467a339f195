//! In place of the networks, where the program was built without them.

use std::path::Path;
use std::sync::Arc;

use super::{CaptioningParams, Described, Learned, RerankParams};
use crate::artifact::{Artifact, Spec};
use crate::dataset::Direction;
use crate::error::{Error, Result};
use crate::picture::Picture;
use crate::progress::Progress;

/// A captioner, of which there is none.
pub enum Captioner {}

/// Networks that compare pairs, of which there are none.
pub enum Reranker {}

/// Items that are ready to be compared.
pub enum Compared {}

/// What a captioner came to on a collection.
pub struct Written {
    /// The captions.
    pub captions: Vec<String>,
    /// The part of the words that it predicts from those before.
    pub accuracy: f64,
}

/// # Errors
/// Always.
pub fn learn_captioner(
    _: &CaptioningParams,
    _: Learned,
    _: Spec,
    _: &Path,
    _: &dyn Progress,
) -> Result<Artifact> {
    Err(Error::untrained())
}

/// # Errors
/// Always.
pub fn learn_matchers(
    _: &RerankParams,
    _: Learned,
    _: Spec,
    _: &Path,
    _: &dyn Progress,
) -> Result<Artifact> {
    Err(Error::untrained())
}

impl Captioner {
    /// # Errors
    /// Always.
    pub fn load(_: &Artifact) -> Result<Self> {
        Err(Error::untrained())
    }

    /// A caption for a picture.
    pub fn caption(&self, _: &Picture) -> Result<String> {
        match *self {}
    }

    /// Captions for a collection.
    pub fn write(&self, _: &Described) -> Written {
        match *self {}
    }
}

impl Reranker {
    /// # Errors
    /// Always.
    pub fn load(_: &RerankParams, _: &Artifact) -> Result<Self> {
        Err(Error::untrained())
    }

    /// The items of a collection, ready to be compared.
    ///
    /// # Errors
    /// None: there is none to ask.
    pub fn compared(
        &self,
        _: usize,
        _: impl FnOnce(&dyn Fn(&Described) -> Compared) -> Result<Compared>,
    ) -> Result<Arc<Compared>> {
        match *self {}
    }

    /// How much it counts.
    pub fn weight(&self) -> f32 {
        match *self {}
    }

    /// Sets how much it counts.
    pub fn weigh(&mut self, _: f32) {
        match *self {}
    }
}

impl Compared {
    /// Gives the best answers new scores.
    pub fn reorder(&self, _: Direction, _: usize, _: &[usize], _: f32, _: &mut [f32]) {
        match *self {}
    }
}

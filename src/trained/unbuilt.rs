//! In place of the networks, where the program was built without them.

use std::path::Path;

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

fn not_built<T>() -> Result<T> {
    Err(Error::NotBuilt {
        what: "a network that is trained here",
        feature: "train",
    })
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
    not_built()
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
    not_built()
}

impl Captioner {
    /// # Errors
    /// Always.
    pub fn load(_: &Artifact) -> Result<Self> {
        not_built()
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
        not_built()
    }

    /// The items of a collection, ready to be compared.
    pub fn compare(&self, _: &Described) -> Compared {
        match *self {}
    }

    /// Sets how much it counts.
    pub fn weigh(&mut self, _: f32) {
        match *self {}
    }
}

impl Compared {
    /// Gives the best answers new scores.
    pub fn reorder(&self, _: Direction, _: usize, _: &[usize], _: &mut [f32]) {
        match *self {}
    }
}

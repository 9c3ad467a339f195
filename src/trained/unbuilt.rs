//! In place of the networks, where the program was built without them.

use crate::artifact::Artifact;
use crate::dataset::Direction;
use crate::error::{Error, Result};
use crate::text::Cutter;
use crate::training::Training;

/// A captioner, of which there is none.
pub enum Captioner {}

/// Networks that compare pairs, of which there are none.
pub enum Reranker {}

/// Items that are ready to be compared.
pub enum Compared {}

/// What a captioner came to on a split.
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

impl Captioner {
    /// # Errors
    /// Always.
    pub fn load(_: &Artifact) -> Result<Self> {
        not_built()
    }

    /// What cuts captions into words.
    pub fn cutter(&self) -> &Cutter {
        match *self {}
    }

    /// A caption for a picture.
    pub fn caption(&self, _: &crate::picture::Picture) -> Result<String> {
        match *self {}
    }
}

impl Reranker {
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
    pub fn reorder(&self, _: Direction, _: usize, _: &[usize], _: &mut [f32]) {
        match *self {}
    }
}

impl Training<'_> {
    /// # Errors
    /// Always.
    pub fn reranker(&self) -> Result<Reranker> {
        not_built()
    }

    /// # Errors
    /// Always.
    pub fn compared(&self, reranker: &Reranker, _: usize) -> Result<Compared> {
        match *reranker {}
    }

    /// # Errors
    /// Always.
    pub fn captioner(&self) -> Result<Artifact> {
        not_built()
    }

    /// # Errors
    /// Always.
    pub fn write_captions(&self, _: usize) -> Result<Written> {
        not_built()
    }
}

//! What settings are chosen by.

use super::Training;
use crate::dataset::{Split, held_out};
use crate::error::Result;

/// Pictures, with their texts, that choose among settings.
pub(super) struct Validation {
    /// Of the collection.
    pub place: usize,
    /// Which of its images, and their texts.
    pub asked: Vec<bool>,
}

impl Training<'_> {
    /// The validation split, or the training images that are [`held_out`].
    pub(super) fn validation(&self) -> Result<Validation> {
        let mut collections = self.dataset.collections.iter();
        if let Some(place) = collections.position(|c| c.split == Split::Val) {
            return Ok(Validation {
                asked: vec![true; self.dataset.collections[place].images.len()],
                place,
            });
        }
        let place = self.train()?;
        let collection = &self.dataset.collections[place];
        Ok(Validation {
            asked: held_out(collection, &self.contents[place]),
            place,
        })
    }
}

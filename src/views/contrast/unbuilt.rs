//! In place of the networks, where the program was built without them.

use tuwen_nets::params::PictureContrastParams;

use super::super::ImageView;
use super::super::text::TextVectors;
use super::TextNetParams;
use crate::artifact::{Artifact, Spec};
use crate::error::{Error, Result};
use crate::picture::Picture;

pub fn learn_pictures(
    _: &PictureContrastParams,
    _: Artifact,
    _: &[Picture],
    _: u64,
) -> Result<Artifact> {
    Err(Error::untrained())
}

pub fn load_pictures(_: &PictureContrastParams, _: &Artifact) -> Result<Box<dyn ImageView>> {
    Err(Error::untrained())
}

pub fn learn_texts(_: &TextNetParams, _: Spec, _: &[&str]) -> Result<Artifact> {
    Err(Error::untrained())
}

pub fn load_texts(_: &TextNetParams, _: &Artifact) -> Result<Box<dyn TextVectors>> {
    Err(Error::untrained())
}

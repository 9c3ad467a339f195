//! Whole-picture features as an image view: nothing is learned.

use ndarray::Array1;

use super::{Feature, ImageView, Shown};
use crate::appearance::{Appearance, AppearanceParams};
use crate::artifact::Artifact;
use crate::error::Result;
use crate::picture::Picture;
use crate::timing;

struct Whole(Box<dyn Appearance>);

impl Feature for AppearanceParams {
    fn check(&self) -> Result<()> {
        self.appearance().map(drop)
    }

    fn fit(&self, artifact: Artifact, _: &[Picture], _: u64) -> Result<Artifact> {
        self.check()?;
        Ok(artifact)
    }

    fn load(&self, _: &Artifact) -> Result<Box<dyn ImageView>> {
        Ok(Box::new(Whole(self.appearance()?)))
    }
}

impl ImageView for Whole {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn describe(&self, Shown { picture, .. }: Shown) -> Result<Array1<f32>> {
        Ok(timing::APPEARANCE.time(|| self.0.describe(picture)))
    }
}

//! Pictures as grids of cells, for the networks that are trained here.

use std::borrow::Cow;

use super::Training;
use crate::artifact::{Artifact, Fingerprint};
use crate::dataset::{Dataset, Split};
use crate::error::Result;
use crate::linalg::{KernelMap, PcaParams};
use crate::recipe::Recipe;
use crate::views::{FeatureParams, ImageViewParams, RegionsParams, Rows};

/// A view of regions beside those of a recipe; its pictures are not mirrored.
pub(super) struct Regions<'a> {
    recipe: Recipe,
    dataset: Dataset,
    contents: Vec<Vec<Fingerprint>>,
    of: &'a Training<'a>,
}

impl Training<'_> {
    /// The data set's pictures as regions.
    pub(super) fn regions(&self, params: &RegionsParams) -> Regions<'_> {
        let view = ImageViewParams {
            name: "regions".into(),
            weight: 1.0,
            feature: FeatureParams::Regions(params.clone()),
            map: KernelMap::default(),
            pca: PcaParams {
                dim: 0,
                ..PcaParams::default()
            },
        };
        let mut dataset = Dataset::clone(&self.dataset);
        let mut contents = self.contents.clone();
        for (c, contents) in dataset.collections.iter_mut().zip(&mut contents) {
            let plain = c.plain_images().len();
            c.images.truncate(plain);
            c.pairs.retain(|p| p.image < plain);
            contents.truncate(plain);
        }
        Regions {
            recipe: Recipe {
                image_views: vec![view],
                mirror: false,
                ..self.recipe.clone()
            },
            dataset,
            contents,
            of: self,
        }
    }
}

impl Regions<'_> {
    fn training(&self) -> Training<'_> {
        Training {
            recipe: &self.recipe,
            dataset: Cow::Borrowed(&self.dataset),
            work: self.of.work,
            progress: self.of.progress,
            contents: self.contents.clone(),
            view: None,
        }
    }

    /// The data set without mirrored pictures.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// Digest of all that the cells come from that networks learn from.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        let training = self.training();
        let view = training.view_spec(&self.recipe.image_views[0])?;
        let collections = self.dataset.collections.iter().enumerate();
        let learned = collections.filter(|(_, c)| c.split != Split::Test);
        let pictures: Vec<Fingerprint> = learned.map(|(c, _)| training.pictures(c)).collect();
        Ok(Fingerprint::of(&(view.fingerprint(), pictures)))
    }

    /// What the view has learned.
    pub fn view(&self) -> Result<Artifact> {
        self.training().image_view(&self.recipe.image_views[0])
    }

    /// The cells of all pictures, one [`Rows`] per collection.
    pub fn rows(&self) -> Result<Vec<Rows>> {
        self.training().image_features()
    }
}

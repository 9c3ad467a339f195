//! The networks that are trained here, learned from the data set and kept in the work folder.

use std::path::Path;
use std::sync::Arc;

use super::Training;
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::dataset::{Collection, Split};
use crate::error::{Error, Result};
use crate::trained::{
    Captioner, Compared, Described, Learned, Reranker, Written, learn_captioner, learn_matchers,
};
use crate::views::{RegionsParams, Rows};

impl Training<'_> {
    fn lacks(&self, part: &str) -> Error {
        Error::Recipe {
            path: self.recipe.name.clone().into(),
            reason: format!("it has no `[{part}]`"),
        }
    }

    /// What `learn` makes of the training and validation data, of which it sees the regions.
    fn trained(
        &self,
        stage: &'static str,
        params: &impl serde::Serialize,
        regions: &RegionsParams,
        learn: impl FnOnce(Learned, Spec, &Path) -> Result<Artifact>,
    ) -> Result<Artifact> {
        let regions = self.regions(regions);
        let mut spec = Spec::new(stage, params, self.recipe.seed);
        spec = spec.input("regions", regions.fingerprint()?);
        let collections = &regions.dataset().collections;
        for c in collections.iter().filter(|c| c.split != Split::Test) {
            let pairs: Vec<_> = c.pairs.iter().map(|p| (p.image, p.text)).collect();
            spec = spec.input(&c.name, Fingerprint::of(&(c.captions(), pairs)));
        }
        let path = self.file("vocab", stage, &spec);
        self.cached(&path, spec, |spec| {
            let rows = regions.rows()?;
            let place = self.train()?;
            let described = |place: usize| Described {
                collection: &collections[place],
                rows: &rows[place],
            };
            let has_val = |c: &Collection| c.split == Split::Val && !c.pairs.is_empty();
            let learned = Learned {
                train: described(place),
                contents: &self.contents[place][..collections[place].images.len()],
                val: collections.iter().position(has_val).map(described),
                view: regions.view()?,
            };
            learn(learned, spec, &path.with_extension("checkpoint"))
        })
    }

    /// The recipe's network that writes captions.
    ///
    /// # Errors
    /// [`Error::Recipe`] if the recipe has none, [`Error::NotBuilt`] if the program has none; those of learning.
    pub fn captioner(&self) -> Result<Artifact> {
        let params = self.recipe.captioner.as_ref();
        let params = params.ok_or_else(|| self.lacks("captioner"))?;
        self.trained(
            "captioner",
            params,
            &params.regions,
            |learned, spec, checkpoint| {
                learn_captioner(params, learned, spec, checkpoint, self.progress)
            },
        )
    }

    /// Captions for the pictures of a collection by the recipe's network.
    ///
    /// # Errors
    /// As [`Self::captioner`].
    pub fn write_captions(&self, collection: usize) -> Result<Written> {
        let captioner = Captioner::load(&self.captioner()?)?;
        let params = self.recipe.captioner.as_ref();
        let params = params.ok_or_else(|| self.lacks("captioner"))?;
        self.described(&params.regions, collection, |described| {
            captioner.write(described)
        })
    }

    /// The recipe's networks that rank the best answers again.
    ///
    /// # Errors
    /// As [`Self::captioner`].
    pub(super) fn reranker(&self) -> Result<Reranker> {
        let params = self.recipe.rerank.as_ref();
        let params = params.ok_or_else(|| self.lacks("rerank"))?;
        let learns = (
            &params.regions,
            &params.words,
            &params.network,
            params.folds,
        );
        let artifact = self.trained(
            "matcher",
            &learns,
            &params.regions,
            |learned, spec, checkpoint| {
                learn_matchers(params, learned, spec, checkpoint, self.progress)
            },
        )?;
        Reranker::load(params, &artifact)
    }

    /// The items of a collection, ready to be compared.
    pub(super) fn compared(&self, reranker: &Reranker, place: usize) -> Result<Arc<Compared>> {
        let params = self.recipe.rerank.as_ref();
        let params = params.ok_or_else(|| self.lacks("rerank"))?;
        reranker.compared(place, |compare| {
            self.described(&params.regions, place, compare)
        })
    }

    /// Calls `of` with the regions of a collection.
    fn described<T>(
        &self,
        regions: &RegionsParams,
        collection: usize,
        of: impl FnOnce(&Described) -> T,
    ) -> Result<T> {
        let regions = self.regions(regions);
        let rows: Vec<Rows> = regions.rows()?;
        Ok(of(&Described {
            collection: &regions.dataset().collections[collection],
            rows: &rows[collection],
        }))
    }
}

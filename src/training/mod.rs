//! Training: a recipe is run on a data set, stage by stage.
//!
//! ```text
//! pictures -> image views -> shards -> PCA ┐
//!                                          ├-> fusion -> shared space -> scores -> probabilities
//! captions -> text views ------------------┘
//! ```
//! [`Training::features`] describes all pictures and captions, [`Training::fit`] learns the fusion and chooses the settings,
//! and [`Training::model`] puts everything that was learned into one [`Model`](crate::model::Model). The contest and
//! evaluations search the data set itself: [`Training::gallery`] and [`Training::rank`].
//!
//! What a stage makes is an artifact, and a [`Spec`] names what it was made from, so that a stage runs only if something
//! before it has changed. Below the work folder, `vocab/` holds what was learned and `features/` what was computed per item.
//! Vectors of captions and indexes are computed at each run, because they are cheap.

mod calibration;
mod curve;
mod engine;
mod fitted;
mod fusion;
mod images;
mod model;
mod pictures;
mod protocol;
mod reading;
mod regions;
mod scene_text;
mod shards;
mod space;
mod trained;
mod validation;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::contest::Gallery;
use crate::dataset::{Collection, Dataset, Direction, Split};
use crate::error::Result;
use crate::evaluation::Ranking;
use crate::files;
use crate::progress::Progress;
use crate::recipe::Recipe;
use crate::trained::Reranker;
use crate::views::{Rows, TextView, TextViewParams, TextViewSetup};
use ndarray::{Axis, s};

pub use calibration::Checked;
pub use curve::learning_curve;
pub use fitted::Fitted;
pub use fusion::Outcome;
pub use model::{Keep, untaught};
pub use protocol::{BOTH, New, Protocol};
use scene_text::View;
pub use scene_text::{SceneText, SceneTextChoice};
pub use space::{Embedded, embed};
use space::{Scores, ranking};

/// A recipe that is run on a dataset.
pub struct Training<'a> {
    /// What is run.
    pub recipe: &'a Recipe,
    /// With mirrored training pictures, where the recipe wants them.
    pub dataset: Cow<'a, Dataset>,
    work: &'a Path,
    progress: &'a dyn Progress,
    /// Digests of the pictures' bytes, per collection.
    contents: Vec<Vec<Fingerprint>>,
    /// Scene text, where the recipe wants it and it can be had.
    view: Option<View<'a>>,
}

/// All views of a collection, side by side.
pub struct Features {
    /// Vectors of the pictures.
    pub images: Rows,
    /// Vectors of the captions.
    pub texts: Rows,
}

impl<'a> Training<'a> {
    /// Prepares a run. Every picture is read once, to find out what has to be computed again.
    pub fn new(
        recipe: &'a Recipe,
        dataset: &'a Dataset,
        work: &'a Path,
        progress: &'a dyn Progress,
    ) -> Self {
        let mut dataset = Cow::Borrowed(dataset);
        if recipe.mirror {
            let collections = &mut dataset.to_mut().collections;
            for c in collections.iter_mut().filter(|c| c.split == Split::Train) {
                *c = c.with_mirrored();
            }
        }
        for kind in ["vocab", "features"] {
            files::sweep(&work.join(kind).join(&dataset.name));
        }
        progress.start("checking pictures", dataset.image_count());
        let contents = dataset
            .collections
            .iter()
            .map(|c| pictures::digests(c, progress))
            .collect();
        progress.finish();
        Self {
            recipe,
            dataset,
            work,
            progress,
            contents,
            view: recipe.scene_text.as_ref().and_then(View::new),
        }
    }

    /// Digests of the training pictures.
    pub fn train_contents(&self) -> Result<&[Fingerprint]> {
        Ok(&self.contents[self.train()?])
    }

    /// Digest of everything that determines the answers.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        let fusion = self.fusion_spec()?.fingerprint();
        let galleries: Vec<_> = [Direction::TextToImage, Direction::ImageToText]
            .into_iter()
            .filter_map(|d| Some((d, self.place(Split::Test, d)?)))
            .map(|(d, c)| {
                let truth: Vec<_> = self.dataset.collections[c]
                    .pairs
                    .iter()
                    .map(|p| (p.image, p.text))
                    .collect();
                (
                    d,
                    self.gallery_spec(c, d, &fusion).fingerprint(),
                    self.pictures(c),
                    self.texts(c),
                    truth,
                )
            })
            .collect();
        let fingerprint = Fingerprint::of(&(fusion, galleries, self.recipe.max_bad_images));
        Ok(match &self.view {
            Some(view) => Fingerprint::of(&(fingerprint, view.fingerprint())),
            None => fingerprint,
        })
    }

    /// `vocab/` or `features/` of this dataset.
    fn folder(&self, kind: &str) -> PathBuf {
        self.work.join(kind).join(&self.dataset.name)
    }

    fn file(&self, kind: &str, name: &str, spec: &Spec) -> PathBuf {
        let name = format!("{name}-{}.safetensors", spec.fingerprint().short());
        self.folder(kind).join(name)
    }

    /// The artifact of `spec`, from disk if it is fresh there.
    fn cached(
        &self,
        path: &Path,
        spec: Spec,
        make: impl FnOnce(Spec) -> Result<Artifact>,
    ) -> Result<Artifact> {
        if let Some(artifact) = Artifact::read_fresh(path, &spec) {
            tracing::debug!("{} is up to date", path.display());
            return Ok(artifact);
        }
        let artifact = make(spec)?;
        artifact.write(path)?;
        Ok(artifact)
    }

    fn train(&self) -> Result<usize> {
        self.dataset.train_place()
    }

    /// Of the bytes and ids of a collection's pictures.
    fn pictures(&self, collection: usize) -> Fingerprint {
        let images = &self.dataset.collections[collection].images;
        pictures::fingerprint(images, &self.contents[collection])
    }

    /// Of the captions alone: what is learned does not depend on their ids.
    fn captions(&self, collection: usize) -> Fingerprint {
        Fingerprint::of(&self.dataset.collections[collection].captions())
    }

    fn texts(&self, collection: usize) -> Fingerprint {
        let ids = self.dataset.collections[collection]
            .texts
            .iter()
            .map(|t| &t.id);
        Fingerprint::of(&(self.captions(collection), ids.collect::<Vec<_>>()))
    }

    fn text_spec(&self, params: &TextViewParams, setup: &TextViewSetup) -> Result<Spec> {
        setup.spec(params, self.captions(self.train()?), self.recipe.seed)
    }

    fn fit_text_view(&self, params: &TextViewParams) -> Result<TextView> {
        let setup = TextViewSetup::new(params)?;
        let artifact = self.text_view(params, &setup)?;
        setup.load(&artifact)
    }

    /// What a text view has learned.
    fn text_view(&self, params: &TextViewParams, setup: &TextViewSetup) -> Result<Artifact> {
        let spec = self.text_spec(params, setup)?;
        let path = self.file("vocab", &params.name, &spec);
        self.cached(&path, spec, |spec| {
            setup.fit(params, spec, &self.dataset.train()?.captions())
        })
    }

    /// The vectors of all captions in all text views, one [`Rows`] per collection.
    pub fn text_features(&self) -> Result<Vec<Rows>> {
        let mut views = Vec::new();
        for params in &self.recipe.text_views {
            views.push((params.weight, self.fit_text_view(params)?));
        }
        let describe = |c: &Collection| {
            let captions = c.captions();
            let views = views.iter();
            let rows = views.map(|(w, v)| Ok((*w, v.describe(&captions)?)));
            Ok(Rows::side_by_side(rows.collect::<Result<_>>()?))
        };
        self.dataset.collections.iter().map(describe).collect()
    }

    /// All features of all collections, in the dataset's order.
    pub fn features(&self) -> Result<Vec<Features>> {
        let images = self.image_features()?;
        let texts = self.text_features()?;
        let pairs = images.into_iter().zip(texts);
        Ok(pairs
            .map(|(images, texts)| Features { images, texts })
            .collect())
    }

    /// The first collection of a split that is there for a direction.
    pub fn place(&self, split: Split, direction: Direction) -> Option<usize> {
        let fits = |c: &Collection| c.split == split && c.directions.contains(&direction);
        self.dataset.collections.iter().position(fits)
    }

    /// What the answers of a direction in a collection are made from.
    fn gallery_spec(&self, collection: usize, direction: Direction, fusion: &Fingerprint) -> Spec {
        let (name, items) = match direction {
            Direction::TextToImage => ("images", self.pictures(collection)),
            Direction::ImageToText => ("texts", self.texts(collection)),
        };
        let settings = (&self.recipe.index, &self.recipe.hubness);
        Spec::new("index", &settings, self.recipe.seed)
            .input("fusion", fusion.clone())
            .input(name, items)
    }

    /// The index over what a direction searches in a collection.
    pub fn gallery(
        &self,
        collection: usize,
        direction: Direction,
        features: &[Features],
        fitted: &Fitted,
    ) -> Result<Gallery> {
        self.recipe.require_single_queries()?;
        let z = embed(&fitted.fusion, &features[collection])?;
        let charges = self.charges(direction, features, &fitted.fusion, &z)?;
        let (items, usable) = match direction {
            Direction::TextToImage => (&z.images, &z.image_usable),
            Direction::ImageToText => (&z.texts, &z.text_usable),
        };
        let n = match direction {
            Direction::TextToImage => self.dataset.collections[collection].plain_images().len(),
            Direction::ImageToText => items.nrows(),
        };
        let sample = || {
            let train = embed(&fitted.fusion, &features[self.train()?])?;
            let both = [train.images.view(), train.texts.view()];
            Ok(ndarray::concatenate(Axis(0), &both).expect("one shared space"))
        };
        Gallery::build(
            &self.recipe.index,
            sample,
            items.slice(s![..n, ..]),
            &usable[..n],
            charges.map(|c| c.slice(s![..n]).to_owned()),
        )
    }

    /// The ranking of a split's queries, per direction that it is there for. Only queries with a known
    /// answer count.
    pub fn rank(
        &self,
        split: Split,
        direction: Direction,
        features: &[Features],
        fitted: &Fitted,
    ) -> Result<Option<Ranking>> {
        let Some(place) = self.place(split, direction) else {
            return Ok(None);
        };
        let embedded = embed(&fitted.fusion, &features[place])?;
        let charges = self.charges(direction, features, &fitted.fusion, &embedded)?;
        let words = self.words(fitted.scene_text.as_ref(), place, direction)?;
        let reranker = fitted.reranker.as_ref();
        let compared = reranker.map(|r| self.compared(r, place)).transpose()?;
        let scores = Scores {
            z: &embedded,
            charges: charges.as_ref(),
            words: words.as_ref(),
            pairs: compared.as_deref().zip(reranker.map(Reranker::weight)),
        };
        let collection = &self.dataset.collections[place];
        Ok(Some(ranking(
            collection,
            scores,
            direction,
            |_| true,
            |_| true,
        )))
    }
}

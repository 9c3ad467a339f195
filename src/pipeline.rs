//! The order of the stages, and what is fresh. The only module that sees them all.
//!
//! ```text
//! pictures -> image views -> shards -> PCA ┐
//!                                          ├-> fusion -> shared space -> index -> answers
//! captions -> text views  ----------------─┘
//! ```
//! Every arrow is an artifact whose [`Spec`] names what it was made from, so that a stage runs when, and
//! only when, something before it has changed. Below the work folder, `vocab/` takes what was learned and
//! `features/` what was computed per item.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::dataset::{Collection, Dataset, Direction, ImageItem, Pair, Split, held_out};
use crate::error::{Error, Result};
use crate::evaluation::{self, Ranking};
use crate::fusion::{Fusion, FusionParams, Pairs, Side, Trial};
use crate::linalg::Pca;
use crate::picture::Picture;
use crate::progress::Progress;
use crate::recipe::{ImageViewParams, Recipe, TextViewParams};
use crate::search::Gallery;
use crate::views::{BadItem, ImageView, Rows, TextView, TextViewSetup, sample_places};

/// A recipe about to be run on a dataset.
pub struct Pipeline<'a> {
    pub recipe: &'a Recipe,
    pub dataset: &'a Dataset,
    work: &'a Path,
    progress: &'a dyn Progress,
    /// Digests of the pictures' bytes, per collection.
    contents: Vec<Vec<Fingerprint>>,
}

/// An image view with its projection, ready for new pictures.
struct ImageModel<'a> {
    params: &'a ImageViewParams,
    view: ImageView,
    pca: Pca,
}

/// What turns new pictures and captions into points of the shared space.
pub struct Models<'a> {
    recipe: &'a Recipe,
    images: Vec<ImageModel<'a>>,
    texts: Vec<(&'a TextViewParams, TextView)>,
    fusion: Fusion,
}

/// All views of a collection, side by side.
pub struct Features {
    pub images: Rows,
    pub texts: Rows,
}

/// A fitted fusion and how it was chosen.
pub struct Fitted {
    pub fusion: Fusion,
    pub outcome: Outcome,
    pub fingerprint: Fingerprint,
}

/// What choosing the settings came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub setting: FusionParams,
    /// mR on the validation data, for every combination of settings.
    pub trials: Vec<Trial>,
    /// What the validation data was.
    pub validation: String,
    pub training_pairs: usize,
}

/// A collection in the shared space: unit rows, zero where an item is not usable.
pub struct Embedded {
    pub images: Array2<f32>,
    pub image_usable: Vec<bool>,
    pub texts: Array2<f32>,
    pub text_usable: Vec<bool>,
}

impl<'a> Pipeline<'a> {
    /// Reads every picture once, to know what is fresh.
    pub fn new(
        recipe: &'a Recipe,
        dataset: &'a Dataset,
        work: &'a Path,
        progress: &'a dyn Progress,
    ) -> Self {
        let total: usize = dataset.collections.iter().map(|c| c.images.len()).sum();
        progress.start("checking pictures", total as u64);
        let contents = dataset.collections.iter().map(|c| digests(c, progress)).collect();
        progress.finish();
        Self {
            recipe,
            dataset,
            work,
            progress,
            contents,
        }
    }

    /// Digests of the training pictures.
    pub fn train_contents(&self) -> Result<&[Fingerprint]> {
        Ok(&self.contents[self.train()?])
    }

    /// Of everything that determines the answers.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        let fusion = self.fusion_spec(self.recipe.fusion.stage())?.fingerprint();
        let galleries: Vec<_> = [Direction::TextToImage, Direction::ImageToText]
            .into_iter()
            .filter_map(|d| Some((d, self.place(Split::Test, d)?)))
            .map(|(d, c)| {
                let truth: Vec<_> = self.dataset.collections[c].pairs.iter().map(|p| (p.image, p.text)).collect();
                (d, self.gallery_spec(c, d, &fusion).fingerprint(), self.pictures(c), self.captions(c), truth)
            })
            .collect();
        Ok(Fingerprint::of(&(fusion, galleries, self.recipe.max_bad_images)))
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
        let wanted = self.dataset.train()?;
        let place = self.dataset.collections.iter().position(|c| std::ptr::eq(c, wanted));
        Ok(place.expect("the training collection is one of the dataset's"))
    }

    fn pictures(&self, collection: usize) -> Fingerprint {
        let ids = self.dataset.collections[collection].images.iter().map(|i| &i.id);
        Fingerprint::of(&ids.zip(&self.contents[collection]).collect::<Vec<_>>())
    }

    fn captions(&self, collection: usize) -> Fingerprint {
        Fingerprint::of(&self.dataset.collections[collection].captions())
    }

    // ---- image side -------------------------------------------------------------------------------

    fn view_spec(&self, params: &ImageViewParams) -> Result<Spec> {
        let train = self.pictures(self.train()?);
        Ok(ImageView::spec(params, &self.recipe.picture, train, self.recipe.seed))
    }

    fn pca_spec(&self, params: &ImageViewParams, view: &Spec) -> Spec {
        Spec::new("pca", &params.pca, self.recipe.seed).input("view", view.fingerprint())
    }

    fn rows_spec(&self, pca: &Spec, collection: usize) -> Spec {
        Spec::new("image-rows", &(), 0)
            .input("pca", pca.fingerprint())
            .input("pictures", self.pictures(collection))
    }

    fn rows_path(&self, view: &str, collection: usize, spec: &Spec) -> PathBuf {
        self.file("features", &format!("{view}/{}", self.dataset.collections[collection].name), spec)
    }

    /// The vectors of all pictures in all image views, one [`Rows`] per collection.
    pub fn image_features(&self) -> Result<Vec<Rows>> {
        let collections = 0..self.dataset.collections.len();
        let mut fresh: Vec<Vec<Option<Rows>>> = Vec::new();
        let mut stale = Vec::new();
        for params in &self.recipe.image_views {
            let pca = self.pca_spec(params, &self.view_spec(params)?);
            let read = |c| {
                let spec = self.rows_spec(&pca, c);
                let artifact = Artifact::read_fresh(&self.rows_path(&params.name, c, &spec), &spec);
                artifact.map(|a| Rows::load(&a)).transpose()
            };
            let rows: Vec<Option<Rows>> = collections.clone().map(read).collect::<Result<_>>()?;
            if rows.iter().any(Option::is_none) {
                stale.push(params);
            }
            fresh.push(rows);
        }
        if stale.is_empty() {
            tracing::info!("image features: up to date");
        } else {
            self.encode(&stale)?;
        }
        let mut views = Vec::new();
        for (params, rows) in self.recipe.image_views.iter().zip(fresh) {
            let rows = match rows.into_iter().collect::<Option<Vec<_>>>() {
                Some(rows) => rows,
                None => self.reduce(params)?,
            };
            views.push((params.weight, rows));
        }
        let by_collection = collections.map(|c| {
            Rows::side_by_side(views.iter().map(|(w, rows)| (*w, rows[c].clone())).collect())
        });
        let rows: Vec<Rows> = by_collection.collect();
        self.check_bad(&rows)?;
        Ok(rows)
    }

    /// Names every picture that cannot be used, and stops where there are too many.
    fn check_bad(&self, rows: &[Rows]) -> Result<()> {
        let bad = rows.iter().map(|r| r.bad.len()).sum();
        for (collection, rows) in self.dataset.collections.iter().zip(rows) {
            for item in &rows.bad {
                let image = collection.images.iter().find(|i| i.id.0 == item.id);
                let place = image.map_or_else(|| item.id.clone(), |i| i.source.describe());
                tracing::warn!("picture that cannot be used: {place}: {}", item.reason);
            }
        }
        if bad > 0 {
            tracing::warn!("{bad} pictures cannot be used");
        }
        if bad > self.recipe.max_bad_images {
            return Err(Error::TooManyBadImages {
                bad,
                allowed: self.recipe.max_bad_images,
            });
        }
        Ok(())
    }

    fn fit_image_view(&self, params: &ImageViewParams) -> Result<ImageView> {
        let spec = self.view_spec(params)?;
        let path = self.file("vocab", &params.name, &spec);
        let artifact = self.cached(&path, spec, |spec| {
            let train = self.dataset.train()?;
            let places: Vec<usize> = sample_places(train.images.len(), ImageView::wants(params)).collect();
            self.progress.start(&format!("{}: learning", params.name), places.len() as u64);
            let pictures: Vec<Picture> = places
                .par_iter()
                .filter_map(|&i| {
                    self.progress.step(1);
                    self.decode(&train.images[i]).ok()
                })
                .collect();
            let artifact = ImageView::fit(params, spec, &pictures);
            self.progress.finish();
            artifact
        })?;
        ImageView::load(params, &artifact)
    }

    fn decode(&self, image: &ImageItem) -> Result<Picture> {
        Picture::decode(&image.source.read()?, &self.recipe.picture)
    }

    fn shard_path(&self, view: &ImageViewParams, spec: &Spec, collection: &Collection, shard: usize) -> PathBuf {
        let dir = format!("{}/raw-{}", view.name, spec.fingerprint().short());
        let name = format!("{}-{shard:05}.safetensors", collection.name);
        self.folder("features").join(dir).join(name)
    }

    /// Encodes every picture in the given views, by shards; a shard that is there already is kept.
    fn encode(&self, views: &[&ImageViewParams]) -> Result<()> {
        let mut fitted = Vec::new();
        for params in views {
            fitted.push((*params, self.view_spec(params)?, self.fit_image_view(params)?));
        }
        let total: usize = self.dataset.collections.iter().map(|c| c.images.len()).sum();
        self.progress.start("image features", total as u64);
        let outcome = self.encode_shards(&fitted);
        self.progress.finish();
        outcome
    }

    fn encode_shards(&self, views: &[(&ImageViewParams, Spec, ImageView)]) -> Result<()> {
        for (collection, contents) in self.dataset.collections.iter().zip(&self.contents) {
            let chunks = collection.images.chunks(self.recipe.shard);
            for (shard, (images, contents)) in chunks.zip(contents.chunks(self.recipe.shard)).enumerate() {
                let wanted: Vec<_> = views
                    .iter()
                    .filter_map(|(params, view_spec, view)| {
                        let spec = shard_spec(view_spec, images, contents);
                        let path = self.shard_path(params, view_spec, collection, shard);
                        let fresh = Artifact::read_fresh(&path, &spec).is_some();
                        (!fresh).then_some((path, spec, view))
                    })
                    .collect();
                let views: Vec<&ImageView> = wanted.iter().map(|w| w.2).collect();
                if views.is_empty() {
                    self.progress.step(images.len() as u64);
                    continue;
                }
                let rows = self.describe(images, &views);
                for ((path, spec, _), rows) in wanted.into_iter().zip(rows) {
                    rows.store(Artifact::new(spec)).write(&path)?;
                }
            }
        }
        Ok(())
    }

    /// The raw vectors of some pictures; each is decoded once for all views.
    fn describe(&self, images: &[ImageItem], views: &[&ImageView]) -> Vec<Rows> {
        let vectors: Vec<Result<Vec<_>>> = images
            .par_iter()
            .map(|image| {
                let vectors = self
                    .decode(image)
                    .and_then(|picture| views.iter().map(|v| v.describe(&picture)).collect());
                self.progress.step(1);
                vectors
            })
            .collect();
        let rows_of = |v: usize| {
            let mut rows = Rows {
                x: Array2::zeros((images.len(), views[v].dim())),
                usable: vec![false; images.len()],
                bad: vec![],
            };
            for (i, result) in vectors.iter().enumerate() {
                match result {
                    Ok(vectors) => {
                        rows.usable[i] = vectors[v].iter().any(|&x| x != 0.0);
                        rows.x.row_mut(i).assign(&vectors[v]);
                    }
                    Err(e) => rows.bad.push(BadItem {
                        id: images[i].id.0.clone(),
                        reason: e.to_string(),
                    }),
                }
            }
            rows
        };
        (0..views.len()).map(rows_of).collect()
    }

    fn read_shards(&self, params: &ImageViewParams, view: &Spec, c: usize) -> impl Iterator<Item = Result<Rows>> {
        let collection = &self.dataset.collections[c];
        let shards = collection.images.len().div_ceil(self.recipe.shard);
        let paths: Vec<_> = (0..shards).map(|s| self.shard_path(params, view, collection, s)).collect();
        paths.into_iter().map(|path| Rows::load(&Artifact::read(&path)?))
    }

    fn fit_pca(&self, params: &ImageViewParams) -> Result<Pca> {
        let view = self.view_spec(params)?;
        let spec = self.pca_spec(params, &view);
        let path = self.file("vocab", &format!("{}-pca", params.name), &spec);
        let artifact = self.cached(&path, spec, |spec| {
            let train = self.train()?;
            let images = self.dataset.collections[train].images.len();
            let mut wanted = sample_places(images, params.pca.sample).peekable();
            let mut sample = Vec::new();
            let mut first = 0;
            for rows in self.read_shards(params, &view, train) {
                let rows = rows?;
                while let Some(i) = wanted.next_if(|&i| i < first + rows.usable.len()) {
                    if rows.usable[i - first] {
                        sample.push(rows.x.row(i - first).to_owned());
                    }
                }
                first += rows.usable.len();
            }
            let sample: Vec<_> = sample.iter().map(|r| r.view()).collect();
            let sample = match &sample[..] {
                [] => Array2::zeros((0, 0)),
                some => ndarray::stack(Axis(0), some).expect("rows of one view"),
            };
            let pca = params.pca.fit(sample.view(), spec.seed)?;
            Ok(pca.store(Artifact::new(spec)))
        })?;
        Pca::load(&artifact)
    }

    /// The shards of a view through its PCA, one [`Rows`] per collection.
    fn reduce(&self, params: &ImageViewParams) -> Result<Vec<Rows>> {
        let view = self.view_spec(params)?;
        let pca_spec = self.pca_spec(params, &view);
        let pca = self.fit_pca(params)?;
        (0..self.dataset.collections.len())
            .map(|c| {
                let spec = self.rows_spec(&pca_spec, c);
                let path = self.rows_path(&params.name, c, &spec);
                let artifact = self.cached(&path, spec, |spec| {
                    let shards: Vec<Rows> = self
                        .read_shards(params, &view, c)
                        .map(|shard| project(shard?, &pca))
                        .collect::<Result<_>>()?;
                    Ok(stacked(shards, pca.dim()).store(Artifact::new(spec)))
                })?;
                Rows::load(&artifact)
            })
            .collect()
    }

    // ---- text side --------------------------------------------------------------------------------

    fn text_spec(&self, params: &TextViewParams, setup: &TextViewSetup) -> Result<Spec> {
        Ok(setup.spec(params, self.captions(self.train()?), self.recipe.seed))
    }

    fn fit_text_view(&self, params: &TextViewParams) -> Result<(TextView, Fingerprint)> {
        let setup = TextViewSetup::new(params)?;
        let spec = self.text_spec(params, &setup)?;
        let fingerprint = spec.fingerprint();
        let path = self.file("vocab", &params.name, &spec);
        let artifact = self.cached(&path, spec, |spec| {
            setup.fit(params, spec, &self.dataset.train()?.captions())
        })?;
        Ok((setup.load(&artifact)?, fingerprint))
    }

    /// The vectors of all captions in all text views, one [`Rows`] per collection.
    pub fn text_features(&self) -> Result<Vec<Rows>> {
        let mut views = Vec::new();
        for params in &self.recipe.text_views {
            views.push((params.weight, self.fit_text_view(params)?.0));
        }
        let describe = |c: &Collection| {
            let captions = c.captions();
            Rows::side_by_side(views.iter().map(|(w, v)| (*w, v.describe(&captions))).collect())
        };
        Ok(self.dataset.collections.iter().map(describe).collect())
    }

    // ---- fusion -----------------------------------------------------------------------------------

    /// All features of all collections, in the dataset's order.
    pub fn features(&self) -> Result<Vec<Features>> {
        let images = self.image_features()?;
        let texts = self.text_features()?;
        let pairs = images.into_iter().zip(texts);
        Ok(pairs.map(|(images, texts)| Features { images, texts }).collect())
    }

    /// What the fusion is made from: all views of the training and validation data, and what pairs there.
    fn fusion_spec(&self, stage: &str) -> Result<Spec> {
        let mut spec = Spec::new(stage, &self.recipe.fusion, self.recipe.seed);
        for params in &self.recipe.image_views {
            let pca = self.pca_spec(params, &self.view_spec(params)?);
            spec = spec.input(&format!("{} x {}", params.name, params.weight), pca.fingerprint());
        }
        for params in &self.recipe.text_views {
            let view = self.text_spec(params, &TextViewSetup::new(params)?)?;
            spec = spec.input(&format!("{} x {}", params.name, params.weight), view.fingerprint());
        }
        for (i, c) in self.dataset.collections.iter().enumerate() {
            if c.split != Split::Test {
                let pairs: Vec<_> = c.pairs.iter().map(|p| (p.image, p.text)).collect();
                let data = (self.pictures(i), self.captions(i), pairs);
                spec = spec.input(&format!("{} data", c.name), Fingerprint::of(&data));
            }
        }
        Ok(spec)
    }

    /// The fitted fusion, its settings chosen on the validation split, or on a tenth of the training images
    /// that is held out for the choice and then learned from too.
    pub fn fit(&self, features: &[Features]) -> Result<Fitted> {
        let spec = self.fusion_spec(self.recipe.fusion.stage())?;
        let fingerprint = spec.fingerprint();
        let path = self.file("features", "fusion", &spec);
        if path.exists() {
            tracing::info!("fusion: up to date");
        }
        let artifact = self.cached(&path, spec, |spec| {
            let (fusion, outcome) = self.choose(features)?;
            Ok(fusion.store(spec).with_notes(&outcome))
        })?;
        Ok(Fitted {
            fusion: Fusion::load(&artifact)?,
            outcome: artifact.read_notes()?,
            fingerprint,
        })
    }

    fn choose(&self, features: &[Features]) -> Result<(Fusion, Outcome)> {
        let train = self.train()?;
        let collection = &self.dataset.collections[train];
        let data = &features[train];
        let usable = |p: &&Pair| data.images.usable[p.image] && data.texts.usable[p.text];
        let all: Vec<Pair> = collection.pairs.iter().filter(usable).copied().collect();
        let pairs = |pairs| Pairs {
            x: data.images.x.view(),
            y: data.texts.x.view(),
            pairs,
        };
        let params = &self.recipe.fusion;
        let val = self.dataset.collections.iter().position(|c| c.split == Split::Val);
        let (choice, fusion, validation) = if let Some(val) = val {
            let seen = &self.dataset.collections[val];
            let choice = params.choose(pairs(&all), &|f| mean_recall(f, seen, &features[val], |_| true))?;
            let fusion = choice.fusion.clone();
            (choice, fusion, "val".to_owned())
        } else {
            let held = held_out(collection, &self.contents[train]);
            let rest: Vec<Pair> = all.iter().filter(|p| !held[p.image]).copied().collect();
            let score = |f: &Fusion| mean_recall(f, collection, data, |image| held[image]);
            let choice = params.choose(pairs(&rest), &score)?;
            let fusion = choice.setting.fit(pairs(&all))?;
            let count = held.iter().filter(|&&h| h).count();
            (choice, fusion, format!("{count} training images held out"))
        };
        let outcome = Outcome {
            setting: choice.setting,
            trials: choice.trials,
            validation,
            training_pairs: all.len(),
        };
        Ok((fusion, outcome))
    }

    /// What is needed to place new pictures and captions in the shared space.
    pub fn models(&self, fusion: Fusion) -> Result<Models<'a>> {
        let image = |params: &'a ImageViewParams| -> Result<ImageModel<'a>> {
            Ok(ImageModel {
                params,
                view: self.fit_image_view(params)?,
                pca: self.fit_pca(params)?,
            })
        };
        let text = |params: &'a TextViewParams| Ok((params, self.fit_text_view(params)?.0));
        Ok(Models {
            recipe: self.recipe,
            images: self.recipe.image_views.iter().map(image).collect::<Result<_>>()?,
            texts: self.recipe.text_views.iter().map(text).collect::<Result<_>>()?,
            fusion,
        })
    }

    /// The first collection of a split that is there for a direction.
    pub fn place(&self, split: Split, direction: Direction) -> Option<usize> {
        let fits = |c: &Collection| c.split == split && c.directions.contains(&direction);
        self.dataset.collections.iter().position(fits)
    }

    fn gallery_spec(&self, collection: usize, direction: Direction, fusion: &Fingerprint) -> Spec {
        let (name, items) = match direction {
            Direction::TextToImage => ("images", self.pictures(collection)),
            Direction::ImageToText => ("texts", self.captions(collection)),
        };
        let c = &self.dataset.collections[collection];
        let ids = match direction {
            Direction::TextToImage => Fingerprint::of(&c.images.iter().map(|i| &i.id).collect::<Vec<_>>()),
            Direction::ImageToText => Fingerprint::of(&c.texts.iter().map(|t| &t.id).collect::<Vec<_>>()),
        };
        Spec::new("index", &self.recipe.index, self.recipe.seed)
            .input("fusion", fusion.clone())
            .input(name, items)
            .input("ids", ids)
    }

    /// The index over what a direction searches in a collection.
    pub fn gallery(
        &self,
        collection: usize,
        direction: Direction,
        features: &[Features],
        fitted: &Fitted,
    ) -> Result<Gallery> {
        let spec = self.gallery_spec(collection, direction, &fitted.fingerprint);
        let c = &self.dataset.collections[collection];
        let name = match direction {
            Direction::TextToImage => format!("{}-images", c.name),
            Direction::ImageToText => format!("{}-texts", c.name),
        };
        let path = self.file("features", &name, &spec).with_extension("faiss");
        let params = &self.recipe.index;
        if let Some(gallery) = Gallery::read_fresh(&path, &spec, params) {
            tracing::info!("index of {name}: up to date");
            return Ok(gallery);
        }
        let z = embed(&fitted.fusion, &features[collection])?;
        let (items, usable, ids): (_, _, Vec<String>) = match direction {
            Direction::TextToImage => {
                (z.images, z.image_usable, c.images.iter().map(|i| i.id.0.clone()).collect())
            }
            Direction::ImageToText => {
                (z.texts, z.text_usable, c.texts.iter().map(|t| t.id.0.clone()).collect())
            }
        };
        let train = embed(&fitted.fusion, &features[self.train()?])?;
        let sample = ndarray::concatenate(Axis(0), &[train.images.view(), train.texts.view()])
            .expect("one shared space");
        let gallery = Gallery::build(params, sample.view(), items.view(), &usable)?;
        gallery.write(&path, spec, ids)?;
        Ok(gallery)
    }

    /// The ranking of a split's queries, per direction that it is there for. Only queries with a known
    /// answer count.
    pub fn rank(&self, split: Split, direction: Direction, features: &[Features], fusion: &Fusion) -> Result<Option<Ranking>> {
        let Some(place) = self.place(split, direction) else {
            return Ok(None);
        };
        let embedded = embed(fusion, &features[place])?;
        Ok(Some(ranking(&self.dataset.collections[place], &embedded, direction, |_| true)))
    }
}

impl Models<'_> {
    /// Pictures to points of the shared space; an unusable picture to zero.
    pub fn embed_picture(&self, bytes: &[u8]) -> Result<Array2<f32>> {
        let picture = Picture::decode(bytes, &self.recipe.picture)?;
        let mut views = Vec::new();
        for model in &self.images {
            let x = model.view.describe(&picture)?.insert_axis(Axis(0));
            let rows = Rows {
                usable: vec![x.iter().any(|&v| v != 0.0)],
                x,
                bad: vec![],
            };
            views.push((model.params.weight, project(rows, &model.pca)?));
        }
        project_side(&self.fusion, Side::Image, &Rows::side_by_side(views))
    }

    /// Captions to points of the shared space, n×s; a caption without a known word to zero.
    pub fn embed_captions(&self, captions: &[&str]) -> Result<Array2<f32>> {
        let views = self.texts.iter().map(|(p, view)| (p.weight, view.describe(captions)));
        project_side(&self.fusion, Side::Text, &Rows::side_by_side(views.collect()))
    }
}

/// Both sides of a collection in the shared space.
pub fn embed(fusion: &Fusion, features: &Features) -> Result<Embedded> {
    Ok(Embedded {
        images: project_side(fusion, Side::Image, &features.images)?,
        image_usable: features.images.usable.clone(),
        texts: project_side(fusion, Side::Text, &features.texts)?,
        text_usable: features.texts.usable.clone(),
    })
}

fn project_side(fusion: &Fusion, side: Side, rows: &Rows) -> Result<Array2<f32>> {
    let mut projected = Rows {
        x: fusion.project(side, rows.x.view())?,
        usable: rows.usable.clone(),
        bad: vec![],
    };
    projected.blank_unusable();
    Ok(projected.x)
}

/// mR on the pairs of the images for which `asked` holds, against each other.
fn mean_recall(fusion: &Fusion, c: &Collection, features: &Features, asked: impl Fn(usize) -> bool) -> Result<f64> {
    let embedded = embed(fusion, features)?;
    let t2i = ranking(c, &embedded, Direction::TextToImage, &asked);
    let i2t = ranking(c, &embedded, Direction::ImageToText, &asked);
    Ok(evaluation::mean_recall(&t2i, &i2t))
}

/// Ranks the images (or texts) for which `among` holds of their image, with a known answer.
fn ranking(c: &Collection, z: &Embedded, direction: Direction, among: impl Fn(usize) -> bool) -> Ranking {
    let images: Vec<usize> = (0..c.images.len()).filter(|&i| among(i)).collect();
    let images_of = c.images_of_texts();
    let everything = images.len() == c.images.len();
    let texts: Vec<usize> = (0..c.texts.len())
        .filter(|&t| everything || images_of[t].iter().any(|&i| among(i)))
        .collect();
    let (queries, gallery, answers) = match direction {
        Direction::TextToImage => (&texts, &images, &images_of),
        Direction::ImageToText => (&images, &texts, &c.texts_of_images()),
    };
    let (q, g, usable) = match direction {
        Direction::TextToImage => (&z.texts, &z.images, &z.image_usable),
        Direction::ImageToText => (&z.images, &z.texts, &z.text_usable),
    };
    let mut place = vec![None; g.nrows()];
    gallery.iter().enumerate().for_each(|(p, &item)| place[item] = Some(p));
    let queries: Vec<usize> = queries.iter().copied().filter(|&i| !answers[i].is_empty()).collect();
    let truth: Vec<Vec<usize>> = queries
        .iter()
        .map(|&i| answers[i].iter().filter_map(|&a| place[a]).collect())
        .collect();
    let usable: Vec<bool> = gallery.iter().map(|&i| usable[i]).collect();
    let ranks = evaluation::ranks(
        q.select(Axis(0), &queries).view(),
        g.select(Axis(0), gallery).view(),
        &usable,
        &truth,
    );
    let mut out = Ranking::default();
    for ((&query, truth), rank) in queries.iter().zip(&truth).zip(ranks) {
        let Some(rank) = rank else { continue };
        out.ranks.push(rank);
        out.units.push(match direction {
            Direction::TextToImage => answers[query][0],
            Direction::ImageToText => query,
        });
        out.right.push(truth.len());
        out.gallery.push(gallery.len());
    }
    out
}

fn digests(c: &Collection, progress: &dyn Progress) -> Vec<Fingerprint> {
    let digest = |image: &ImageItem| {
        progress.step(1);
        match image.source.read() {
            Ok(bytes) => Fingerprint::of_bytes(&bytes),
            Err(_) => Fingerprint::of(&("unreadable", &image.id)), // like no other picture
        }
    };
    c.images.par_iter().map(digest).collect()
}

fn shard_spec(view: &Spec, images: &[ImageItem], contents: &[Fingerprint]) -> Spec {
    let ids = images.iter().map(|i| &i.id);
    Spec::new("image-features", &(), 0)
        .input("view", view.fingerprint())
        .input("pictures", Fingerprint::of(&ids.zip(contents).collect::<Vec<_>>()))
}

/// Through the PCA; what was not usable stays zero.
fn project(rows: Rows, pca: &Pca) -> Result<Rows> {
    let mut projected = Rows {
        x: pca.transform(rows.x.view())?,
        ..rows
    };
    projected.blank_unusable();
    Ok(projected)
}

fn stacked(shards: Vec<Rows>, dim: usize) -> Rows {
    let mut all = Rows {
        x: Array2::zeros((0, dim)),
        usable: vec![],
        bad: vec![],
    };
    for shard in shards {
        all.x.append(Axis(0), shard.x.view()).expect("shards of one view");
        all.usable.extend(shard.usable);
        all.bad.extend(shard.bad);
    }
    all
}

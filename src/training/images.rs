//! The image side: pictures to shards of raw vectors to rows after PCA.

use std::ops::Range;
use std::path::PathBuf;

use ndarray::{Array2, s};
use rayon::prelude::*;

use super::{Training, pictures};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::dataset::{Collection, ImageItem};
use crate::error::{Error, Result};
use crate::ocr::joined;
use crate::picture::Picture;
use crate::progress::warn_each;
use crate::recipe::Recipe;
use crate::sampling::sample_places;
use crate::views::{BadItem, ImageView, ImageViewParams, Projection, Rows, Shown};

impl Training<'_> {
    pub(super) fn view_spec(&self, params: &ImageViewParams) -> Result<Spec> {
        let train = self.train()?;
        let plain = self.dataset.collections[train].plain_images();
        let train = pictures::fingerprint(plain, &self.contents[train][..plain.len()]);
        let Recipe { picture, seed, .. } = self.recipe;
        let spec = params.feature.spec(picture, train, *seed)?;
        Ok(match (&self.view, params.feature.reads_text()) {
            (Some(view), true) => spec.input("reading", view.reading()),
            _ => spec,
        })
    }

    pub(super) fn pca_spec(&self, params: &ImageViewParams, view: &Spec) -> Spec {
        Spec::new("pca", &(&params.map, &params.pca), self.recipe.seed)
            .input("view", view.fingerprint())
    }

    fn pca_path(&self, params: &ImageViewParams, spec: &Spec) -> PathBuf {
        self.file("vocab", &format!("{}-pca", params.name), spec)
    }

    fn rows_spec(&self, pca: &Spec, collection: usize) -> Spec {
        Spec::new("image-rows", &(), 0)
            .input("pca", pca.fingerprint())
            .input("pictures", self.pictures(collection))
    }

    fn rows_path(&self, view: &str, collection: usize, spec: &Spec) -> PathBuf {
        self.file(
            "features",
            &format!("{view}/{}", self.dataset.collections[collection].name),
            spec,
        )
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
            views.push((params.weight, rows.into_iter()));
        }
        let by_collection = collections.map(|_| {
            let of_view = |(weight, rows): &mut (f32, std::vec::IntoIter<Rows>)| {
                (*weight, rows.next().expect("one for each collection"))
            };
            Rows::side_by_side(views.iter_mut().map(of_view).collect())
        });
        let rows: Vec<Rows> = by_collection.collect();
        self.check_bad(&rows)?;
        Ok(rows)
    }

    /// Names every picture that cannot be used, and stops where there are too many.
    fn check_bad(&self, rows: &[Rows]) -> Result<()> {
        let bad = rows.iter().map(|r| r.bad.len()).sum();
        let describe = |(c, item): (&Collection, &BadItem)| {
            let image = c.images.iter().find(|i| i.id.0 == item.id);
            let place = image.map_or_else(|| item.id.clone(), |i| i.source.describe());
            format!("{place}: {}", item.reason)
        };
        let items = self.dataset.collections.iter().zip(rows);
        let items = items.flat_map(|(c, rows)| rows.bad.iter().map(move |b| (c, b)));
        warn_each(UNUSABLE, items.map(describe));
        if bad > self.recipe.max_bad_images {
            return Err(Error::TooManyBadImages {
                bad,
                allowed: self.recipe.max_bad_images,
            });
        }
        Ok(())
    }

    pub(super) fn fit_image_view(&self, params: &ImageViewParams) -> Result<Box<dyn ImageView>> {
        params.feature.load(&self.image_view(params)?)
    }

    /// What an image view has learned.
    pub(super) fn image_view(&self, params: &ImageViewParams) -> Result<Artifact> {
        let spec = self.view_spec(params)?;
        let path = self.file("vocab", &params.name, &spec);
        self.cached(&path, spec, |spec| {
            let train = self.dataset.train()?;
            let contents = self.train_contents()?;
            let places: Vec<usize> =
                sample_places(train.plain_images().len(), params.feature.wants()).collect();
            self.progress
                .start(&format!("{}: learning", params.name), places.len() as u64);
            let decoded: Vec<Result<Picture>> = places
                .par_iter()
                .map(|&i| {
                    self.progress.step(1);
                    self.decode(&train.images[i], &contents[i])
                })
                .collect();
            let (mut pictures, mut bad) = (Vec::new(), Vec::new());
            for (i, decoded) in places.into_iter().zip(decoded) {
                match decoded {
                    Ok(picture) => pictures.push(picture),
                    Err(e) if e.is_passing() => return Err(e),
                    Err(e) => bad.push((i, e)),
                }
            }
            let artifact = params.feature.fit(spec, &pictures);
            self.progress.finish();
            artifact.map_err(|e| {
                let describe =
                    |(i, e): (usize, Error)| format!("{}: {e}", train.images[i].source.describe());
                warn_each(UNUSABLE, bad.into_iter().map(describe));
                of_view(e, params)
            })
        })
    }

    pub(super) fn decode(&self, image: &ImageItem, content: &Fingerprint) -> Result<Picture> {
        let picture = Picture::decode(&pictures::read(image, content)?, &self.recipe.picture)?;
        Ok(if image.mirrored {
            picture.mirrored()
        } else {
            picture
        })
    }

    fn shard_path(
        &self,
        view: &ImageViewParams,
        spec: &Spec,
        collection: &Collection,
        shard: usize,
    ) -> PathBuf {
        let dir = format!("{}/raw-{}", view.name, spec.fingerprint().short());
        let name = format!("{}-{shard:05}.safetensors", collection.name);
        self.folder("features").join(dir).join(name)
    }

    /// The places of each shard's pictures: the mirrored begin a new one, so that the others are in the same
    /// shards with and without them.
    fn shards(&self, collection: &Collection) -> impl Iterator<Item = Range<usize>> + use<> {
        let (plain, all) = (collection.plain_images().len(), collection.images.len());
        let size = self.recipe.shard;
        let cut = move |from: usize, to: usize| {
            let starts = (from..to).step_by(size);
            starts.map(move |start| start..(start + size).min(to))
        };
        cut(0, plain).chain(cut(plain, all))
    }

    /// Encodes every picture in the given views, by shards; a shard that is there already is kept.
    fn encode(&self, views: &[&ImageViewParams]) -> Result<()> {
        let mut fitted = Vec::new();
        for params in views {
            fitted.push((
                *params,
                self.view_spec(params)?,
                self.fit_image_view(params)?,
            ));
        }
        self.progress
            .start("image features", self.dataset.image_count());
        let outcome = self.encode_shards(&fitted);
        self.progress.finish();
        outcome
    }

    fn encode_shards(&self, views: &[(&ImageViewParams, Spec, Box<dyn ImageView>)]) -> Result<()> {
        for (place, collection) in self.dataset.collections.iter().enumerate() {
            let contents = &self.contents[place];
            let texts = self.texts_in_pictures(place, views)?;
            for (shard, places) in self.shards(collection).enumerate() {
                let texts = &texts[places.clone()];
                let (images, contents) = (&collection.images[places.clone()], &contents[places]);
                let wanted: Vec<_> = views
                    .iter()
                    .filter_map(|(params, view_spec, view)| {
                        let spec = shard_spec(view_spec, images, contents);
                        let path = self.shard_path(params, view_spec, collection, shard);
                        let fresh = Artifact::read_fresh(&path, &spec).is_some();
                        (!fresh).then_some((path, spec, view))
                    })
                    .collect();
                let views: Vec<&dyn ImageView> = wanted.iter().map(|w| &**w.2).collect();
                if views.is_empty() {
                    self.progress.step(images.len() as u64);
                    continue;
                }
                let rows = self.describe(images, contents, texts, &views)?;
                for ((path, spec, _), rows) in wanted.into_iter().zip(rows) {
                    rows.store_half(Artifact::new(spec)).write(&path)?;
                }
            }
        }
        Ok(())
    }

    /// The text in each picture of a collection, where a view takes it and it can be read.
    fn texts_in_pictures(
        &self,
        place: usize,
        views: &[(&ImageViewParams, Spec, Box<dyn ImageView>)],
    ) -> Result<Vec<String>> {
        let collection = &self.dataset.collections[place];
        let mut texts = vec![String::new(); collection.images.len()];
        let reads_text = views.iter().any(|(params, ..)| params.feature.reads_text());
        if let (Some(view), true) = (&self.view, reads_text) {
            let plain = collection.plain_images().len();
            let lines = self.lines_of(view, place, |i| i < plain)?;
            // Text in a mirrored picture says what it said before.
            for (i, text) in texts.iter_mut().enumerate() {
                *text = joined(&lines[i % plain]);
            }
        }
        Ok(texts)
    }

    /// The raw vectors of some pictures, with the text in them; each is decoded once for all views.
    ///
    /// # Errors
    /// Those that may be gone the next time: kept as a picture that cannot be used, they would never go.
    fn describe(
        &self,
        images: &[ImageItem],
        contents: &[Fingerprint],
        texts: &[String],
        views: &[&dyn ImageView],
    ) -> Result<Vec<Rows>> {
        let vectors: Vec<Result<Vec<_>>> = images
            .par_iter()
            .zip(contents)
            .zip(texts)
            .map(|((image, content), text)| {
                let vectors = self.decode(image, content).and_then(|picture| {
                    let shown = Shown {
                        name: &image.id.0,
                        picture: &picture,
                        text,
                    };
                    views.iter().map(|v| v.describe(shown)).collect()
                });
                self.progress.step(1);
                match vectors {
                    Err(e) if e.is_passing() => Err(e),
                    vectors => Ok(vectors),
                }
            })
            .collect::<Result<_>>()?;
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
        Ok((0..views.len()).map(rows_of).collect())
    }

    fn read_shards(
        &self,
        params: &ImageViewParams,
        view: &Spec,
        c: usize,
    ) -> impl Iterator<Item = Result<Rows>> {
        let collection = &self.dataset.collections[c];
        let paths: Vec<_> = (0..self.shards(collection).count())
            .map(|s| self.shard_path(params, view, collection, s))
            .collect();
        paths
            .into_iter()
            .map(|path| Rows::load(&Artifact::read(&path)?))
    }

    /// The projection of a view, its shards made again where both are lost.
    pub(super) fn projection(&self, params: &ImageViewParams) -> Result<Projection> {
        Projection::load(params, &self.projection_artifact(params)?)
    }

    /// What the projection of a view has learned.
    pub(super) fn projection_artifact(&self, params: &ImageViewParams) -> Result<Artifact> {
        let spec = self.pca_spec(params, &self.view_spec(params)?);
        let path = self.pca_path(params, &spec);
        if Artifact::read_fresh(&path, &spec).is_none() {
            self.encode(&[params])?;
        }
        self.fit_projection(params)
    }

    fn fit_projection(&self, params: &ImageViewParams) -> Result<Artifact> {
        let view = self.view_spec(params)?;
        let spec = self.pca_spec(params, &view);
        let path = self.pca_path(params, &spec);
        self.cached(&path, spec, |spec| {
            let train = self.train()?;
            let images = self.dataset.collections[train].plain_images().len();
            let mut wanted = sample_places(images, params.pca.sample).peekable();
            let mut sample: Option<Array2<f32>> = None;
            let (mut first, mut bad) = (0, Vec::new());
            for rows in self.read_shards(params, &view, train) {
                let rows = rows?;
                bad.extend(rows.bad.iter().map(|b| format!("{}: {}", b.id, b.reason)));
                let end = first + rows.usable.len();
                let sample = sample.get_or_insert_with(|| Array2::zeros((0, rows.x.ncols())));
                while let Some(i) = wanted.next_if(|&i| i < end) {
                    if rows.usable[i - first] {
                        sample
                            .push_row(rows.x.row(i - first))
                            .expect("rows of one view");
                    }
                }
                first = end;
            }
            let sample = sample.unwrap_or_default();
            let projection = Projection::fit(params, sample, spec.seed);
            let projection = projection.inspect_err(|_| warn_each(UNUSABLE, bad.into_iter()))?;
            Ok(projection.store(Artifact::new(spec)))
        })
    }

    /// The shards of a view through its projection, one [`Rows`] per collection.
    fn reduce(&self, params: &ImageViewParams) -> Result<Vec<Rows>> {
        let view = self.view_spec(params)?;
        let pca_spec = self.pca_spec(params, &view);
        let projection = Projection::load(params, &self.fit_projection(params)?)?;
        (0..self.dataset.collections.len())
            .map(|c| {
                let spec = self.rows_spec(&pca_spec, c);
                let path = self.rows_path(&params.name, c, &spec);
                let artifact = self.cached(&path, spec, |spec| {
                    let n = self.dataset.collections[c].images.len();
                    let mut all = Rows {
                        x: Array2::zeros((n, projection.dim())),
                        usable: Vec::with_capacity(n),
                        bad: vec![],
                    };
                    for shard in self.read_shards(params, &view, c) {
                        let shard = projection.apply(shard?)?;
                        let places = all.usable.len()..all.usable.len() + shard.usable.len();
                        all.x.slice_mut(s![places, ..]).assign(&shard.x);
                        all.usable.extend(shard.usable);
                        all.bad.extend(shard.bad);
                    }
                    Ok(all.store(Artifact::new(spec)))
                })?;
                Rows::load(&artifact)
            })
            .collect()
    }
}

/// What such pictures are warned of as.
const UNUSABLE: &str = "picture that cannot be used";

/// An error of learning, with the view's name.
fn of_view(e: Error, params: &ImageViewParams) -> Error {
    match e {
        Error::TooFew {
            what,
            needed,
            found,
        } => Error::TooFew {
            what: format!("view `{}`: {what}", params.name),
            needed,
            found,
        },
        e => e,
    }
}

fn shard_spec(view: &Spec, images: &[ImageItem], contents: &[Fingerprint]) -> Spec {
    Spec::new("image-features", &(), 0)
        .input("view", view.fingerprint())
        .input("pictures", pictures::fingerprint(images, contents))
}

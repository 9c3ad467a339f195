//! The image side: what its views learn, and the rows of all pictures after PCA.

use std::path::PathBuf;

use ndarray::{Array2, s};
use rayon::prelude::*;

use super::{Training, pictures};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::dataset::{Collection, ImageItem};
use crate::error::{Error, Result};
use crate::picture::Picture;
use crate::progress::warn_each;
use crate::recipe::Recipe;
use crate::sampling::sample_places;
use crate::views::{BadItem, ImageView, ImageViewParams, Projection, Rows};

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

    pub(super) fn rows_spec(&self, pca: &Spec, collection: usize) -> Spec {
        Spec::new("image-rows", &(), 0)
            .input("pca", pca.fingerprint())
            .input("pictures", self.pictures(collection))
    }

    /// Whether the rows of a collection are there, of all shards.
    pub(super) fn are_rows_there(&self, params: &ImageViewParams, pca: &Spec, c: usize) -> bool {
        let spec = self.rows_spec(pca, c);
        Artifact::read_fresh(&self.rows_path(&params.name, c, &spec), &spec).is_some()
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

    /// The projection of a view, its shards made again where both are lost.
    pub(super) fn projection(&self, params: &ImageViewParams) -> Result<Projection> {
        Projection::load(params, &self.projection_artifact(params)?)
    }

    /// What the projection of a view has learned.
    pub(super) fn projection_artifact(&self, params: &ImageViewParams) -> Result<Artifact> {
        if !self.is_projection_there(params)? {
            self.encode_samples(&[&self.fitted_view(params)?])?;
        }
        self.fit_projection(params)
    }

    /// Whether the projection of a view has been learned.
    pub(super) fn is_projection_there(&self, params: &ImageViewParams) -> Result<bool> {
        let spec = self.pca_spec(params, &self.view_spec(params)?);
        Ok(Artifact::read_fresh(&self.pca_path(params, &spec), &spec).is_some())
    }

    fn fit_projection(&self, params: &ImageViewParams) -> Result<Artifact> {
        let view = self.view_spec(params)?;
        let spec = self.pca_spec(params, &view);
        let path = self.pca_path(params, &spec);
        self.cached(&path, spec, |spec| {
            let mut sample: Option<Array2<f32>> = None;
            let mut bad = Vec::new();
            for rows in self.read_sample(params, &view)? {
                let rows = rows?;
                bad.extend(rows.bad.iter().map(|b| format!("{}: {}", b.id, b.reason)));
                let sample = sample.get_or_insert_with(|| Array2::zeros((0, rows.x.ncols())));
                for (row, _) in rows.x.outer_iter().zip(&rows.usable).filter(|(_, u)| **u) {
                    sample.push_row(row).expect("rows of one view");
                }
            }
            let sample = sample.unwrap_or_default();
            let projection = Projection::fit(params, sample, spec.seed);
            let projection = projection.inspect_err(|_| warn_each(UNUSABLE, bad.into_iter()))?;
            Ok(projection.store(Artifact::new(spec)))
        })
    }

    /// The shards of a view side by side, one [`Rows`] per collection.
    fn reduce(&self, params: &ImageViewParams) -> Result<Vec<Rows>> {
        let view = self.view_spec(params)?;
        let pca_spec = self.pca_spec(params, &view);
        let dim = self.projection(params)?.dim();
        (0..self.dataset.collections.len())
            .map(|c| {
                let spec = self.rows_spec(&pca_spec, c);
                let path = self.rows_path(&params.name, c, &spec);
                let artifact = self.cached(&path, spec, |spec| {
                    let n = self.dataset.collections[c].images.len();
                    let mut all = Rows {
                        x: Array2::zeros((n, dim)),
                        usable: Vec::with_capacity(n),
                        bad: vec![],
                    };
                    for shard in self.read_shards(params, &pca_spec, c)? {
                        let shard = shard?;
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

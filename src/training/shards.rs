//! Pictures to shards of vectors, so that a run that is stopped goes on where it was. Raw vectors are wide, 130 KiB of a picture
//! in a view of Fisher vectors: they are kept of the pictures that a projection is learned from, and of others what the
//! projection makes of them.

use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;

use ndarray::Array2;
use rayon::prelude::*;

use super::{Training, pictures};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::dataset::ImageItem;
use crate::error::Result;
use crate::linalg::KernelMap;
use crate::ocr::joined;
use crate::sampling::sample_places;
use crate::views::{BadItem, ImageView, ImageViewParams, Projection, Rows, Shown};

/// A view that has learned everything but its projection.
pub(super) struct FittedView<'a> {
    params: &'a ImageViewParams,
    spec: Spec,
    view: Box<dyn ImageView>,
}

/// Pictures that are encoded together, with the text in each where a view takes it.
struct Part<'a> {
    name: Cow<'a, str>,
    images: Cow<'a, [ImageItem]>,
    contents: Cow<'a, [Fingerprint]>,
    texts: Vec<String>,
    /// How many are not mirrored; those come first.
    plain: usize,
}

impl Part<'_> {
    /// The places of each shard's pictures: the mirrored begin a new one, so that the others are in the same
    /// shards with and without them.
    fn shards(&self, size: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let cut = move |from: usize, to: usize| {
            let starts = (from..to).step_by(size);
            starts.map(move |start| start..(start + size).min(to))
        };
        cut(0, self.plain).chain(cut(self.plain, self.images.len()))
    }

    /// What a shard is made from, by a view or by a projection of one.
    fn spec(&self, by: &Spec, places: &Range<usize>) -> Spec {
        let (images, contents) = (&self.images[places.clone()], &self.contents[places.clone()]);
        Spec::new("image-features", &(), 0)
            .input("view", by.fingerprint())
            .input("pictures", pictures::fingerprint(images, contents))
    }
}

/// Where a shard is, and what it has to be made from.
struct Shard {
    path: PathBuf,
    spec: Spec,
}

impl Shard {
    fn is_there(&self) -> bool {
        Artifact::read_fresh(&self.path, &self.spec).is_some()
    }

    fn read(&self) -> Option<Result<Rows>> {
        Artifact::read_fresh(&self.path, &self.spec).map(|a| Rows::load(&a))
    }
}

impl Training<'_> {
    pub(super) fn fitted_view<'v>(&self, params: &'v ImageViewParams) -> Result<FittedView<'v>> {
        Ok(FittedView {
            params,
            spec: self.view_spec(params)?,
            view: self.fit_image_view(params)?,
        })
    }

    /// Encodes every picture in the given views, by shards; a shard that is there already is kept.
    pub(super) fn encode(&self, views: &[&ImageViewParams]) -> Result<()> {
        let views = views.iter().map(|params| self.fitted_view(params));
        let views: Vec<FittedView> = views.collect::<Result<_>>()?;
        let mut stale = Vec::new();
        for view in &views {
            if !self.is_projection_there(view.params)? {
                stale.push(view);
            }
        }
        self.encode_samples(&stale)?;
        let mut projected = Vec::new();
        for view in &views {
            let pca = self.pca_spec(view.params, &view.spec);
            projected.push((view, pca, self.projection(view.params)?));
        }
        self.progress
            .start("image features", self.dataset.image_count());
        let mut collections = 0..self.dataset.collections.len();
        let outcome = collections.try_for_each(|c| self.encode_collection(c, &projected));
        self.progress.finish();
        outcome
    }

    /// The shards of a collection after the projections of all views.
    fn encode_collection(
        &self,
        place: usize,
        views: &[(&FittedView, Spec, Projection)],
    ) -> Result<()> {
        let stale = views
            .iter()
            .filter(|(view, pca, _)| !self.are_rows_there(view.params, pca, place));
        let views: Vec<_> = stale.collect();
        let fitted: Vec<&FittedView> = views.iter().map(|(view, ..)| *view).collect();
        let part = self.collection(place, &fitted)?;
        for (n, places) in part.shards(self.recipe.shard).enumerate() {
            let (mut there, mut missing) = (Vec::new(), Vec::new());
            for (view, pca, projection) in &views {
                let shard = self.shard(view.params, "rows", pca, &part, n, &places);
                if shard.is_there() {
                    continue;
                }
                let raw = self.shard(view.params, "raw", &view.spec, &part, n, &places);
                match raw.read() {
                    Some(raw) => there.push((shard, projection, raw?)),
                    None => missing.push((shard, projection, *view)),
                }
            }
            if missing.is_empty() {
                self.progress.step(places.len() as u64);
            } else {
                let views: Vec<&FittedView> = missing.iter().map(|(.., view)| *view).collect();
                let rows = self.describe(&part, &places, &views)?;
                let missing = missing.into_iter().zip(rows);
                there.extend(missing.map(|((shard, projection, _), raw)| (shard, projection, raw)));
            }
            for (shard, projection, raw) in there {
                let rows = projection.apply(raw)?;
                rows.store(Artifact::new(shard.spec)).write(&shard.path)?;
            }
        }
        Ok(())
    }

    /// The raw vectors of the pictures that projections are learned from, by shards.
    pub(super) fn encode_samples(&self, views: &[&FittedView]) -> Result<()> {
        let mut sizes: Vec<usize> = views.iter().map(|v| sampled(v.params)).collect();
        sizes.sort_unstable();
        sizes.dedup();
        for size in sizes {
            let alike = views.iter().filter(|v| sampled(v.params) == size);
            let views: Vec<&FittedView> = alike.copied().collect();
            let part = self.sample(size, &views)?;
            self.progress
                .start("image features to learn from", part.images.len() as u64);
            let outcome = self.encode_sample(&part, &views);
            self.progress.finish();
            outcome?;
        }
        Ok(())
    }

    fn encode_sample(&self, part: &Part, views: &[&FittedView]) -> Result<()> {
        for (n, places) in part.shards(self.recipe.shard).enumerate() {
            let shards = views
                .iter()
                .map(|v| (self.shard(v.params, "raw", &v.spec, part, n, &places), *v));
            let missing: Vec<_> = shards.filter(|(shard, _)| !shard.is_there()).collect();
            if missing.is_empty() {
                self.progress.step(places.len() as u64);
                continue;
            }
            let views: Vec<&FittedView> = missing.iter().map(|(_, view)| *view).collect();
            let rows = self.describe(part, &places, &views)?;
            for ((shard, _), rows) in missing.into_iter().zip(rows) {
                rows.store_half(Artifact::new(shard.spec))
                    .write(&shard.path)?;
            }
        }
        Ok(())
    }

    /// The raw vectors that the projection of a view is learned from.
    pub(super) fn read_sample(
        &self,
        params: &ImageViewParams,
        view: &Spec,
    ) -> Result<impl Iterator<Item = Result<Rows>>> {
        let part = self.sample(sampled(params), &[])?;
        let shards = part.shards(self.recipe.shard).enumerate();
        let paths: Vec<PathBuf> = shards
            .map(|(n, places)| self.shard(params, "raw", view, &part, n, &places).path)
            .collect();
        Ok(paths.into_iter().map(read))
    }

    /// The vectors of a collection in a view after its projection.
    pub(super) fn read_shards(
        &self,
        params: &ImageViewParams,
        pca: &Spec,
        place: usize,
    ) -> Result<impl Iterator<Item = Result<Rows>>> {
        let part = self.collection(place, &[])?;
        let shards = part.shards(self.recipe.shard).enumerate();
        let paths: Vec<PathBuf> = shards
            .map(|(n, places)| self.shard(params, "rows", pca, &part, n, &places).path)
            .collect();
        Ok(paths.into_iter().map(read))
    }

    fn collection(&self, place: usize, views: &[&FittedView]) -> Result<Part<'_>> {
        let collection = &self.dataset.collections[place];
        Ok(Part {
            name: Cow::Borrowed(&collection.name),
            images: Cow::Borrowed(&collection.images),
            contents: Cow::Borrowed(&self.contents[place]),
            texts: self.texts_in_pictures(place, views)?,
            plain: collection.plain_images().len(),
        })
    }

    /// At most so many training pictures, evenly spread: the shards of all of them are those of the collection.
    fn sample(&self, size: usize, views: &[&FittedView]) -> Result<Part<'_>> {
        let place = self.train()?;
        let all = self.collection(place, views)?;
        let places: Vec<usize> = sample_places(all.plain, size).collect();
        let name = match places.len() == all.plain {
            true => all.name,
            false => Cow::Owned(format!("{}-sample-{size}", all.name)),
        };
        Ok(Part {
            name,
            images: places.iter().map(|&i| all.images[i].clone()).collect(),
            contents: places.iter().map(|&i| all.contents[i].clone()).collect(),
            texts: places.iter().map(|&i| all.texts[i].clone()).collect(),
            plain: places.len(),
        })
    }

    fn shard(
        &self,
        params: &ImageViewParams,
        kind: &str,
        by: &Spec,
        part: &Part,
        n: usize,
        places: &Range<usize>,
    ) -> Shard {
        let folder = format!("{}/{kind}-{}", params.name, by.fingerprint().short());
        let name = format!("{}-{n:05}.safetensors", part.name);
        Shard {
            path: self.folder("features").join(folder).join(name),
            spec: part.spec(by, places),
        }
    }

    /// The text in each picture of a collection, where a view takes it and it can be read.
    fn texts_in_pictures(&self, place: usize, views: &[&FittedView]) -> Result<Vec<String>> {
        let collection = &self.dataset.collections[place];
        let mut texts = vec![String::new(); collection.images.len()];
        let reads_text = views.iter().any(|v| v.params.feature.reads_text());
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

    /// The raw vectors of some pictures, rounded to half precision as they are kept; each picture is decoded once for all
    /// views.
    ///
    /// # Errors
    /// Those that may be gone the next time: kept as a picture that cannot be used, they would never go.
    fn describe(
        &self,
        part: &Part,
        places: &Range<usize>,
        views: &[&FittedView],
    ) -> Result<Vec<Rows>> {
        let images = &part.images[places.clone()];
        let vectors: Vec<Result<Vec<_>>> = images
            .par_iter()
            .zip(&part.contents[places.clone()])
            .zip(&part.texts[places.clone()])
            .map(|((image, content), text)| {
                let vectors = self.decode(image, content).and_then(|picture| {
                    let shown = Shown {
                        name: &image.id.0,
                        picture: &picture,
                        text,
                    };
                    views.iter().map(|v| v.view.describe(shown)).collect()
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
                x: Array2::zeros((images.len(), views[v].view.dim())),
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
            rows.halve();
            rows
        };
        Ok((0..views.len()).map(rows_of).collect())
    }
}

fn read(path: PathBuf) -> Result<Rows> {
    Rows::load(&Artifact::read(&path)?)
}

/// How many pictures the projection of a view is learned from: one tells how wide the vectors are, where nothing is learned.
fn sampled(params: &ImageViewParams) -> usize {
    match (params.pca.dim, &params.map) {
        (0, map) if !matches!(map, KernelMap::Nystroem(_)) => 1,
        _ => params.pca.sample,
    }
}

//! One vector per picture, compared with all others: finds look-alikes, and is the baseline for methods with
//! keypoints.

use ndarray::{Array1, Array2, ArrayView1, Axis, concatenate};
use serde::{Deserialize, Serialize};

use super::chance::{Chance, LEAST};
use super::method::{Found, Method, Pictures, Searcher, best_first};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::{Error, Result};
use crate::index::{Faiss, Hit, Index as _, IndexParams};
use crate::linalg::{KernelMap, Pca, PcaParams, l2_normalize, stacked};
use crate::picture::{Picture, PictureParams};
use crate::sampling::sample_places;
use crate::views::{FeatureParams, ImageView, Shown};

/// Settings of the method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorsParams {
    /// Settings for reading pictures.
    pub picture: PictureParams,
    /// Feature that describes a picture.
    pub feature: FeatureParams,
    /// Feature map that is applied to the vectors: none for the cosine, `chi2` for the additive chi-square kernel.
    pub map: KernelMap,
    /// PCA-whitening (Jégou & Chum, ECCV 2012); `None` keeps the vectors as they are.
    pub pca: Option<PcaParams>,
    /// Index that searches the vectors.
    pub index: IndexParams,
    /// Also searches with the query's mirror image, for vectors that change when mirrored.
    pub mirrored: bool,
    /// Repeats a query that found something with the weighted mean of itself and at most this many answers (average
    /// query expansion: Chum et al., ICCV 2007); 0 for none.
    pub expand: usize,
    /// Replaces each picture of the gallery by the weighted mean of itself and at most this many pictures that show
    /// the same thing (database-side augmentation: Turcot & Lowe, ICCV Workshops 2009); 0 for none.
    pub augment: usize,
    /// Score from which two pictures count as showing the same thing, for `expand` and `augment`: unrelated
    /// pictures must not confirm themselves.
    pub related: f64,
    /// Number of answers to a query.
    pub depth: usize,
    /// Seed of everything that is learned.
    pub seed: u64,
}

impl VectorsParams {
    /// The usual settings with a given feature.
    pub fn of(feature: FeatureParams) -> Self {
        Self {
            picture: PictureParams::default(),
            feature,
            map: KernelMap::default(),
            pca: None,
            index: IndexParams::default(),
            mirrored: true,
            expand: 0,
            augment: 0,
            related: 1.5,
            depth: 20,
            seed: 2024,
        }
    }
}

/// Largest number of background pictures.
const SAMPLE: usize = 1000;
/// Number of copies that a picture may have if the gallery is the background.
const RELATED: usize = 2;
/// Smallest number of rows that PCA learns from, for each number that it keeps. With one or fewer, all rows that it
/// learned from would be equally dissimilar.
const PER_NUMBER: usize = 4;

/// A fitted image view with its projection.
pub struct Learned {
    view: Box<dyn ImageView>,
    map: KernelMap,
    pca: Option<Pca>,
}

/// Unit vectors of a picture and of its mirror image; empty if the picture is not usable or the mirror image is not
/// described.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    plain: Array1<f32>,
    mirrored: Array1<f32>,
}

impl Seen {
    /// The unit vector of the picture itself; empty if the picture is not usable.
    pub fn vector(&self) -> ArrayView1<'_, f32> {
        self.plain.view()
    }
}

impl Learned {
    fn raw(&self, picture: &Picture) -> Result<Array2<f32>> {
        let v = self.view.describe(Shown::bare(picture))?;
        Ok(self.map.additive(v.insert_axis(Axis(0))))
    }

    /// The unit vector of a picture; empty if the view finds nothing in it.
    fn describe(&self, picture: &Picture) -> Result<Array1<f32>> {
        let mut x = self.raw(picture)?;
        if x.iter().all(|&v| v == 0.0) {
            return Ok(Array1::default(0));
        }
        if let Some(pca) = &self.pca {
            x = pca.transform(x.view())?;
        }
        let mut v = x.remove_axis(Axis(0));
        l2_normalize(v.view_mut());
        Ok(v)
    }
}

impl Method for VectorsParams {
    type Learned = Learned;
    type Seen = Seen;

    fn spec(&self) -> Spec {
        let params = (
            self.picture.size(),
            &self.feature,
            &self.map,
            &self.pca,
            self.mirrored,
        );
        Spec::new("copies-vectors", &params, self.seed)
    }

    fn picture(&self) -> &PictureParams {
        &self.picture
    }

    fn learn(&self, spec: Spec, pictures: &Pictures) -> Result<Artifact> {
        let sample = match self.feature.wants() {
            0 => vec![],
            wants => pictures.sample(wants, Some)?,
        };
        let train = Fingerprint::of(&"a sample of the gallery");
        let view = self.feature.spec(&self.picture, train, self.seed)?;
        let view = self.feature.fit(view, &sample)?;
        drop(sample);
        let unprojected = Learned {
            view: self.feature.load(&view)?,
            map: self.map.clone(),
            pca: None,
        };
        let notes = view.notes.clone();
        let mut artifact = Artifact::new(spec)
            .with_part("view", view)
            .with_notes(&notes);
        if let Some(pca) = &self.pca {
            let most = SAMPLE.max(2 * PER_NUMBER * pca.dim); // some may not be usable
            let rows = pictures.sample(most, |picture| unprojected.raw(&picture).ok())?;
            let views: Vec<_> = rows.iter().map(|r| r.view()).collect();
            let x = concatenate(Axis(0), &views).unwrap_or_default();
            let pca = PcaParams {
                dim: pca.dim.min(x.nrows() / PER_NUMBER).max(1),
                ..pca.clone()
            };
            let pca = pca.fit(x.view(), self.seed)?;
            artifact = artifact.with_part("pca", pca.store(Artifact::new(self.spec())));
        }
        Ok(artifact)
    }

    fn load(&self, artifact: &Artifact) -> Result<Learned> {
        let mut view = artifact.part("view")?;
        view.notes = artifact.notes.clone();
        Ok(Learned {
            view: self.feature.load(&view)?,
            map: self.map.clone(),
            pca: match self.pca {
                Some(_) => Some(Pca::load(&artifact.part("pca")?)?),
                None => None,
            },
        })
    }

    fn is_settled(&self, learned: &Learned, pictures: usize) -> bool {
        let wanted = self.pca.as_ref().map(|p| p.dim);
        learned.pca.as_ref().map(Pca::dim) == wanted && pictures >= self.feature.wants()
    }

    fn see(&self, learned: &Learned, picture: &Picture) -> Result<Seen> {
        Ok(Seen {
            plain: learned.describe(picture)?,
            mirrored: match self.mirrored {
                true => learned.describe(&picture.mirrored())?,
                false => Array1::default(0),
            },
        })
    }

    fn searcher(
        &self,
        learned: Learned,
        seen: Vec<Seen>,
        background: Vec<Seen>,
    ) -> Result<Box<dyn Searcher>> {
        let usable: Vec<usize> = (0..seen.len())
            .filter(|&i| !seen[i].plain.is_empty())
            .collect();
        let rows = stacked(usable.iter().map(|&i| seen[i].plain.view()));
        if usable.is_empty() {
            return Err(Error::TooFew {
                what: "pictures that this method can use".into(),
                needed: 1,
                found: 0,
            });
        }
        let (background, related) = match background.len() {
            0 => {
                let some: Vec<usize> = sample_places(rows.nrows(), SAMPLE).collect();
                (rows.select(Axis(0), &some), RELATED)
            }
            _ => {
                let rows = background.iter().map(|s| s.plain.view());
                (stacked(rows.filter(|r| !r.is_empty()).take(SAMPLE)), 0)
            }
        };
        let found = background.nrows();
        let chance = Chance::fit(background, related).ok_or(Error::TooFew {
            what: "pictures to know how alike unrelated ones are; name a background with more"
                .into(),
            needed: LEAST,
            found,
        })?;
        let index = Faiss::build(&self.index, rows.view(), rows.view())?;
        let mut vectors = Vectors {
            params: self.clone(),
            learned,
            chance,
            index,
            rows,
            usable,
            pictures: seen,
        };
        if self.augment > 0 {
            vectors.augment()?;
        }
        Ok(Box::new(vectors))
    }
}

struct Vectors {
    params: VectorsParams,
    learned: Learned,
    chance: Chance,
    index: Faiss,
    /// The vectors, n×d, as they are in the index.
    rows: Array2<f32>,
    /// The picture of each row.
    usable: Vec<usize>,
    pictures: Vec<Seen>,
}

impl Searcher for Vectors {
    fn search(&self, picture: &Picture) -> Result<Vec<Found>> {
        let seen = self.params.see(&self.learned, picture)?;
        self.ask(&seen, None)
    }

    fn like(&self, place: usize) -> Result<Vec<Found>> {
        self.ask(&self.pictures[place], Some(place))
    }
}

impl Vectors {
    fn ask(&self, seen: &Seen, but: Option<usize>) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for query in [&seen.plain, &seen.mirrored] {
            if query.is_empty() {
                continue;
            }
            let mut hits = self.judged(query.view())?;
            let others = |hit: &&Judged| Some(self.usable[hit.item]) != but;
            let related = hits
                .iter()
                .filter(others)
                .filter(|hit| hit.score >= self.params.related);
            let related: Vec<Judged> = related.take(self.params.expand).copied().collect();
            if !related.is_empty() {
                let again = self.judged(self.mean(query.view(), &related).view())?;
                let known = |hit: &&Judged| !related.iter().any(|r| r.item == hit.item);
                hits.extend(again.iter().filter(known));
            }
            found.extend(hits.iter().map(|hit| Found {
                picture: self.usable[hit.item],
                score: hit.score,
                comparison: None,
            }));
        }
        found.retain(|f| Some(f.picture) != but);
        best_first(&mut found);
        found.truncate(self.params.depth);
        Ok(found)
    }

    /// The most similar rows to a unit vector, with scores.
    fn judged(&self, query: ArrayView1<f32>) -> Result<Vec<Judged>> {
        let usual = self.chance.usual(query);
        let gallery = (self.pictures.len() as f64).log10();
        let query = query.insert_axis(Axis(0));
        let hits = self.index.search(query, self.params.depth + 1)?;
        let judge = |hit: &Hit| Judged {
            item: hit.item,
            similarity: hit.score,
            score: -self.chance.log_probability(&usual, hit.score) - gallery,
        };
        Ok(hits.iter().flatten().map(judge).collect())
    }

    /// The mean of a unit vector and similar rows, weighted by similarity and scaled to unit length.
    fn mean(&self, of: ArrayView1<f32>, with: &[Judged]) -> Array1<f32> {
        let mut mean = of.to_owned();
        for hit in with {
            mean.scaled_add(hit.similarity.max(0.0), &self.rows.row(hit.item));
        }
        l2_normalize(mean.view_mut());
        mean
    }

    fn augment(&mut self) -> Result<()> {
        let mut rows = self.rows.clone();
        for (item, mut row) in rows.outer_iter_mut().enumerate() {
            let hits = self.judged(row.view())?;
            let related = hits.into_iter().filter(|hit| hit.item != item);
            let related = related.filter(|hit| hit.score >= self.params.related);
            let related: Vec<Judged> = related.take(self.params.augment).collect();
            let mean = self.mean(row.view(), &related);
            row.assign(&mean);
        }
        self.index = Faiss::build(&self.params.index, rows.view(), rows.view())?;
        self.rows = rows;
        Ok(())
    }
}

/// A row that is similar to a query.
#[derive(Clone, Copy)]
struct Judged {
    item: usize,
    similarity: f32,
    score: f64,
}

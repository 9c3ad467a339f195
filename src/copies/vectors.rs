//! One vector a picture, compared with all others: what finds look-alikes, and what keypoints are measured against.

use ndarray::{Array1, Array2, ArrayView1, Axis, concatenate};
use serde::{Deserialize, Serialize};

use super::chance::{Chance, LEAST};
use super::method::{Found, Method, Pictures, Searcher, best_first};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::{Error, Result};
use crate::index::{Faiss, Hit, Index as _, IndexParams};
use crate::linalg::{KernelMap, Pca, PcaParams, l2_normalize, l2_normalize_rows};
use crate::picture::{Picture, PictureParams};
use crate::sampling::sample_places;
use crate::views::{FeatureParams, ImageView};

/// Settings of the method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorsParams {
    pub picture: PictureParams,
    pub feature: FeatureParams,
    /// Whose inner products compare: none is the cosine, `chi2` the additive chi-square kernel.
    pub map: KernelMap,
    /// PCA-whitening (Jégou & Chum, ECCV 2012), where there is any.
    pub pca: Option<PcaParams>,
    pub index: IndexParams,
    /// The mirror image is looked for, too: for vectors that change in a mirror.
    pub mirrored: bool,
    /// Pictures whose vectors a query's is averaged with before it is asked again (average query expansion: Chum et
    /// al., ICCV 2007).
    pub expand: usize,
    /// Pictures whose vectors each picture's is averaged with (database-side augmentation: Turcot & Lowe, ICCV Workshops
    /// 2009).
    pub augment: usize,
    /// Pictures that are answered.
    pub depth: usize,
    pub seed: u64,
}

impl VectorsParams {
    /// With the usual settings.
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
            depth: 20,
            seed: 2024,
        }
    }
}

/// Pictures that PCA is learned from, and that the background has, at most.
const SAMPLE: usize = 1000;

/// A view with its projection.
pub struct Learned {
    view: Box<dyn ImageView>,
    map: KernelMap,
    pca: Option<Pca>,
}

/// Unit vectors of a picture and of its mirror image; empty where it is not usable or not looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    plain: Array1<f32>,
    mirrored: Array1<f32>,
}

impl Seen {
    /// Of the picture as it is; empty where it is not usable.
    pub fn vector(&self) -> ArrayView1<'_, f32> {
        self.plain.view()
    }
}

impl Learned {
    fn raw(&self, picture: &Picture) -> Result<Array2<f32>> {
        let v = self.view.describe("", picture)?;
        Ok(self.map.additive(v.insert_axis(Axis(0))))
    }

    /// Empty where the view finds nothing in the picture.
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
            &self.picture,
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
            wants => pictures.sample(wants, Some),
        };
        let train = Fingerprint::of(&"a sample of the gallery");
        let view = self.feature.spec(&self.picture, train, self.seed)?;
        let view = self.feature.fit(view, &sample)?;
        drop(sample);
        let mut learned = Learned {
            view: self.feature.load(&view)?,
            map: self.map.clone(),
            pca: None,
        };
        let notes = view.notes.clone();
        let mut artifact = Artifact::new(spec)
            .with_part("view", view)
            .with_notes(&notes);
        if let Some(pca) = &self.pca {
            let rows = pictures.sample(SAMPLE, |picture| learned.raw(&picture).ok());
            let views: Vec<_> = rows.iter().map(|r| r.view()).collect();
            let x = concatenate(Axis(0), &views).unwrap_or_default();
            let pca = pca.fit(x.view(), self.seed)?;
            artifact = artifact.with_part("pca", pca.store(Artifact::new(self.spec())));
            learned.pca = Some(pca);
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

    fn is_settled(&self, learned: &Learned) -> bool {
        let wanted = self.pca.as_ref().map(|p| p.dim);
        learned.pca.as_ref().map(Pca::dim) == wanted
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
        let mut rows = stacked(usable.iter().map(|&i| seen[i].plain.view()));
        let background = match background.len() {
            0 => {
                let some: Vec<usize> = sample_places(rows.nrows(), SAMPLE).collect();
                rows.select(Axis(0), &some)
            }
            _ => {
                let rows = background.iter().map(|s| s.plain.view());
                stacked(rows.filter(|r| !r.is_empty()).take(SAMPLE))
            }
        };
        let found = background.nrows();
        let chance = Chance::fit(background).ok_or(Error::TooFew {
            what: "pictures to know how alike unrelated ones are; name a background with more"
                .into(),
            needed: LEAST,
            found,
        })?;
        let mut index = Faiss::build(&self.index, rows.view(), rows.view())?;
        if self.augment > 0 {
            let near = index.search(rows.view(), self.augment + 1)?;
            rows = averaged(&rows, &rows, &near);
            index = Faiss::build(&self.index, rows.view(), rows.view())?;
        }
        Ok(Box::new(Vectors {
            params: self.clone(),
            learned,
            chance,
            index,
            rows,
            usable,
            pictures: seen,
        }))
    }
}

fn stacked<'a>(rows: impl Iterator<Item = ArrayView1<'a, f32>>) -> Array2<f32> {
    let rows: Vec<_> = rows.map(|r| r.insert_axis(Axis(0))).collect();
    concatenate(Axis(0), &rows).unwrap_or_default()
}

/// Each row with its hits among the items, by their similarities, to unit length.
fn averaged(rows: &Array2<f32>, items: &Array2<f32>, hits: &[Vec<Hit>]) -> Array2<f32> {
    let mut all = rows.clone();
    for (mut row, hits) in all.outer_iter_mut().zip(hits) {
        for hit in hits {
            row.scaled_add(hit.score.max(0.0), &items.row(hit.item));
        }
    }
    l2_normalize_rows(&mut all);
    all
}

struct Vectors {
    params: VectorsParams,
    learned: Learned,
    chance: Chance,
    index: Faiss,
    /// n×d, as they are in the index.
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
            let mut query = query.view().insert_axis(Axis(0)).to_owned();
            if self.params.expand > 0 {
                let near = self.index.search(query.view(), self.params.expand)?;
                query = averaged(&query, &self.rows, &near);
            }
            let usual = self.chance.usual(query.row(0));
            let hits = self.index.search(query.view(), self.params.depth + 1)?;
            let gallery = (self.pictures.len() as f64).log10();
            found.extend(hits.iter().flatten().map(|hit| Found {
                picture: self.usable[hit.item],
                score: -self.chance.log_probability(&usual, hit.score) - gallery,
                comparison: None,
            }));
        }
        found.retain(|f| Some(f.picture) != but);
        best_first(&mut found);
        found.truncate(self.params.depth);
        Ok(found)
    }
}

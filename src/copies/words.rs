//! Visual words with signatures, verified by a similarity: the method for large galleries.

use std::collections::BTreeMap;

use ndarray::{Array2, Axis, concatenate};
use serde::{Deserialize, Serialize};

use super::method::{Found, Method, Pictures, Searcher, best_first};
use super::postings::{Postings, Vote};
use super::vocabulary::{DIM, Visual, Vocabulary};
use crate::artifact::{Artifact, Spec};
use crate::descriptor::SiftParams;
use crate::error::Result;
use crate::matching::{
    Comparison, Correspondence, Frame, KeypointParams, Keypoints, Model, Values, mirrored,
};
use crate::picture::{Picture, PictureParams};
use crate::sampling::sample_places;

/// Settings of the method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WordsParams {
    pub picture: PictureParams,
    pub sift: SiftParams,
    /// Visual words; fewer where there are not thirty descriptors for each.
    pub words: usize,
    /// Pictures that words are learned from, evenly spread.
    pub pictures: usize,
    pub seed: u64,
    pub search: Search,
}

impl Default for WordsParams {
    fn default() -> Self {
        Self {
            picture: PictureParams::default(),
            sift: SiftParams {
                features: 500,
                contrast_threshold: 0.01,
                ..SiftParams::default()
            },
            words: 1024,
            pictures: 1000,
            seed: 2024,
            search: Search::default(),
        }
    }
}

/// How a search goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    /// Words that a query's keypoint is looked for under.
    pub words: usize,
    /// Signatures of the same thing differ in at most so many of their 64 bits.
    pub bits: u32,
    /// Pictures with the most votes whose geometry is verified.
    pub shortlist: usize,
    pub model: Model,
    /// In pixels of the working size.
    pub tolerance: f64,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            words: 2,
            bits: 24, // of 64, as Jégou, Douze & Schmid 2010 have it
            shortlist: 20,
            model: Model::Similarity,
            tolerance: 5.0,
        }
    }
}

/// Descriptors of a picture that are learned from, at most.
const PER_PICTURE: usize = 200;
/// Descriptors that a word is learned from, at least.
const PER_WORD: usize = 30;

/// A picture's keypoints as visual words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    frames: Vec<Frame>,
    visuals: Vec<Visual>,
    /// Of the same keypoints in the mirror image.
    mirrored: Vec<Visual>,
    /// At the working size, in pixels; 0 where it cannot be used.
    size: [u32; 2],
}

impl WordsParams {
    fn detect(&self, picture: &Picture) -> Result<(Keypoints, Array2<f32>)> {
        let keypoints = KeypointParams::Sift(self.sift.clone()).detect(picture)?;
        match &keypoints.values {
            Values::Sift(values) => {
                let values = values.clone();
                Ok((keypoints, values))
            }
            Values::Orb(_) => unreachable!("SIFT was asked for"),
        }
    }
}

impl Method for WordsParams {
    type Learned = Vocabulary;
    type Seen = Seen;

    fn spec(&self) -> Spec {
        let params = (&self.picture, &self.sift, self.words, self.pictures);
        Spec::new("copies-words", &params, self.seed)
    }

    fn picture(&self) -> &PictureParams {
        &self.picture
    }

    fn learn(&self, spec: Spec, pictures: &Pictures) -> Result<Artifact> {
        let values: Vec<Array2<f32>> = pictures.sample(self.pictures, |picture| {
            let (_, values) = self.detect(&picture).ok()?;
            let some: Vec<usize> = sample_places(values.nrows(), PER_PICTURE).collect();
            Some(values.select(Axis(0), &some))
        });
        let views: Vec<_> = values.iter().map(|v| v.view()).collect();
        let x = match concatenate(Axis(0), &views) {
            Ok(x) => x,
            Err(_) => Array2::default((0, DIM)), // of no picture
        };
        drop(values);
        let words = self.words.min(x.nrows() / PER_WORD).max(1);
        let vocabulary = Vocabulary::fit(words, x.view(), self.seed)?;
        Ok(vocabulary.store(Artifact::new(spec)))
    }

    fn load(&self, artifact: &Artifact) -> Result<Vocabulary> {
        Vocabulary::load(artifact)
    }

    fn is_settled(&self, learned: &Vocabulary) -> bool {
        learned.size() == self.words
    }

    fn see(&self, learned: &Vocabulary, picture: &Picture) -> Result<Seen> {
        let (keypoints, values) = self.detect(picture)?;
        let words = |values: &Array2<f32>| -> Result<Vec<Visual>> {
            let visuals = learned.see(values.view(), 1)?;
            Ok(visuals.into_iter().flatten().collect())
        };
        Ok(Seen {
            visuals: words(&values)?,
            mirrored: match keypoints.mirrored().map(|k| k.values) {
                Some(Values::Sift(values)) => words(&values)?,
                _ => vec![],
            },
            frames: keypoints.frames,
            size: [keypoints.width, keypoints.height],
        })
    }

    fn searcher(
        &self,
        learned: Vocabulary,
        seen: Vec<Seen>,
        _: Vec<Seen>,
    ) -> Result<Box<dyn Searcher>> {
        let visuals = seen.iter().map(|s| s.visuals.as_slice());
        Ok(Box::new(Words {
            postings: Postings::new(learned.size(), visuals),
            params: self.clone(),
            vocabulary: learned,
            pictures: seen,
        }))
    }
}

/// Pictures to search.
struct Words {
    params: WordsParams,
    vocabulary: Vocabulary,
    pictures: Vec<Seen>,
    postings: Postings,
}

/// A query, or its mirror image.
struct Query<'a> {
    frames: &'a [Frame],
    /// Of each keypoint; several may be of one.
    visuals: Vec<(u32, Visual)>,
    mirrored: bool,
}

impl Searcher for Words {
    fn search(&self, picture: &Picture) -> Result<Vec<Found>> {
        let (keypoints, values) = self.params.detect(picture)?;
        let mut found = self.ask(&keypoints, values, false)?;
        if let Some(mirrored) = keypoints.mirrored()
            && let Values::Sift(values) = &mirrored.values
        {
            let values = values.clone();
            found.extend(self.ask(&mirrored, values, true)?);
        }
        best_first(&mut found);
        Ok(found)
    }

    fn like(&self, place: usize) -> Result<Vec<Found>> {
        let seen = &self.pictures[place];
        let visuals = |all: &[Visual]| (0..).zip(all.iter().copied()).collect();
        let plain = Query {
            frames: &seen.frames,
            visuals: visuals(&seen.visuals),
            mirrored: false,
        };
        let turned = mirrored(&seen.frames, seen.size[0]);
        let mirrored = Query {
            frames: &turned,
            visuals: visuals(&seen.mirrored),
            mirrored: true,
        };
        let mut found = self.verified(&plain, Some(place))?;
        found.extend(self.verified(&mirrored, Some(place))?);
        best_first(&mut found);
        Ok(found)
    }
}

impl Words {
    fn ask(
        &self,
        keypoints: &Keypoints,
        values: Array2<f32>,
        mirrored: bool,
    ) -> Result<Vec<Found>> {
        let words = self
            .vocabulary
            .see(values.view(), self.params.search.words)?;
        let visuals = (0..).zip(words);
        let query = Query {
            frames: &keypoints.frames,
            visuals: visuals
                .flat_map(|(i, words)| words.into_iter().map(move |w| (i, w)))
                .collect(),
            mirrored,
        };
        self.verified(&query, None)
    }

    fn verified(&self, query: &Query, but: Option<usize>) -> Result<Vec<Found>> {
        let how = &self.params.search;
        let visuals = query.visuals.iter().copied();
        let mut votes = self.postings.votes(visuals, how.bits);
        votes.retain(|vote| Some(vote.picture as usize) != but);
        let mut found = Vec::new();
        for (picture, votes) in self.shortlist(&votes) {
            let seen = &self.pictures[picture];
            let correspondence = |v: &Vote| Correspondence {
                a: query.frames[v.query as usize],
                b: seen.frames[v.keypoint as usize],
            };
            let votes = one_to_one(votes, [query.frames.len(), seen.frames.len()]);
            let comparison = Comparison::of(
                votes.iter().map(correspondence).collect(),
                (seen.size[0], seen.size[1]),
                how.model,
                how.tolerance,
                query.mirrored,
            )?;
            let Some(consensus) = &comparison.consensus else {
                continue;
            };
            found.push(Found {
                picture,
                score: -consensus.log_chance - (self.pictures.len() as f64).log10(),
                comparison: Some(comparison),
            });
        }
        Ok(found)
    }

    /// The pictures with the most votes, with them. One counts the more, the fewer bits differ (Jégou, Douze & Schmid,
    /// IJCV 2010, §4.2); large pictures have many keypoints to be voted for.
    fn shortlist(&self, votes: &[Vote]) -> BTreeMap<usize, Vec<Vote>> {
        const SIGMA: f32 = 16.0;
        let weight = |distance: u32| (-(distance as f32 / SIGMA).powi(2)).exp();
        let weights: Vec<f32> = (0..=u64::BITS).map(weight).collect();
        let mut scores = vec![0.0; self.pictures.len()];
        for vote in votes {
            scores[vote.picture as usize] += weights[usize::from(vote.distance)];
        }
        for (score, seen) in scores.iter_mut().zip(&self.pictures) {
            *score /= (seen.frames.len() as f32).sqrt().max(1.0);
        }
        let mut places: Vec<usize> = (0..scores.len()).filter(|&i| scores[i] > 0.0).collect();
        places.sort_unstable_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        places.truncate(self.params.search.shortlist);
        let mut chosen = vec![false; scores.len()];
        places.iter().for_each(|&place| chosen[place] = true);
        let mut shortlist: BTreeMap<usize, Vec<Vote>> = BTreeMap::new();
        for vote in votes.iter().filter(|v| chosen[v.picture as usize]) {
            let of_picture = shortlist.entry(vote.picture as usize);
            of_picture.or_default().push(*vote);
        }
        shortlist
    }
}

/// Every keypoint once, the most alike first.
fn one_to_one(mut votes: Vec<Vote>, keypoints: [usize; 2]) -> Vec<Vote> {
    votes.sort_unstable_by_key(|v| (v.distance, v.query, v.keypoint));
    let mut taken = keypoints.map(|n| vec![false; n]);
    votes.retain(|v| {
        let places = [v.query as usize, v.keypoint as usize];
        let new = !taken[0][places[0]] && !taken[1][places[1]];
        if new {
            taken[0][places[0]] = true;
            taken[1][places[1]] = true;
        }
        new
    });
    votes
}

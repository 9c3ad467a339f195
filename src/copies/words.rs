//! Visual words with signatures, verified by a similarity: the method for large galleries.

use std::f32::consts::TAU;

use ndarray::{Array2, ArrayView2, Axis, concatenate};
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
use crate::timing;

/// Settings of the method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WordsParams {
    /// Settings for reading pictures.
    pub picture: PictureParams,
    /// Settings of SIFT for the pictures of the gallery.
    pub sift: SiftParams,
    /// Number of visual words; fewer if there are less than thirty descriptors for each.
    pub words: usize,
    /// Number of pictures that the words are learned from, evenly spread.
    pub pictures: usize,
    /// Seed of learning the words.
    pub seed: u64,
    /// Settings that matter only when searching.
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

/// Settings of a search; they can change without processing the pictures again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    /// Number of keypoints of a query: more than for pictures of the gallery, because a query may be a collage or
    /// have text over it.
    pub features: i32,
    /// Number of nearest words under which each keypoint of a query is looked up.
    pub words: usize,
    /// Largest number of differing bits, of 64, between signatures of the same detail.
    pub bits: u32,
    /// Number of pictures with the most votes whose geometry is verified.
    pub shortlist: usize,
    /// Transformations that are tried between two pictures.
    pub model: Model,
    /// Largest distance of an inlier from its expected position, in pixels of the working size.
    pub tolerance: f64,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            features: 1000,
            words: 2,
            bits: 20,
            shortlist: 50,
            model: Model::Similarity,
            tolerance: 5.0,
        }
    }
}

/// Largest number of descriptors of one picture that are learned from.
const PER_PICTURE: usize = 200;
/// Smallest number of descriptors for each word.
const PER_WORD: usize = 30;

/// A picture's keypoints as visual words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    frames: Vec<Frame>,
    visuals: Vec<Visual>,
    /// Visuals of the same keypoints in the mirror image.
    mirrored: Vec<Visual>,
    /// Width and height at the working size, in pixels; 0 if the picture cannot be used.
    size: [u32; 2],
}

impl WordsParams {
    /// Score from which a picture counts as a copy.
    pub const THRESHOLD: f64 = 3.0;

    fn detect(&self, features: i32, picture: &Picture) -> Result<Keypoints> {
        let sift = SiftParams {
            features,
            ..self.sift.clone()
        };
        KeypointParams::Sift(sift).detect(picture)
    }
}

impl WordsParams {
    /// Descriptors of a picture to learn words from, n×128.
    pub(crate) fn sample(&self, picture: &Picture) -> Option<Array2<f32>> {
        let keypoints = self.detect(self.sift.features, picture).ok()?;
        let values = descriptors(&keypoints);
        let some: Vec<usize> = sample_places(values.nrows(), PER_PICTURE).collect();
        Some(values.select(Axis(0), &some))
    }

    /// Learns words from the samples of some pictures.
    pub(crate) fn learn_from(&self, spec: Spec, values: Vec<Array2<f32>>) -> Result<Artifact> {
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
}

/// The descriptors of SIFT keypoints, n×128.
fn descriptors(keypoints: &Keypoints) -> ArrayView2<'_, f32> {
    match &keypoints.values {
        Values::Sift(values) => values.view(),
        Values::Orb(_) | Values::Surf(_) => unreachable!("SIFT was asked for"),
    }
}

impl Method for WordsParams {
    type Learned = Vocabulary;
    type Seen = Seen;

    fn spec(&self) -> Spec {
        let params = (self.picture.size(), &self.sift, self.words, self.pictures);
        Spec::new("copies-words", &params, self.seed)
    }

    fn picture(&self) -> &PictureParams {
        &self.picture
    }

    fn learn(&self, spec: Spec, pictures: &Pictures) -> Result<Artifact> {
        let values = pictures.sample(self.pictures, |picture| self.sample(&picture))?;
        self.learn_from(spec, values)
    }

    fn load(&self, artifact: &Artifact) -> Result<Vocabulary> {
        Vocabulary::load(artifact)
    }

    fn is_settled(&self, learned: &Vocabulary, _: usize) -> bool {
        learned.size() == self.words
    }

    fn see(&self, learned: &Vocabulary, picture: &Picture) -> Result<Seen> {
        let keypoints = self.detect(self.sift.features, picture)?;
        let words = |keypoints: &Keypoints| -> Result<Vec<Visual>> {
            let visuals = learned.see(descriptors(keypoints), 1)?;
            Ok(visuals.into_iter().flatten().collect())
        };
        let mirrored = keypoints.mirrored().map(|mirrored| words(&mirrored));
        Ok(Seen {
            visuals: words(&keypoints)?,
            mirrored: mirrored.transpose()?.unwrap_or_default(),
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
    /// Width and height at the working size, in pixels.
    size: [u32; 2],
    /// Visuals with the indices of their keypoints; a keypoint may have several.
    visuals: Vec<(u32, Visual)>,
    mirrored: bool,
}

impl Searcher for Words {
    fn search(&self, picture: &Picture) -> Result<Vec<Found>> {
        let features = self.params.search.features;
        let keypoints = self.params.detect(features, picture)?;
        let mut found = self.ask(&keypoints, false)?;
        if let Some(mirrored) = keypoints.mirrored() {
            found.extend(self.ask(&mirrored, true)?);
        }
        best_first(&mut found);
        Ok(found)
    }

    fn like(&self, place: usize) -> Result<Vec<Found>> {
        let seen = &self.pictures[place];
        let visuals = |all: &[Visual]| (0..).zip(all.iter().copied()).collect();
        let plain = Query {
            frames: &seen.frames,
            size: seen.size,
            visuals: visuals(&seen.visuals),
            mirrored: false,
        };
        let turned = mirrored(&seen.frames, seen.size[0]);
        let mirrored = Query {
            frames: &turned,
            size: seen.size,
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
    fn ask(&self, keypoints: &Keypoints, mirrored: bool) -> Result<Vec<Found>> {
        let nearest = self.params.search.words;
        let words = self.vocabulary.see(descriptors(keypoints), nearest)?;
        let visuals = (0..).zip(words);
        let query = Query {
            frames: &keypoints.frames,
            size: [keypoints.width, keypoints.height],
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
        let mut votes = timing::SEARCH.time(|| self.postings.votes(visuals, how.bits));
        votes.retain(|vote| Some(vote.picture as usize) != but);
        let shortlist = timing::SEARCH.time(|| self.shortlist(query, votes));
        let mut found = Vec::new();
        for (picture, votes) in shortlist {
            let seen = &self.pictures[picture];
            let correspondence = |v: &Vote| Correspondence {
                a: query.frames[v.query as usize],
                b: seen.frames[v.keypoint as usize],
            };
            let votes = one_to_one(votes, [query.frames.len(), seen.frames.len()]);
            let comparison = Comparison::of(
                votes.iter().map(correspondence).collect(),
                [query.size, seen.size],
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

    /// The pictures with the most votes, each with its votes.
    fn shortlist(&self, query: &Query, mut votes: Vec<Vote>) -> Vec<(usize, Vec<Vote>)> {
        let mut of_keypoints = vec![0u32; query.frames.len()];
        for vote in &votes {
            of_keypoints[vote.query as usize] += 1;
        }
        votes.sort_by_key(|vote| vote.picture);
        let by_picture = votes.chunk_by(|a, b| a.picture == b.picture);
        let scored = by_picture.map(|votes| (self.score(query, votes, &of_keypoints), votes));
        let mut scored: Vec<(f32, &[Vote])> = scored.collect();
        let shorter = |(_, votes): &(f32, &[Vote])| votes[0].picture;
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(shorter(a).cmp(&shorter(b))));
        scored.truncate(self.params.search.shortlist);
        let owned = scored.into_iter().map(|(_, votes)| votes);
        owned
            .map(|votes| (votes[0].picture as usize, votes.to_vec()))
            .collect()
    }

    /// The score of the votes for one picture: the weight of those that agree on rotation and scale (weak geometric
    /// consistency: Jégou, Douze & Schmid, ECCV 2008, §4). A vote weighs more if fewer bits differ (IJCV 2010,
    /// §4.2), and less if its keypoint has many other votes (burstiness: Jégou, Douze & Schmid, CVPR 2009, §4.2).
    /// The sum is divided by the root of the number of keypoints, because large pictures collect more votes.
    fn score(&self, query: &Query, votes: &[Vote], of_keypoints: &[u32]) -> f32 {
        const SIGMA: f32 = 16.0;
        /// Bins of rotation and of scale, in octaves; neighbouring bins are counted together, two by two.
        const TURNS: usize = 8;
        const OCTAVES: usize = 8;
        let seen = &self.pictures[votes[0].picture as usize];
        let mut weights = [[0f32; OCTAVES]; TURNS];
        for vote in votes {
            let a = &query.frames[vote.query as usize];
            let b = &seen.frames[vote.keypoint as usize];
            let turn = ((b.angle - a.angle) / TAU * TURNS as f32).floor() as i32;
            let octave = (b.size / a.size).log2().floor() as i32 + OCTAVES as i32 / 2;
            if !(0..OCTAVES as i32).contains(&octave) {
                continue;
            }
            let near = (-(f32::from(vote.distance) / SIGMA).powi(2)).exp();
            let weight = near / (of_keypoints[vote.query as usize] as f32).sqrt();
            weights[turn.rem_euclid(TURNS as i32) as usize][octave as usize] += weight;
        }
        let mut best = 0f32;
        for turn in 0..TURNS {
            let (this, next) = (&weights[turn], &weights[(turn + 1) % TURNS]);
            for octave in 0..OCTAVES - 1 {
                let sum = |row: &[f32; OCTAVES]| row[octave] + row[octave + 1];
                best = best.max(sum(this) + sum(next));
            }
        }
        best / (seen.frames.len() as f32).sqrt().max(1.0)
    }
}

/// Keeps every keypoint in at most one vote, the most similar first.
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

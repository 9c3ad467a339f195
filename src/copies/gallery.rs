//! The inverted file: which pictures have keypoints that look like a query's, and do they agree on where it lies.

use std::collections::{BTreeSet, HashSet};

use super::store::Seen;
use super::vocabulary::{Visual, Vocabulary};
use crate::error::Result;
use crate::matching::{Comparison, Correspondence, Keypoints, Model, Values};

/// A keypoint of a picture under its word.
#[derive(Clone, Copy)]
struct Posting {
    picture: u32,
    keypoint: u32,
    signature: u64,
}

/// Pictures to search.
pub struct Gallery {
    pictures: Vec<Seen>,
    /// By word.
    postings: Vec<Vec<Posting>>,
}

/// How a search goes about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Words that a query's keypoint is looked for under.
    pub words: usize,
    /// Signatures of the same thing differ in at most so many of their 64 bits.
    pub bits: u32,
    /// Pictures with the most votes whose geometry is verified.
    pub shortlist: usize,
    /// In pixels of the working size.
    pub tolerance: f64,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            words: 2,
            bits: 24, // of 64, as Jégou, Douze & Schmid 2010 have it
            shortlist: 20,
            tolerance: 5.0,
        }
    }
}

/// Score from which a picture is a copy.
pub const THRESHOLD: f64 = 3.0;

/// A picture that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub picture: usize,
    /// −log10 of how many pictures of such a gallery would agree so well by chance.
    pub score: f64,
    /// Of the query, or its mirror image, with the picture.
    pub comparison: Comparison,
}

/// A keypoint of the query that looks like one of a picture.
#[derive(Clone, Copy)]
struct Vote {
    query: usize,
    keypoint: usize,
    distance: u32,
}

impl Gallery {
    /// `words`: size of the vocabulary.
    pub fn new(pictures: Vec<Seen>, words: usize) -> Self {
        let mut postings = vec![Vec::new(); words];
        for (picture, seen) in (0..).zip(&pictures) {
            for (keypoint, visual) in (0..).zip(&seen.visuals) {
                postings[visual.word as usize].push(Posting {
                    picture,
                    keypoint,
                    signature: visual.signature,
                });
            }
        }
        Self { pictures, postings }
    }

    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }

    /// The pictures that show what a query shows, best first.
    pub fn search(
        &self,
        vocabulary: &Vocabulary,
        query: &Keypoints,
        mirrored: Option<&Keypoints>,
        how: Search,
    ) -> Result<Vec<Found>> {
        let mut found = self.verified(vocabulary, query, false, how)?;
        if let Some(mirrored) = mirrored {
            found.extend(self.verified(vocabulary, mirrored, true, how)?);
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.picture.cmp(&b.picture)));
        let mut known = BTreeSet::new();
        found.retain(|f| known.insert(f.picture));
        Ok(found)
    }

    fn verified(
        &self,
        vocabulary: &Vocabulary,
        query: &Keypoints,
        mirrored: bool,
        how: Search,
    ) -> Result<Vec<Found>> {
        let Values::Sift(values) = &query.values else {
            return Ok(vec![]);
        };
        let visuals = vocabulary.see(values.view(), how.words)?;
        let shortlist = self.shortlist(&visuals, how);
        let votes = self.votes(&visuals, &shortlist, how);
        let mut found = Vec::new();
        for (picture, votes) in shortlist.into_iter().zip(votes) {
            let seen = &self.pictures[picture];
            let matches = one_to_one(votes);
            let correspondence = |v: &Vote| Correspondence {
                a: query.frames[v.query],
                b: seen.frames[v.keypoint],
            };
            let comparison = Comparison::of(
                matches.iter().map(correspondence).collect(),
                (seen.width, seen.height),
                Model::Similarity,
                how.tolerance,
                mirrored,
            )?;
            let Some(consensus) = &comparison.consensus else {
                continue;
            };
            found.push(Found {
                picture,
                score: -consensus.log_chance - (self.len() as f64).log10(),
                comparison,
            });
        }
        Ok(found)
    }

    /// Postings that look like a query's keypoints: the keypoint's place, the posting, and how many bits differ.
    fn alike<'a>(
        &'a self,
        visuals: &'a [Vec<Visual>],
        bits: u32,
    ) -> impl Iterator<Item = (usize, &'a Posting, u32)> {
        let all = visuals.iter().enumerate().flat_map(move |(query, seen)| {
            let of = move |visual: &'a Visual| {
                let postings = self.postings[visual.word as usize].iter();
                postings.map(move |p| (query, p, visual.distance(p.signature)))
            };
            seen.iter().flat_map(of)
        });
        all.filter(move |&(_, _, distance)| distance <= bits)
    }

    /// The pictures with the most votes. One counts the more, the fewer bits differ (Jégou, Douze & Schmid, IJCV 2010,
    /// §4.2); large pictures have many keypoints to be voted for.
    fn shortlist(&self, visuals: &[Vec<Visual>], how: Search) -> Vec<usize> {
        const SIGMA: f32 = 16.0;
        let weight = |distance: u32| (-(distance as f32 / SIGMA).powi(2)).exp();
        let weights: Vec<f32> = (0..=u64::BITS).map(weight).collect();
        let mut scores = vec![0.0; self.pictures.len()];
        for (_, posting, distance) in self.alike(visuals, how.bits) {
            scores[posting.picture as usize] += weights[distance as usize];
        }
        for (score, seen) in scores.iter_mut().zip(&self.pictures) {
            *score /= (seen.frames.len() as f32).sqrt().max(1.0);
        }
        let mut places: Vec<usize> = (0..scores.len()).filter(|&i| scores[i] > 0.0).collect();
        places.sort_unstable_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        places.truncate(how.shortlist);
        places
    }

    /// Of each picture of a shortlist.
    fn votes(&self, visuals: &[Vec<Visual>], shortlist: &[usize], how: Search) -> Vec<Vec<Vote>> {
        let mut slots = vec![None; self.pictures.len()];
        for (slot, &picture) in shortlist.iter().enumerate() {
            slots[picture] = Some(slot);
        }
        let mut votes = vec![Vec::new(); shortlist.len()];
        for (query, posting, distance) in self.alike(visuals, how.bits) {
            if let Some(slot) = slots[posting.picture as usize] {
                votes[slot].push(Vote {
                    query,
                    keypoint: posting.keypoint as usize,
                    distance,
                });
            }
        }
        votes
    }
}

/// Every keypoint once, the most alike first.
fn one_to_one(mut votes: Vec<Vote>) -> Vec<Vote> {
    votes.sort_unstable_by_key(|v| (v.distance, v.query, v.keypoint));
    let (mut queries, mut keypoints) = (HashSet::new(), HashSet::new());
    votes.retain(|v| {
        let new = !queries.contains(&v.query) && !keypoints.contains(&v.keypoint);
        new && queries.insert(v.query) && keypoints.insert(v.keypoint)
    });
    votes
}

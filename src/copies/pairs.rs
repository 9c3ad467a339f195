//! Compares every picture with the query, keypoint by keypoint: no index misses a copy, and none saves time.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::method::{Found, Method, Pictures, Searcher, best_first};
use super::words::WordsParams;
use crate::artifact::{Artifact, Spec};
use crate::descriptor::OrbParams;
use crate::error::Result;
use crate::matching::{KeypointParams, Keypoints, MatchParams, Model, Subject, Values};
use crate::picture::{Picture, PictureParams};

/// Settings of the method: those of the comparison of two pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PairsParams(pub MatchParams);

impl PairsParams {
    /// SIFT keypoints, similarities as transformations.
    pub fn sift() -> Self {
        Self::with(KeypointParams::Sift(WordsParams::default().sift))
    }

    /// ORB keypoints, similarities as transformations.
    pub fn orb() -> Self {
        Self::with(KeypointParams::Orb(OrbParams::default()))
    }

    fn with(keypoints: KeypointParams) -> Self {
        Self(MatchParams {
            keypoints,
            model: Model::Similarity,
            ..MatchParams::default()
        })
    }
}

/// A picture's keypoints, and those of its mirror image unless they follow from the former.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    plain: Option<Keypoints>,
    mirrored: Option<Keypoints>,
}

impl Seen {
    fn subject(&self) -> Option<Subject> {
        let keypoints = self.plain.clone()?;
        Some(Subject {
            mirrored: keypoints.mirrored().or_else(|| self.mirrored.clone()),
            keypoints,
        })
    }
}

impl PairsParams {
    /// Replaces the settings for reading pictures.
    #[must_use]
    pub fn with_picture(mut self, picture: PictureParams) -> Self {
        self.0.picture = picture;
        self
    }
}

impl Method for PairsParams {
    type Learned = ();
    type Seen = Seen;

    fn spec(&self) -> Spec {
        Spec::new(
            "copies-pairs",
            &(self.0.picture.size(), &self.0.keypoints),
            0,
        )
    }

    fn picture(&self) -> &PictureParams {
        &self.0.picture
    }

    fn learn(&self, spec: Spec, _: &Pictures) -> Result<Artifact> {
        Ok(Artifact::new(spec))
    }

    fn load(&self, _: &Artifact) -> Result<()> {
        Ok(())
    }

    fn is_settled(&self, (): &(), _: usize) -> bool {
        true
    }

    fn see(&self, (): &(), picture: &Picture) -> Result<Seen> {
        let plain = self.0.keypoints.detect(picture)?;
        Ok(Seen {
            mirrored: match plain.values {
                Values::Sift(_) | Values::Surf(_) => None,
                Values::Orb(_) => Some(self.0.keypoints.detect(&picture.mirrored())?),
            },
            plain: Some(plain),
        })
    }

    fn searcher(&self, (): (), seen: Vec<Seen>, _: Vec<Seen>) -> Result<Box<dyn Searcher>> {
        Ok(Box::new(Pairs {
            params: self.0.clone(),
            pictures: seen,
        }))
    }
}

struct Pairs {
    params: MatchParams,
    pictures: Vec<Seen>,
}

impl Searcher for Pairs {
    fn search(&self, picture: &Picture) -> Result<Vec<Found>> {
        self.ask(&self.params.subject(picture)?, None)
    }

    fn like(&self, place: usize) -> Result<Vec<Found>> {
        match self.pictures[place].subject() {
            Some(subject) => self.ask(&subject, Some(place)),
            None => Ok(vec![]),
        }
    }
}

impl Pairs {
    fn ask(&self, subject: &Subject, but: Option<usize>) -> Result<Vec<Found>> {
        let gallery = (self.pictures.len() as f64).log10();
        let compare = |place: usize| -> Result<Option<Found>> {
            let Some(keypoints) = &self.pictures[place].plain else {
                return Ok(None);
            };
            let comparison = self.params.compare(subject, keypoints)?;
            let judged = comparison.consensus.as_ref().map(|c| -c.log_chance);
            Ok(judged.map(|score| Found {
                picture: place,
                score: score - gallery,
                comparison: Some(comparison),
            }))
        };
        let places = (0..self.pictures.len()).filter(|&i| Some(i) != but);
        let places: Vec<usize> = places.collect();
        let found: Result<Vec<Option<Found>>> = places.into_par_iter().map(compare).collect();
        let mut found: Vec<Found> = found?.into_iter().flatten().collect();
        best_first(&mut found);
        Ok(found)
    }
}

//! Captions as points of the space of sentences (see [`crate::sentence`]).

use ndarray::{Array1, Axis};
use serde::{Deserialize, Serialize};

use super::Rows;
use super::text::{TextFeature, TextVectors};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::{Error, Result};
use crate::linalg::l2_normalize_rows;
use crate::sentence::{self, DIM, SentenceEncoder};
use crate::timing;

/// The Universal Sentence Encoder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SentenceParams {
    /// What is taken away from every caption.
    pub centre: Centre,
}

/// A point that is taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Centre {
    /// The mean of the training captions: what all of them have in common tells none from the others.
    #[default]
    Captions,
    /// None, so that nothing is learned.
    None,
}

struct SentenceView {
    encoder: SentenceEncoder,
    centre: Array1<f32>,
}

impl TextFeature for SentenceParams {
    fn spec(&self, train: Fingerprint) -> Result<Spec> {
        let spec = sentence::stamp(Spec::new("sentence-view", self, 0))?;
        Ok(match self.centre {
            Centre::Captions => spec.input("training captions", train),
            Centre::None => spec,
        })
    }

    fn fit(&self, spec: Spec, captions: &[&str]) -> Result<Artifact> {
        let artifact = sentence::read(spec)?;
        let centre = match self.centre {
            Centre::Captions => {
                let points = SentenceEncoder::load(&artifact)?.encode(captions);
                points.mean_axis(Axis(0))
            }
            Centre::None => Some(Array1::zeros(DIM)),
        };
        let centre = centre.ok_or(Error::TooFew {
            what: "captions to learn from".into(),
            needed: 1,
            found: 0,
        })?;
        Ok(artifact.with_vector("centre", centre.view()))
    }

    fn load(&self, artifact: &Artifact) -> Result<Box<dyn TextVectors>> {
        let centre: Array1<f32> = artifact.vector("centre")?;
        artifact.require(centre.len() == DIM)?;
        Ok(Box::new(SentenceView {
            encoder: SentenceEncoder::load(artifact)?,
            centre,
        }))
    }

    fn learns_nothing(&self) -> bool {
        self.centre == Centre::None
    }
}

impl TextVectors for SentenceView {
    fn dim(&self) -> usize {
        DIM
    }

    fn describe(&self, captions: &[&str]) -> Result<Rows> {
        let mut x = timing::SENTENCES.time(|| self.encoder.encode(captions));
        x -= &self.centre;
        l2_normalize_rows(&mut x);
        let mut rows = Rows {
            x,
            usable: captions.iter().map(|c| !c.trim().is_empty()).collect(),
            bad: vec![],
        };
        rows.blank_unusable();
        Ok(rows)
    }
}

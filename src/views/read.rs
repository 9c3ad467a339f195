//! What the text in a picture means, as a point of the space of sentences: posters, covers and screenshots say in their own
//! words what is written about them in others.

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::sentence::{Centre, SentenceParams, SentenceView};
use super::{Feature, ImageView, Shown};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::Result;
use crate::picture::Picture;
use crate::sentence::DIM;

/// The sentence encoder over the lines that are read in a picture, as one text. How they are read is the matter of
/// `scene_text.reader`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadParams {}

struct Read(SentenceView);

impl Feature for ReadParams {
    fn files(&self) -> Result<Vec<(&'static str, Fingerprint)>> {
        let encoder = crate::sentence::stamp(Spec::new("networks", &(), 0))?;
        Ok(vec![("networks", encoder.fingerprint())])
    }

    fn fit(&self, artifact: Artifact, _: &[Picture], _: u64) -> Result<Artifact> {
        let whole = SentenceParams {
            centre: Centre::None,
        };
        whole.fit(artifact.spec, &[])
    }

    fn load(&self, artifact: &Artifact) -> Result<Box<dyn ImageView>> {
        Ok(Box::new(Read(SentenceView::load(artifact)?)))
    }
}

impl ImageView for Read {
    fn dim(&self) -> usize {
        DIM
    }

    fn describe(&self, Shown { text, .. }: Shown) -> Result<Array1<f32>> {
        let rows = self.0.describe(&[text]);
        Ok(rows.x.row(0).to_owned())
    }
}

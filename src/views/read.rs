//! What the text in a picture means, as a point of the space of sentences: posters, covers and screenshots say in their own
//! words what is written about them in others.

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::sentence::{Centre, SentenceParams};
use super::text::{TextFeature, TextVectors};
use super::{Feature, ImageView, Shown};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::Result;
use crate::picture::Picture;
use crate::sentence::DIM;

/// Letters and digits from which on a text counts whole. What is read in photographs without a text is short and mostly wrong.
/// Chosen on validation pictures of Flickr8k, and on web pictures with their captions.
const ENOUGH: f32 = 8.0;

/// The sentence encoder over the lines that are read in a picture, as one text. How they are read is the matter of
/// `scene_text.reader`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadParams {}

/// Nothing is taken away from a text, so that nothing is learned.
const WHOLE: SentenceParams = SentenceParams {
    centre: Centre::None,
};

struct Read(Box<dyn TextVectors>);

impl Feature for ReadParams {
    fn files(&self) -> Result<Vec<(&'static str, Fingerprint)>> {
        let encoder = crate::sentence::stamp(Spec::new("networks", &(), 0))?;
        Ok(vec![("networks", encoder.fingerprint())])
    }

    fn fit(&self, artifact: Artifact, _: &[Picture], _: u64) -> Result<Artifact> {
        WHOLE.fit(artifact.spec, &[])
    }

    fn load(&self, artifact: &Artifact) -> Result<Box<dyn ImageView>> {
        Ok(Box::new(Read(WHOLE.load(artifact)?)))
    }
}

impl ImageView for Read {
    fn dim(&self) -> usize {
        DIM
    }

    fn describe(&self, Shown { text, .. }: Shown) -> Result<Array1<f32>> {
        Ok(&self.0.describe(&[text])?.x.row(0) * told(text))
    }
}

/// How much a text counts, from 0 to 1.
fn told(text: &str) -> f32 {
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    (letters as f32 / ENOUGH).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_text_counts_little() {
        assert_eq!(told("…-"), 0.0);
        assert_eq!(told("23 号"), 3.0 / 8.0);
        assert_eq!(told("秋季校园招聘 2026"), 1.0);
    }
}

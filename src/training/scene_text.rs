//! Scene text in the flow: which pictures are read, and how far the words count beside the shared space.

use std::sync::Once;

use serde::{Deserialize, Serialize};

use super::reading::Reading;
use super::space::{Scores, embed, ranking};
use super::validation::Validation;
use super::{Features, Training};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::dataset::{Collection, Direction};
use crate::error::Result;
use crate::evaluation::mean_recall;
use crate::fusion::Fusion;
use crate::ocr::{Line, Reader, joined};
use crate::sampling::sample_places;
use crate::scene_text::{Lexicon, SceneTextParams, Setting, Words};

/// What scene text adds to a fusion.
pub struct SceneText {
    /// How its setting was chosen.
    pub choice: SceneTextChoice,
    lexicon: Lexicon,
}

impl SceneText {
    /// How much the words count in a score.
    pub fn share(&self) -> f32 {
        self.choice.setting.share
    }
}

/// How its setting was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SceneTextChoice {
    /// The setting that was chosen.
    pub setting: Setting,
    /// mR of every matching alone, on all pairs that were read, and of every share, on validation data.
    pub trials: Vec<(Setting, f64)>,
}

/// The view of a recipe, where its reader can be used.
pub(super) struct View<'a> {
    params: &'a SceneTextParams,
    reading: Reading<'a>,
}

impl<'a> View<'a> {
    /// None where the networks are not there, which is said once: folds ask anew.
    pub(super) fn new(params: &'a SceneTextParams) -> Option<Self> {
        match Reading::new(&params.reader) {
            Ok(reading) => Some(Self { params, reading }),
            Err(e) => {
                static SAID: Once = Once::new();
                SAID.call_once(|| tracing::warn!("scene text is left out: {e}"));
                None
            }
        }
    }

    /// Of all that determines what is read, but for the pictures.
    pub(super) fn reading(&self) -> Fingerprint {
        self.reading.spec.fingerprint()
    }

    /// Of all that it depends on, but for pictures and captions.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let SceneTextParams {
            reader: _, // where its networks are does not matter
            matching,
            share,
            idf,
            judged,
        } = self.params;
        Fingerprint::of(&(self.reading(), matching, share, idf, judged))
    }
}

impl Training<'_> {
    /// What reads pictures that are not in the dataset, where the recipe wants it and it is there.
    pub fn reader(&self) -> Result<Option<Reader>> {
        self.view.as_ref().map(|v| v.reading.load()).transpose()
    }

    /// What the words add to a fusion that has not learned from the validation data; none where they cannot be had.
    pub(super) fn scene_text(
        &self,
        features: &[Features],
        fusion: &Fusion,
        fingerprint: &Fingerprint,
    ) -> Result<Option<SceneText>> {
        let Some(view) = &self.view else {
            return Ok(None);
        };
        let spec = Spec::new("scene-text", &(), self.recipe.seed)
            .input("view", view.fingerprint())
            .input("fusion", fingerprint.clone());
        let path = self.file("vocab", "scene-text", &spec);
        let lexicon = Lexicon::fit(view.params.idf, &self.dataset.train()?.captions())?;
        let artifact = self.cached(&path, spec, |spec| {
            let choice = self.choose_scene_text(view, &lexicon, features, fusion)?;
            Ok(Artifact::new(spec).with_notes(&choice))
        })?;
        let choice: SceneTextChoice = artifact.read_notes()?;
        let share = choice.setting.share;
        tracing::info!("scene text: a share of {share} in the score");
        Ok(Some(SceneText { choice, lexicon }))
    }

    fn choose_scene_text(
        &self,
        view: &View,
        lexicon: &Lexicon,
        features: &[Features],
        fusion: &Fusion,
    ) -> Result<SceneTextChoice> {
        let SceneTextParams {
            matching, share, ..
        } = view.params;
        if let (&[matching], &[share]) = (&matching[..], &share[..]) {
            return Ok(SceneTextChoice {
                setting: Setting { matching, share },
                trials: vec![],
            });
        }
        let Validation { place, asked, .. } = self.validation()?;
        let z = embed(fusion, &features[place])?;
        let c = &self.dataset.collections[place];
        let judged = judged(c, &asked, view.params.judged);
        let texts = self.texts_of(view, place, |i| judged[i])?;
        let judge = |setting: Setting, asks: &dyn Fn(usize) -> bool| {
            let rank = |direction| {
                let words = texts.words(direction, lexicon, setting);
                let scores = Scores {
                    z: &z,
                    charges: None,
                    words: Some(&words),
                    pairs: None,
                };
                ranking(c, scores, direction, asks, |image| judged[image])
            };
            let (t2i, i2t) = (rank(Direction::TextToImage), rank(Direction::ImageToText));
            (setting, mean_recall(&t2i, &i2t))
        };
        // No match is learned from a pair, so that all pairs can judge the words alone.
        let alone = |&matching| {
            let share = 1.0;
            judge(Setting { matching, share }, &|image| judged[image])
        };
        let mut trials: Vec<(Setting, f64)> = matching.iter().map(alone).collect();
        let matching = best(&trials).matching;
        let beside = |&share| {
            let asks = |image: usize| asked[image] && judged[image];
            judge(Setting { matching, share }, &asks)
        };
        let shares: Vec<(Setting, f64)> = share.iter().map(beside).collect();
        let setting = best(&shares);
        trials.extend(shares);
        Ok(SceneTextChoice { setting, trials })
    }

    /// What is read in the pictures of a collection for which `wanted` holds.
    pub(super) fn lines_of(
        &self,
        view: &View,
        collection: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Vec<Vec<Line>>> {
        self.read(&view.reading, collection, wanted)
    }

    /// What was read in each picture of a collection; nothing where words have no share in the score.
    pub(super) fn lines(
        &self,
        scene_text: Option<&SceneText>,
        collection: usize,
    ) -> Result<Vec<Vec<Line>>> {
        let all = &self.dataset.collections[collection];
        let plain = all.plain_images().len();
        match &self.view {
            Some(view) if scene_text.is_some_and(|s| s.share() > 0.0) => {
                self.lines_of(view, collection, |i| i < plain)
            }
            _ => Ok(vec![vec![]; all.images.len()]),
        }
    }

    /// Of some images, those that settings are judged by: where words count, no more than the recipe lets be read.
    pub(super) fn judged(&self, images: Vec<usize>) -> Vec<usize> {
        match &self.view {
            Some(view) => {
                let most = view.params.judged;
                sample_places(images.len(), most)
                    .map(|place| images[place])
                    .collect()
            }
            None => images,
        }
    }

    /// The texts on both sides of a direction in a collection; none where words have no share in the score.
    pub fn words<'b>(
        &self,
        scene_text: Option<&'b SceneText>,
        collection: usize,
        direction: Direction,
    ) -> Result<Option<Words<'b>>> {
        let plain = self.dataset.collections[collection].plain_images().len();
        self.words_of(scene_text, collection, direction, |i| i < plain)
    }

    /// The same with the text of the pictures for which `wanted` holds alone; the others are not read.
    pub(super) fn words_of<'b>(
        &self,
        scene_text: Option<&'b SceneText>,
        collection: usize,
        direction: Direction,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Option<Words<'b>>> {
        let (Some(view), Some(scene_text)) = (&self.view, scene_text) else {
            return Ok(None);
        };
        let SceneText { choice, lexicon } = scene_text;
        if scene_text.share() == 0.0 {
            return Ok(None);
        }
        let texts = self.texts_of(view, collection, wanted)?;
        Ok(Some(texts.words(direction, lexicon, choice.setting)))
    }

    /// The texts of a collection: those read in the pictures for which `wanted` holds, and the captions.
    fn texts_of(
        &self,
        view: &View,
        collection: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Texts> {
        let read = self.lines_of(view, collection, wanted)?;
        let captions = self.dataset.collections[collection].captions();
        Ok(Texts {
            read: read.iter().map(|lines| joined(lines)).collect(),
            captions: captions.into_iter().map(str::to_owned).collect(),
        })
    }
}

/// The first of those with the highest score.
fn best(trials: &[(Setting, f64)]) -> Setting {
    let highest = trials.iter().map(|t| t.1).fold(f64::NEG_INFINITY, f64::max);
    let mut best = trials.iter().filter(|t| t.1 == highest);
    best.next().expect("a list of settings is not empty").0
}

/// What is read in the pictures of a collection, and what is written about them.
struct Texts {
    read: Vec<String>,
    captions: Vec<String>,
}

impl Texts {
    fn words<'a>(&self, direction: Direction, lexicon: &'a Lexicon, setting: Setting) -> Words<'a> {
        let (asking, searched) = match direction {
            Direction::TextToImage => (&self.captions, &self.read),
            Direction::ImageToText => (&self.read, &self.captions),
        };
        Words {
            asking: asking.clone(),
            gallery: lexicon.gallery(searched.clone(), setting),
        }
    }
}

/// At most `most` pictures to choose by, true for each: those that ask, then others, as in a small gallery chance hides
/// what the words are worth.
fn judged(c: &Collection, asked: &[bool], most: usize) -> Vec<bool> {
    let plain = 0..c.plain_images().len();
    let (asked, others): (Vec<usize>, Vec<usize>) = plain.partition(|&i| asked[i]);
    let room = most.saturating_sub(asked.len());
    let mut judged = vec![false; c.images.len()];
    for (among, most) in [(asked, most), (others, room)] {
        sample_places(among.len(), most).for_each(|i| judged[among[i]] = true);
    }
    judged
}

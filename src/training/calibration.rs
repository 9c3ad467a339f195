//! Probabilities: how often hits of such scores were right on the validation data, for a fusion that has not learned
//! from it.

use ndarray::{Array1, Array2, ArrayView1, Axis};
use rayon::prelude::*;

use super::space::{Embedded, embed};
use super::validation::Validation;
use super::{Features, Fitted, Training};
use crate::calibration::keywords::{JudgedKeyword, KeywordParams};
use crate::calibration::{Calibration, CalibrationParams, Judged, QueryScores, SAMPLE, TOLD};
use crate::dataset::{Collection, Direction};
use crate::error::{Error, Result};
use crate::fusion::{Fusion, Side};
use crate::model::{Calibrations, Word};
use crate::sampling::sample_places;
use crate::scene_text::Words;
use crate::views::{Rows, TextView};

/// Queries that are judged, at most.
const QUERIES: usize = 2000;
/// Pictures whose words are judged, at most.
const PICTURES: usize = 100;

/// Probabilities of hits, and which of them were right.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Probabilities of the five best hits of each query.
    pub probabilities: Vec<f32>,
    /// Whether each was right.
    pub right: Vec<bool>,
}

impl Checked {
    /// Adds those of another part of the data.
    pub fn extend(&mut self, other: &Self) {
        self.probabilities.extend(&other.probabilities);
        self.right.extend(&other.right);
    }
}

/// What hits are judged in: some images of a collection and their texts.
struct Gallery<'a> {
    c: &'a Collection,
    z: &'a Embedded,
    /// Of all items that a direction searches.
    charges: Option<&'a Array1<f32>>,
    words: Option<&'a Words<'a>>,
    /// Which images are in it.
    among: &'a (dyn Fn(usize) -> bool + Sync),
}

impl Training<'_> {
    /// Learns probabilities from the validation data.
    pub(super) fn calibrate(&self, features: &[Features], fitted: &Fitted) -> Result<Calibrations> {
        let Validation { place, asked } = self.validation()?;
        let fusion = &fitted.validating;
        let z = embed(fusion, &features[place])?;
        let c = &self.dataset.collections[place];
        let plain = c.plain_images().len();
        let judged = self.judged((0..plain).filter(|&i| asked[i]).collect());
        let among = |i: usize| judged.binary_search(&i).is_ok();
        let held_out = (place == self.train()?).then_some(&asked[..]);
        let learn = |direction| -> Result<Option<Calibration>> {
            let items = match direction {
                Direction::TextToImage => &z.images,
                Direction::ImageToText => &z.texts,
            };
            let charges = match self.recipe.hubness {
                Some(_) => Some(
                    self.bank_without(direction, &features[self.train()?], fusion, held_out)?
                        .charges(items.view()),
                ),
                None => None,
            };
            let words = self.words_of(fitted.scene_text.as_ref(), place, direction, among)?;
            let gallery = Gallery {
                c,
                z: &z,
                charges: charges.as_ref(),
                words: words.as_ref(),
                among: &among,
            };
            match CalibrationParams::default().fit(&gallery.judged(direction)) {
                Ok(calibration) => Ok(Some(calibration)),
                Err(Error::TooFew { .. }) => Ok(None),
                Err(e) => Err(e),
            }
        };
        Ok(Calibrations {
            pictures: learn(Direction::TextToImage)?,
            texts: learn(Direction::ImageToText)?,
            keywords: self.calibrate_keywords(fusion, c, &z.images, &among)?,
        })
    }

    /// How probable the hits of a collection are said to be, and which are right: what a calibration is worth on data
    /// that it has not seen.
    pub fn check_calibration(
        &self,
        features: &[Features],
        fitted: &Fitted,
        place: usize,
        direction: Direction,
    ) -> Result<Option<Checked>> {
        let calibrations = self.calibrations(features, fitted)?;
        let calibration = match direction {
            Direction::TextToImage => calibrations.pictures,
            Direction::ImageToText => calibrations.texts,
        };
        let Some(calibration) = calibration else {
            return Ok(None);
        };
        let z = embed(&fitted.fusion, &features[place])?;
        let charges = self.charges(direction, features, &fitted.fusion, &z)?;
        let words = self.words(fitted.scene_text.as_ref(), place, direction)?;
        let c = &self.dataset.collections[place];
        let gallery = Gallery {
            c,
            z: &z,
            charges: charges.as_ref(),
            words: words.as_ref(),
            among: &|_| true,
        };
        let mut checked = Checked::default();
        for judged in gallery.judged(direction) {
            let hits = CalibrationParams::default().hits.min(judged.right.len());
            let probabilities = calibration.probabilities(&judged.scores);
            checked.probabilities.extend(&probabilities[..hits]);
            checked.right.extend(&judged.right[..hits]);
        }
        Ok(Some(checked))
    }

    fn calibrate_keywords(
        &self,
        fusion: &Fusion,
        c: &Collection,
        images: &Array2<f32>,
        among: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Option<crate::calibration::keywords::Keywords>> {
        let params = &self.recipe.text_views;
        let Some(place) = params.iter().position(|v| v.reads_words()) else {
            return Ok(None);
        };
        let views = params.iter().map(|p| self.fit_text_view(p));
        let views: Vec<TextView> = views.collect::<Result<_>>()?;
        let Some(view) = views[place].terms() else {
            return Ok(None);
        };
        let vocabulary = Word::all(view);
        let words: Vec<&str> = vocabulary.iter().map(|w| w.word.as_str()).collect();
        let described = params.iter().zip(&views);
        let described = described.map(|(p, view)| Ok((p.weight, view.describe(&words)?)));
        let rows = Rows::side_by_side(described.collect::<Result<_>>()?);
        let points = fusion.project(Side::Text, rows.x.view())?;
        let texts = c.texts_of_images();
        let pictures: Vec<usize> = (0..images.nrows())
            .filter(|&i| among(i) && !texts[i].is_empty())
            .collect();
        let some: Vec<usize> = sample_places(pictures.len(), PICTURES)
            .map(|p| pictures[p])
            .collect();
        let judge = |&image: &usize| -> Vec<JudgedKeyword> {
            let captions = texts[image]
                .iter()
                .flat_map(|&t| view.tokens(&c.texts[t].caption));
            let captions: std::collections::BTreeSet<String> = captions.collect();
            let cosines = points.dot(&images.row(image));
            let each = vocabulary.iter().zip(cosines);
            each.map(|(word, cosine)| JudgedKeyword {
                keyword: word.evidence(cosine),
                occurs: captions.contains(&word.word),
            })
            .collect()
        };
        let judged: Vec<JudgedKeyword> = some.par_iter().flat_map_iter(judge).collect();
        match KeywordParams::default().fit(&judged) {
            Ok(keywords) => Ok(Some(keywords)),
            Err(Error::TooFew { .. }) => Ok(None),
            Err(e) => Err(e),
        }
    }
}

impl Gallery<'_> {
    /// The scores of queries with a known answer, and which of their best hits are right.
    fn judged(&self, direction: Direction) -> Vec<Judged> {
        let images_of = self.c.images_of_texts();
        let texts_of = self.c.texts_of_images();
        let image = |i: usize| (self.among)(i) && self.z.image_usable[i];
        let text =
            |t: usize| self.z.text_usable[t] && images_of[t].iter().any(|&i| (self.among)(i));
        let images: Vec<usize> = (0..self.z.images.nrows()).filter(|&i| image(i)).collect();
        let texts: Vec<usize> = (0..self.z.texts.nrows()).filter(|&t| text(t)).collect();
        let (queries, items, answers, q, x) = match direction {
            Direction::TextToImage => (&texts, &images, &images_of, &self.z.texts, &self.z.images),
            Direction::ImageToText => (&images, &texts, &texts_of, &self.z.images, &self.z.texts),
        };
        let asked = queries.iter().copied().filter(|&q| !answers[q].is_empty());
        let asked: Vec<usize> = asked.collect();
        let asked: Vec<usize> = sample_places(asked.len(), QUERIES)
            .map(|p| asked[p])
            .collect();
        let among = x.select(Axis(0), items);
        asked
            .par_iter()
            .map(|&query| {
                let scores = self.scores(query, q.row(query), items, &among);
                told(scores, items, &answers[query])
            })
            .collect()
    }

    /// Score and match of the words, of each item.
    fn scores(
        &self,
        query: usize,
        q: ArrayView1<f32>,
        items: &[usize],
        x: &Array2<f32>,
    ) -> Vec<(f32, f32)> {
        let mut shared = x.dot(&q);
        if let Some(charges) = self.charges {
            shared
                .iter_mut()
                .zip(items)
                .for_each(|(s, &i)| *s -= charges[i]);
        }
        let Some(Words { asking, gallery }) = self.words else {
            return shared.iter().map(|&s| (s, 0.0)).collect();
        };
        let mut matched = vec![0.0; x.nrows()];
        for m in gallery.matches(&asking[query]) {
            if let Ok(place) = items.binary_search(&m.item) {
                matched[place] = m.score;
            }
        }
        let both = shared.iter().zip(matched);
        both.map(|(&s, m)| (gallery.score(Some(s), m), m)).collect()
    }
}

/// The best scores, a sample of the others, and which of the best are right.
fn told(scores: Vec<(f32, f32)>, items: &[usize], answers: &[usize]) -> Judged {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].0.total_cmp(&scores[a].0).then(a.cmp(&b)));
    let top = &order[..order.len().min(TOLD)];
    Judged {
        right: top.iter().map(|&p| answers.contains(&items[p])).collect(),
        scores: QueryScores {
            top: top.iter().map(|&p| scores[p].0).collect(),
            words: top.iter().map(|&p| scores[p].1).collect(),
            sample: sample_places(scores.len(), SAMPLE)
                .map(|p| scores[p].0)
                .collect(),
            rows: scores.len(),
        },
    }
}

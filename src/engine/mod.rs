//! The engine: a model and a gallery that answer questions.
//!
//! ```no_run
//! use tuwen::engine::{Engine, Query};
//!
//! let engine = Engine::open("gallery".as_ref())?;
//! for hit in engine.ask(&Query::text("海边奔跑的狗"))?.hits {
//!     println!("{:.2} {}", hit.score, hit.id);
//! }
//! # Ok::<(), tuwen::Error>(())
//! ```
//! An engine is shared by threads. A question sees the gallery as it is when it is asked; what is added or removed
//! meanwhile is seen by the next one. No question opens a picture file of the gallery.
//!
//! A [`Query`] combines a text, words that must or must not be there, pictures and conditions, and says what to
//! [`Find`]. An [`Answer`] has hits with scores and, if the model was calibrated, probabilities.

mod answer;
mod copies;
mod explain;
mod hits;
mod query;
mod rank;
mod stacks;
mod view;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use ndarray::Array1;
use quick_cache::sync::Cache;

pub use answer::{Answer, Copied, Explanation, Hit, Matched, Share};
pub use copies::keypoints;
use hits::{answer, gone, item, picture, stacks_of};
pub use query::{Find, Query, Weights};
use rank::{Question, Ranked, Rows};
pub use view::View;
use view::Written;
use words::WordsQuery;

use crate::artifact::Fingerprint;
use crate::dataset::Direction;
use crate::error::{Error, Result};
use crate::gallery::{self, Bitmap, Item, MODEL};
use crate::linalg::l2_normalize;
use crate::model::{Described, Model};
use crate::ocr::{Line, joined};
use crate::scene_text::{Setting, Terms};

/// A model and a gallery.
pub struct Engine {
    model: Arc<Model>,
    folder: PathBuf,
    view: RwLock<Arc<View>>,
    /// Points of the texts that were asked last, by the digests of the texts.
    asked: Cache<Fingerprint, Array1<f32>>,
    /// What was read in the pictures that were asked last, by the digests of their files.
    readings: Cache<Fingerprint, String>,
}

/// Texts whose points are remembered: 16 MiB of them for a space of 1,024 dimensions.
const REMEMBERED: usize = 4096;

/// How much what is like an unwanted word moves down: its share of the query (Rocchio 1971; γ = 0.15 of Manning,
/// Raghavan & Schütze 2008 §9.1.1 is for whole documents, and a word says less).
const UNWANTED: f32 = 0.5;

/// A point that is asked with, and what it is made of.
struct Asked {
    /// None where nothing is known of any part of the query.
    point: Option<Vec<f32>>,
    /// Parts that sum up to the point, by name.
    parts: Vec<(String, Array1<f32>)>,
}

impl Engine {
    /// Opens a gallery with the model that is kept in it.
    ///
    /// # Errors
    /// Those of [`Model::open`] and [`Snapshot::open`](crate::gallery::Snapshot::open).
    pub fn open(gallery: &Path) -> Result<Self> {
        gallery::require(gallery)?;
        let model = Model::open(&gallery.join(MODEL))?;
        Self::with(Arc::new(model), gallery)
    }

    /// Opens a gallery with a model that is shared with others.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for a gallery of another model.
    pub fn with(model: Arc<Model>, gallery: &Path) -> Result<Self> {
        let view = View::open(gallery)?;
        let of = &view.snapshot.stamp().model;
        if *of != model.fingerprint().to_string() {
            return Err(Error::Mismatch {
                left: format!("the gallery {}", gallery.display()),
                left_is: format!("of model {of}"),
                right: "the model".into(),
                right_is: model.fingerprint().to_string(),
            });
        }
        Ok(Self {
            model,
            folder: gallery.to_owned(),
            view: RwLock::new(Arc::new(view)),
            asked: Cache::new(REMEMBERED),
            readings: Cache::new(REMEMBERED),
        })
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The gallery as it is now.
    ///
    /// # Errors
    /// Those of opening it again where it has changed.
    pub fn view(&self) -> Result<Arc<View>> {
        let view = self
            .view
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if view.snapshot.is_current()? {
            return Ok(view);
        }
        let new = Arc::new(View::open(&self.folder)?);
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = new.clone();
        Ok(new)
    }

    /// Answers a question.
    ///
    /// # Errors
    /// [`Error::Query`] for a question that asks nothing, wants no hit or has an impossible weight, [`Error::Picture`] for a picture that cannot be used.
    pub fn ask(&self, query: &Query) -> Result<Answer> {
        if !query.has_pictures() && query.whole_text().is_empty() {
            return Err(Error::Query {
                reason: "it asks nothing: give a text or a picture".into(),
            });
        }
        let possible = |weight: f32| weight >= 0.0 && weight.is_finite();
        if query.top == 0 || !possible(query.weights.text) || !possible(query.weights.image) {
            return Err(Error::Query {
                reason: "it wants at least one hit, and weights that are not below 0".into(),
            });
        }
        let _question =
            tracing::debug_span!("question", find = ?query.find, top = query.top).entered();
        let view = self.view()?;
        match query.find {
            Find::Texts => self.texts(&view, query),
            Find::Copies => {
                let allowed = view.allowed(query, self.terms(query)?)?;
                copies::ask(&view, &self.model, query, &allowed)
            }
            Find::Pictures => self.pictures(&view, query),
        }
    }

    /// What cuts the words that must or must not be there; nothing where there are none.
    fn terms(&self, query: &Query) -> Result<Option<&Terms>> {
        match query.must.is_empty() && query.not.is_empty() {
            true => Ok(None),
            false => Ok(Some(self.model.lexicon()?.terms())),
        }
    }

    fn pictures(&self, view: &View, query: &Query) -> Result<Answer> {
        let allowed = view.allowed(query, self.terms(query)?)?;
        let text = query.whole_text();
        match text.is_empty() {
            true => self.look_alikes(view, query, allowed),
            false => self.pictures_about(view, query, &text, allowed),
        }
    }

    /// Pictures that look like those of a query.
    fn look_alikes(&self, view: &View, query: &Query, allowed: Vec<Bitmap>) -> Result<Answer> {
        let point = looks(&self.described(view, query)?, self.model.look_dim()?);
        let question = Question {
            point: Some(point.as_deref().ok_or_else(|| nothing_known(true))?),
            matches: vec![],
            share: 0.0,
            most: query.most(),
        };
        let ranking = view.looks(allowed).rank(&question, &[])?;
        let stacks = stacks_of(view, query, &ranking.best);
        answer(query, ranking, &stacks, None, |hit| {
            // Unit vectors are kept at half precision, and may be a little longer.
            let score = hit.score.min(1.0);
            let why = query.explain.then(|| explain::look(score));
            Ok(Hit {
                score,
                ..picture(view, hit, why)?
            })
        })
    }

    /// Pictures that a text is about, or a text and pictures together.
    fn pictures_about(
        &self,
        view: &View,
        query: &Query,
        text: &str,
        allowed: Vec<Bitmap>,
    ) -> Result<Answer> {
        let mut asked = self.shared(query, text, &self.described(view, query)?)?;
        if asked.point.is_none() && !query.must.is_empty() {
            // Words that must be there decide, also where the model knows none of them.
            asked.point = Some(vec![0.0; self.model.dim()]);
        }
        let (matches, share) = self.matches(view, text, Written::InPictures)?;
        let question = Question {
            point: asked.point.as_deref(),
            matches,
            share,
            most: query.most(),
        };
        question.require_anything(false)?;
        let ranking = view.pictures(allowed).rank(&question, &view.nearest())?;
        let calibration = self.model.calibration(Direction::TextToImage);
        let stacks = stacks_of(view, query, &ranking.best);
        let text = match query.explain {
            true => Some(explain::Text::new(&self.model, text)?),
            false => None,
        };
        answer(query, ranking, &stacks, calibration, |hit| {
            let why = |text| explain::picture(self, view, text, &asked, hit, question.share);
            picture(view, hit, text.as_ref().map(why).transpose()?)
        })
    }

    fn texts(&self, view: &View, query: &Query) -> Result<Answer> {
        let text = query.whole_text();
        let described = self.described(view, query)?;
        let asked = self.shared(query, &text, &described)?;
        let mut rows = view.texts();
        let own = rows.allowed.iter().any(|live| live.count() > 0);
        let captions = match own {
            true => None,
            false => Some(self.model.captions()?.ok_or_else(no_texts)?),
        };
        let read = match (query.pictures.first(), query.like.first()) {
            (Some(bytes), _) if own => self.read(bytes)?,
            (None, Some(&key)) if own => joined(&lines(&item(view, key)?)),
            _ => String::new(),
        };
        let (matches, share) = match read.is_empty() {
            true => (vec![], 0.0),
            false => self.matches(view, &read, Written::Captions)?,
        };
        let keys: Vec<u64>;
        if let Some(captions) = captions {
            keys = (0..captions.texts.len() as u64).collect();
            rows = rank::of_captions(captions, &keys);
        }
        let question = Question {
            point: asked.point.as_deref(),
            matches,
            share,
            most: query.offset + query.top,
        };
        question.require_anything(text.is_empty())?;
        let ranking = rows.rank(&question, &[])?;
        let calibration = self.model.calibration(Direction::ImageToText);
        let stacks = stacks::single(&ranking.best);
        answer(query, ranking, &stacks, calibration, |hit| {
            let (key, id, text) = match captions {
                Some(captions) => (None, String::new(), captions.texts[hit.row].clone()),
                None => {
                    let text = view.snapshot.text(hit.key)?.ok_or_else(|| gone(hit.key))?;
                    (Some(hit.key), text.id, text.caption)
                }
            };
            let why = match query.explain {
                true => Some(explain::text(self, &read, &text)?),
                false => None,
            };
            Ok(Hit {
                key,
                id,
                path: None,
                text: Some(text),
                score: hit.score,
                probability: None,
                copies: vec![],
                why,
            })
        })
    }

    /// The pictures of a query, described.
    fn described(&self, view: &View, query: &Query) -> Result<Vec<Described>> {
        let given = |bytes: &Vec<u8>| self.model.describe_file(bytes);
        let kept = |&key: &u64| view.described(key);
        let given = query.pictures.iter().map(given);
        given.chain(query.like.iter().map(kept)).collect()
    }

    /// A text in the shared space; zero where nothing is known of it.
    fn point(&self, text: &str) -> Result<Array1<f32>> {
        let embed = || Ok(self.model.embed_texts(&[text])?.x.row(0).to_owned());
        let digest = Fingerprint::of_bytes(text.as_bytes());
        self.asked.get_or_insert_with(&digest, embed)
    }

    /// A point of the shared space: the text, the pictures, less what is not wanted, each with its weight.
    fn shared(&self, query: &Query, text: &str, pictures: &[Described]) -> Result<Asked> {
        let mut parts: Vec<(String, Array1<f32>)> = Vec::new();
        let both = !text.is_empty() && !pictures.is_empty();
        let weight = |w: f32| if both { w } else { 1.0 };
        if !text.is_empty() {
            let point = self.point(text)?;
            parts.push(("text".into(), point * weight(query.weights.text)));
        }
        if !pictures.is_empty() {
            let mut sum = Array1::zeros(self.model.dim());
            pictures.iter().for_each(|p| sum += &p.point);
            l2_normalize(sum.view_mut());
            parts.push(("picture".into(), sum * weight(query.weights.image)));
        }
        for word in &query.not {
            let point = self.point(word)?;
            parts.push((format!("not {word}"), point * -UNWANTED));
        }
        parts.retain(|(_, point)| point.iter().any(|&v| v != 0.0));
        let mut sum = Array1::<f32>::zeros(self.model.dim());
        parts.iter().for_each(|(_, point)| sum += point);
        let length = sum.dot(&sum).sqrt();
        let wanted = parts.iter().any(|(name, _)| !name.starts_with("not "));
        if length > 0.0 {
            parts.iter_mut().for_each(|(_, point)| *point /= length);
            sum /= length;
        }
        Ok(Asked {
            point: (wanted && length > 0.0).then(|| sum.to_vec()),
            parts,
        })
    }

    /// How well the texts of each part match the words of a text, and how much that counts: nothing where the model does
    /// not use words.
    fn matches(
        &self,
        view: &View,
        text: &str,
        written: Written,
    ) -> Result<(Vec<BTreeMap<u32, f32>>, f32)> {
        let Some(Setting { matching, share }) = self.model.about().words else {
            return Ok((vec![], 0.0));
        };
        let parts = view.snapshot.parts();
        let mean = view.mean_length(written);
        let words = WordsQuery::new(self.model.lexicon()?, matching, text, mean);
        let matches = parts
            .iter()
            .map(|part| words.matches(&written.of(part), part));
        Ok((matches.collect::<Result<_>>()?, share))
    }

    /// What is written in a picture; nothing where it is not read. A query may ask twice.
    fn read(&self, bytes: &[u8]) -> Result<String> {
        let read = || Ok(joined(&self.model.read(bytes)?));
        let digest = Fingerprint::of_bytes(bytes);
        self.readings.get_or_insert_with(&digest, read)
    }
}

/// The mean look of some pictures; nothing where nothing was found in any.
fn looks(pictures: &[Described], dim: usize) -> Option<Vec<f32>> {
    let mut sum = Array1::zeros(dim);
    for picture in pictures.iter().filter(|p| p.usable) {
        sum += &picture.look;
    }
    l2_normalize(sum.view_mut());
    sum.iter().any(|&v| v != 0.0).then(|| sum.to_vec())
}

impl Question<'_> {
    /// An error where neither the point nor the words say anything.
    fn require_anything(&self, of_picture: bool) -> Result<()> {
        match self.point.is_none() && self.matches.iter().all(|m| m.is_empty()) {
            true => Err(nothing_known(of_picture)),
            false => Ok(()),
        }
    }
}

/// The lines that were read in a picture.
fn lines(item: &Item) -> Vec<Line> {
    serde_json::from_value(item.facts.read.clone()).unwrap_or_default()
}

fn no_texts() -> Error {
    Error::Query {
        reason: "there are no texts to find: the gallery has none, and its model was made without captions; \
            `tuwen index --captions` adds some"
            .into(),
    }
}

fn nothing_known(of_picture: bool) -> Error {
    Error::Query {
        reason: match of_picture {
            true => "no features were found in this picture".into(),
            false => "none of these words occurs in the training captions".into(),
        },
    }
}

//! What was learned, put together as a [`Model`].

use std::collections::BTreeMap;

use half::f16;
use ndarray::{Array1, Array2, Axis};
use rayon::prelude::*;

use super::space::usable_rows;
use super::{Features, Fitted, Training, pictures};
use crate::artifact::{Artifact, Bundle, Fingerprint, Spec};
use crate::copies::{Method as _, WordsParams};
use crate::dataset::{Dataset, Direction, ReadOptions, Split};
use crate::error::{Error, Result};
use crate::fusion::Side;
use crate::hubness::QueryBank;
use crate::leaves;
use crate::linalg::PcaParams;
use crate::model::{About, CAPTIONER, Calibrations, Captions, Model, PictureSide, STAGE, TextSide};
use crate::picture::Picture;
use crate::progress::Progress;
use crate::recipe::Recipe;
use crate::sampling::sample_places;
use crate::scene_text::{Idf, Lexicon};
use crate::text::Dictionaries;
use crate::views::{Rows, TextViewSetup, class_names};

/// What a model keeps of the training data beyond what it learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The captions, so that a picture can be answered with sentences where a gallery has none.
    pub captions: bool,
}

/// Directions that looks are compared in: enough for pictures to be told apart, at a quarter of a kilobyte each.
const LOOK: usize = 128;

/// The spec of a part that the whole answers for.
fn plain(stage: &'static str) -> Spec {
    Spec::new(stage, &(), 0)
}

/// The model of a recipe that learns nothing from pairs: what must have seen pictures sees made-up ones.
///
/// # Errors
/// [`Error::Weights`](crate::Error::Weights) where a network is missing, [`Error::Recipe`](crate::Error::Recipe) for a
/// recipe that needs data.
pub fn untaught(recipe: &Recipe, progress: &dyn Progress) -> Result<Model> {
    if !recipe.learns_nothing() {
        return Err(Error::Recipe {
            path: recipe.name.clone().into(),
            reason: "it learns from pairs of pictures and captions: give it some (--data)".into(),
        });
    }
    let folder = tempfile::tempdir().map_err(Error::io("create", std::env::temp_dir()))?;
    let data = folder.path().join("data");
    let words: Vec<&str> = class_names().flatten().collect();
    leaves::write(&data, &words)?;
    let dataset = Dataset::open(&data, &ReadOptions::default())?;
    // visual words are learned of all pictures; of what learns nothing, few tell how wide its vectors are
    let copies = Training::new(recipe, &dataset, folder.path(), progress).visual_words()?;
    let few = few_to_learn_from(&dataset);
    let training = Training::new(recipe, &few, folder.path(), progress);
    let features = training.features()?;
    let fitted = training.fit(&features)?;
    training.model_with(&features, &fitted, Keep { captions: false }, copies)
}

/// Pictures that a view which learns nothing is tried on.
const FEW: usize = 2;

/// A data set with all its captions and so few training pictures that describing them costs nothing. Their collection has a
/// name of its own, so that what was computed of all of them stays.
pub(super) fn few_to_learn_from(dataset: &Dataset) -> Dataset {
    let mut few = dataset.clone();
    for c in few
        .collections
        .iter_mut()
        .filter(|c| c.split == Split::Train)
    {
        c.name = format!("{}-few", c.name);
        c.images.truncate(FEW);
        c.pairs.retain(|p| p.image < FEW);
    }
    few
}

impl Training<'_> {
    /// The model of a fitted fusion and its features: all that is needed to place new pictures and captions, on any
    /// machine.
    ///
    /// # Errors
    /// Those of learning what galleries need besides: visual words for copies.
    pub fn model(&self, features: &[Features], fitted: &Fitted, keep: Keep) -> Result<Model> {
        self.model_with(features, fitted, keep, self.visual_words()?)
    }

    fn model_with(
        &self,
        features: &[Features],
        fitted: &Fitted,
        keep: Keep,
        copies: Artifact,
    ) -> Result<Model> {
        let train = &features[self.train()?];
        let mut parts = self.encoders(features, fitted)?;
        parts.insert("look".into(), self.look(train)?);
        parts.insert("copies".into(), copies);
        let lexicon = Lexicon::fit(Idf::Training, &self.dataset.train()?.captions())?;
        parts.insert(
            "lexicon".into(),
            lexicon.store(Artifact::new(plain("lexicon"))),
        );
        if keep.captions {
            let load = |part| QueryBank::load(part, fitted.fusion.dim());
            let bank = parts.get("bank.texts").map(load).transpose()?;
            let captions = self.captions_part(train, fitted, bank.as_ref())?;
            parts.insert("captions".into(), captions);
        }
        if self.recipe.rerank.is_some() {
            tracing::warn!("a model does not rank the best answers again; `tuwen evaluate` does");
        }
        if self.recipe.captioner.is_some() {
            parts.insert(CAPTIONER.into(), self.captioner()?);
        }
        let calibrations = match self.recipe.learns_nothing() {
            true => Calibrations::default(),
            false => self.calibrations(features, fitted)?,
        };
        let about = self.about(fitted, calibrations, keep)?;
        let spec = plain(STAGE).input("fusion", fitted.fingerprint.clone());
        Model::from_bundle(Bundle::new(spec, &about, parts))
    }

    /// What turns scores into probabilities.
    pub(super) fn calibrations(
        &self,
        features: &[Features],
        fitted: &Fitted,
    ) -> Result<Calibrations> {
        let words = self.view.as_ref().map(|v| v.fingerprint());
        let spec = Spec::new("calibration", &self.recipe.hubness, 0)
            .input("fusion", fitted.fingerprint.clone())
            .input("words", Fingerprint::of(&words));
        let path = self.file("vocab", "calibration", &spec);
        let artifact = self.cached(&path, spec, |spec| {
            Ok(Artifact::new(spec).with_notes(&self.calibrate(features, fitted)?))
        })?;
        artifact.read_notes()
    }

    fn about(&self, fitted: &Fitted, calibrations: Calibrations, keep: Keep) -> Result<About> {
        let mut recipe = self.recipe.clone();
        recipe.expected.clear(); // of data sets, which a model knows nothing of
        let outcome = &fitted.outcome;
        let chosen = outcome.trials.iter().find(|t| t.setting == outcome.setting);
        let words = fitted.scene_text.as_ref().map(|s| s.choice.setting);
        Ok(About {
            recipe,
            dictionaries: self.dictionaries()?,
            training_pairs: outcome.training_pairs,
            validation: chosen.map(|t| t.score),
            dim: fitted.fusion.dim(),
            calibrations,
            words: words.filter(|setting| setting.share > 0.0),
            captions: match keep.captions {
                true => self.dataset.train()?.texts.len(),
                false => 0,
            },
        })
    }

    /// What pictures and texts go through on their way to the shared space: views, projections, fusion, banks.
    fn encoders(
        &self,
        features: &[Features],
        fitted: &Fitted,
    ) -> Result<BTreeMap<String, Artifact>> {
        let train = &features[self.train()?];
        let mut parts = self.views()?;
        let fusion = &fitted.fusion;
        let for_texts = fusion.for_texts();
        parts.insert("fusion".into(), fusion.store(plain(fusion.stage())));
        parts.insert(
            "fusion.texts".into(),
            for_texts.store(plain(for_texts.stage())),
        );
        if self.recipe.hubness.is_some() {
            for (name, direction) in [
                ("bank.images", Direction::TextToImage),
                ("bank.texts", Direction::ImageToText),
            ] {
                let bank = self.bank(direction, train, fusion)?;
                parts.insert(name.into(), bank.store(Artifact::new(plain("bank"))));
            }
        }
        Ok(parts)
    }

    /// The same, loaded: for measuring what it takes to place an item.
    ///
    /// # Errors
    /// Those of learning what is not there yet.
    pub fn sides(&self, features: &[Features], fitted: &Fitted) -> Result<(PictureSide, TextSide)> {
        let parts = self.encoders(features, fitted)?;
        let bundle = Bundle::new(plain(STAGE), &(), parts);
        let pictures = PictureSide::load(&bundle, self.recipe)?;
        let texts = TextSide::load(&bundle, self.recipe, &self.dictionaries()?)?;
        Ok((pictures, texts))
    }

    fn dictionaries(&self) -> Result<BTreeMap<String, Dictionaries>> {
        let mut dictionaries = BTreeMap::new();
        for params in &self.recipe.text_views {
            if let Some(text) = params.dictionaries()? {
                dictionaries.insert(params.name.clone(), text);
            }
        }
        Ok(dictionaries)
    }

    /// The views of both sides, with their projections.
    fn views(&self) -> Result<BTreeMap<String, Artifact>> {
        let mut parts = BTreeMap::new();
        for params in &self.recipe.image_views {
            let name = &params.name;
            parts.insert(format!("images.{name}"), self.image_view(params)?);
            parts.insert(
                format!("projections.{name}"),
                self.projection_artifact(params)?,
            );
        }
        for params in &self.recipe.text_views {
            let setup = TextViewSetup::new(params)?;
            parts.insert(
                format!("texts.{}", params.name),
                self.text_view(params, &setup)?,
            );
        }
        Ok(parts)
    }

    /// The main directions of the image views.
    fn look(&self, train: &Features) -> Result<Artifact> {
        let images = &train.images;
        let usable: Vec<usize> = (0..images.usable.len())
            .filter(|&i| images.usable[i])
            .collect();
        let params = PcaParams {
            dim: if self.recipe.learns_nothing() {
                0
            } else {
                LOOK
            },
            ..PcaParams::default()
        };
        let some: Vec<usize> = sample_places(usable.len(), params.sample)
            .map(|i| usable[i])
            .collect();
        let pca = params.fit(images.x.select(Axis(0), &some).view(), self.recipe.seed)?;
        Ok(pca.store(Artifact::new(Spec::new("look", &params, self.recipe.seed))))
    }

    /// The visual words of the training pictures.
    fn visual_words(&self) -> Result<Artifact> {
        let params = WordsParams::default();
        let place = self.train()?;
        let collection = &self.dataset.collections[place];
        let plain = collection.plain_images();
        let contents = &self.contents[place][..plain.len()];
        let pictures = pictures::fingerprint(plain, contents);
        let spec = params.spec().input("training pictures", pictures);
        let path = self.file("vocab", "copies", &spec);
        self.cached(&path, spec, |spec| {
            let places: Vec<usize> = sample_places(plain.len(), params.pictures).collect();
            self.progress
                .start("visual words: learning", places.len() as u64);
            let sample = |&i: &usize| {
                let read = pictures::read(&plain[i], &contents[i]);
                self.progress.step(1);
                match read.and_then(|bytes| Picture::decode(&bytes, &params.picture)) {
                    Ok(picture) => Ok(params.sample(&picture)),
                    // what is learned is kept: it must not depend on what will be gone the next time
                    Err(e) if e.is_passing() => Err(e),
                    Err(_) => Ok(None),
                }
            };
            let samples: Result<Vec<Option<Array2<f32>>>> = places.par_iter().map(sample).collect();
            self.progress.finish();
            params.learn_from(spec, samples?.into_iter().flatten().collect())
        })
    }

    /// The training captions in the shared space, charged as the recipe says.
    ///
    /// # Errors
    /// Those of projecting them.
    pub fn captions_of(&self, features: &[Features], fitted: &Fitted) -> Result<Captions> {
        let train = &features[self.train()?];
        let bank = match self.recipe.hubness {
            Some(_) => Some(self.bank(Direction::ImageToText, train, &fitted.fusion)?),
            None => None,
        };
        let part = self.captions_part(train, fitted, bank.as_ref())?;
        Captions::load(&part, fitted.fusion.dim())
    }

    /// The training captions in the shared space.
    fn captions_part(
        &self,
        train: &Features,
        fitted: &Fitted,
        bank: Option<&QueryBank>,
    ) -> Result<Artifact> {
        let Rows { x, usable, .. } = &train.texts;
        // one without a known word says nothing of a picture
        let known = usable_rows(usable, usize::MAX);
        let z = fitted
            .fusion
            .project(Side::Text, x.select(Axis(0), &known).view())?;
        let charges = match bank {
            Some(bank) => bank.charges(z.view()),
            None => Array1::zeros(z.nrows()),
        };
        let all = self.dataset.train()?.captions();
        let captions: Vec<&str> = known.iter().map(|&i| all[i]).collect();
        let spec = Spec::new("captions", &(), 0).input("captions", Fingerprint::of(&captions));
        Ok(Artifact::new(spec)
            .with_notes(&captions)
            .with_matrix("points", z.mapv(f16::from_f32).view())
            .with_vector("charges", charges.view()))
    }
}

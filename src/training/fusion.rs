//! Learning the fusion: on the training pairs, with settings chosen on validation data.

use serde::{Deserialize, Serialize};

use super::space::mean_recall;
use super::validation::Validation;
use super::{Features, Training};
use crate::artifact::{Fingerprint, Spec};
use crate::dataset::{Pair, Split};
use crate::error::Result;
use crate::fusion::{Choice, Columns, Fusion, FusionParams, Memory, Pairs, Trial};
use crate::recipe::Recipe;
use crate::views::{ImageViewParams, TextViewParams, TextViewSetup};

/// A fitted fusion and how it was chosen; [`super::Fitted`] has the same.
pub(super) struct Fused {
    /// Learned from all training pairs.
    pub fusion: Fusion,
    /// The same with the same settings, that has not learned from the validation data.
    pub validating: Fusion,
    /// How the settings were chosen.
    pub outcome: Outcome,
    /// Of all that it was made from.
    pub fingerprint: Fingerprint,
}

/// What choosing among the settings came to.
pub(super) struct Chosen {
    fusion: Fusion,
    validating: Fusion,
    outcome: Outcome,
}

/// The part of a fusion's artifact that has not learned from the validation data, where that is another one.
const VALIDATING: &str = "validating";

/// What choosing the settings came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The setting that was chosen.
    pub setting: FusionParams,
    /// mR on the validation data, for every combination of settings.
    pub trials: Vec<Trial>,
    /// What the validation data was.
    pub validation: String,
    /// Number of pairs that it learned from.
    pub training_pairs: usize,
}

/// Fusions below the recipe's own, one artifact each: recipes with the same members share them.
struct Members<'a> {
    training: &'a Training<'a>,
    /// Which items count in the scores.
    usable: Fingerprint,
}

impl Memory for Members<'_> {
    fn recall(
        &self,
        params: &FusionParams,
        data: Pairs,
        choose: &dyn Fn() -> Result<Choice>,
    ) -> Result<Choice> {
        let Training { recipe, .. } = self.training;
        let among = |views: &[Columns], name: &str| views.iter().any(|v| v.name == name);
        let image_views = recipe.image_views.iter();
        let text_views = recipe.text_views.iter();
        let pairs: Vec<_> = data.pairs.iter().map(|p| (p.image, p.text)).collect();
        let spec = self
            .training
            .spec_of(
                params,
                image_views.filter(|v| among(data.image_views, &v.name)),
                text_views.filter(|v| among(data.text_views, &v.name)),
            )?
            .input("pairs", Fingerprint::of(&pairs))
            .input("usable", self.usable.clone());
        let path = self.training.file("features", "fusion", &spec);
        let artifact = self.training.cached(&path, spec, |spec| {
            let choice = choose()?;
            let notes = (choice.setting, choice.trials);
            Ok(choice.fusion.store(spec).with_notes(&notes))
        })?;
        let (setting, trials) = artifact.read_notes()?;
        Ok(Choice {
            fusion: Fusion::load(&artifact)?,
            setting,
            trials,
        })
    }
}

impl Training<'_> {
    /// What the recipe's fusion is made from.
    pub(super) fn fusion_spec(&self) -> Result<Spec> {
        let Recipe {
            fusion,
            image_views,
            text_views,
            ..
        } = self.recipe;
        self.spec_of(fusion, image_views.iter(), text_views.iter())
    }

    /// What a fusion is made from: views of the training and validation data, and what pairs there.
    fn spec_of<'b>(
        &'b self,
        params: &FusionParams,
        image_views: impl Iterator<Item = &'b ImageViewParams>,
        text_views: impl Iterator<Item = &'b TextViewParams>,
    ) -> Result<Spec> {
        let mut spec = Spec::new(params.stage(), params, self.recipe.seed);
        for params in image_views {
            let pca = self.pca_spec(params, &self.view_spec(params)?);
            spec = spec.input(
                &format!("{} x {}", params.name, params.weight),
                pca.fingerprint(),
            );
        }
        for params in text_views {
            let view = self.text_spec(params, &TextViewSetup::new(params)?)?;
            spec = spec.input(
                &format!("{} x {}", params.name, params.weight),
                view.fingerprint(),
            );
        }
        for (i, c) in self.dataset.collections.iter().enumerate() {
            if c.split != Split::Test {
                let pairs: Vec<_> = c.pairs.iter().map(|p| (p.image, p.text)).collect();
                let data = (self.pictures(i), self.captions(i), pairs);
                spec = spec.input(&format!("{} data", c.name), Fingerprint::of(&data));
            }
        }
        Ok(spec)
    }

    /// The fitted fusion, its settings chosen on the validation split, or on training images that are [`held_out`]
    /// for the choice and then learned from too.
    pub(super) fn fuse(&self, features: &[Features]) -> Result<Fused> {
        let spec = self.fusion_spec()?;
        let fingerprint = spec.fingerprint();
        let path = self.file("features", "fusion", &spec);
        let mut fresh = true;
        let artifact = self.cached(&path, spec, |spec| {
            fresh = false;
            let Chosen {
                fusion,
                validating,
                outcome,
            } = self.choose(features)?;
            let artifact = fusion.store(spec).with_notes(&outcome);
            Ok(match validating == fusion {
                true => artifact,
                false => {
                    let part = validating.store(Spec::new(validating.stage(), &(), 0));
                    artifact.with_part(VALIDATING, part)
                }
            })
        })?;
        if fresh {
            tracing::info!("fusion: up to date");
        }
        let fusion = Fusion::load(&artifact)?;
        let validating = match artifact.part(VALIDATING) {
            Ok(part) => Fusion::load(&part)?,
            Err(_) => fusion.clone(),
        };
        Ok(Fused {
            fusion,
            validating,
            outcome: artifact.read_notes()?,
            fingerprint,
        })
    }

    /// Where the views are in [`Self::features`], image and text.
    fn columns(&self) -> Result<(Vec<Columns>, Vec<Columns>)> {
        let mut images = Vec::new();
        for params in &self.recipe.image_views {
            images.push((params.name.as_str(), self.projection(params)?.dim()));
        }
        let mut texts = Vec::new();
        for params in &self.recipe.text_views {
            texts.push((params.name.as_str(), self.fit_text_view(params)?.dim()));
        }
        Ok((Columns::side_by_side(images), Columns::side_by_side(texts)))
    }

    /// The fusion with the settings that are best on the validation data, which is learned from too in the end where it
    /// was held out of the training data.
    pub(super) fn choose(&self, features: &[Features]) -> Result<Chosen> {
        let train = self.train()?;
        let collection = &self.dataset.collections[train];
        let data = &features[train];
        let usable = |p: &&Pair| data.images.usable[p.image] && data.texts.usable[p.text];
        let all: Vec<Pair> = collection.pairs.iter().filter(usable).copied().collect();
        let (image_views, text_views) = self.columns()?;
        let scored = self.dataset.collections.iter().zip(features);
        let scored = scored.filter(|(c, _)| c.split != Split::Test);
        let usable = scored.map(|(_, f)| (&f.images.usable, &f.texts.usable));
        let memory = Members {
            training: self,
            usable: Fingerprint::of(&usable.collect::<Vec<_>>()),
        };
        let pairs = |pairs| Pairs {
            image_views: &image_views,
            text_views: &text_views,
            memory: Some(&memory),
            ..Pairs::new(data.images.x.view(), data.texts.x.view(), pairs)
        };
        let Validation { place, asked } = self.validation()?;
        let seen = &self.dataset.collections[place];
        let score = |f: &Fusion| mean_recall(f, seen, &features[place], |image| asked[image]);
        let params = &self.recipe.fusion;
        let (choice, fusion, validation) = if place == train {
            let rest: Vec<Pair> = all.iter().filter(|p| !asked[p.image]).copied().collect();
            let choice = match self.view {
                Some(_) => params.recall(pairs(&rest), &score)?, // scene text is judged beside it
                None => params.choose(pairs(&rest), &score)?,
            };
            let fusion = choice.setting.fit(pairs(&all))?;
            let count = asked.iter().filter(|&&a| a).count();
            (choice, fusion, format!("{count} training images held out"))
        } else {
            let choice = params.choose(pairs(&all), &score)?;
            let fusion = choice.fusion.clone();
            (choice, fusion, "val".to_owned())
        };
        let outcome = Outcome {
            setting: choice.setting,
            trials: choice.trials,
            validation,
            training_pairs: all.len(),
        };
        Ok(Chosen {
            fusion,
            validating: choice.fusion,
            outcome,
        })
    }
}

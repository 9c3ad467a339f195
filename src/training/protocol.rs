//! What a recipe is measured on: a split, or every fold of the training pairs in turn.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use super::model::few_to_learn_from;
use super::{Features, Fitted, Training};
use crate::artifact::Spec;
use crate::dataset::{Collection, Dataset, Direction, ImageId, Split, folds};
use crate::error::{Error, Result};
use crate::evaluation::{self, Ranking, Report};
use crate::progress::Progress;
use crate::recipe::Recipe;
use crate::views::TextViewSetup;

/// Both directions, in the order of result files.
pub const BOTH: [Direction; 2] = [Direction::TextToImage, Direction::ImageToText];

/// Folds where a dataset has nothing else to be measured on.
const FOLDS: u64 = 5;

/// What a recipe is measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The pairs of a split.
    Split(Split),
    /// The training pairs divided in `n` by a hash of the image's id, each part tested on what was learned from
    /// the others: within itself, or among all pairs in one `whole` gallery.
    Folds {
        /// Number of folds.
        n: u64,
        /// Whether a fold's queries search all pairs.
        whole: bool,
    },
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Split(split) => split.fmt(f),
            Self::Folds { n, whole: false } => write!(f, "{n} folds"),
            Self::Folds { n, whole: true } => write!(f, "{n} folds in one gallery"),
        }
    }
}

impl Protocol {
    /// The test split, or folds where it has no known pairs.
    pub fn of(dataset: &Dataset) -> Self {
        let mut collections = dataset.collections.iter();
        if collections.any(|c| c.split == Split::Test && !c.pairs.is_empty()) {
            Self::Split(Split::Test)
        } else {
            Self::Folds {
                n: FOLDS,
                whole: false,
            }
        }
    }

    /// The split whose queries are asked.
    pub fn split(self) -> Split {
        match self {
            Self::Split(split) => split,
            Self::Folds { .. } => Split::Test,
        }
    }

    /// Calls `each` with the training of every part: one for a split, one per fold.
    ///
    /// # Errors
    /// [`Error::Dataset`] where a fold has no image, or where their number is not from 2 to 100, and those of `each`.
    pub fn for_each(
        self,
        recipe: &Recipe,
        dataset: &Dataset,
        work: &Path,
        progress: &dyn Progress,
        mut each: impl FnMut(&Training) -> Result<()>,
    ) -> Result<()> {
        let Self::Folds {
            n,
            whole: among_all,
        } = self
        else {
            let validates = dataset.collections.iter().any(|c| c.split == Split::Val);
            let few = (recipe.learns_nothing() && validates).then(|| few_to_learn_from(dataset));
            let dataset = few.as_ref().unwrap_or(dataset);
            return each(&Training::new(recipe, dataset, work, progress));
        };
        if !(2..=100).contains(&n) {
            let reason = format!("it can be divided in 2 to 100 folds, not in {n}");
            return Err(Error::dataset(&dataset.name, reason));
        }
        let of = |collections| Dataset {
            name: dataset.name.clone(),
            collections,
            warnings: vec![],
        };
        let whole = of(vec![dataset.train()?.clone()]);
        let contents = Training::new(recipe, &whole, work, progress).train_contents()?
            [..whole.collections[0].images.len()]
            .to_vec();
        let parts = folds(&whole.collections[0], &contents, n);
        for (k, (train, mut test)) in (1..).zip(parts) {
            if test.images.is_empty() {
                let reason = format!("fold {k} is empty: use fewer folds");
                return Err(Error::dataset(&dataset.name, reason));
            }
            if among_all {
                test = all_asking_some(&whole.collections[0], &test);
            }
            let fold = of(vec![train, test]);
            each(&Training::new(recipe, &fold, work, progress))?;
        }
        Ok(())
    }

    /// Says which fold it is that begins.
    pub fn announce(self, training: &Training) {
        if let (Self::Folds { n, .. }, [train, test]) = (self, &training.dataset.collections[..]) {
            tracing::info!(
                "{n} folds, {}: {} images to learn from, {} to test on",
                test.name,
                train.images.len(),
                test.images.len()
            );
        }
    }

    /// Learns and ranks every part, and reports the figures of both directions; `each` sees what every part has learned.
    ///
    /// # Errors
    /// [`Error::Dataset`] where no query could be asked, and those of [`Self::for_each`].
    pub fn measure(
        self,
        recipe: &Recipe,
        dataset: &Dataset,
        work: &Path,
        progress: &dyn Progress,
        mut each: impl FnMut(&Training, &[Features], &Fitted) -> Result<()>,
    ) -> Result<Report> {
        let mut rankings = [None, None];
        self.for_each(recipe, dataset, work, progress, |training| {
            self.announce(training);
            let features = training.features()?;
            let fitted = training.fit(&features)?;
            each(training, &features, &fitted)?;
            self.rank(training, &features, &fitted, &mut rankings)
        })?;
        if rankings.iter().flatten().all(|r| r.ranks.is_empty()) {
            let reason = format!("none of its {self} queries could be asked");
            return Err(Error::dataset(&dataset.name, reason));
        }
        let [t2i, i2t] = rankings.each_ref().map(Option::as_ref);
        let split = self.to_string();
        let about = (dataset.name.as_str(), recipe.name.as_str(), &*split);
        Ok(evaluation::report(about, t2i, i2t, recipe.seed))
    }

    /// Both directions' rankings of one part, added to those of the parts before.
    pub fn rank(
        self,
        training: &Training,
        features: &[Features],
        fitted: &Fitted,
        rankings: &mut [Option<Ranking>; 2],
    ) -> Result<()> {
        for (all, direction) in rankings.iter_mut().zip(BOTH) {
            let part = training.rank(self.split(), direction, features, fitted)?;
            if let Some(part) = part {
                all.get_or_insert_with(Ranking::default).extend(&part);
            }
        }
        Ok(())
    }
}

/// A whole collection, of which the queries in a part of it alone have known answers, and so are asked.
fn all_asking_some(all: &Collection, part: &Collection) -> Collection {
    let asked: HashSet<&ImageId> = part.images.iter().map(|i| &i.id).collect();
    let mut all = Collection {
        name: format!("{}-among-all", part.name),
        split: part.split,
        directions: part.directions.clone(),
        ..all.clone()
    };
    let Collection { images, pairs, .. } = &mut all;
    pairs.retain(|p| asked.contains(&images[p.image].id));
    all
}

/// Which parts of a run nothing has been computed of yet, so that making them can be timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct New {
    /// Whether no image view is fitted.
    pub image_views: bool,
    /// Whether no text view is fitted.
    pub text_views: bool,
    /// Whether the fusion is not fitted.
    pub fusion: bool,
}

impl Training<'_> {
    /// Looks for what was learned: everything else of a view comes after it.
    pub fn what_is_new(&self) -> Result<New> {
        let absent = |kind, name: &str, spec: &Spec| !self.file(kind, name, spec).exists();
        let mut new = New {
            image_views: true,
            text_views: true,
            fusion: true,
        };
        for params in &self.recipe.image_views {
            new.image_views &= absent("vocab", &params.name, &self.view_spec(params)?);
        }
        for params in &self.recipe.text_views {
            let spec = self.text_spec(params, &TextViewSetup::new(params)?)?;
            new.text_views &= absent("vocab", &params.name, &spec);
        }
        let fusion = self.fusion_spec()?;
        new.fusion = absent("features", "fusion", &fusion);
        Ok(new)
    }
}

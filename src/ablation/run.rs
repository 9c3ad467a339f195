//! Runs and measures one recipe. The results are kept in a run file beside the recipes; the ranks of its queries,
//! which paired tests need, are kept in the work folder.

use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::cost::Cost;
use super::machine::{Commit, Machine};
use crate::reliability::{Believed, Probabilities};
use tuwen::artifact::{Artifact, Fingerprint, Spec};
use tuwen::dataset::Dataset;
use tuwen::error::{Error, Result};
use tuwen::evaluation::{self, KS, Ranking, Report};
use tuwen::files;
use tuwen::fusion::FusionParams;
use tuwen::ocr::Models;
use tuwen::progress::Progress;
use tuwen::recipe::Recipe;
use tuwen::training::{Features, Fitted, Protocol, SceneTextChoice, Training};

/// Raised when the contents of a run file change.
const SCHEMA: u32 = 1;

/// The results of a recipe on a dataset, stored as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFile {
    /// Digest of everything that determines the figures.
    pub fingerprint: Fingerprint,
    /// Recalls, ranks and confidence intervals.
    pub report: Report,
    /// Recalls of a random order.
    pub chance: Chance,
    /// The chosen setting of each fold; one entry without folds.
    pub chosen: Vec<Chosen>,
    /// The recipe's seed.
    pub seed: u64,
    /// Version of this crate.
    pub version: String,
    /// Commit of the sources; `None` outside a repository.
    pub commit: Option<Commit>,
    /// The machine that the run was measured on.
    pub machine: Machine,
    /// Time and memory per item.
    pub cost: Cost,
    /// Time of the stages.
    pub seconds: Seconds,
    /// What probabilities are worth.
    #[serde(default)]
    pub believed: Believed,
}

/// R@1, R@5 and R@10 of a random order, in per cent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chance {
    /// Text to image; `None` if not evaluated.
    pub t2i: Option<[f64; 3]>,
    /// Image to text; `None` if not evaluated.
    pub i2t: Option<[f64; 3]>,
}

/// The setting that scored best on validation data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// The fusion's settings, one value for each.
    pub setting: FusionParams,
    /// mR of this setting on the validation data, in per cent.
    #[serde(rename = "mR")]
    pub mean_recall: Option<f64>,
    /// Description of the validation data.
    pub validation: String,
    /// Number of pairs that the fusion was trained on.
    pub training_pairs: usize,
    /// The settings chosen for the text in pictures, if the recipe reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_text: Option<SceneTextChoice>,
}

/// Wall-clock seconds per stage; `None` if part of the stage had been computed before, by another recipe or by a
/// run whose file is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// Learning the image views and describing every picture.
    pub image_views: Option<f64>,
    /// Learning the text views and describing every caption.
    pub text_views: Option<f64>,
    /// Fitting every setting and choosing one.
    pub fusion: Option<f64>,
}

impl Seconds {
    /// Adds the times of another fold.
    fn add(&mut self, other: &Self) {
        let sum = |a: &mut Option<f64>, b: Option<f64>| *a = a.zip(b).map(|(a, b)| a + b);
        sum(&mut self.image_views, other.image_views);
        sum(&mut self.text_views, other.text_views);
        sum(&mut self.fusion, other.fusion);
    }

    /// Fills gaps with the times of an earlier run of the same recipe.
    fn or(self, earlier: &Self) -> Self {
        Self {
            image_views: self.image_views.or(earlier.image_views),
            text_views: self.text_views.or(earlier.text_views),
            fusion: self.fusion.or(earlier.fusion),
        }
    }
}

/// A recipe's figures with the ranks that they summarise.
pub struct Measured {
    /// The contents of the run file.
    pub run: RunFile,
    /// Ranks of the queries: text to image, then image to text; `None` if not evaluated.
    pub rankings: [Option<Ranking>; 2],
}

impl Measured {
    /// The rankings of the directions that were evaluated.
    pub fn asked(&self) -> Vec<&Ranking> {
        self.rankings.iter().flatten().collect()
    }
}

/// The dataset, protocol and folders that recipes are run with.
pub struct Bench<'a> {
    /// The dataset to evaluate on.
    pub dataset: &'a Dataset,
    /// The split or folds to evaluate on.
    pub protocol: Protocol,
    /// Work folder, which holds `vocab/` and `features/`.
    pub work: &'a Path,
    /// Folder of the run files, with one folder per dataset.
    pub runs: &'a Path,
    /// The current commit of the sources.
    pub commit: Option<Commit>,
    /// Receives the progress of long stages.
    pub progress: &'a dyn Progress,
}

/// The results of one part of a run, such as a fold.
struct Part {
    chosen: Chosen,
    cost: Cost,
    seconds: Seconds,
}

impl Bench<'_> {
    /// The digest of everything that determines the figures of a recipe.
    ///
    /// # Errors
    /// Those of reading what the recipe names, such as [`Error::Weights`] for models that are missing.
    pub fn fingerprint(&self, recipe: &Recipe) -> Result<Fingerprint> {
        if let Some(scene_text) = &recipe.scene_text {
            scene_text.reader.spec(&Models::find())?; // not measured without what it is about
        }
        let mut parts = Vec::new();
        self.for_each_part(recipe, |p| {
            parts.push(p.fingerprint()?);
            Ok(())
        })?;
        Ok(Fingerprint::of(&(SCHEMA, self.protocol.to_string(), parts)))
    }

    fn for_each_part(
        &self,
        recipe: &Recipe,
        each: impl FnMut(&Training) -> Result<()>,
    ) -> Result<()> {
        let (dataset, work) = (self.dataset, self.work);
        self.protocol
            .for_each(recipe, dataset, work, self.progress, each)
    }

    /// The path of a recipe's run file.
    pub fn run_path(&self, recipe: &Recipe) -> PathBuf {
        let folder = self.runs.join(&self.dataset.name);
        folder.join(format!("{}.json", recipe.name))
    }

    fn ranks_path(&self, spec: &Spec) -> PathBuf {
        let folder = self.work.join("features").join(&self.dataset.name);
        folder.join(format!("ranks-{}.safetensors", spec.fingerprint().short()))
    }

    /// The last run file of a recipe, if it has this fingerprint.
    fn run_file(&self, recipe: &Recipe, fingerprint: &Fingerprint) -> Option<RunFile> {
        let bytes = std::fs::read(self.run_path(recipe)).ok()?;
        let run: RunFile = serde_json::from_slice(&bytes).ok()?;
        (run.fingerprint == *fingerprint).then_some(run)
    }

    /// The results of an earlier run with the same fingerprint; `None` if there is none or its ranks are gone.
    pub fn earlier(&self, recipe: &Recipe, fingerprint: &Fingerprint) -> Result<Option<Measured>> {
        let Some(run) = self.run_file(recipe, fingerprint) else {
            return Ok(None);
        };
        let spec = ranks_spec(recipe, fingerprint);
        let Some(artifact) = Artifact::read_fresh(&self.ranks_path(&spec), &spec) else {
            return Ok(None);
        };
        let rankings = load_ranks(&artifact)?;
        // ranks may have come from a recipe of the same things, in another work folder or before a change here
        let told = self.report(recipe, &rankings);
        Ok((run.report == told).then_some(Measured { run, rankings }))
    }

    /// Runs and measures a recipe, and writes its run file. `fingerprint` comes from [`Self::fingerprint`].
    pub fn run(&self, recipe: &Recipe, fingerprint: Fingerprint) -> Result<Measured> {
        let mut rankings = [None, None];
        let mut parts: Vec<Part> = Vec::new();
        let mut probabilities = Probabilities::default();
        self.for_each_part(recipe, |training| {
            self.protocol.announce(training);
            let (features, fitted, seconds) = learn(training)?;
            self.protocol
                .rank(training, &features, &fitted, &mut rankings)?;
            probabilities.check(&self.protocol, training, &features, &fitted)?;
            let bytes_per_item = size_of::<f32>() * fitted.fusion.dim();
            let chosen = chosen(&fitted);
            let cost = match parts.first() {
                Some(first) => first.cost.clone(), // one fold stands for all
                None => Cost::measure(
                    self.protocol.split(),
                    training,
                    &features,
                    &fitted,
                    bytes_per_item,
                )?,
            };
            parts.push(Part {
                chosen,
                cost,
                seconds,
            });
            Ok(())
        })?;
        for ranking in &mut rankings {
            ranking.take_if(|r: &mut Ranking| r.ranks.is_empty());
        }
        self.write(
            recipe,
            fingerprint,
            rankings,
            parts,
            probabilities.believed(),
        )
    }

    fn write(
        &self,
        recipe: &Recipe,
        fingerprint: Fingerprint,
        rankings: [Option<Ranking>; 2],
        parts: Vec<Part>,
        believed: Believed,
    ) -> Result<Measured> {
        let first = parts.first().expect("a protocol has a part or fails");
        let (cost, mut seconds) = (first.cost.clone(), first.seconds.clone());
        parts[1..].iter().for_each(|p| seconds.add(&p.seconds));
        if let Some(earlier) = self.run_file(recipe, &fingerprint) {
            seconds = seconds.or(&earlier.seconds);
        }
        let [t2i, i2t] = rankings.each_ref().map(Option::as_ref);
        if t2i.is_none() && i2t.is_none() {
            let reason = format!("it has no {} pairs", self.protocol);
            return Err(Error::dataset(&self.dataset.name, reason));
        }
        let chance = |r: &Ranking| KS.map(|k| r.chance(k));
        let spec = ranks_spec(recipe, &fingerprint);
        let run = RunFile {
            report: self.report(recipe, &rankings),
            chance: Chance {
                t2i: t2i.map(chance),
                i2t: i2t.map(chance),
            },
            chosen: parts.into_iter().map(|p| p.chosen).collect(),
            seed: recipe.seed,
            version: env!("CARGO_PKG_VERSION").into(),
            commit: self.commit.clone(),
            machine: Machine::this(),
            cost,
            seconds,
            believed,
            fingerprint,
        };
        store_ranks(Artifact::new(spec.clone()), &rankings).write(&self.ranks_path(&spec))?;
        let mut json = serde_json::to_vec_pretty(&run).expect("a run file is plain data");
        json.push(b'\n');
        files::write(&self.run_path(recipe), &json)?;
        Ok(Measured { run, rankings })
    }

    fn report(&self, recipe: &Recipe, rankings: &[Option<Ranking>; 2]) -> Report {
        let [t2i, i2t] = rankings.each_ref().map(Option::as_ref);
        let split = self.protocol.to_string();
        let about = (&*self.dataset.name, &*recipe.name, &*split);
        evaluation::report(about, t2i, i2t, recipe.seed)
    }
}

fn chosen(
    Fitted {
        outcome,
        scene_text,
        ..
    }: &Fitted,
) -> Chosen {
    let mut trials = outcome.trials.iter();
    let trial = trials.find(|t| t.setting == outcome.setting);
    Chosen {
        setting: outcome.setting.clone(),
        mean_recall: trial.map(|t| t.score),
        validation: outcome.validation.clone(),
        training_pairs: outcome.training_pairs,
        scene_text: scene_text.as_ref().map(|s| s.choice.clone()),
    }
}

/// Features and fusion, with the time of each that was computed from scratch.
fn learn(training: &Training) -> Result<(Vec<Features>, Fitted, Seconds)> {
    let new = training.what_is_new()?;
    let clock = |new: bool, since: Instant| {
        new.then(|| (since.elapsed().as_secs_f64() * 1e3).round() / 1e3)
    };
    let start = Instant::now();
    let images = training.image_features()?;
    let image_views = clock(new.image_views, start);
    let start = Instant::now();
    let texts = training.text_features()?;
    let text_views = clock(new.text_views, start);
    let both = images.into_iter().zip(texts);
    let features: Vec<Features> = both
        .map(|(images, texts)| Features { images, texts })
        .collect();
    let start = Instant::now();
    let fitted = training.fit(&features)?;
    let seconds = Seconds {
        image_views,
        text_views,
        fusion: clock(new.fusion, start),
    };
    Ok((features, fitted, seconds))
}

fn ranks_spec(recipe: &Recipe, fingerprint: &Fingerprint) -> Spec {
    Spec::new("ranks", &(), recipe.seed).input("run", fingerprint.clone())
}

const PREFIXES: [&str; 2] = ["t2i", "i2t"];

fn store_ranks(mut artifact: Artifact, rankings: &[Option<Ranking>; 2]) -> Artifact {
    let whole = |v: &[usize]| v.iter().map(|&v| v as u32).collect::<Array1<u32>>();
    for (name, ranking) in PREFIXES.iter().zip(rankings) {
        let Some(r) = ranking else { continue };
        artifact = artifact
            .with_vector(
                &format!("{name}.ranks"),
                Array1::from(r.ranks.clone()).view(),
            )
            .with_vector(&format!("{name}.units"), whole(&r.units).view())
            .with_vector(&format!("{name}.right"), whole(&r.right).view())
            .with_vector(&format!("{name}.gallery"), whole(&r.gallery).view());
    }
    artifact
}

fn load_ranks(artifact: &Artifact) -> Result<[Option<Ranking>; 2]> {
    let whole = |name: String| -> Result<Vec<usize>> {
        let numbers = artifact.vector::<u32>(&name)?;
        Ok(numbers.iter().map(|&v| v as usize).collect())
    };
    let mut rankings = [None, None];
    for (name, ranking) in PREFIXES.iter().zip(&mut rankings) {
        let key = format!("{name}.ranks");
        if artifact.tensors().any(|(n, _, _)| n == key) {
            *ranking = Some(Ranking {
                ranks: artifact.vector::<f64>(&key)?.to_vec(),
                units: whole(format!("{name}.units"))?,
                right: whole(format!("{name}.right"))?,
                gallery: whole(format!("{name}.gallery"))?,
            });
        }
    }
    Ok(rankings)
}

//! Re-ranking: a network that compares pairs looks again at the best answers.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tuwen_nets::matching::{Encoded, Matcher, Paired};
use tuwen_nets::tokens::UNKNOWN;

use super::networks::{Cells, watch};
use super::{Described, Learned, RerankParams};
use crate::artifact::{Artifact, Spec};
use crate::dataset::{Collection, Direction, folds};
use crate::error::{Error, Result};
use crate::networks::own;
use crate::progress::Progress;
use crate::text::{StoredWords, Words};

/// Networks that compare pairs, and how much they count.
pub struct Reranker {
    params: RerankParams,
    networks: Vec<Matcher>,
    words: Words,
    weight: f32,
    /// The items of the collection that was compared last: both directions and all weights ask for them.
    last: Mutex<Option<(usize, Arc<Compared>)>>,
}

/// The items of a collection, ready to be compared.
pub struct Compared {
    of_networks: Vec<Encoded>,
    depth: usize,
    alone: bool,
}

#[derive(Serialize, Deserialize)]
struct Notes {
    #[serde(flatten)]
    words: StoredWords,
    /// Numbers of a cell.
    width: usize,
    networks: usize,
}

/// What places the compared above the others; their own scores are within a few standard deviations.
const ABOVE: f32 = 10.0;

impl Compared {
    /// Gives the items of a gallery that score best for a query new scores, which are above those of the others. Items are
    /// numbered as in the collection.
    pub fn reorder(
        &self,
        direction: Direction,
        query: usize,
        gallery: &[usize],
        weight: f32,
        scores: &mut [f32],
    ) {
        let mut places: Vec<usize> = (0..scores.len())
            .filter(|&i| scores[i].is_finite())
            .collect();
        if self.depth > 0 && self.depth < places.len() {
            let by_score = |&a: &usize, &b: &usize| scores[b].total_cmp(&scores[a]).then(a.cmp(&b));
            places.select_nth_unstable_by(self.depth - 1, by_score);
            places.truncate(self.depth);
            places.sort_unstable();
        }
        if places.is_empty() {
            return;
        }
        let items: Vec<usize> = places.iter().map(|&p| gallery[p]).collect();
        let mut pairs = vec![0.0; items.len()];
        for encoded in &self.of_networks {
            let found = match direction {
                Direction::TextToImage => encoded.scores(&items, &[query]),
                Direction::ImageToText => encoded.scores(&[query], &items),
            };
            pairs
                .iter_mut()
                .zip(found)
                .for_each(|(sum, score)| *sum += score);
        }
        let before: Vec<f32> = places.iter().map(|&p| scores[p]).collect();
        let (pairs, before) = (standardized(pairs), standardized(before));
        let highest = scores
            .iter()
            .copied()
            .filter(|s| s.is_finite())
            .fold(0.0, f32::max);
        for ((&place, pair), before) in places.iter().zip(pairs).zip(before) {
            let before = if self.alone { 0.0 } else { before };
            scores[place] = highest + ABOVE + (before + weight * pair) / (1.0 + weight);
        }
    }
}

/// Less the mean, over the deviation.
fn standardized(mut values: Vec<f32>) -> Vec<f32> {
    let n = values.len() as f32;
    let mean = values.iter().sum::<f32>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
    let deviation = variance.sqrt().max(f32::MIN_POSITIVE);
    values
        .iter_mut()
        .for_each(|v| *v = ((*v - mean) / deviation).clamp(-ABOVE, ABOVE));
    values
}

impl Reranker {
    /// Sets how much it counts beside the scores before.
    pub fn weigh(&mut self, weight: f32) {
        self.weight = weight;
    }

    /// How much it counts beside the scores before.
    pub fn weight(&self) -> f32 {
        self.weight
    }
}

/// Learns from pairs: one network, or one for each part of the training pictures that it does not see.
///
/// # Errors
/// Those of learning.
pub fn learn_matchers(
    params: &RerankParams,
    learned: Learned,
    spec: Spec,
    checkpoint: &Path,
    progress: &dyn Progress,
) -> Result<Artifact> {
    let train = learned.train.collection;
    let words = params.words.learn(&learned)?;
    let cells = Cells::of_all(&learned, &params.regions);
    let learn = paired(params, train, &cells.train, &words);
    let val = learned.val.as_ref().zip(cells.val.as_ref());
    let val = val.map(|(v, cells)| paired(params, v.collection, cells, &words));
    let mut runs: Vec<(Paired, Option<Paired>)> = Vec::new();
    if params.folds < 2 {
        runs.push((learn, val));
    } else {
        for (_, out) in folds(train, learned.contents, params.folds) {
            let out: BTreeSet<&str> = out.images.iter().map(|i| &*i.id.0).collect();
            let is_out = |image: usize| out.contains(&*train.images[image].id.0);
            let (learn, val) = (part(&learn, |p| !is_out(p)), part(&learn, is_out));
            if learn.pairs.is_empty() || val.pairs.is_empty() {
                let reason = format!("one of {} folds is empty: use fewer", params.folds);
                return Err(Error::dataset(&train.name, reason));
            }
            runs.push((learn, Some(val)));
        }
    }
    let mut artifact = Artifact::new(spec.clone()).with_notes(&Notes {
        width: cells.train.view().width,
        networks: runs.len(),
        words: words.stored(),
    });
    let mut kept = Vec::new();
    for (i, (learn, val)) in runs.iter().enumerate() {
        // kept until all have learned: one alone may take an hour
        let path = checkpoint.with_extension(format!("network{i}"));
        let of_one = Spec::new("network", &i, spec.seed).input("all", spec.fingerprint());
        let one = match Artifact::read_fresh(&path, &of_one) {
            Some(one) => one,
            None => {
                let network = Matcher::learn(
                    &params.network,
                    learn,
                    val.as_ref(),
                    words.count(),
                    spec.seed + i as u64,
                    Some(&checkpoint.with_extension(format!("checkpoint{i}"))),
                    &mut watch("matcher", progress),
                )?;
                let one = own::store(&network.weights(), Artifact::new(of_one));
                one.write(&path)?;
                one
            }
        };
        kept.push(path);
        artifact = artifact.with_part(&format!("network.{i}"), one);
    }
    for path in kept {
        let _ = fs::remove_file(path); // it is part of the whole now
    }
    Ok(artifact)
}

impl Reranker {
    /// Reads what [`learn_matchers`] made.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) if parts are missing or do not fit together.
    pub fn load(params: &RerankParams, artifact: &Artifact) -> Result<Self> {
        let Notes {
            words,
            width,
            networks,
        } = artifact.read_notes()?;
        let words = words.load()?;
        let network = |i| {
            let weights = own::load(&artifact.part(&format!("network.{i}"))?)?;
            Ok(Matcher::of(&params.network, width, words.count(), weights)?)
        };
        Ok(Self {
            params: params.clone(),
            networks: (0..networks).map(network).collect::<Result<_>>()?,
            words,
            weight: params.weight[0],
            last: Mutex::default(),
        })
    }

    /// The items of the collection at a place, ready to be compared; `of` describes them unless they are the ones of the last time.
    ///
    /// # Errors
    /// Those of `of`.
    pub fn compared(
        &self,
        place: usize,
        of: impl FnOnce(&dyn Fn(&Described) -> Compared) -> Result<Compared>,
    ) -> Result<Arc<Compared>> {
        let mut last = self.last.lock().expect("no thread panics with it");
        if let Some((of_place, compared)) = &*last
            && *of_place == place
        {
            return Ok(compared.clone());
        }
        let compared = Arc::new(of(&|described| self.compare(described))?);
        *last = Some((place, compared.clone()));
        Ok(compared)
    }

    fn compare(&self, described: &Described) -> Compared {
        let cells = Cells::of(described.rows, self.params.regions.cells());
        let data = paired(&self.params, described.collection, &cells, &self.words);
        Compared {
            of_networks: self.networks.iter().map(|n| n.encode(&data)).collect(),
            depth: self.params.depth,
            alone: self.params.alone,
        }
    }
}

/// The pairs of a collection, as numbers; a caption without a known word is one unknown word.
fn paired<'c>(
    params: &RerankParams,
    collection: &Collection,
    cells: &'c Cells,
    words: &Words,
) -> Paired<'c> {
    let of = |caption: &&str| {
        let numbers = words.numbers(caption, params.network.length);
        if numbers.is_empty() {
            vec![UNKNOWN]
        } else {
            numbers
        }
    };
    let usable = collection.pairs.iter().filter(|p| cells.usable[p.image]);
    Paired {
        regions: cells.view(),
        captions: collection.captions().par_iter().map(of).collect(),
        pairs: usable.map(|p| (p.image, p.text)).collect(),
    }
}

/// The pairs of some pictures.
fn part<'c>(data: &Paired<'c>, keep: impl Fn(usize) -> bool) -> Paired<'c> {
    Paired {
        regions: data.regions,
        captions: data.captions.clone(),
        pairs: data.pairs.iter().copied().filter(|p| keep(p.0)).collect(),
    }
}

//! Training: batches of pictures with one caption each; forward pass, loss, backward pass, step.

use std::collections::BTreeMap;

use ndarray::ArrayView2;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::dropout::Dropout;
use super::optimizer::AdamW;
use super::tower::{Pass, Tower};
use super::{Mlp, MlpParams, TowerParams};
use crate::artifact::Fingerprint;
use crate::fusion::Pairs;

/// A picture and its captions.
struct Captioned {
    image: usize,
    texts: Vec<usize>,
}

/// A training run.
pub struct Trainer<'a> {
    params: MlpParams,
    data: Pairs<'a>,
    items: Vec<Captioned>,
    image_labels: Vec<usize>,
    text_labels: Vec<usize>,
    image: (Tower<f32>, AdamW),
    text: (Tower<f32>, AdamW),
    rng: ChaCha8Rng,
    step: usize,
}

/// Labels of the rows; equal vectors have equal labels.
fn labels(x: ArrayView2<f32>) -> Vec<usize> {
    let mut seen = BTreeMap::new();
    let mut bytes = Vec::new();
    let label = |row: ndarray::ArrayView1<f32>| {
        bytes.clear();
        row.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
        let next = seen.len();
        *seen.entry(Fingerprint::of_bytes(&bytes)).or_insert(next)
    };
    x.outer_iter().map(label).collect()
}

/// All (i, j), i ≠ j, whose items have the same label.
fn equal_pairs(items: &[usize], labels: &[usize], out: &mut Vec<(usize, usize)>) {
    let mut places: Vec<usize> = (0..items.len()).collect();
    places.sort_by_key(|&i| labels[items[i]]);
    for group in places.chunk_by(|&i, &j| labels[items[i]] == labels[items[j]]) {
        let pairs = group
            .iter()
            .flat_map(|&i| group.iter().map(move |&j| (i, j)));
        out.extend(pairs.filter(|(i, j)| i != j));
    }
}

/// A tower's forward pass with the dropout of this step.
fn forward(
    tower: &Tower<f32>,
    params: &TowerParams,
    x: ArrayView2<f32>,
    rows: &[usize],
    rng: &mut ChaCha8Rng,
) -> Pass<f32> {
    let input = Dropout::new(params.input_dropout, rng.r#gen());
    let hidden = Dropout::new(params.hidden_dropout, rng.r#gen());
    tower.forward(tower.input(x, rows, Some(&input)), Some(&hidden))
}

impl<'a> Trainer<'a> {
    pub fn new(params: MlpParams, data: Pairs<'a>, start: Mlp, rng: ChaCha8Rng) -> Self {
        let items = data.texts_of_images().into_iter();
        let with_state = |tower: Tower<f32>| {
            let state = AdamW::new(&tower.weights);
            (tower, state)
        };
        Self {
            params,
            data,
            items: items
                .map(|(image, texts)| Captioned { image, texts })
                .collect(),
            image_labels: labels(data.x),
            text_labels: labels(data.y),
            image: with_state(start.image),
            text: with_state(start.text),
            rng,
            step: 0,
        }
    }

    /// Trains on every picture once, in batches of equal size. Returns the mean loss.
    pub fn epoch(&mut self) -> f64 {
        let n = self.items.len();
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut self.rng);
        let batches = n.div_ceil(self.params.batch);
        let steps = batches * self.params.epochs;
        let mut total = 0.0;
        for b in 0..batches {
            total += self.step(&order[b * n / batches..(b + 1) * n / batches], steps);
        }
        total / batches as f64
    }

    /// Makes one step of a run of `steps`. Returns the loss.
    fn step(&mut self, batch: &[usize], steps: usize) -> f64 {
        let rng = &mut self.rng;
        let images: Vec<usize> = batch.iter().map(|&i| self.items[i].image).collect();
        let texts: Vec<usize> = batch
            .iter()
            .map(|&i| {
                *self.items[i]
                    .texts
                    .choose(rng)
                    .expect("a picture of a pair")
            })
            .collect();
        let mut equal = Vec::new();
        equal_pairs(&images, &self.image_labels, &mut equal);
        equal_pairs(&texts, &self.text_labels, &mut equal);

        let (image, text) = (&mut self.image, &mut self.text);
        let x = forward(&image.0, &self.params.image, self.data.x, &images, rng);
        let y = forward(&text.0, &self.params.text, self.data.y, &texts, rng);
        let captions = || text.0.input(self.data.y, &texts, None);
        let loss = self
            .params
            .loss
            .of(x.unit.view(), y.unit.view(), captions, &equal);
        let dx = image.0.backward(&x, loss.d_images);
        let dy = text.0.backward(&y, loss.d_texts);

        let optimizer = &self.params.optimizer;
        let at = (self.step, optimizer.rate(self.step, steps));
        let shortening = optimizer.shortening(&[&dx, &dy]);
        for ((tower, state), gradient) in [(image, dx), (text, dy)] {
            state.step(optimizer, at, &mut tower.weights, (&gradient, shortening));
        }
        self.step += 1;
        loss.value
    }

    /// The towers with the moving average of their weights.
    pub fn average(&self) -> Mlp {
        let tower = |(tower, state): &(Tower<f32>, AdamW)| Tower {
            weights: state.average.clone(),
            ..tower.clone()
        };
        Mlp {
            image: tower(&self.image),
            text: tower(&self.text),
            canonical: None,
        }
    }
}

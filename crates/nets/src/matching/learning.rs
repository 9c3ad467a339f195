//! How networks for pairs learn: wrong pairs of a batch have to stay below the right one by a margin.

use std::collections::{BTreeSet, HashMap, HashSet};

use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{Encoded, Net, Paired, compare};
use crate::captions::Captions;
use crate::params::{Margin, MatcherParams, Negatives};
use crate::training::Task;

/// Pictures of the validation data that are compared after an epoch: with all their captions, those of SCAN take seconds.
const VALIDATED: usize = 200;

/// Pairs to learn from, and what the network is judged by.
pub(super) struct Learning<'a> {
    params: &'a MatcherParams,
    data: &'a Paired<'a>,
    known: HashSet<(usize, usize)>,
    /// The share of each word in the length of a caption: TF-IDF, by caption.
    weighed: Vec<HashMap<u32, f32>>,
    val: Option<&'a Paired<'a>>,
}

/// TF-IDF vectors of unit length.
fn weigh(captions: &[Vec<u32>]) -> Vec<HashMap<u32, f32>> {
    let mut found: HashMap<u32, usize> = HashMap::new();
    for caption in captions {
        let words: HashSet<u32> = caption.iter().copied().collect();
        words
            .iter()
            .for_each(|&w| *found.entry(w).or_default() += 1);
    }
    let idf = |w: u32| ((1 + captions.len()) as f32 / (1 + found[&w]) as f32).ln();
    let of = |caption: &Vec<u32>| {
        let mut weights: HashMap<u32, f32> = HashMap::new();
        for &word in caption {
            *weights.entry(word).or_default() += idf(word);
        }
        // a sum in the order of the words, so that it is always the same
        let mut words: Vec<u32> = weights.keys().copied().collect();
        words.sort_unstable();
        let square: f32 = words.iter().map(|w| weights[w] * weights[w]).sum();
        weights
            .values_mut()
            .for_each(|w| *w /= square.sqrt().max(1e-6));
        weights
    };
    captions.iter().map(of).collect()
}

fn cosine(a: &HashMap<u32, f32>, caption: &[u32], b: &HashMap<u32, f32>) -> f32 {
    let mut words = caption.to_vec();
    words.sort_unstable();
    words.dedup();
    words
        .iter()
        .map(|w| b[w] * a.get(w).copied().unwrap_or(0.0))
        .sum()
}

impl<'a> Learning<'a> {
    pub(super) fn new(
        params: &'a MatcherParams,
        data: &'a Paired<'a>,
        val: Option<&'a Paired<'a>>,
    ) -> Self {
        Self {
            params,
            data,
            known: data.pairs.iter().copied().collect(),
            weighed: weigh(&data.captions),
            val,
        }
    }

    /// What wrong pairs of a batch have to stay below the right one by, and 1 where a pair is wrong: B×B each.
    fn margins(&self, pairs: &[(usize, usize)], device: &Device) -> (Tensor<2>, Tensor<2>) {
        let n = pairs.len();
        let (mut margins, mut wrong) = (Vec::with_capacity(n * n), Vec::with_capacity(n * n));
        for &(picture, own) in pairs {
            for &(_, caption) in pairs {
                let captions = &self.data.captions;
                margins.push(match self.params.margin {
                    Margin::Fixed(margin) => margin as f32,
                    // Yuan et al. 2022, §III-D: the nearer a wrong caption is to the right one, the nearer it may come
                    Margin::Dynamic { most, strength } => {
                        let alike = cosine(
                            &self.weighed[own],
                            &captions[caption],
                            &self.weighed[caption],
                        );
                        (most * (1.0 - strength * f64::from(alike))) as f32
                    }
                });
                wrong.push(f32::from(!self.known.contains(&(picture, caption))));
            }
        }
        let tensor = |values| Tensor::from_data(TensorData::new(values, [n, n]), device);
        (tensor(margins), tensor(wrong))
    }
}

impl Task for Learning<'_> {
    type Net = Net;

    fn items(&self) -> usize {
        self.data.pairs.len()
    }

    /// The triplet loss, over the captions of a picture and over the pictures of a caption.
    fn loss(&self, net: &Net, batch: &[usize], device: &Device, rng: &mut ChaCha8Rng) -> Tensor<1> {
        let pairs: Vec<(usize, usize)> = batch.iter().map(|&i| self.data.pairs[i]).collect();
        let pictures: Vec<usize> = pairs.iter().map(|p| p.0).collect();
        let mirrored = |_| self.params.mirror && rng.gen_bool(0.5);
        let mirrored: Vec<bool> = pictures.iter().map(mirrored).collect();
        let regions = self.data.regions.turned(&pictures, &mirrored, device);
        let captions: Vec<&[u32]> = pairs.iter().map(|p| &*self.data.captions[p.1]).collect();
        let texts = net.texts(Captions::of(&captions, device));
        let scores = compare(net.pictures(regions), texts);
        let (margins, wrong) = self.margins(&pairs, device);
        let n = pairs.len();
        let own = scores.clone() * Tensor::eye(n, device);
        let above = scores + margins;
        let of_pictures = relu(above.clone() - own.clone().sum_dim(1)) * wrong.clone();
        let of_captions = relu(above - own.sum_dim(0)) * wrong;
        match self.params.negatives {
            Negatives::All => (of_pictures + of_captions).sum() / n as f64,
            Negatives::Hardest => of_pictures.max_dim(1).mean() + of_captions.max_dim(0).mean(),
        }
    }

    fn score(&self, net: &Net, device: &Device) -> Option<f64> {
        let val = self.val?;
        let mut pictures = distinct(val.pairs.iter().map(|p| p.0));
        pictures.truncate(VALIDATED);
        let asked: HashMap<usize, usize> = pictures.iter().copied().zip(0..).collect();
        let pairs = val.pairs.iter().filter(|p| asked.contains_key(&p.0));
        let captions = distinct(pairs.clone().map(|p| p.1));
        if captions.is_empty() {
            return None;
        }
        let encoded = Encoded::of(net, val, &pictures, &captions, device);
        let place: HashMap<usize, usize> = captions.iter().copied().zip(0..).collect();
        let pairs: HashSet<(usize, usize)> = pairs.map(|p| (asked[&p.0], place[&p.1])).collect();
        let all = |n: usize| (0..n).collect::<Vec<_>>();
        let scores = encoded.scores(&all(pictures.len()), &all(captions.len()));
        Some(mean_recall(&scores, captions.len(), &pairs))
    }
}

/// Each once, in their order.
fn distinct(items: impl Iterator<Item = usize>) -> Vec<usize> {
    let items: BTreeSet<usize> = items.collect();
    items.into_iter().collect()
}

/// The mean of R@1, R@5 and R@10 of both directions, in per cent. scores: pictures×captions.
fn mean_recall(scores: &[f32], captions: usize, pairs: &HashSet<(usize, usize)>) -> f64 {
    let pictures = scores.len() / captions.max(1);
    let at = |picture: usize, caption: usize| scores[picture * captions + caption];
    // how many score higher than the best right answer
    let rank = |of: usize,
                others: usize,
                at: &dyn Fn(usize, usize) -> f32,
                right: &dyn Fn(usize, usize) -> bool| {
        let best = (0..others)
            .filter(|&o| right(of, o))
            .map(|o| at(of, o))
            .reduce(f32::max)?;
        Some(
            (0..others)
                .filter(|&o| !right(of, o) && at(of, o) >= best)
                .count(),
        )
    };
    let of_pictures =
        (0..pictures).filter_map(|p| rank(p, captions, &at, &|p, c| pairs.contains(&(p, c))));
    let swapped = |caption: usize, picture: usize| at(picture, caption);
    let of_captions =
        (0..captions).filter_map(|c| rank(c, pictures, &swapped, &|c, p| pairs.contains(&(p, c))));
    let recall = |ranks: Vec<usize>| {
        let within = |k: usize| ranks.iter().filter(|&&r| r < k).count();
        (within(1) + within(5) + within(10)) as f64 / (3 * ranks.len().max(1)) as f64
    };
    50.0 * (recall(of_pictures.collect()) + recall(of_captions.collect()))
}

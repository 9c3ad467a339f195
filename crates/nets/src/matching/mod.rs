//! Networks that compare a picture and a caption as a pair, so that neither has a point of its own: AMFMN and SCAN.

mod amfmn;
mod scan;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::captions::Captions;
use crate::error::Result;
use crate::params::{Margin, MatcherParams, Method, Negatives};
use crate::regions::Regions;
use crate::tokens::PAD;
use crate::training::{Event, Task, Trained, train};
use crate::weights::Weights;

/// Pictures as captions are compared with them.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "one or two live at a time")]
pub(crate) enum Pictures {
    /// Vectors, and what is asked of a caption: pictures×width each.
    Guiding { guided: Tensor<2>, asked: Tensor<2> },
    /// pictures×cells×width
    Cells(Tensor<3>),
}

/// Captions as pictures are compared with them.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "one or two live at a time")]
enum Texts {
    /// captions×width
    Vectors(Tensor<2>),
    /// captions×length×width, and where words are.
    Words(Tensor<3>, Tensor<2>),
}

/// Rows of unit length.
pub(crate) fn unit(x: Tensor<2>) -> Tensor<2> {
    let length = (x.clone().square().sum_dim(1) + 1e-8).sqrt();
    x / length
}

#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "one or two live at a time")]
enum Net {
    Amfmn(amfmn::Amfmn),
    Scan(scan::Scan),
}

impl Net {
    fn new(params: &MatcherParams, cell: usize, words: usize, device: &Device) -> Self {
        match params.method {
            Method::Amfmn => Self::Amfmn(amfmn::Amfmn::new(params, cell, words, device)),
            Method::Scan => Self::Scan(scan::Scan::new(params, cell, words, device)),
        }
    }

    fn pictures(&self, regions: Tensor<3>) -> Pictures {
        match self {
            Self::Amfmn(net) => net.pictures(regions),
            Self::Scan(net) => Pictures::Cells(net.pictures(regions)),
        }
    }

    fn texts(&self, captions: Captions) -> Texts {
        match self {
            Self::Amfmn(net) => Texts::Vectors(net.captions(&captions)),
            Self::Scan(net) => Texts::Words(net.captions(&captions), captions.there),
        }
    }
}

/// pictures×captions
fn compare(pictures: Pictures, texts: Texts) -> Tensor<2> {
    match (pictures, texts) {
        (Pictures::Guiding { guided, asked }, Texts::Vectors(t)) => {
            amfmn::cosines(guided, asked, t)
        }
        (Pictures::Cells(cells), Texts::Words(words, there)) => scan::scores(cells, words, there),
        _ => unreachable!("both come from one network"),
    }
}

/// Pictures, captions, and which belong together.
pub struct Paired<'a> {
    /// The pictures.
    pub regions: Regions<'a>,
    /// The captions as numbers of words, none empty.
    pub captions: Vec<Vec<u32>>,
    /// Indices of a picture and a caption.
    pub pairs: Vec<(usize, usize)>,
}

/// Pictures of the validation data that are compared after an epoch: with all their captions, those of SCAN take seconds.
const VALIDATED: usize = 200;

struct Learning<'a> {
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

impl Learning<'_> {
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
        let pictures: Vec<usize> = (0..val.regions.len().min(VALIDATED)).collect();
        let pairs = val.pairs.iter().filter(|p| p.0 < pictures.len());
        let mut captions: Vec<usize> = pairs.clone().map(|p| p.1).collect();
        captions.sort_unstable();
        captions.dedup();
        let encoded = Encoded::of(net, val, &pictures, &captions, device);
        let place: HashMap<usize, usize> = captions.iter().copied().zip(0..).collect();
        let pairs: HashSet<(usize, usize)> = pairs.map(|p| (p.0, place[&p.1])).collect();
        let all: Vec<usize> = (0..captions.len()).collect();
        Some(mean_recall(
            &encoded.scores(&pictures, &all),
            captions.len(),
            &pairs,
        ))
    }
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

/// A network with its settings.
#[derive(Debug)]
pub struct Matcher(Trained<Net>);

/// Pictures and captions as they are compared.
pub struct Encoded {
    pictures: Pictures,
    texts: Texts,
}

/// Items that go through a network at once.
const BLOCK: usize = 128;

impl Encoded {
    fn of(
        net: &Net,
        data: &Paired,
        pictures: &[usize],
        captions: &[usize],
        device: &Device,
    ) -> Self {
        let of_block = |block: &[usize]| net.pictures(data.regions.of(block, device));
        let blocks: Vec<Pictures> = pictures.chunks(BLOCK).map(of_block).collect();
        // of one length, so that words are the same whichever captions they are encoded with
        let length = captions
            .iter()
            .map(|&c| data.captions[c].len())
            .max()
            .unwrap_or(1);
        let of_block = |block: &[usize]| {
            let mut texts: Vec<&[u32]> = block.iter().map(|&c| &*data.captions[c]).collect();
            let longest = vec![PAD; length];
            texts.push(&longest);
            let n = block.len();
            let mut captions = Captions::of(&texts, device);
            captions.words = captions.words.narrow(0, 0, n);
            captions.there = captions.there.narrow(0, 0, n);
            net.texts(captions)
        };
        let texts: Vec<Texts> = captions.chunks(BLOCK).map(of_block).collect();
        Self {
            pictures: joined(blocks),
            texts: joined_texts(texts),
        }
    }

    /// The scores of some pictures and captions, by their places: pictures×captions.
    pub fn scores(&self, pictures: &[usize], captions: &[usize]) -> Vec<f32> {
        let places = |places: &[usize], device: &Device| {
            let values: Vec<i32> = places.iter().map(|&p| p as i32).collect();
            Tensor::<1, Int>::from_data(TensorData::new(values, [places.len()]), device)
        };
        let pictures = match &self.pictures {
            Pictures::Guiding { guided, asked } => {
                let places = places(pictures, &guided.device());
                Pictures::Guiding {
                    guided: guided.clone().select(0, places.clone()),
                    asked: asked.clone().select(0, places),
                }
            }
            Pictures::Cells(cells) => {
                Pictures::Cells(cells.clone().select(0, places(pictures, &cells.device())))
            }
        };
        let texts = match &self.texts {
            Texts::Vectors(t) => Texts::Vectors(t.clone().select(0, places(captions, &t.device()))),
            Texts::Words(words, there) => {
                let places = places(captions, &words.device());
                Texts::Words(
                    words.clone().select(0, places.clone()),
                    there.clone().select(0, places),
                )
            }
        };
        compare(pictures, texts).into_data().iter::<f32>().collect()
    }
}

fn joined(blocks: Vec<Pictures>) -> Pictures {
    let (mut guided, mut asked, mut cells) = (vec![], vec![], vec![]);
    for block in blocks {
        match block {
            Pictures::Guiding {
                guided: g,
                asked: a,
            } => {
                guided.push(g);
                asked.push(a);
            }
            Pictures::Cells(c) => cells.push(c),
        }
    }
    match cells.is_empty() {
        true => Pictures::Guiding {
            guided: Tensor::cat(guided, 0),
            asked: Tensor::cat(asked, 0),
        },
        false => Pictures::Cells(Tensor::cat(cells, 0)),
    }
}

fn joined_texts(blocks: Vec<Texts>) -> Texts {
    let (mut vectors, mut words, mut there) = (vec![], vec![], vec![]);
    for block in blocks {
        match block {
            Texts::Vectors(t) => vectors.push(t),
            Texts::Words(w, t) => {
                words.push(w);
                there.push(t);
            }
        }
    }
    match words.is_empty() {
        true => Texts::Vectors(Tensor::cat(vectors, 0)),
        false => Texts::Words(Tensor::cat(words, 0), Tensor::cat(there, 0)),
    }
}

impl Matcher {
    /// Learns from pairs; the epoch stays that ranks `val` best.
    ///
    /// # Errors
    /// Those of [`train`].
    pub fn learn(
        params: &MatcherParams,
        data: &Paired,
        val: Option<&Paired>,
        words: usize,
        seed: u64,
        checkpoint: Option<&Path>,
        watch: &mut dyn FnMut(Event),
    ) -> Result<Self> {
        let new = |device: &Device| Net::new(params, data.regions.width, words, device);
        let task = Learning {
            params,
            data,
            known: data.pairs.iter().copied().collect(),
            weighed: weigh(&data.captions),
            val,
        };
        let trained = train(&task, new, &params.plan, seed, checkpoint, watch)?;
        Ok(Self(trained))
    }

    /// The tensors of the network.
    pub fn weights(&self) -> Weights {
        self.0.weights()
    }

    /// A network of stored tensors.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] if they do not fit.
    pub fn of(params: &MatcherParams, cell: usize, words: usize, weights: Weights) -> Result<Self> {
        let new = |device: &Device| Net::new(params, cell, words, device);
        Ok(Self(Trained::of(new, weights)?))
    }

    /// All pictures and captions of some data, ready to be compared.
    pub fn encode(&self, data: &Paired) -> Encoded {
        let pictures: Vec<usize> = (0..data.regions.len()).collect();
        let captions: Vec<usize> = (0..data.captions.len()).collect();
        Encoded::of(&self.0.net, data, &pictures, &captions, &self.0.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;

    #[test]
    fn guided_cosines_are_those_of_vectors() {
        let _alone = crate::training::alone();
        let device = crate::device();
        device.seed(2);
        let draw = |shape| Tensor::<2>::random(shape, Distribution::Uniform(0.1, 1.0), &device);
        let (v, gate, t) = (unit(draw([2, 5])), draw([2, 5]), draw([3, 5]));
        let scores = amfmn::cosines(v.clone() * gate.clone(), gate.clone().square(), t.clone());
        for picture in 0..2 {
            for caption in 0..3 {
                let row = |x: &Tensor<2>, i: usize| x.clone().narrow(0, i, 1);
                let asked = unit(row(&gate, picture) * row(&t, caption));
                let wanted: f32 = (row(&v, picture) * asked).sum().into_scalar();
                let found: f32 = scores
                    .clone()
                    .narrow(0, picture, 1)
                    .narrow(1, caption, 1)
                    .into_scalar();
                assert!((wanted - found).abs() < 1e-4, "{wanted} {found}");
            }
        }
    }

    #[test]
    fn attended_cosines_are_those_of_vectors() {
        let _alone = crate::training::alone();
        let device = crate::device();
        device.seed(3);
        let draw = |shape| Tensor::<3>::random(shape, Distribution::Normal(0.0, 1.0), &device);
        let (cells, words) = (draw([2, 4, 6]), draw([3, 5, 6]));
        let there: Tensor<2> = Tensor::from_data(
            [
                [1.0_f32, 1.0, 1.0, 1.0, 1.0],
                [1.0, 1.0, 0.0, 0.0, 0.0],
                [1.0, 0.0, 0.0, 0.0, 0.0],
            ],
            &device,
        );
        let numbers = |t: Tensor<3>| -> Vec<f32> { t.into_data().iter::<f32>().collect() };
        let found: Vec<f32> = scan::scores(cells.clone(), words.clone(), there.clone())
            .into_data()
            .iter::<f32>()
            .collect();
        let (cells, words) = (numbers(cells), numbers(words));
        let dot = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(x, y)| x * y).sum() };
        for (picture, cells) in cells.chunks(24).enumerate() {
            for (caption, (words, n)) in words.chunks(30).zip([5, 2, 1]).enumerate() {
                let cells: Vec<&[f32]> = cells.chunks(6).collect();
                // all words of the padded caption count in the norm, as the zeros of real padding do not
                let all: Vec<&[f32]> = words.chunks(6).collect();
                let mut total = 0.0;
                for word in &all[..n] {
                    let sharp: Vec<f32> = cells
                        .iter()
                        .map(|cell| {
                            let over: f32 = all.iter().map(|w| dot(cell, w).max(0.0).powi(2)).sum();
                            (9.0 * dot(cell, word).max(0.0) / (over + 1e-8).sqrt()).exp()
                        })
                        .collect();
                    let sum: f32 = sharp.iter().sum();
                    let mut found = [0.0; 6];
                    for (cell, w) in cells.iter().zip(&sharp) {
                        for (f, c) in found.iter_mut().zip(*cell) {
                            *f += w / sum * c;
                        }
                    }
                    total += dot(&found, word) / dot(&found, &found).sqrt();
                }
                let wanted = total / n as f32;
                let found = found[picture * 3 + caption];
                assert!((wanted - found).abs() < 1e-3, "{wanted} {found}");
            }
        }
    }
}

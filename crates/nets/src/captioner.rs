//! A Transformer that writes captions: an encoder over the regions of a picture and a decoder over words (Vaswani et al. 2017; the
//! form with the norm before each part, Xiong et al. 2020).
//!
//! All captions of a picture are asked together: their words attend to one copy of its regions.

use std::path::Path;

use burn::module::Module;
use burn::nn::activation::ActivationConfig;
use burn::nn::attention::{
    MhaInput, MultiHeadAttention, MultiHeadAttentionConfig, generate_autoregressive_mask,
};
use burn::nn::transformer::{
    PositionWiseFeedForward, PositionWiseFeedForwardConfig, TransformerEncoder,
    TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{
    Embedding, EmbeddingConfig, Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig,
};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::Rng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use crate::captions::padded;
use crate::error::Result;
use crate::params::CaptionerParams;
use crate::regions::Regions;
use crate::thin::Thin;
use crate::tokens::{END, PAD, START, UNKNOWN};
use crate::training::{self, Event, Task, Trained};
use crate::weights::Weights;

#[derive(Module, Debug)]
struct DecoderLayer {
    norms: Vec<LayerNorm>,
    words: MultiHeadAttention,
    regions: MultiHeadAttention,
    inner: PositionWiseFeedForward,
    dropout: Thin,
}

impl DecoderLayer {
    fn new(params: &CaptionerParams, device: &Device) -> Self {
        let norm = || LayerNormConfig::new(params.width).init(device);
        let attention = MultiHeadAttentionConfig::new(params.width, params.heads).with_dropout(0.0);
        Self {
            norms: vec![norm(), norm(), norm()],
            words: attention.init(device),
            regions: attention.init(device),
            inner: PositionWiseFeedForwardConfig::new(params.width, params.inner)
                .with_dropout(0.0)
                .with_activation(ActivationConfig::Relu)
                .init(device),
            dropout: Thin::new(params.dropout),
        }
    }

    /// x: (pictures·captions)×length×width, regions: pictures×cells×width.
    fn forward(&self, x: Tensor<3>, regions: &Tensor<3>) -> Tensor<3> {
        let [captions, length, width] = x.dims();
        let pictures = regions.dims()[0];
        let mask = generate_autoregressive_mask(captions, length, &x.device());
        let y = self.norms[0].forward(x.clone());
        let y = self.words.forward(MhaInput::self_attn(y).mask_attn(mask));
        let x = x + self.dropout.forward(y.context);
        let y = self.norms[1].forward(x.clone());
        let y = y.reshape([pictures, captions / pictures * length, width]);
        let y = MhaInput::new(y, regions.clone(), regions.clone());
        let y = self.regions.forward(y).context;
        let x = x + self.dropout.forward(y.reshape([captions, length, width]));
        let y = self.inner.forward(self.norms[2].forward(x.clone()));
        x + self.dropout.forward(y)
    }
}

#[derive(Module, Debug)]
struct Net {
    regions: Linear,
    encoder: TransformerEncoder,
    regions_norm: LayerNorm,
    words: Embedding,
    places: Embedding,
    layers: Vec<DecoderLayer>,
    norm: LayerNorm,
    output: Linear,
    dropout: Thin,
}

impl Net {
    fn new(params: &CaptionerParams, regions: usize, words: usize, device: &Device) -> Self {
        let width = params.width;
        let encoder =
            TransformerEncoderConfig::new(width, params.inner, params.heads, params.encoder_layers)
                .with_dropout(0.0)
                .with_activation(ActivationConfig::Relu)
                .with_norm_first(true);
        let embedding = |n| {
            EmbeddingConfig::new(n, width).with_initializer(Initializer::Normal {
                mean: 0.0,
                std: (width as f64).powf(-0.5),
            })
        };
        let layer = |_| DecoderLayer::new(params, device);
        Self {
            regions: LinearConfig::new(regions, width).init(device),
            encoder: encoder.init(device),
            regions_norm: LayerNormConfig::new(width).init(device),
            words: embedding(words).init(device),
            places: embedding(params.length).init(device),
            layers: (0..params.decoder_layers).map(layer).collect(),
            norm: LayerNormConfig::new(width).init(device),
            output: LinearConfig::new(width, words).init(device),
            dropout: Thin::new(params.dropout),
        }
    }

    /// pictures×cells×n -> pictures×cells×width.
    fn encode(&self, regions: Tensor<3>) -> Tensor<3> {
        let x = self.dropout.forward(self.regions.forward(regions));
        let x = self.encoder.forward(TransformerEncoderInput::new(x));
        self.regions_norm.forward(x)
    }

    /// What is known after each word: (pictures·captions)×length×width.
    fn decode(&self, words: Tensor<2, Int>, regions: &Tensor<3>) -> Tensor<3> {
        let [_, length] = words.dims();
        let width = self.words.weight.dims()[1];
        let places = Tensor::arange(0..length as i64, &words.device()).unsqueeze::<2>();
        let x = (self.words.forward(words) + self.places.forward(places)) * (width as f64).sqrt();
        let mut x = self.dropout.forward(x);
        for layer in &self.layers {
            x = layer.forward(x, regions);
        }
        self.norm.forward(x)
    }

    /// Log probabilities of the next word: rows×width -> rows×words.
    fn next(&self, x: Tensor<2>) -> Tensor<2> {
        log_softmax(self.output.forward(x), 1)
    }

    /// Log probabilities of the next word at every place of captions that has one, and these words. Every picture has the same
    /// number of captions, some of them may be empty.
    fn predict(
        &self,
        regions: Tensor<3>,
        captions: &[Vec<u32>],
    ) -> (Tensor<2>, Tensor<1, Int>, Vec<u32>) {
        let device = regions.device();
        let regions = self.encode(regions);
        let empty = |c: &Vec<u32>| c.is_empty();
        let asked = |c: &Vec<u32>| match empty(c) {
            true => vec![],
            false => [&[START], c.as_slice()].concat(),
        };
        let asked: Vec<Vec<u32>> = captions.iter().map(asked).collect();
        let words = padded(&asked, &device);
        let [n, length] = words.dims();
        let x = self.decode(words, &regions);
        let width = x.dims()[2];
        let (mut places, mut wanted) = (Vec::new(), Vec::new());
        for (row, caption) in captions.iter().enumerate().filter(|(_, c)| !empty(c)) {
            places.extend((0..=caption.len()).map(|place| (row * length + place) as i32));
            wanted.extend(caption.iter().copied().chain([END]));
        }
        let ints = |values: Vec<i32>| {
            let shape = [values.len()];
            Tensor::<1, Int>::from_data(TensorData::new(values, shape), &device)
        };
        let x = x.reshape([n * length, width]).select(0, ints(places));
        let targets = ints(wanted.iter().map(|&w| w as i32).collect());
        (self.next(x), targets, wanted)
    }
}

/// Pictures and their captions.
pub struct Captioned<'a> {
    /// The pictures.
    pub regions: Regions<'a>,
    /// The captions of every picture, without marks; [`CaptionerParams::length`] less two words at most.
    pub captions: Vec<Vec<Vec<u32>>>,
}

impl Captioned<'_> {
    /// `each` captions of every picture that is asked for, empty ones where it has fewer; others each time where it has more.
    fn draw(&self, pictures: &[usize], each: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<u32>> {
        let mut drawn = Vec::with_capacity(pictures.len() * each);
        for &picture in pictures {
            let captions = &self.captions[picture];
            let chosen = sample(rng, captions.len(), each.min(captions.len()));
            let end = drawn.len() + each;
            drawn.extend(chosen.iter().map(|c| captions[c].clone()));
            drawn.resize(end, vec![]);
        }
        drawn
    }
}

/// A captioner: settings and network.
#[derive(Debug)]
pub struct Captioner {
    params: CaptionerParams,
    trained: Trained<Net>,
}

struct Learning<'a> {
    params: &'a CaptionerParams,
    train: &'a Captioned<'a>,
    /// Pictures that have a caption.
    pictures: Vec<usize>,
    val: Option<&'a Captioned<'a>>,
}

impl Task for Learning<'_> {
    type Net = Net;

    const PARTS: usize = 2;

    fn items(&self) -> usize {
        self.pictures.len()
    }

    fn loss(&self, net: &Net, batch: &[usize], device: &Device, rng: &mut ChaCha8Rng) -> Tensor<1> {
        let params = self.params;
        let pictures: Vec<usize> = batch.iter().map(|&i| self.pictures[i]).collect();
        let mirrored = |_| params.mirror && rng.gen_bool(0.5);
        let mirrored: Vec<bool> = pictures.iter().map(mirrored).collect();
        let regions = self.train.regions.turned(&pictures, &mirrored, device);
        let captions = self.train.draw(&pictures, params.captions, rng);
        let (logs, wanted, _) = net.predict(regions, &captions);
        let n = logs.dims()[0];
        let right = logs.clone().gather(1, wanted.reshape([n, 1])).mean();
        let all = logs.mean();
        -(right * (1.0 - params.smoothing) + all * params.smoothing)
    }

    fn score(&self, net: &Net, device: &Device) -> Option<f64> {
        self.val.map(|val| accuracy(net, self.params, val, device))
    }
}

/// The part of the words of captions that are the most probable ones after the words before them, the end included; a word that
/// the vocabulary does not have is never right.
fn accuracy(net: &Net, params: &CaptionerParams, data: &Captioned, device: &Device) -> f64 {
    let (mut right, mut all) = (0, 0);
    let pictures: Vec<usize> = (0..data.regions.len()).collect();
    for pictures in pictures.chunks(params.plan.batch) {
        let each = pictures.iter().map(|&p| data.captions[p].len()).max();
        let mut captions = Vec::new();
        for &picture in pictures {
            let end = captions.len() + each.unwrap_or(0);
            captions.extend(data.captions[picture].iter().cloned());
            captions.resize(end, vec![]);
        }
        if captions.iter().all(Vec::is_empty) {
            continue;
        }
        let (logs, _, wanted) = net.predict(data.regions.of(pictures, device), &captions);
        let best = logs.argmax(1).into_data();
        all += wanted.len();
        let is_right =
            |(best, wanted): &(i64, &u32)| *best == i64::from(**wanted) && **wanted != UNKNOWN;
        right += best.iter::<i64>().zip(&wanted).filter(is_right).count();
    }
    right as f64 / all.max(1) as f64
}

impl Captioner {
    /// Learns from captioned pictures; the epoch stays whose network predicts the words of `val` best.
    ///
    /// # Errors
    /// Those of [`training::train`].
    pub fn learn(
        params: &CaptionerParams,
        train: &Captioned,
        val: Option<&Captioned>,
        words: usize,
        seed: u64,
        checkpoint: Option<&Path>,
        watch: &mut dyn FnMut(Event),
    ) -> Result<Self> {
        let new = |device: &Device| Net::new(params, train.regions.width, words, device);
        let pictures = 0..train.regions.len();
        let task = Learning {
            params,
            train,
            pictures: pictures
                .filter(|&p| !train.captions[p].is_empty())
                .collect(),
            val,
        };
        Ok(Self {
            trained: training::train(&task, new, &params.plan, seed, checkpoint, watch)?,
            params: params.clone(),
        })
    }

    /// The tensors of the network.
    pub fn weights(&self) -> Weights {
        self.trained.weights()
    }

    /// A captioner of stored tensors, for regions of `regions` numbers and so many `words`.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] if they do not fit.
    pub fn of(
        params: &CaptionerParams,
        regions: usize,
        words: usize,
        weights: Weights,
    ) -> Result<Self> {
        let new = |device: &Device| Net::new(params, regions, words, device);
        Ok(Self {
            trained: Trained::of(new, weights)?,
            params: params.clone(),
        })
    }

    /// The part of the words of captions that it predicts from those before, as they are counted by Keras's masked accuracy.
    pub fn accuracy(&self, data: &Captioned) -> f64 {
        accuracy(&self.trained.net, &self.params, data, &self.trained.device)
    }

    /// Writes a caption for every picture: numbers of words, without marks.
    pub fn write(&self, regions: Regions) -> Vec<Vec<u32>> {
        let pictures: Vec<usize> = (0..regions.len()).collect();
        let batches = pictures.chunks(self.params.plan.batch);
        batches
            .flat_map(|pictures| self.search(regions.of(pictures, &self.trained.device)))
            .collect()
    }

    /// Beam search, all pictures at once.
    fn search(&self, regions: Tensor<3>) -> Vec<Vec<u32>> {
        let Trained { net, device } = &self.trained;
        let regions = net.encode(regions);
        let pictures = regions.dims()[0];
        let mut beams: Vec<Vec<Beam>> = vec![vec![Beam::default()]; pictures];
        let mut done: Vec<Option<Beam>> = vec![None; pictures];
        for length in 1..self.params.length {
            let width = beams[0].len();
            let words = |b: &Beam| [&[START], b.words.as_slice()].concat();
            let words: Vec<Vec<u32>> = beams.iter().flatten().map(words).collect();
            let x = net.decode(padded(&words, device), &regions);
            let x = x.narrow(1, length - 1, 1).squeeze_dim::<2>(1);
            let logs = net.next(x).into_data();
            let logs: Vec<f32> = logs.iter::<f32>().collect();
            let many = logs.len() / (pictures * width);
            let rows = logs.chunks_exact(width * many);
            for ((beams, done), rows) in beams.iter_mut().zip(&mut done).zip(rows) {
                *beams = self.grow(beams, rows, many, done);
            }
        }
        let finished = |(beams, done): (Vec<Beam>, Option<Beam>)| {
            let best = done.or_else(|| beams.into_iter().next());
            best.map(|b| b.words).unwrap_or_default()
        };
        beams.into_iter().zip(done).map(finished).collect()
    }

    /// The best beams that are one word longer; one that ends becomes `done` where it is better than that.
    fn grow(
        &self,
        beams: &[Beam],
        logs: &[f32],
        many: usize,
        done: &mut Option<Beam>,
    ) -> Vec<Beam> {
        let mut next: Vec<(f32, usize, u32)> = Vec::new();
        for (k, (beam, logs)) in beams.iter().zip(logs.chunks_exact(many)).enumerate() {
            let worth = |word: u32| ![PAD, START, UNKNOWN].contains(&word);
            let words = (0..many as u32).filter(|&w| worth(w));
            next.extend(words.map(|w| (beam.log + logs[w as usize], k, w)));
        }
        let by_log = |a: &(f32, usize, u32), b: &(f32, usize, u32)| {
            b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2))
        };
        let most = (2 * self.params.beam).min(next.len());
        if most < next.len() {
            next.select_nth_unstable_by(most, by_log);
            next.truncate(most);
        }
        next.sort_unstable_by(by_log);
        let mut longer = Vec::new();
        for (log, k, word) in next {
            if word == END {
                let words = beams[k].words.clone();
                let value =
                    f64::from(log) / (words.len() as f64 + 1.0).powf(self.params.length_power);
                if done.as_ref().is_none_or(|d| value > d.value) {
                    *done = Some(Beam { words, log, value });
                }
            } else if longer.len() < self.params.beam {
                let words = [beams[k].words.as_slice(), &[word]].concat();
                longer.push(Beam {
                    words,
                    log,
                    value: 0.0,
                });
            }
        }
        longer
    }
}

#[derive(Clone, Debug, Default)]
struct Beam {
    words: Vec<u32>,
    log: f32,
    /// Of a finished one: its log probability a word.
    value: f64,
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    /// Two kinds of pictures, two captions: what it has learned by heart it writes, and stored weights write the same.
    #[test]
    fn it_learns_what_is_said_of_what() {
        let pictures = 16;
        let even = |picture: usize| picture.is_multiple_of(2);
        let value = |picture: usize, i: usize| {
            let sign = if even(picture) { 1.0 } else { -1.0 };
            sign * (i % 3) as f32
        };
        let values: Vec<f16> = (0..pictures)
            .flat_map(|p| (0..4 * 8).map(move |i| f16::from_f32(value(p, i))))
            .collect();
        let regions = Regions {
            values: &values,
            cells: 4,
            width: 8,
        };
        let said = |picture: usize| {
            if even(picture) {
                vec![4, 5, 6]
            } else {
                vec![7, 5]
            }
        };
        let data = Captioned {
            regions,
            captions: (0..pictures).map(|p| vec![said(p); 2]).collect(),
        };
        let mut params = CaptionerParams {
            width: 16,
            heads: 2,
            inner: 32,
            dropout: 0.0,
            smoothing: 0.0,
            length: 8,
            captions: 2,
            ..CaptionerParams::default()
        };
        params.plan.batch = 8;
        params.plan.epochs = 40;
        params.plan.rate = 0.01;
        let net = Captioner::learn(&params, &data, Some(&data), 9, 1, None, &mut |_| ()).unwrap();
        assert_eq!(net.accuracy(&data), 1.0);
        let written = net.write(regions);
        assert_eq!(written, (0..pictures).map(said).collect::<Vec<_>>());
        let again = Captioner::of(&params, 8, 9, net.weights()).unwrap();
        assert_eq!(again.write(regions), written);
        let other = CaptionerParams {
            width: 32,
            ..params
        };
        assert!(Captioner::of(&other, 8, 9, net.weights()).is_err());
    }
}

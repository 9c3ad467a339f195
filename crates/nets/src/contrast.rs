//! Vectors learned by contrast, without a label: two views of one picture are near each other and far from other pictures (SimCLR,
//! Chen et al. 2020; siamese networks, Hadsell, Chopra & LeCun 2006), and so are two readings of one caption, of which other words
//! are left out (SimCSE, Gao, Yao & Chen 2021). The networks are small and learn from nothing else.

use std::path::Path;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{
    Embedding, EmbeddingConfig, GroupNorm, GroupNormConfig, Linear, LinearConfig, PaddingConfig2d,
};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;

use crate::augment::{Thumbnails, plain, varied};
use crate::captions::Captions;
use crate::error::Result;
use crate::gru::Gru;
use crate::matching::unit;
use crate::params::{Contrast, PictureContrastParams, TextContrastParams};
use crate::thin::Thin;
use crate::training::{Event, Task, Trained, train};
use crate::weights::Weights;

/// Channels after each halving of the side.
const CHANNELS: [usize; 4] = [32, 64, 128, 256];
/// Channels that are normalised together (Wu & He 2018): the batch plays no part, so that a picture's vector is always the same.
const GROUP: usize = 8;

#[derive(Module, Debug)]
struct PictureNet {
    convolutions: Vec<Conv2d>,
    norms: Vec<GroupNorm>,
    /// What is compared while it learns; what comes before is the better vector (Chen et al. 2020, §4.2).
    hidden: Linear,
    compared: Linear,
}

impl PictureNet {
    fn new(params: &PictureContrastParams, device: &Device) -> Self {
        let mut before = 3;
        let convolution = |channels| {
            let convolution = Conv2dConfig::new([before, channels], [3, 3])
                .with_stride([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
            before = channels;
            convolution.init(device)
        };
        let last = CHANNELS[CHANNELS.len() - 1];
        Self {
            convolutions: CHANNELS.map(convolution).into(),
            norms: CHANNELS
                .map(|c| GroupNormConfig::new(c / GROUP, c).init(device))
                .into(),
            hidden: LinearConfig::new(last, last).init(device),
            compared: LinearConfig::new(last, params.width).init(device),
        }
    }

    /// n×3×side×side -> n×channels
    fn vectors(&self, mut x: Tensor<4>) -> Tensor<2> {
        for (convolution, norm) in self.convolutions.iter().zip(&self.norms) {
            x = relu(norm.forward(convolution.forward(x)));
        }
        let [n, channels, height, width] = x.dims();
        x.reshape([n, channels, height * width])
            .mean_dim(2)
            .squeeze_dim::<2>(2)
    }

    fn compared(&self, x: Tensor<4>) -> Tensor<2> {
        unit(
            self.compared
                .forward(relu(self.hidden.forward(self.vectors(x)))),
        )
    }
}

/// NT-Xent (Chen et al. 2020, §2.1): each row of two n×d has its partner in the other, and all others are wrong.
fn nt_xent(a: Tensor<2>, b: Tensor<2>, temperature: f64) -> Tensor<1> {
    let [n, _] = a.dims();
    let device = a.device();
    let z = Tensor::cat(vec![a, b], 0);
    let own = Tensor::<2>::eye(2 * n, &device) * 1e4;
    let logs = log_softmax(z.clone().matmul(z.transpose()) / temperature - own, 1);
    let partners: Vec<i32> = (0..2 * n).map(|i| ((i + n) % (2 * n)) as i32).collect();
    let partners = Tensor::<2, Int>::from_data(TensorData::new(partners, [2 * n, 1]), &device);
    -logs.gather(1, partners).mean()
}

/// The contrastive loss (Hadsell et al. 2006, eq. 4), every other picture of a batch being a wrong one: d² for partners, and
/// (margin − d)₊² for others.
fn contrastive(a: Tensor<2>, b: Tensor<2>, margin: f64) -> Tensor<1> {
    let [n, _] = a.dims();
    let same = Tensor::<2>::eye(n, &a.device());
    // of unit vectors
    let squares = (a.matmul(b.transpose()) * -2.0 + 2.0).clamp_min(1e-6);
    let near = (squares.clone() * same.clone()).sum() / n as f64;
    let far = relu(-squares.sqrt() + margin).square() * (-same + 1.0);
    near + far.sum() / (n * n.saturating_sub(1)).max(1) as f64
}

struct Pictures<'a> {
    params: &'a PictureContrastParams,
    thumbnails: &'a Thumbnails,
}

impl Task for Pictures<'_> {
    type Net = PictureNet;

    fn items(&self) -> usize {
        self.thumbnails.len()
    }

    fn loss(
        &self,
        net: &PictureNet,
        batch: &[usize],
        device: &Device,
        rng: &mut ChaCha8Rng,
    ) -> Tensor<1> {
        let mut view = || {
            let x = varied(self.thumbnails, batch, self.params.side, rng);
            net.compared(tensor(x, batch.len(), self.params.side, device))
        };
        let (a, b) = (view(), view());
        match self.params.loss {
            Contrast::NtXent { temperature } => nt_xent(a, b, temperature),
            Contrast::Pairs { margin } => contrastive(a, b, margin),
        }
    }
}

fn tensor(values: Vec<f32>, n: usize, side: usize, device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, [n, 3, side, side]), device)
}

/// A network that turns pictures into vectors.
#[derive(Debug)]
pub struct PictureEncoder {
    side: usize,
    trained: Trained<PictureNet>,
}

impl PictureEncoder {
    /// Learns from pictures alone.
    ///
    /// # Errors
    /// Those of [`train`].
    pub fn learn(
        params: &PictureContrastParams,
        thumbnails: &Thumbnails,
        seed: u64,
        checkpoint: Option<&Path>,
        watch: &mut dyn FnMut(Event),
    ) -> Result<Self> {
        let new = |device: &Device| PictureNet::new(params, device);
        let task = Pictures { params, thumbnails };
        Ok(Self {
            side: params.side,
            trained: train(&task, new, &params.plan, seed, checkpoint, watch)?,
        })
    }

    /// The tensors of the network.
    pub fn weights(&self) -> Weights {
        self.trained.weights()
    }

    /// A network of stored tensors.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] if they do not fit.
    pub fn of(params: &PictureContrastParams, weights: Weights) -> Result<Self> {
        let new = |device: &Device| PictureNet::new(params, device);
        Ok(Self {
            side: params.side,
            trained: Trained::of(new, weights)?,
        })
    }

    /// Length of a vector.
    pub fn dim() -> usize {
        CHANNELS[CHANNELS.len() - 1]
    }

    /// The vector of a picture: its thumbnail is one of [`Thumbnails::push`].
    pub fn vector(&self, thumbnails: &Thumbnails, picture: usize) -> Vec<f32> {
        let Trained { net, device } = &self.trained;
        let x = tensor(plain(thumbnails, picture, self.side), 1, self.side, device);
        net.vectors(x).into_data().iter::<f32>().collect()
    }
}

#[derive(Module, Debug)]
struct TextNet {
    words: Embedding,
    gru: Gru,
    output: Linear,
    dropout: Thin,
}

impl TextNet {
    fn new(params: &TextContrastParams, words: usize, device: &Device) -> Self {
        Self {
            words: EmbeddingConfig::new(words, params.width).init(device),
            gru: Gru::new(params.width, params.width, device),
            output: LinearConfig::new(params.width, params.width).init(device),
            dropout: Thin::new(params.dropout),
        }
    }

    /// Unit vectors: captions×width.
    fn vectors(&self, captions: &Captions) -> Tensor<2> {
        let x = self
            .dropout
            .forward(self.words.forward(captions.words.clone()));
        let states = self.gru.forward(x.clone(), None) + x;
        let mean = self.dropout.forward(captions.mean(states));
        unit(self.output.forward(mean))
    }
}

struct Texts<'a> {
    params: &'a TextContrastParams,
    captions: &'a [Vec<u32>],
}

impl Task for Texts<'_> {
    type Net = TextNet;

    fn items(&self) -> usize {
        self.captions.len()
    }

    fn loss(
        &self,
        net: &TextNet,
        batch: &[usize],
        device: &Device,
        _: &mut ChaCha8Rng,
    ) -> Tensor<1> {
        let captions: Vec<&[u32]> = batch.iter().map(|&i| &*self.captions[i]).collect();
        let read = || net.vectors(&Captions::of(&captions, device));
        nt_xent(read(), read(), self.params.temperature)
    }
}

/// A network that turns captions into vectors.
#[derive(Debug)]
pub struct TextEncoder(Trained<TextNet>);

impl TextEncoder {
    /// Learns from captions alone, as numbers of words, none empty.
    ///
    /// # Errors
    /// Those of [`train`].
    pub fn learn(
        params: &TextContrastParams,
        captions: &[Vec<u32>],
        words: usize,
        seed: u64,
        checkpoint: Option<&Path>,
        watch: &mut dyn FnMut(Event),
    ) -> Result<Self> {
        let new = |device: &Device| TextNet::new(params, words, device);
        let task = Texts { params, captions };
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
    pub fn of(params: &TextContrastParams, words: usize, weights: Weights) -> Result<Self> {
        let new = |device: &Device| TextNet::new(params, words, device);
        Ok(Self(Trained::of(new, weights)?))
    }

    /// The vector of a caption that is not empty.
    pub fn vector(&self, caption: &[u32]) -> Vec<f32> {
        let Trained { net, device } = &self.0;
        let vectors = net.vectors(&Captions::of(&[caption], device));
        vectors.into_data().iter::<f32>().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_those_of_a_loop() {
        let _alone = crate::training::alone();
        let device = crate::device();
        device.seed(5);
        let draw = || {
            unit(Tensor::<2>::random(
                [3, 4],
                burn::tensor::Distribution::Normal(0.0, 1.0),
                &device,
            ))
        };
        let (a, b) = (draw(), draw());
        let rows = |t: &Tensor<2>| -> Vec<Vec<f32>> {
            let values: Vec<f32> = t.to_data().iter::<f32>().collect();
            values.chunks(4).map(<[f32]>::to_vec).collect()
        };
        let dot = |x: &[f32], y: &[f32]| -> f32 { x.iter().zip(y).map(|(p, q)| p * q).sum() };
        let (ra, rb) = (rows(&a), rows(&b));
        let all = [ra.clone(), rb.clone()].concat();
        let mut wanted = 0.0;
        for i in 0..6 {
            let others = (0..6).filter(|&j| j != i);
            let sum: f32 = others.map(|j| (dot(&all[i], &all[j]) / 0.5).exp()).sum();
            wanted -= (dot(&all[i], &all[(i + 3) % 6]) / 0.5 - sum.ln()) / 6.0;
        }
        let found: f32 = nt_xent(a.clone(), b.clone(), 0.5).into_scalar();
        assert!((wanted - found).abs() < 1e-4, "{wanted} {found}");
        let mut wanted = 0.0;
        for (i, x) in ra.iter().enumerate() {
            for (j, y) in rb.iter().enumerate() {
                let square = 2.0 - 2.0 * dot(x, y);
                wanted += match i == j {
                    true => square / 3.0,
                    false => (1.0 - square.sqrt()).max(0.0).powi(2) / 6.0,
                };
            }
        }
        let found: f32 = contrastive(a, b, 1.0).into_scalar();
        assert!((wanted - found).abs() < 1e-4, "{wanted} {found}");
    }
}

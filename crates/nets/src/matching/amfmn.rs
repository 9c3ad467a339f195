//! AMFMN: asymmetric multimodal feature matching (Yuan et al. 2022, "Exploring a Fine-Grained Multiscale Method for Cross-Modal
//! Remote Sensing Image Retrieval"). Maps of several depths are attended to together, and what is asked of a caption depends on the
//! picture that it is compared with.
//!
//! The network over pixels is another's here: its maps come on one grid of cells, where the paper brings them together by
//! convolutions with strides.

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::activation::{relu, sigmoid, softmax};
use burn::tensor::{Device, Tensor};

use super::{Pictures, unit};
use crate::captions::Captions;
use crate::gru::Gru;
use crate::params::MatcherParams;
use crate::thin::Thin;

#[derive(Module, Debug)]
pub(super) struct Amfmn {
    /// Numbers of a cell that come from shallow maps; the others come from deep ones.
    shallow: usize,
    of_shallow: Linear,
    of_deep: Linear,
    attention: Linear,
    value: Linear,
    gate: Linear,
    whole: Linear,
    words: Embedding,
    gru: Gru,
    /// What of a caption is asked about a picture.
    guide: Linear,
    dropout: Thin,
}

impl Amfmn {
    pub fn new(params: &MatcherParams, cell: usize, words: usize, device: &Device) -> Self {
        let width = params.width;
        let shallow = params.shallow.min(cell - 1);
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        Self {
            shallow,
            of_shallow: linear(shallow.max(1), width / 2),
            of_deep: linear(cell - shallow, width / 2),
            attention: linear(width, params.heads),
            value: linear(width, width),
            gate: linear(cell - shallow, width),
            whole: linear(cell - shallow, width),
            words: EmbeddingConfig::new(words, params.word).init(device),
            gru: Gru::new(params.word, width, device),
            guide: linear(width, width),
            dropout: Thin::new(params.dropout),
        }
    }

    /// pictures×cells×n -> what captions are compared with.
    pub fn pictures(&self, x: Tensor<3>) -> Pictures {
        let [pictures, cells, n] = x.dims();
        let deep = x.clone().narrow(2, self.shallow, n - self.shallow);
        let shallow = match self.shallow {
            0 => Tensor::zeros([pictures, cells, 1], &x.device()),
            shallow => x.narrow(2, 0, shallow),
        };
        let whole = self
            .dropout
            .forward(deep.clone().mean_dim(1).squeeze_dim::<2>(1));
        let deep = relu(self.of_deep.forward(deep));
        // what is salient deep down is added to all maps (§III-B, the residual of the fused maps)
        let salient = deep.clone().mean_dim(2);
        let maps = Tensor::cat(vec![relu(self.of_shallow.forward(shallow)), deep], 2) + salient;
        let maps = self.dropout.forward(maps);
        let [_, _, width] = maps.dims();
        let heads = self.attention.weight.dims()[1];
        // pictures×heads×cells
        let weights = softmax(self.attention.forward(maps.clone()), 1).swap_dims(1, 2);
        let values = self
            .value
            .forward(maps)
            .reshape([pictures, cells, heads, width / heads]);
        let weights = weights.reshape([pictures, heads, 1, cells]);
        let attended = weights
            .matmul(values.swap_dims(1, 2))
            .reshape([pictures, width]);
        let gate = sigmoid(self.gate.forward(whole.clone()));
        let v = unit(attended * gate + self.whole.forward(whole));
        let asked = sigmoid(self.guide.forward(v.clone()));
        Pictures::Guiding {
            guided: v * asked.clone(),
            asked: asked.square(),
        }
    }

    /// Captions of the same length, with 1 where there is a word -> captions×width.
    pub fn captions(&self, captions: &Captions) -> Tensor<2> {
        let x = self
            .dropout
            .forward(self.words.forward(captions.words.clone()));
        let states = self.gru.forward(x, None);
        self.dropout.forward(captions.mean(states))
    }
}

/// cos(v, asked∘t) of all pictures and captions: pictures×captions. The lengths are products of squares, so that no caption is
/// made anew for a picture.
pub(super) fn cosines(guided: Tensor<2>, asked: Tensor<2>, t: Tensor<2>) -> Tensor<2> {
    let length = asked.matmul(t.clone().square().transpose());
    guided.matmul(t.transpose()) / (length + 1e-8).sqrt()
}

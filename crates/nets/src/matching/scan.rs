//! SCAN, stacked cross attention from text to image (Lee et al. 2018, §3.1): every word looks for its cells, and a caption suits a
//! picture as well as its words suit what they found, on average.

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{Device, Tensor};

use super::unit;
use crate::captions::Captions;
use crate::gru::Gru;
use crate::params::MatcherParams;
use crate::thin::Thin;

/// Inverse temperature of the attention over cells (Lee et al. 2018, §4.2: 9 for text to image on Flickr30K).
const SHARP: f64 = 9.0;

#[derive(Module, Debug)]
pub(super) struct Scan {
    cells: Linear,
    words: Embedding,
    forward: Gru,
    backward: Gru,
    dropout: Thin,
}

impl Scan {
    pub fn new(params: &MatcherParams, cell: usize, words: usize, device: &Device) -> Self {
        Self {
            cells: LinearConfig::new(cell, params.width).init(device),
            words: EmbeddingConfig::new(words, params.word).init(device),
            forward: Gru::new(params.word, params.width, device),
            backward: Gru::new(params.word, params.width, device),
            dropout: Thin::new(params.dropout),
        }
    }

    /// pictures×cells×n -> pictures×cells×width, unit vectors.
    pub fn pictures(&self, x: Tensor<3>) -> Tensor<3> {
        let x = self.cells.forward(self.dropout.forward(x));
        unit3(x)
    }

    /// captions×length×width: every word with those around it, a unit vector, or zero where there is no word.
    pub fn captions(&self, captions: &Captions) -> Tensor<3> {
        let x = self
            .dropout
            .forward(self.words.forward(captions.words.clone()));
        let there = captions.there.clone().unsqueeze_dim::<3>(2);
        let before = self.forward.forward(x.clone(), None);
        // what fills up comes first then, and nothing of it may be left where the caption begins
        let turned = captions.there.clone().flip([1]);
        let after = self.backward.forward(x.flip([1]), Some(turned)).flip([1]);
        unit3((before + after) * 0.5) * there
    }
}

fn unit3(x: Tensor<3>) -> Tensor<3> {
    let [n, m, width] = x.dims();
    unit(x.reshape([n * m, width])).reshape([n, m, width])
}

/// The scores of all pictures and captions: pictures×captions. `cells`: pictures×cells×width, `words`: captions×length×width,
/// `there`: captions×length.
///
/// With s the cosines of a word and the cells, and w their weights, the vector that the word found is Σwc; its product with the word
/// is Σws, and the square of its length wᵀGw, where G holds the products of cells: no vector is made.
pub(super) fn scores(cells: Tensor<3>, words: Tensor<3>, there: Tensor<2>) -> Tensor<2> {
    let [pictures, many, width] = cells.dims();
    let [captions, length, _] = words.dims();
    let words = words.reshape([captions * length, width]);
    let s = cells
        .clone()
        .reshape([pictures * many, width])
        .matmul(words.transpose());
    // pictures×(captions·length)×cells
    let s = s
        .reshape([pictures, many, captions * length])
        .swap_dims(1, 2);
    // the cosines of a cell over the words of a caption are of one length (§3.1)
    let over_words = relu(s.clone()).reshape([pictures, captions, length, many]);
    let norm = (over_words.clone().square().sum_dim(2) + 1e-8).sqrt();
    let weights = softmax((over_words / norm) * SHARP, 3);
    let weights = weights.reshape([pictures, captions * length, many]);
    let products = (weights.clone() * s).sum_dim(2).squeeze_dim::<2>(2);
    let gram = cells.clone().matmul(cells.transpose());
    let squares = (weights.clone().matmul(gram) * weights)
        .sum_dim(2)
        .squeeze_dim::<2>(2);
    let cosines = products / (squares + 1e-8).sqrt();
    let there = there.unsqueeze::<3>();
    let count = there.clone().sum_dim(2).clamp(1.0, length as f64);
    let sums = (cosines.reshape([pictures, captions, length]) * there).sum_dim(2);
    (sums / count).squeeze_dim::<2>(2)
}

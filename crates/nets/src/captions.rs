//! Captions of a batch, filled up to one length.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::tokens::PAD;

/// The numbers of words, filled up to the longest caption: captions×length.
pub(crate) fn padded(captions: &[impl AsRef<[u32]>], device: &Device) -> Tensor<2, Int> {
    let lengths = captions.iter().map(|c| c.as_ref().len());
    let length = lengths.max().unwrap_or(0).max(1);
    let mut values = Vec::with_capacity(captions.len() * length);
    for caption in captions {
        let caption = caption.as_ref();
        values.extend(caption.iter().map(|&word| word as i32));
        values.extend(std::iter::repeat_n(PAD as i32, length - caption.len()));
    }
    Tensor::from_data(TensorData::new(values, [captions.len(), length]), device)
}

/// Captions, and where their words are.
pub(crate) struct Captions {
    /// captions×length
    pub words: Tensor<2, Int>,
    /// 1 where there is a word.
    pub there: Tensor<2>,
}

impl Captions {
    pub fn of(captions: &[&[u32]], device: &Device) -> Self {
        let words = padded(captions, device);
        let [n, length] = words.dims();
        let there = |caption: &&[u32]| {
            let rest = std::iter::repeat_n(0.0, length - caption.len());
            std::iter::repeat_n(1.0_f32, caption.len()).chain(rest)
        };
        let there: Vec<f32> = captions.iter().flat_map(there).collect();
        Self {
            words,
            there: Tensor::from_data(TensorData::new(there, [n, length]), device),
        }
    }

    /// The means over the words of each caption: captions×length×width -> captions×width.
    pub fn mean(&self, states: Tensor<3>) -> Tensor<2> {
        let [_, length] = self.there.dims();
        let there = self.there.clone().unsqueeze_dim::<3>(2);
        let sum = (states * there).sum_dim(1).squeeze_dim::<2>(1);
        sum / self.there.clone().sum_dim(1).clamp(1.0, length as f64)
    }
}

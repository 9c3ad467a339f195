//! Networks that compare a picture and a caption as a pair, so that neither has a point of its own: AMFMN and SCAN.

mod amfmn;
mod encoded;
mod learning;
mod scan;

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::captions::Captions;
use crate::error::Result;
use crate::params::{MatcherParams, Method};
use crate::regions::Regions;
use crate::training::{Event, Trained, train};
use crate::weights::Weights;

pub use encoded::Encoded;
use learning::Learning;

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

/// A network with its settings.
#[derive(Debug)]
pub struct Matcher(Trained<Net>);

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
        let task = Learning::new(params, data, val);
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

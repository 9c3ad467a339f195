//! Pictures and captions that have gone through a network, ready to be compared.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{Net, Paired, Pictures, Texts, compare};
use crate::captions::Captions;
use crate::tokens::PAD;

/// Pictures and captions as they are compared.
pub struct Encoded {
    pictures: Pictures,
    texts: Texts,
}

/// Items that go through a network at once.
const BLOCK: usize = 128;

impl Encoded {
    pub(super) fn of(
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

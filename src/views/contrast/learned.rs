//! The networks as views.

use image::imageops::{self, FilterType};
use ndarray::{Array1, Array2};
use rayon::prelude::*;
use tuwen_nets::augment::Thumbnails;
use tuwen_nets::contrast::{PictureEncoder, TextEncoder};
use tuwen_nets::params::PictureContrastParams;
use tuwen_nets::training::Event;

use super::super::text::TextVectors;
use super::super::{ImageView, Rows, Shown};
use super::TextNetParams;
use crate::artifact::{Artifact, Spec};
use crate::error::Result;
use crate::linalg::{l2_normalize, l2_normalize_rows};
use crate::networks::own;
use crate::picture::Picture;
use crate::text::{StoredWords, Words};

/// Side of the pictures that parts are cut from, over that of the parts.
const ROOM: f32 = 1.25;

fn small(picture: &Picture, side: usize) -> Vec<u8> {
    let side = (side as f32 * ROOM) as u32;
    imageops::resize(&picture.rgb, side, side, FilterType::Triangle).into_raw()
}

fn empty(side: usize) -> Thumbnails {
    Thumbnails::new((side as f32 * ROOM) as usize)
}

fn tell(event: Event) {
    if let Event::Epoch { done, loss, .. } = event {
        tracing::info!("learning by contrast: epoch {done}, loss {loss:.3}");
    }
}

struct PictureNet(PictureEncoder, usize);

pub fn learn_pictures(
    params: &PictureContrastParams,
    artifact: Artifact,
    pictures: &[Picture],
    seed: u64,
) -> Result<Artifact> {
    let small: Vec<Vec<u8>> = pictures.par_iter().map(|p| small(p, params.side)).collect();
    let mut thumbnails = empty(params.side);
    small.iter().for_each(|picture| thumbnails.push(picture));
    let net = PictureEncoder::learn(params, &thumbnails, seed, None, &mut tell)?;
    Ok(own::store(&net.weights(), artifact))
}

pub fn load_pictures(
    params: &PictureContrastParams,
    artifact: &Artifact,
) -> Result<Box<dyn ImageView>> {
    let net = PictureEncoder::of(params, own::load(artifact)?)?;
    Ok(Box::new(PictureNet(net, params.side)))
}

impl ImageView for PictureNet {
    fn dim(&self) -> usize {
        PictureEncoder::dim()
    }

    fn describe(&self, Shown { picture, .. }: Shown) -> Result<Array1<f32>> {
        let mut one = empty(self.1);
        one.push(&small(picture, self.1));
        let mut v = Array1::from(self.0.vector(&one, 0));
        l2_normalize(v.view_mut());
        Ok(v)
    }
}

struct TextNet {
    net: TextEncoder,
    words: Words,
    dim: usize,
    length: usize,
}

pub fn learn_texts(params: &TextNetParams, spec: Spec, captions: &[&str]) -> Result<Artifact> {
    let words = Words::learn(captions, params.least, params.most)?;
    let numbers = captions
        .par_iter()
        .map(|c| words.numbers(c, params.network.length));
    let numbers: Vec<Vec<u32>> = numbers.filter(|n| !n.is_empty()).collect();
    let known = words.count();
    let net = TextEncoder::learn(
        &params.network,
        &numbers,
        known,
        params.seed,
        None,
        &mut tell,
    )?;
    let artifact = Artifact::new(spec).with_notes(&words.stored());
    Ok(own::store(&net.weights(), artifact))
}

pub fn load_texts(params: &TextNetParams, artifact: &Artifact) -> Result<Box<dyn TextVectors>> {
    let words = artifact.read_notes::<StoredWords>()?.load()?;
    Ok(Box::new(TextNet {
        net: TextEncoder::of(&params.network, words.count(), own::load(artifact)?)?,
        words,
        dim: params.network.width,
        length: params.network.length,
    }))
}

impl TextVectors for TextNet {
    fn dim(&self) -> usize {
        self.dim
    }

    fn describe(&self, captions: &[&str]) -> Result<Rows> {
        let of = |caption: &&str| {
            let numbers = self.words.numbers(caption, self.length);
            (!numbers.is_empty()).then(|| self.net.vector(&numbers))
        };
        let vectors: Vec<Option<Vec<f32>>> = captions.par_iter().map(of).collect();
        let mut x = Array2::zeros((captions.len(), self.dim));
        for (mut row, vector) in x.outer_iter_mut().zip(&vectors) {
            if let Some(vector) = vector {
                row.assign(&Array1::from(vector.clone()));
            }
        }
        l2_normalize_rows(&mut x);
        Ok(Rows {
            usable: vectors.iter().map(Option::is_some).collect(),
            x,
            bad: vec![],
        })
    }
}

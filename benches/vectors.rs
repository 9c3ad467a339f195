//! An index over very many vectors, drawn in the shape of real ones: `experiments/peers/growth.py` asks for several sizes.
//!
//!     cargo bench --bench vectors -- ROWS N FACTORY [SEARCH...]
//!
//! `ROWS`: a file of vectors after PCA, as `features/` has them. They are uncorrelated, so that as many Gaussian numbers of
//! their means and deviations have their shape; but they have no clusters, and an inverted file finds real ones at least as
//! well. Prints seconds, bytes and recall as JSON, a line for each SEARCH.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use ndarray::{Array1, Array2, Axis, Zip, s};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use serde_json::json;
use tuwen::artifact::Artifact;
use tuwen::index::{Faiss, Flat, Hit, Index as _, IndexParams, recall};
use tuwen::linalg::l2_normalize_rows;
use tuwen::timing::peak_mib;
use tuwen::views::Rows;

/// The first numbers of each row that are used.
const DIM: usize = 128;
/// Vectors that are drawn and added at once.
const BLOCK: usize = 100_000;
/// Vectors the index learns from.
const SAMPLE: usize = 200_000;
const QUERIES: usize = 500;
const K: usize = 10;

/// Means and deviations of real vectors.
struct Shape {
    mean: Array1<f32>,
    deviation: Array1<f32>,
}

impl Shape {
    fn of(path: &Path) -> Result<Self> {
        let x = Rows::load(&Artifact::read(path)?)?.x;
        ensure!(x.ncols() >= DIM, "rows of {DIM} or more numbers are needed");
        let mut x = x.slice(s![.., ..DIM]).to_owned();
        l2_normalize_rows(&mut x);
        Ok(Self {
            mean: x.mean_axis(Axis(0)).context("no rows")?,
            deviation: x.std_axis(Axis(0), 0.0),
        })
    }

    /// Unit vectors, n×d; the same for the same seed.
    fn draw(&self, n: usize, seed: u64) -> Array2<f32> {
        let mut x = Array2::zeros((n, DIM));
        let rows = x.axis_chunks_iter_mut(Axis(0), 1000).into_par_iter();
        rows.enumerate().for_each(|(i, mut rows)| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(i as u64);
            for mut row in rows.outer_iter_mut() {
                Zip::from(&mut row)
                    .and(&self.mean)
                    .and(&self.deviation)
                    .for_each(|v, m, d| *v = m + d * rng.sample::<f32, _>(StandardNormal));
            }
        });
        l2_normalize_rows(&mut x);
        x
    }

    /// The i-th block of n.
    fn block(&self, i: usize, n: usize) -> Array2<f32> {
        self.draw(BLOCK.min(n - i * BLOCK), 1 + i as u64)
    }
}

/// The true nearest of all blocks.
fn truth(shape: &Shape, queries: &Array2<f32>, n: usize) -> Result<Vec<Vec<Hit>>> {
    let mut best = vec![Vec::new(); queries.nrows()];
    for i in 0..n.div_ceil(BLOCK) {
        let found = Flat::new(shape.block(i, n)).search(queries.view(), K)?;
        for (best, found) in best.iter_mut().zip(found) {
            best.extend(found.into_iter().map(|hit| Hit {
                item: hit.item + i * BLOCK,
                ..hit
            }));
            best.sort_by(|a: &Hit, b| b.score.total_cmp(&a.score));
            best.truncate(K);
        }
    }
    Ok(best)
}

fn main() -> Result<()> {
    // cargo adds `--bench`
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().filter(|a| *a != "--bench").collect();
    let [rows, n, factory, searches @ ..] = arguments.as_slice() else {
        eprintln!("vectors: give ROWS N FACTORY [SEARCH...]; nothing is measured");
        return Ok(());
    };
    let n: usize = n.parse().context("N")?;
    let shape = Shape::of(Path::new(rows))?;
    let params = IndexParams {
        factory: (*factory).clone(),
        sample: SAMPLE,
        ..IndexParams::default()
    };
    // what was needed to know the shape does not count
    std::fs::write("/proc/self/clear_refs", "5").context("cannot reset the peak of memory")?;
    let sample = shape.draw(SAMPLE.min(n), 0);
    let start = Instant::now();
    let mut index = Faiss::build(&params, sample.view(), sample.slice(s![..0, ..]))?;
    let learned = start.elapsed().as_secs_f64();
    drop(sample);
    let mut added = 0.0;
    for i in 0..n.div_ceil(BLOCK) {
        let block = shape.block(i, n);
        let start = Instant::now();
        index.add(block.view())?;
        added += start.elapsed().as_secs_f64();
    }
    let peak = peak_mib();
    let queries = shape.draw(QUERIES, u64::MAX);
    let truth = truth(&shape, &queries, n)?;
    let plain = [&String::new()];
    for search in if searches.is_empty() {
        &plain[..]
    } else {
        searches
    } {
        index = index.with_search(search)?;
        let start = Instant::now();
        let mut found = Vec::new();
        for query in queries.axis_chunks_iter(Axis(0), 1) {
            found.extend(index.search(query, K)?);
        }
        let searched = start.elapsed().as_secs_f64();
        let told = json!({
            "n": n, "factory": factory, "search": search, "dimensions": DIM, "learned from": SAMPLE.min(n),
            "learn_s": learned, "add_s": added, "bytes a vector": index.code_size()?, "peak_mib": peak,
            "query_ms": 1e3 * searched / QUERIES as f64, "recall": recall(&found, &truth),
        });
        println!("{told}");
    }
    Ok(())
}

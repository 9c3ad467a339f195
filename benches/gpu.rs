//! The index on a GPU beside the CPU: needs nvcc on the PATH and CUDA_PATH to build.
//!
//!     cargo bench --features gpu --bench gpu [-- N]
//!
//! Both sides learn, add and search on their own device, with all the threads FAISS takes. Recall is counted against the
//! CPU's exact index. `CUDAARCHS=90`, say, has nvcc compile for that one architecture, which takes a fraction of the time.

use std::time::Instant;

use anyhow::{Context, Result};
use faiss::index::autotune::ParameterSpace;
use faiss::{Idx, Index, MetricType, StandardGpuResources, index_factory};
use ndarray::{Array2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use tuwen::index::{Hit, recall};
use tuwen::linalg::l2_normalize_rows;

const DIM: usize = 128;
const QUERIES: usize = 10_000;
const K: usize = 10;
/// Vectors an index learns from.
const SAMPLE: usize = 200_000;
/// Lists of an inverted file that are searched.
const PROBES: f64 = 32.0;

/// Unit vectors whose deviations fall as those of vectors after PCA do: n·d numbers.
fn random(n: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut x = Array2::from_shape_simple_fn((n, DIM), || rng.sample(StandardNormal));
    for (i, mut column) in x.axis_iter_mut(Axis(1)).enumerate() {
        column /= ((i + 1) as f32).sqrt();
    }
    l2_normalize_rows(&mut x);
    x.into_raw_vec_and_offset().0
}

struct Run {
    build: f64,
    search: f64,
    found: Vec<Vec<Hit>>,
}

impl Run {
    fn of(index: &mut impl Index, items: &[f32], queries: &[f32]) -> Result<Self> {
        let start = Instant::now();
        if !index.is_trained() {
            index.train(&items[..items.len().min(SAMPLE * DIM)])?;
        }
        index.add(items)?;
        let build = start.elapsed().as_secs_f64();
        index.search(&queries[..K * DIM], K)?; // what is made for a first search does not count
        let start = Instant::now();
        let found = index.search(queries, K)?;
        let search = start.elapsed().as_secs_f64();
        let lists = found.labels.chunks(K).zip(found.distances.chunks(K));
        let hits = |(labels, scores): (&[Idx], &[f32])| {
            let hits = labels.iter().zip(scores);
            hits.filter_map(|(label, &score)| {
                let item = label.get()? as usize; // none: there were fewer items
                Some(Hit { item, score })
            })
            .collect()
        };
        Ok(Self {
            build,
            search,
            found: lists.map(hits).collect(),
        })
    }
}

fn main() -> Result<()> {
    // cargo adds `--bench`
    let n = std::env::args().skip(1).find(|a| !a.starts_with("--"));
    let n: usize = n.map_or(Ok(1_000_000), |n| n.parse()).context("N")?;
    let (items, queries) = (random(n, 1), random(QUERIES, 2));
    let resources = StandardGpuResources::new()?;
    println!("{n} vectors of {DIM} numbers; {QUERIES} queries for the best {K}, seconds for all");
    let (cpu, gpu) = ("CPU", "GPU");
    println!(
        "{:<14}{:>20}{:>20}{:>20}",
        "", "build, s", "search, s", "recall"
    );
    println!(
        "{:<14}{cpu:>10}{gpu:>10}{cpu:>10}{gpu:>10}{cpu:>10}{gpu:>10}",
        "index"
    );
    let mut truth = None;
    for factory in ["Flat", "IVF1024,Flat", "IVF1024,SQ8", "IVF1024,PQ32"] {
        let mut index = index_factory(DIM as u32, factory, MetricType::InnerProduct)?;
        if factory.starts_with("IVF") {
            ParameterSpace::new()?.set_index_parameter(&index, "nprobe", PROBES)?;
        }
        let mut on_gpu = index.to_gpu(&resources, 0)?;
        let ours = Run::of(&mut index, &items, &queries)?;
        let theirs = Run::of(&mut on_gpu, &items, &queries)?;
        let truth = truth.get_or_insert_with(|| ours.found.clone());
        println!(
            "{factory:<14}{:>10.2}{:>10.2}{:>10.3}{:>10.3}{:>10.3}{:>10.3}",
            ours.build,
            theirs.build,
            ours.search,
            theirs.search,
            recall(&ours.found, truth),
            recall(&theirs.found, truth)
        );
    }
    Ok(())
}

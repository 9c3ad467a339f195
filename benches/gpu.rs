//! The index on a GPU beside the CPU: needs CUDA_PATH and nvcc to build.
//!
//!     cargo bench --features gpu --bench gpu [-- N]
//!
//! Random unit vectors; both sides learn on the CPU, then add and search in blocks on their own device.

use std::time::Instant;

use anyhow::{Context, Result};
use faiss::{Index, MetricType, StandardGpuResources, index_factory};
use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tuwen::linalg::l2_normalize_rows;

const DIM: usize = 128;
const QUERIES: usize = 10_000;
const K: usize = 10;
const SAMPLE: usize = 200_000;

fn random(n: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut x = Array2::from_shape_simple_fn((n, DIM), || rng.gen_range(-1.0..1.0));
    l2_normalize_rows(&mut x);
    x.into_raw_vec_and_offset().0
}

/// Seconds to add and to search, and what was found.
fn run(
    index: &mut impl Index,
    items: &[f32],
    queries: &[f32],
) -> Result<(f64, f64, Vec<Option<u64>>)> {
    let start = Instant::now();
    index.add(items)?;
    let added = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let found = index.search(queries, K)?;
    let labels = found.labels.iter().map(|label| label.get()).collect();
    Ok((added, start.elapsed().as_secs_f64(), labels))
}

fn main() -> Result<()> {
    // cargo adds `--bench`
    let n = std::env::args().skip(1).find(|a| !a.starts_with("--"));
    let n: usize = n.map_or(Ok(1_000_000), |n| n.parse()).context("N")?;
    let (items, queries) = (random(n, 1), random(QUERIES, 2));
    let resources = StandardGpuResources::new()?;
    println!("{n} vectors of {DIM} numbers, {QUERIES} queries, the best {K}");
    println!(
        "{:<16}{:>12}{:>12}{:>14}{:>14}{:>10}",
        "index", "CPU add, s", "GPU add, s", "CPU search, s", "GPU search, s", "agree"
    );
    for factory in ["Flat", "IVF1024,Flat", "IVF1024,SQ8"] {
        let mut cpu = index_factory(DIM as u32, factory, MetricType::InnerProduct)?;
        if !cpu.is_trained() {
            cpu.train(&items[..SAMPLE.min(n) * DIM])?;
        }
        let mut gpu = cpu.to_gpu(&resources, 0)?;
        let ours = run(&mut cpu, &items, &queries)?;
        let theirs = run(&mut gpu, &items, &queries)?;
        let same = ours.2.iter().zip(&theirs.2).filter(|(a, b)| a == b).count();
        let agree = same as f64 / ours.2.len() as f64;
        println!(
            "{factory:<16}{:>12.2}{:>12.2}{:>14.3}{:>14.3}{:>9.1}%",
            ours.0,
            theirs.0,
            ours.1,
            theirs.1,
            100.0 * agree
        );
    }
    Ok(())
}

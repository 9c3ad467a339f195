//! What several subjects need: folders, and made-up inputs.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tuwen::artifact::{Fingerprint, Spec};
use tuwen::dataset::Pair;
use tuwen::descriptor::DescriptorKind;
use tuwen::evaluation::{Ranking, Report, report};
use tuwen::fusion::{CcaParams, Fusion, FusionParams, Pairs};
use tuwen::index::{Faiss, IndexParams};
use tuwen::linalg::SparseRow;

pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub fn spec() -> Spec {
    let params = BTreeMap::from([("size", 64), ("rounds", 10)]);
    Spec::new("codebook", &params, 7).input("pictures", Fingerprint::of_bytes(b"pictures"))
}

pub fn kind(dim: usize) -> DescriptorKind {
    DescriptorKind {
        name: "made up".into(),
        dim,
    }
}

/// Small whole numbers: products are exact, and there are ties everywhere.
pub fn whole_numbers(n: usize, d: usize, seed: u64) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, d), || [-2.0, -1.0, 1.0, 2.0][rng.gen_range(0..4)])
}

pub fn uniform(n: usize, d: usize, seed: u64) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, d), || rng.gen_range(-1.0..1.0))
}

pub fn sparse_rows(n: usize, d: usize, seed: u64) -> Vec<SparseRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut cell = |j: u32| (rng.gen_range(0..10) == 0).then_some((j, rng.gen_range(0.1..1.0)));
    (0..n)
        .map(|_| (0..d as u32).filter_map(&mut cell).collect())
        .collect()
}

pub fn faiss(factory: &str, items: ArrayView2<f32>) -> Faiss {
    let params = IndexParams {
        factory: factory.into(),
        ..IndexParams::default()
    };
    Faiss::build(&params, items, items).unwrap()
}

fn pairs(images: usize, texts: usize) -> Vec<Pair> {
    (0..texts)
        .map(|i| Pair {
            image: i % images,
            text: i,
        })
        .collect()
}

pub fn cca(x: &Array2<f32>, y: &Array2<f32>) -> tuwen::Result<Fusion> {
    let params = CcaParams {
        dims: vec![16],
        regularization: vec![0.1],
        power: vec![1.0],
        ..CcaParams::default()
    };
    let pairs = pairs(x.nrows(), y.nrows());
    FusionParams::Cca(params).fit(Pairs::new(x.view(), y.view(), &pairs))
}

pub fn ranking(seed: u64) -> Ranking {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let ranks = (0..300)
        .map(|_| f64::from(rng.gen_range(2..60u8)) / 2.0)
        .collect();
    Ranking {
        ranks,
        units: (0..300).map(|i| i / 5).collect(),
        right: vec![1; 300],
        gallery: vec![60; 300],
    }
}

pub fn evaluated() -> Report {
    report(
        ("made up", "none", "test"),
        Some(&ranking(1)),
        Some(&ranking(2)),
        5,
    )
}

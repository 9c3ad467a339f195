//! Nothing depends on the number of threads.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use rayon::ThreadPoolBuilder;
use tuwen::artifact::Artifact;
use tuwen::codebook::KMeansParams;
use tuwen::evaluation::ranks;
use tuwen::index::Index;
use tuwen::linalg::{PcaParams, matmul};
use tuwen::text::Lsa;

use super::made_up::{cca, evaluated, faiss, folder, kind, sparse_rows, spec, uniform};

fn assert_same_for_any_pool<T: PartialEq + Send>(
    what: &str,
    compute: impl Fn() -> T + Send + Sync,
) {
    let [one, two, five] = [1, 2, 5].map(|threads| {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(&compute)
    });
    assert!(
        one == two && two == five,
        "{what} depends on the number of threads"
    );
}

/// Artifacts are equal where their bytes are.
fn stored(store: impl FnOnce(Artifact) -> Artifact) -> Artifact {
    store(Artifact::new(spec()))
}

#[test]
fn products_do_not_depend_on_threads() {
    let (a, b) = (uniform(1100, 130, 1), uniform(130, 300, 2));
    assert_same_for_any_pool("a product in f32", || {
        stored(|s| s.with_matrix("x", matmul(a.view(), b.view()).view()))
    });
    let (a, b) = (a.mapv(f64::from), b.mapv(f64::from));
    assert_same_for_any_pool("a product in f64", || {
        stored(|s| s.with_matrix("x", matmul(a.view(), b.view()).view()))
    });
}

#[test]
fn pca_does_not_depend_on_threads() {
    for width in [96, 640] {
        let x = uniform(700, width, 3);
        let params = PcaParams {
            dim: 40,
            ..PcaParams::default()
        };
        assert_same_for_any_pool("PCA", || {
            let pca = params.fit(x.view(), 1).unwrap();
            let z = pca.transform(x.view()).unwrap();
            stored(|s| pca.store(s).with_matrix("z", z.view()))
        });
    }
}

#[test]
fn cca_does_not_depend_on_threads() {
    let (x, y) = (uniform(400, 64, 4), uniform(1200, 48, 5));
    assert_same_for_any_pool("CCA", || cca(&x, &y).unwrap().store(spec()));
}

/// Set in a process of its own, where nothing before has told BLAS how many threads to use.
const CCA_INTO: &str = "TUWEN_TEST_CCA_INTO";

#[test]
fn cca_does_not_depend_on_the_threads_of_blas() {
    if let Some(path) = env::var_os(CCA_INTO) {
        // Large and small numbers, whose sum rounds; of few columns BLAS shares out the sums themselves.
        let [x, y] = [4, 5].map(|seed| uniform(100_000, 3, seed).mapv(|v| v.powi(7)));
        let stored = cca(&x, &y).unwrap().store(spec());
        return stored.write(Path::new(&path)).unwrap();
    }
    let folder = folder();
    let with = |threads: &str| {
        let path = folder.path().join(threads);
        let test = "properties::threads::cca_does_not_depend_on_the_threads_of_blas";
        let alone = Command::new(env::current_exe().unwrap())
            .args(["--exact", test])
            .env(CCA_INTO, &path)
            .env("OPENBLAS_NUM_THREADS", threads)
            .output()
            .unwrap();
        assert!(
            alone.status.success(),
            "{}",
            String::from_utf8_lossy(&alone.stdout)
        );
        fs::read(path).unwrap()
    };
    assert!(
        with("1") == with("2"),
        "the first product of a process has other bits on two threads"
    );
}

#[test]
fn k_means_does_not_depend_on_threads() {
    let x = uniform(6000, 32, 6);
    let params = KMeansParams {
        size: 24,
        batch: 1000,
        rounds: 3,
        ..KMeansParams::default()
    };
    assert_same_for_any_pool("k-means", || {
        stored(|s| params.fit(kind(32), x.view(), 2).unwrap().store(s))
    });
}

#[test]
fn lsa_does_not_depend_on_threads() {
    let rows = sparse_rows(900, 400, 7);
    assert_same_for_any_pool("LSA", || {
        let lsa = Lsa::fit(rows.clone(), 400, 30, 3).unwrap();
        stored(|s| lsa.store(s).with_matrix("z", lsa.transform(&rows).view()))
    });
}

#[test]
fn answers_and_figures_do_not_depend_on_threads() {
    let (items, q) = (uniform(2000, 32, 8), uniform(300, 32, 9));
    for factory in ["Flat", "IVF16,Flat", "HNSW16"] {
        assert_same_for_any_pool(factory, || {
            faiss(factory, items.view()).search(q.view(), 10).unwrap()
        });
    }
    let truth: Vec<Vec<usize>> = (0..300).map(|i| vec![i, i + 1]).collect();
    assert_same_for_any_pool("a rank", || {
        ranks(q.view(), items.view(), &vec![true; 2000], &truth, |_, _| {})
    });
    assert_same_for_any_pool("a report", evaluated);
}

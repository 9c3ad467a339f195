//! Nearest items against those of FAISS's exact index.

use std::fs;

use ndarray::{Array2, Axis, s};
use tuwen::Error;
use tuwen::index::{Faiss, Flat, Hit, Index, IndexParams, recall};

use super::figures::{Golden, assert_near, wide};

fn factory(factory: &str, search: &str) -> IndexParams {
    IndexParams {
        factory: factory.into(),
        search: search.into(),
        ..IndexParams::default()
    }
}

fn build(params: &IndexParams) -> tuwen::Result<Faiss> {
    let base = Golden::open("faiss").f32("base");
    Faiss::build(params, base.view(), base.view())
}

fn queries() -> Array2<f32> {
    Golden::open("faiss").f32("queries")
}

fn truth() -> Vec<Vec<Hit>> {
    Flat::new(Golden::open("faiss").f32("base"))
        .search(queries().view(), 10)
        .unwrap()
}

#[test]
fn both_exact_indices_are_faiss_flat() {
    let golden = Golden::open("faiss");
    let answers = build(&factory("Flat", ""))
        .unwrap()
        .search(queries().view(), 10)
        .unwrap();
    for answers in [answers, truth()] {
        let hits: Vec<&Hit> = answers.iter().flatten().collect();
        assert!(hits.iter().map(|h| h.item as i64).eq(golden.i64("ids")));
        let scores: Vec<f64> = hits.iter().map(|h| f64::from(h.score)).collect();
        let scores = Array2::from_shape_vec((20, 10), scores).unwrap();
        assert_near(scores.view(), wide(&golden.f32("scores")).view(), 1e-5);
    }
}

/// Factory, search parameters, and the least share of the true ten nearest.
const APPROXIMATE: [(&str, &str, f64); 3] = [
    ("IVF16,Flat", "nprobe=8", 0.8),
    ("HNSW16", "efSearch=64", 0.95),
    ("PQ8np", "", 0.75),
];

#[test]
fn approximate_indices_find_most() {
    for (name, search, floor) in APPROXIMATE {
        let answers = build(&factory(name, search))
            .unwrap()
            .search(queries().view(), 10)
            .unwrap();
        let found = recall(&answers, &truth());
        assert!(found >= floor, "{name}: recall {found}");
    }
}

#[test]
fn an_inverted_file_searched_whole_is_exact() {
    let recall_at = |nprobe: usize| {
        let index = build(&factory("IVF16,Flat", &format!("nprobe={nprobe}"))).unwrap();
        recall(&index.search(queries().view(), 10).unwrap(), &truth())
    };
    assert!(recall_at(1) < recall_at(8));
    assert_eq!(recall_at(16), 1.0);
}

#[test]
fn items_may_come_in_parts() {
    let base = Golden::open("faiss").f32("base");
    for (name, search, _) in APPROXIMATE.into_iter().chain([("Flat", "", 1.0)]) {
        let params = factory(name, search);
        let whole = build(&params).unwrap();
        let mut parts = Faiss::build(&params, base.view(), base.slice(s![..0, ..])).unwrap();
        for part in base.axis_chunks_iter(Axis(0), 170) {
            parts.add(part).unwrap();
        }
        assert_eq!(parts.len(), 500);
        let answers = [whole, parts].map(|i| i.search(queries().view(), 10).unwrap());
        assert_eq!(answers[0], answers[1], "{name}");
    }
    let mut index = build(&factory("Flat", "")).unwrap();
    let error = index.add(base.slice(s![.., 1..])).unwrap_err();
    assert!(error.to_string().contains("23"), "{error}");
}

#[test]
fn indices_answer_the_same_after_a_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gallery.faiss");
    for (name, search, _) in APPROXIMATE.into_iter().chain([("Flat", "", 1.0)]) {
        let index = build(&factory(name, search)).unwrap();
        index.write(&path).unwrap();
        let again = Faiss::read(&path, search).unwrap();
        assert_eq!(again.len(), 500);
        assert_eq!(
            again.search(queries().view(), 10).unwrap(),
            index.search(queries().view(), 10).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn an_index_that_cannot_be_is_an_error() {
    for (name, search, reason) in [
        ("Flt", "", "factory `Flt`"),
        ("IVF16,", "", "factory `IVF16,`"),
        ("", "", "factory ``"),
        ("PQ7np", "", "factory `PQ7np`"),
        ("Flat", "nprobe", "`nprobe` is not NAME=NUMBER"),
        ("Flat", "nprobe=x", "`nprobe=x` is not NAME=NUMBER"),
        ("Flat", "warp=3", "warp"),
    ] {
        let error = build(&factory(name, search))
            .err()
            .unwrap_or_else(|| panic!("`{name}` `{search}` is accepted"));
        assert!(error.to_string().contains(reason), "{error}");
    }
    let few = Array2::<f32>::eye(24).slice_move(s![..3, ..]);
    let lists = Faiss::build(&factory("IVF16,Flat", ""), few.view(), few.view());
    let error = lists.err().expect("16 lists of 3 vectors");
    assert!(matches!(error, Error::Faiss { .. }), "{error}");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("noise.faiss"), [7; 100]).unwrap();
    for name in ["absent.faiss", "noise.faiss"] {
        let read = Faiss::read(&folder.path().join(name), "");
        let error = read.err().expect("no index is there");
        assert!(matches!(error, Error::Faiss { .. }), "{name}: {error}");
    }
}

#[test]
fn an_index_minds_the_dimension_and_the_size() {
    let exact: [Box<dyn Index>; 2] = [
        Box::new(build(&factory("Flat", "")).unwrap()),
        Box::new(Flat::new(Golden::open("faiss").f32("base"))),
    ];
    for index in exact {
        let error = index.search(Array2::zeros((1, 23)).view(), 5).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("23") && error.contains("24"), "{error}");
        assert_eq!(index.search(queries().view(), 501).unwrap()[0].len(), 500);
        assert_eq!(index.search(queries().view(), 0).unwrap(), vec![vec![]; 20]);
        assert_eq!(
            index.search(Array2::zeros((0, 24)).view(), 5).unwrap(),
            Vec::<Vec<Hit>>::new()
        );
    }
}

//! Exact indices are exact, ties in the order of the gallery; galleries answer with usable items first.

use std::collections::BTreeSet;

use ndarray::{Array2, ArrayView1, s};
use proptest::collection::vec;
use proptest::prelude::*;
use tuwen::contest::Gallery;
use tuwen::index::{Faiss, Flat, Hit, Index, IndexParams, recall};

use super::cases::config;
use super::made_up::{faiss, uniform, whole_numbers};

/// Every product by definition, sorted by score and then by place.
fn naive_search(items: &Array2<f32>, queries: &Array2<f32>, k: usize) -> Vec<Vec<Hit>> {
    let answer = |q: ArrayView1<f32>| {
        let product = |x: ArrayView1<f32>| x.iter().zip(q).map(|(a, b)| a * b).sum::<f32>();
        let mut hits: Vec<Hit> = items
            .outer_iter()
            .enumerate()
            .map(|(item, x)| Hit {
                item,
                score: product(x),
            })
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.item.cmp(&b.item)));
        hits.truncate(k);
        hits
    };
    queries.outer_iter().map(answer).collect()
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn flat_is_the_definition_with_ties_in_order(
        n in 1..80usize, d in 1..7usize, queries in 0..9usize, k in 1..90usize, seed in any::<u64>(),
    ) {
        let (items, q) = (whole_numbers(n, d, seed), whole_numbers(queries, d, !seed));
        prop_assert_eq!(Flat::new(items.clone()).search(q.view(), k).unwrap(), naive_search(&items, &q, k));
    }

    /// Where several items share the score of the last place, the first of them in the gallery are kept.
    #[test]
    fn faiss_flat_keeps_the_first_of_equals(
        n in 1..80usize, d in 1..7usize, queries in 0..9usize, k in 1..90usize, seed in any::<u64>(),
    ) {
        let (items, q) = (whole_numbers(n, d, seed), whole_numbers(queries, d, !seed));
        let ours = Flat::new(items.clone()).search(q.view(), k).unwrap();
        prop_assert_eq!(faiss("Flat", items.view()).search(q.view(), k).unwrap(), ours);
    }
}

#[test]
fn faiss_flat_equals_our_flat_on_many_items() {
    let (items, q) = (uniform(3000, 48, 1), uniform(150, 48, 2));
    for k in [1, 10, 300] {
        let (ours, theirs) = (Flat::new(items.clone()), faiss("Flat", items.view()));
        let (ours, theirs) = (
            ours.search(q.view(), k).unwrap(),
            theirs.search(q.view(), k).unwrap(),
        );
        for (a, b) in ours.iter().flatten().zip(theirs.iter().flatten()) {
            assert!((a.score - b.score).abs() < 1e-4, "{a:?}, {b:?}");
        }
        assert!(recall(&theirs, &ours) > 0.999);
    }
}

#[test]
fn many_ties_stay_in_the_order_of_the_gallery() {
    let items = Array2::<f32>::ones((1000, 4));
    for k in [5, 150, 999] {
        let answers = faiss("Flat", items.view())
            .search(items.slice(s![..70, ..]), k)
            .unwrap();
        for hits in answers {
            assert!(
                hits.iter().map(|h| h.item).eq(0..k),
                "k = {k}: {:?}",
                &hits[..5]
            );
        }
    }
}

#[test]
fn zero_has_no_sign() {
    let items = Array2::from_shape_vec((4, 1), vec![-0.0f32, 0.0, -0.0, 0.0]).unwrap();
    let exact: [Box<dyn Index>; 2] = [
        Box::new(Flat::new(items.clone())),
        Box::new(faiss("Flat", items.view())),
    ];
    for index in exact {
        let hits = index.search(Array2::ones((1, 1)).view(), 4).unwrap();
        assert!(hits[0].iter().map(|h| h.item).eq(0..4), "{hits:?}");
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn a_gallery_answers_every_query_with_different_items(
        usable in vec(any::<bool>(), 1..40),
        asked in vec(any::<bool>(), 0..5),
        k in 1..50usize,
        factory in proptest::sample::select(vec!["Flat", "HNSW4"]),
        seed in any::<u64>(),
    ) {
        let items = uniform(usable.len(), 6, seed);
        let q = uniform(asked.len(), 6, !seed);
        let params = IndexParams { factory: factory.into(), ..IndexParams::default() };
        let gallery = Gallery::build(&params, || Ok(items.clone()), items.view(), &usable, None).unwrap();
        let answers = gallery.answer(q.view(), &asked, k, None).unwrap();
        prop_assert_eq!(answers.len(), asked.len());
        let good = usable.iter().filter(|&&u| u).count();
        for (found, &asked) in answers.iter().zip(&asked) {
            let places: Vec<usize> = found.hits.iter().map(|h| h.item).collect();
            prop_assert_eq!(places.len(), k.min(usable.len()));
            prop_assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), places.len());
            prop_assert_eq!(found.answered, asked);
            if asked {
                let behind = places.iter().skip(good).all(|&i| !usable[i]);
                prop_assert!(behind && places.iter().take(good).all(|&i| usable[i]), "{places:?}");
            } else {
                prop_assert!(places.into_iter().eq(0..k.min(usable.len())));
            }
        }
    }
}

/// What the index of a large gallery finds among some of its items is mostly what there is to find, and nothing else.
#[test]
fn candidates_are_among_those_that_are_allowed() {
    let (items, q) = (uniform(4000, 48, 1), uniform(20, 48, 2));
    let index = IndexParams {
        factory: "PCAR32,IVF32,SQ8".into(),
        search: String::new(),
        sample: 4000,
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cells.faiss");
    let built = Faiss::build(&index, items.view(), items.view()).unwrap();
    built.write(&file).unwrap();
    let read = Faiss::read(&file, "").unwrap();
    for step in [1, 2, 50] {
        let among: Vec<usize> = (0..4000).step_by(step).collect();
        let mut bits = vec![0u8; 500];
        among.iter().for_each(|i| bits[i / 8] |= 1 << (i % 8));
        let (mut found, mut wanted) = (0, 0);
        for q in q.outer_iter() {
            let query = q.to_vec();
            let near = read.nearest_among(&query, 80, &bits, 32).unwrap();
            assert_eq!(near.len(), 80.min(among.len()), "step {step}");
            assert!(near.iter().all(|&row| among.contains(&(row as usize))));
            let mut best = among.clone();
            best.sort_by(|&a, &b| q.dot(&items.row(b)).total_cmp(&q.dot(&items.row(a))));
            wanted += 10;
            found += best[..10]
                .iter()
                .filter(|&&i| near.contains(&(i as u32)))
                .count();
        }
        assert!(10 * found > 8 * wanted, "step {step}: {found} of {wanted}");
    }
}

//! Matching terms: the inverted index against a look at every document, and blending with the shared space.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ndarray::Array1;
use proptest::collection::vec;
use proptest::prelude::*;
use tuwen::contest::Gallery;
use tuwen::index::IndexParams;
use tuwen::scene_text::{Idf, Lexicon, Match, Matching, Setting, Words};
use tuwen::text::{CharacterParams, Segmenter, SegmenterParams};

use super::cases::config;
use super::made_up::uniform;

const BM25: Matching = Matching::Bm25 { k1: 1.2, b: 0.75 };

fn lexicon(captions: &[String]) -> Lexicon {
    let captions: Vec<&str> = captions.iter().map(String::as_str).collect();
    Lexicon::fit(Idf::Training, &captions).unwrap()
}

fn setting(matching: Matching, share: f32) -> Setting {
    Setting { matching, share }
}

/// Lines of a few characters, so that texts have some in common.
fn text() -> impl Strategy<Value = String> {
    "([大小学生图书馆招聘会红花,，a]{0,6}\n){0,3}"
}

/// Counts of all terms, each with a mark of its kind.
fn counts(text: &str) -> BTreeMap<String, f64> {
    static SEGMENTER: LazyLock<Segmenter> =
        LazyLock::new(|| SegmenterParams::default().load().unwrap());
    let grams = |n: usize, line: &str| CharacterParams { min: n, max: n }.tokens(line);
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        let kinds = [SEGMENTER.tokens(line), grams(2, line), grams(1, line)];
        for (kind, terms) in kinds.iter().enumerate() {
            for term in terms {
                *counts.entry(format!("{kind}{term}")).or_default() += 1.0;
            }
        }
    }
    counts
}

fn idf(captions: &[String], term: &str) -> f64 {
    let df = captions
        .iter()
        .filter(|c| counts(c).contains_key(term))
        .count();
    ((1.0 + captions.len() as f64) / (1.0 + df as f64)).ln() + 1.0
}

fn cosine(captions: &[String], a: &str, b: &str) -> f64 {
    let weights = |text| -> BTreeMap<String, f64> {
        let weigh = |(term, n): (String, f64)| {
            let weight = (1.0 + n.ln()) * idf(captions, &term);
            (term, weight)
        };
        counts(text).into_iter().map(weigh).collect()
    };
    let (a, b) = (weights(a), weights(b));
    let norm = |w: &BTreeMap<String, f64>| w.values().map(|w| w * w).sum::<f64>().sqrt();
    let both = a.iter().filter_map(|(term, w)| Some(w * b.get(term)?));
    both.sum::<f64>() / (norm(&a) * norm(&b)).max(1e-12)
}

fn bm25(captions: &[String], query: &str, documents: &[String], document: &str) -> f64 {
    let length = |text: &str| counts(text).values().sum::<f64>();
    let lengths: Vec<f64> = documents
        .iter()
        .map(|d| length(d))
        .filter(|&l| l > 0.0)
        .collect();
    let mean = lengths.iter().sum::<f64>() / lengths.len() as f64;
    let (query, there) = (counts(query), counts(document));
    let weight = |(term, n): (&String, &f64)| n * idf(captions, term);
    let most: f64 = query.iter().map(weight).sum();
    let score = query.iter().filter_map(|(term, n)| {
        let c = there.get(term)?;
        let k = 1.2 * (0.25 + 0.75 * length(document) / mean);
        Some(weight((term, n)) * c / (c + k))
    });
    score.sum::<f64>() / most
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn the_inverted_index_finds_what_a_look_at_every_document_finds(
        captions in vec(text(), 1..5),
        documents in vec(text(), 1..6),
        query in text(),
    ) {
        let lexicon = lexicon(&captions);
        for matching in [Matching::Cosine, BM25] {
            let gallery = lexicon.gallery(documents.clone(), setting(matching, 0.5));
            let mut found = vec![0.0; documents.len()];
            for Match { item, score } in gallery.matches(&query) {
                prop_assert!(score > 0.0 && score < 1.0001);
                found[item] = f64::from(score);
            }
            for (document, found) in documents.iter().zip(found) {
                let expected = match matching {
                    Matching::Cosine => cosine(&captions, &query, document),
                    Matching::Bm25 { .. } if query.trim().is_empty() => 0.0,
                    Matching::Bm25 { .. } => bm25(&captions, &query, &documents, document),
                };
                let expected = if expected.is_nan() { 0.0 } else { expected };
                prop_assert!((found - expected).abs() < 1e-5, "{matching:?}: {found}, not {expected}");
            }
        }
    }

    #[test]
    fn answers_are_the_best_of_all_blended_scores(
        texts in vec(text(), 3..30),
        query in text(),
        share in 0.0..1.0f32,
        k in 1..8usize,
        charged in any::<bool>(),
        asked in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let n = texts.len();
        let usable: Vec<bool> = (0..n).map(|i| i % 4 != 1).collect();
        let (items, q) = (uniform(n, 6, seed), uniform(1, 6, !seed));
        let charges: Option<Array1<f32>> = charged.then(|| uniform(n, 1, seed ^ 1).column(0).to_owned());
        let params = IndexParams::default();
        let gallery = Gallery::build(&params, || Ok(items.clone()), items.view(), &usable, charges.clone()).unwrap();
        let lexicon = lexicon(&texts);
        let words = Words {
            asking: vec![query.clone()],
            gallery: lexicon.gallery(texts, setting(Matching::Cosine, share)),
        };
        let found = gallery.answer(q.view(), &[asked], k, Some((&words, items.view()))).unwrap();
        let mut scores: Vec<f32> = (0..n).map(|i| {
            let charge = charges.as_ref().map_or(0.0, |c| c[i]);
            if usable[i] && asked { q.row(0).dot(&items.row(i)) - charge } else { f32::NEG_INFINITY }
        }).collect();
        words.gallery.blend(&mut scores, words.gallery.matches(&query).into_iter());
        let mut best: Vec<f32> = scores.into_iter().filter(|s| s.is_finite()).collect();
        best.sort_by(|a, b| b.total_cmp(a));
        for (hit, best) in found[0].hits.iter().zip(&best) {
            prop_assert!((hit.score - best).abs() < 1e-5, "{:?}, not {best}", found[0].hits);
        }
        prop_assert_eq!(found[0].hits.len(), k.min(n));
        prop_assert_eq!(found[0].answered, asked || !best.is_empty());
    }
}

#[test]
fn a_text_is_like_itself_and_what_is_not_read_matches_nothing() {
    let texts = ["大学生招聘会\n图书馆", "", "红花"].map(str::to_owned);
    let lexicon = lexicon(&texts);
    let gallery = lexicon.gallery(texts.to_vec(), setting(Matching::Cosine, 0.5));
    let [own] = gallery.matches(&texts[0])[..] else {
        panic!("{:?}", gallery.matches(&texts[0]))
    };
    assert_eq!(own.item, 0);
    assert!((own.score - 1.0).abs() < 1e-6, "{own:?}");
    assert!(gallery.matches("").is_empty());
    // pictures without text stay in their order
    let mut scores = [-0.5, 0.25, 0.75, f32::NEG_INFINITY];
    gallery.blend(&mut scores, [].into_iter());
    assert_eq!(scores, [-0.25, 0.125, 0.375, f32::NEG_INFINITY]);
}

#[test]
fn misread_characters_leave_a_match() {
    let texts = ["秋季校园招骋", "红花绿草"].map(str::to_owned);
    let lexicon = lexicon(&texts);
    let gallery = lexicon.gallery(texts.to_vec(), setting(Matching::Cosine, 0.5));
    let matches = gallery.matches("秋季校园招聘");
    assert_eq!(matches.len(), 1);
    assert!(matches[0].score > 0.5, "{matches:?}");
    assert_eq!(gallery.common("校园招聘", 0), ["校园"]);
    assert_eq!(gallery.common("招人", 0), ["招"]);
}

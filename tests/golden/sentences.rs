//! The sentence encoder against the Python package that its weights come from.

use serde::Deserialize;
use tuwen::artifact::Spec;
use tuwen::sentence::{self, SentenceEncoder};

use super::figures::{Golden, json};

#[derive(Deserialize)]
struct Cut {
    sentence: String,
    ids: Vec<usize>,
}

fn encoder() -> SentenceEncoder {
    let artifact = sentence::read(Spec::new("sentence-encoder", &(), 0)).unwrap();
    SentenceEncoder::load(&artifact).unwrap()
}

/// Several unknown characters in a row are one piece, as in Google's program, and several in the package.
fn merged(ids: &[usize]) -> Vec<usize> {
    const UNKNOWN: usize = 0;
    let mut ids = ids.to_vec();
    ids.dedup_by(|a, b| *a == UNKNOWN && *b == UNKNOWN);
    ids
}

#[test]
fn sentences_are_cut_and_placed_as_by_the_package() {
    let encoder = encoder();
    let cut: Vec<Cut> = json("sentences");
    let sentences: Vec<&str> = cut.iter().map(|c| c.sentence.as_str()).collect();
    let ours = encoder.encode(&sentences);
    let theirs = Golden::open("sentences").f32("vectors");
    let mut compared = 0;
    for (place, Cut { sentence, ids }) in cut.iter().enumerate() {
        assert_eq!(encoder.ids(sentence), merged(ids), "{sentence}");
        let (ours, theirs) = (ours.row(place), theirs.row(place));
        assert!((ours.dot(&ours) - 1.0).abs() < 1e-5, "{sentence}");
        if merged(ids) == *ids {
            let apart = (&ours - &theirs)
                .mapv(f32::abs)
                .fold(0f32, |a, &b| a.max(b));
            assert!(apart < 2e-5, "{sentence}: {apart}");
            compared += 1;
        }
    }
    assert!(compared > cut.len() / 2, "{compared}");
}

#[test]
fn a_sentence_is_where_it_is_whatever_stands_beside_it() {
    let encoder = encoder();
    let many: Vec<String> = (0..200).map(|n| format!("{n} 只狗在海边奔跑")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let together = encoder.encode(&many);
    for place in [0, 77, 199] {
        let alone = encoder.encode(&many[place..=place]);
        let apart = &together.row(place) - &alone.row(0);
        assert!(apart.iter().all(|d| d.abs() < 1e-5));
    }
    let dogs = encoder.encode(&["dog", "狗", "a boy playing football"]);
    assert!(dogs.row(0).dot(&dogs.row(1)) > dogs.row(0).dot(&dogs.row(2)) + 0.3);
}

//! What a codebook is made from, and which word is nearest.

use ndarray::{ArrayView1, Axis};
use tuwen::Error;
use tuwen::codebook::KMeansParams;

use super::made_up::{kind, uniform};

#[test]
fn a_codebook_wants_enough_of_its_own_kind() {
    let params = KMeansParams {
        size: 16,
        ..KMeansParams::default()
    };
    let x = uniform(15, 4, 1);
    assert!(matches!(
        params.fit(kind(4), x.view(), 0),
        Err(Error::TooFew {
            needed: 16,
            found: 15,
            ..
        })
    ));
    assert!(matches!(
        params.fit(kind(5), x.view(), 0),
        Err(Error::Mismatch { .. })
    ));
    let none = KMeansParams {
        size: 0,
        ..params.clone()
    };
    let refused = none.fit(kind(4), x.view(), 0).unwrap_err().to_string();
    assert!(refused.contains("0 visual words"), "{refused}");
    // Fewer different descriptors than words: some words stay without, and none is lost.
    let few = x.select(Axis(0), &(0..200).map(|i| i % 5).collect::<Vec<_>>());
    let codebook = params.fit(kind(4), few.view(), 0).unwrap();
    assert!(codebook.centroids().iter().all(|v| v.is_finite()));
    assert_eq!(codebook.assign(x.view()).unwrap().len(), 15);
}

#[test]
fn a_descriptor_is_nearest_to_the_word_that_is_nearest() {
    let x = uniform(700, 6, 3);
    let codebook = KMeansParams {
        size: 20,
        ..KMeansParams::default()
    }
    .fit(kind(6), x.view(), 1)
    .unwrap();
    let distance =
        |x: ArrayView1<f32>, w: usize| (&x - &codebook.centroids().row(w)).mapv(|v| v * v).sum();
    for (x, word) in x.outer_iter().zip(codebook.assign(x.view()).unwrap()) {
        let nearest = (0..20).map(|w| distance(x, w)).fold(f32::MAX, f32::min);
        assert!(distance(x, word) <= nearest + 1e-5);
    }
}

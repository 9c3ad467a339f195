//! What a gallery keeps of points and texts, whichever way they were made.

use half::f16;
use ndarray::ArrayView1;

use crate::gallery::{Bag, UNUSABLE};
use crate::scene_text::{Lexicon, norm};

/// A point in half precision.
pub(crate) fn halves(x: ArrayView1<f32>) -> Vec<f16> {
    x.iter().map(|&v| f16::from_f32(v)).collect()
}

/// What an item is charged; one that is not usable is near to nothing.
pub(crate) fn charge(usable: bool, charge: f32) -> f32 {
    if usable { charge } else { UNUSABLE }
}

/// The terms of a text.
pub(crate) fn bag(lexicon: &Lexicon, text: &str) -> Bag {
    let bag = lexicon.terms().bag(text);
    let digest = |&(term, count): &(crate::scene_text::Term, f32)| (term.digest(), count);
    Bag {
        norm: norm(&bag, lexicon.rarity()),
        terms: bag.0.iter().map(digest).collect(),
    }
}

//! Copies: which pictures of a gallery show what a query shows, cropped, scaled, turned, mirrored, re-encoded or
//! written over; and which pictures of one folder show the same.
//!
//! What a method learns and what it has seen of a picture are kept, by the digest of the picture's bytes, so that a
//! picture is looked at once ([`Index`]). The methods:
//! - [`WordsParams`]: SIFT keypoints become visual words with signatures ([`Vocabulary`]); pictures that have the same
//!   words with like signatures are found in an inverted file, and the best of them are verified by whether the
//!   keypoints agree on one similarity ([`crate::matching`]);
//! - [`PairsParams`]: the keypoints of every picture against the query's, without an index;
//! - [`VectorsParams`]: one vector a picture (histogram, perceptual hash, bag of words, VLAD, Fisher vector), compared
//!   with all others and judged against how alike unrelated pictures are ([`Chance`]).
//!
//! To add one: a file with its parameters and a [`Method`], and a line in [`MethodParams`] and its method.
//!
//! Scores of all methods mean the same: −log10 of how many pictures of such a gallery would be so alike by chance.

mod chance;
mod compression;
mod groups;
mod index;
mod method;
mod pairs;
mod postings;
mod store;
mod vectors;
mod vocabulary;
mod words;

pub use chance::Chance;
pub use compression::{Measured, Whitened};
pub use groups::{Link, groups, sharpness};
pub use index::{Index, Looked, Set};
pub use method::{Found, Method, MethodParams, Pictures, Searcher};
pub use pairs::PairsParams;
pub use postings::{Postings, Vote};
pub use vectors::{Seen as SeenVectors, VectorsParams};
pub use vocabulary::{Visual, Vocabulary};
pub use words::{Search, WordsParams};

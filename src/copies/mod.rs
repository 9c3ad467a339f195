//! Copies: the pictures of a gallery that show what a query shows, though cropped, scaled, rotated, mirrored,
//! re-encoded or overlaid with text or logos; and the pictures of one folder that show the same thing.
//!
//! What a method learns and what it has seen in a picture are stored under the digest of the picture's bytes, so
//! that each picture is processed once ([`Index`]). The methods are:
//! - [`WordsParams`]: SIFT keypoints become visual words with signatures ([`Vocabulary`]). An inverted file finds
//!   pictures with the same words and similar signatures; the best candidates are verified by whether their
//!   keypoints agree on one similarity ([`crate::matching`]).
//! - [`PairsParams`]: the keypoints of every picture are compared with the query's, without an index.
//! - [`VectorsParams`]: one vector per picture (histogram, perceptual hash, bag of words, VLAD, Fisher vector) is
//!   compared with all others and judged by how similar unrelated pictures are ([`Chance`]).
//!
//! To add a method, write a file with its parameters and a [`Method`], and add a line to [`MethodParams`] and its
//! method.
//!
//! Scores of all methods have one unit: −log10 of the expected number of equally similar pictures in a gallery of
//! this size. The methods estimate it differently, so each has its own threshold.

mod chance;
mod groups;
mod index;
mod method;
mod pairs;
mod params;
mod postings;
mod vectors;
mod vocabulary;
mod words;

pub use chance::Chance;
pub use groups::{Link, groups, sharpness};
pub use index::{Index, Looked, Set};
pub use method::{Found, Method, Pictures, Searcher};
pub use pairs::PairsParams;
pub use params::MethodParams;
pub use postings::{Postings, Vote};
pub use vectors::{Seen as SeenVectors, VectorsParams};
pub use vocabulary::{Visual, Vocabulary};
pub use words::{Search, Seen as SeenWords, WordsParams};

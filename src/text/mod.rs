//! Captions to vectors: tokens, weights, and a dense projection.

mod lsa;
mod segment;
mod tfidf;

pub use lsa::Lsa;
pub use segment::{Segmenter, SegmenterParams};
pub use tfidf::{TfIdf, TfIdfParams};

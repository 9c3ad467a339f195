//! Captions become vectors: tokens, weights, and a dense projection.

mod characters;
mod cutter;
mod english;
mod lsa;
mod segment;
mod tfidf;
#[cfg(feature = "train")]
mod words;

pub use characters::CharacterParams;
pub use cutter::Cutter;
pub use english::tokens_english;
pub use lsa::{Lsa, ProjectionParams};
pub(crate) use segment::normalize;
pub use segment::{Dictionaries, Segmenter, SegmenterParams, load_dictionary};
pub use tfidf::{TfIdf, TfIdfParams, Weighting};
#[cfg(feature = "train")]
pub(crate) use words::{StoredWords, Words};

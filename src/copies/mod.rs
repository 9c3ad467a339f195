//! Copies: which pictures of a gallery show what a query shows, cropped, scaled, turned, mirrored, re-encoded or
//! written over.
//!
//! SIFT keypoints become visual words with signatures ([`Vocabulary`]); pictures that have the same words with like
//! signatures are found in an inverted file, and the best of them are verified by whether the keypoints agree on one
//! similarity ([`crate::matching`]). What is known of a picture is kept by the digest of its bytes ([`Store`]).

mod gallery;
mod index;
mod store;
mod vocabulary;

pub use gallery::{Found, Gallery, Search, THRESHOLD};
pub use index::{CopiesParams, Index};
pub use store::{Seen, Store};
pub use vocabulary::{Visual, Vocabulary};

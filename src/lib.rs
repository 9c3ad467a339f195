//! tuwen (图文): classical, hand-crafted-feature retrieval between images and texts, on a CPU.
pub mod artifact;
pub mod codebook;
pub mod dataset;
pub mod descriptor;
pub mod encoding;
pub mod error;
pub mod evaluation;
pub mod fusion;
pub mod index;
pub mod linalg;
pub mod picture;
pub mod pipeline;
pub mod progress;
pub mod recipe;
pub mod search;
pub mod submission;
pub mod text;
pub mod views;

pub use error::{Error, Result};

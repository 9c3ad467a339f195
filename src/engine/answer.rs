//! What is answered.

use serde::Serialize;

use crate::ocr::Quad;

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// Best first.
    pub hits: Vec<Hit>,
    /// How many of the hits are good: those after them are less likely right than wrong enough to be left out.
    pub good: usize,
    /// Items that the query's conditions let through.
    pub searched: usize,
}

/// An item that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hit {
    /// Key of the picture in the gallery, or of the text; none for a training caption of the model.
    pub key: Option<u64>,
    /// Path of the picture below its folder, or the id of the text.
    pub id: String,
    /// Where the picture's file was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The text that was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// By which hits are ordered. It means something beside the other hits of the same answer alone.
    pub score: f32,
    /// The probability that it is right, where the model has learned to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f32>,
    /// What the score comes of, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Explanation>,
}

/// What a score comes of.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explanation {
    /// What each part of the query adds to the score; they sum up to it.
    pub parts: Vec<Share>,
    /// Words of the query that a caption or the picture has.
    pub words: Vec<Matched>,
    /// By how much the score would fall without each word of the query, the largest first.
    pub query_words: Vec<Share>,
    /// Of a copy: how it lies in the picture that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<Copied>,
}

/// A part of a score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// What it is, for people.
    pub name: String,
    /// What it adds.
    pub share: f32,
}

/// A word that query and item have in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Matched {
    /// As the segmenter cuts it.
    pub word: String,
    /// Whether a caption or a tag has it.
    pub in_caption: bool,
    /// Where it is written in the picture: the lines that have it, in pixels.
    pub boxes: Vec<Quad>,
}

/// How a copy was told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Copied {
    /// Whether the files are the same byte for byte.
    pub same_bytes: bool,
    /// Keypoints that agree on one transformation.
    pub inliers: usize,
    /// Whether it is a mirror image.
    pub mirrored: bool,
}

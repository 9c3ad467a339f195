//! What is answered.

use serde::Serialize;

use crate::matching::Transform;
use crate::ocr::Quad;

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// Best first.
    pub hits: Vec<Hit>,
    /// How many of the hits are good. Those after them are probably wrong; without probabilities, all hits count as good.
    pub good: usize,
    /// Number of items that met the conditions of the query and were searched.
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
    /// The number that hits are ordered by. It can be compared only with the other scores of the same answer.
    pub score: f32,
    /// The probability that the hit is right, if the model can tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f32>,
    /// Keys of pictures that are nearly the same, less good than this one; only if the query asks for one hit of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<u64>,
    /// What the score consists of, if the query asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Explanation>,
}

/// What a score consists of.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explanation {
    /// What each part of the query adds to the score; they sum up to it.
    pub parts: Vec<Share>,
    /// Words of the query that a caption or the picture has.
    pub words: Vec<Matched>,
    /// How much the score would fall without each word of the query, the largest fall first.
    pub query_words: Vec<Share>,
    /// How a copy was recognised.
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
    /// The word as the segmenter cuts it.
    pub word: String,
    /// Whether a caption or a tag has it.
    pub in_caption: bool,
    /// Where it is written in the picture: the lines that have it, in pixels.
    pub boxes: Vec<Quad>,
}

/// How a copy was recognised.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Copied {
    /// Whether the files are the same byte for byte.
    pub same_bytes: bool,
    /// Keypoints that agree on one transformation.
    pub inliers: usize,
    /// Whether it is a mirror image.
    pub mirrored: bool,
    /// The transformation from the query, mirrored if it is so, to the picture, in pixels of their working sizes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transform: Option<Transform>,
    /// Where the keypoints that agree are in the query and in the picture, from the left and from the top, as shares of
    /// width and height; only if the query asks for an explanation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<[[f32; 2]; 2]>,
}

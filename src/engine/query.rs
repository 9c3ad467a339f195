//! What is asked.

use crate::gallery::filter::Filter;

/// What is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Find {
    /// Pictures that a text is about; for pictures alone, those that look alike.
    #[default]
    Pictures,
    /// Texts that say what a picture shows.
    Texts,
    /// Copies of a picture: cropped, scaled, rotated, mirrored, overlaid with text.
    Copies,
}

/// How much the parts of a query count beside each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Weight of the text.
    pub text: f32,
    /// Weight of the pictures together.
    pub image: f32,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            text: 0.5,
            image: 0.5,
        }
    }
}

/// Rows that are ranked for each hit where pictures that are nearly the same make one hit.
const SPARE: usize = 3;

/// A question to a gallery. What is left empty has no effect.
#[derive(Clone, Debug)]
pub struct Query {
    /// A sentence or keywords.
    pub text: Option<String>,
    /// Words that must be in a picture's captions, its tags or the text that was read in it. They are searched for, too.
    /// A picture of which no text is known is judged by how it looks alone.
    pub must: Vec<String>,
    /// Words that must not be there. What is like them moves down.
    pub not: Vec<String>,
    /// The bytes of picture files.
    pub pictures: Vec<Vec<u8>>,
    /// Keys of pictures of the gallery, which are asked with as they are kept there: no file is opened. They are not among
    /// the hits.
    pub like: Vec<u64>,
    /// How text and pictures count beside each other.
    pub weights: Weights,
    /// Conditions on pictures.
    pub filter: Option<Filter>,
    /// What is looked for.
    pub find: Find,
    /// How many hits are wanted.
    pub top: usize,
    /// How many of the best hits are left out before these: for the next page.
    pub offset: usize,
    /// Whether pictures that are nearly the same make one hit, the best of them.
    pub dedupe: bool,
    /// Whether every hit explains its score.
    pub explain: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            text: None,
            must: vec![],
            not: vec![],
            pictures: vec![],
            like: vec![],
            weights: Weights::default(),
            filter: None,
            find: Find::Pictures,
            top: 20,
            offset: 0,
            dedupe: false,
            explain: false,
        }
    }
}

impl Query {
    /// A question for the pictures that a text is about.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// A question about a picture, from the bytes of its file.
    pub fn picture(bytes: Vec<u8>, find: Find) -> Self {
        Self {
            pictures: vec![bytes],
            find,
            ..Self::default()
        }
    }

    /// Whether any picture asks.
    pub(super) fn has_pictures(&self) -> bool {
        !self.pictures.is_empty() || !self.like.is_empty()
    }

    /// How many of the best rows a ranking is to give. Where some are nearly the same, fewer hits are left of them.
    pub(super) fn most(&self) -> usize {
        let hits = self.offset.saturating_add(self.top);
        match self.dedupe {
            true => hits.saturating_mul(SPARE),
            false => hits,
        }
    }

    /// Text and words that are searched for, as one text.
    pub(super) fn whole_text(&self) -> String {
        let words = self.text.iter().chain(&self.must);
        words
            .map(|w| w.trim())
            .collect::<Vec<_>>()
            .join(" ")
            .trim()
            .to_owned()
    }
}

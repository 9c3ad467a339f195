//! A page that shows queries with their answers: one HTML file, its pictures inside it.

use std::path::Path;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tuwen::copies::{Found, Index};
use tuwen::dataset::{ImageItem, TextItem};
use tuwen::scene_text::Words;

use super::{draw, output};
use crate::thumbnail;

const THUMBNAIL: u32 = 160;
/// Of two pictures side by side.
const PAIR: u32 = 480;

/// A picture or a sentence, ready to be shown.
pub struct Item {
    seen: Seen,
    /// Under it: the id of a text, the name of a picture.
    name: String,
    /// Two pictures side by side.
    wide: bool,
}

enum Seen {
    Text(String),
    /// In base64.
    Jpeg(String),
    Nothing,
}

impl Item {
    fn new(seen: Seen, name: &str) -> Self {
        Self {
            seen,
            name: name.to_owned(),
            wide: false,
        }
    }

    pub fn text(text: &TextItem) -> Self {
        Self::new(Seen::Text(text.caption.clone()), &text.id.0)
    }

    pub fn sentence(sentence: &str) -> Self {
        Self::new(Seen::Text(sentence.to_owned()), "")
    }

    pub fn image(image: &ImageItem) -> Self {
        let bytes = image.source.read().unwrap_or_default();
        Self::picture(&bytes, &image.id.0)
    }

    /// A picture that cannot be read is shown by its name.
    pub fn picture(bytes: &[u8], name: &str) -> Self {
        Self::new(seen(thumbnail::jpeg(bytes, THUMBNAIL).ok()), name)
    }

    /// A query and what was found, side by side with lines between keypoints that agree; the one found alone where no
    /// keypoints were compared.
    pub fn pair(index: &Index, query: &[u8], file: &Path, found: &Found, name: &str) -> Self {
        let bytes = tuwen::picture::read(file).unwrap_or_default();
        let drawn = found.comparison.as_ref().and_then(|comparison| {
            let pictures = (index.open(query).ok()?, index.open(&bytes).ok()?);
            draw::side_by_side(pictures.0, &pictures.1, comparison).ok()
        });
        match drawn {
            Some(drawn) => Self {
                wide: true,
                ..Self::new(seen(thumbnail::of_pixels(&drawn, PAIR).ok()), name)
            },
            None => Self::picture(&bytes, name),
        }
    }
}

fn seen(jpeg: Option<Vec<u8>>) -> Seen {
    jpeg.map_or(Seen::Nothing, |jpeg| Seen::Jpeg(STANDARD.encode(jpeg)))
}

/// An answer to be shown.
pub struct Shown {
    pub item: Item,
    pub score: f32,
    /// Known to be right.
    pub right: bool,
    /// Something to say of it.
    pub note: Option<String>,
}

/// Words in common that are shown.
const MATCHED: usize = 8;

/// Which words written in a picture a query and an item have in common, in a line.
pub fn matched(words: Option<&Words>, query: usize, item: usize) -> Option<String> {
    let mut common = words?.common(query, item);
    common.truncate(MATCHED);
    (!common.is_empty()).then(|| format!("matched: {}", common.join(" ")))
}

/// The page being written.
#[derive(Template)]
#[template(path = "page.html")]
pub struct Page {
    title: String,
    lead: String,
    parts: Vec<Part>,
}

enum Part {
    Heading(String),
    Row {
        query: Item,
        note: String,
        hits: Vec<Shown>,
    },
}

impl Page {
    /// `lead`: what a reader must know.
    pub fn new(title: &str, lead: &str) -> Self {
        Self {
            title: title.to_owned(),
            lead: lead.to_owned(),
            parts: Vec::new(),
        }
    }

    pub fn heading(&mut self, text: &str) {
        self.parts.push(Part::Heading(text.to_owned()));
    }

    /// A query, something to say of it, and its answers.
    pub fn row(&mut self, query: Item, note: &str, hits: impl Iterator<Item = Shown>) {
        self.parts.push(Part::Row {
            query,
            note: note.to_owned(),
            hits: hits.collect(),
        });
    }

    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        output::write(path, self.render()?.as_bytes())
    }
}

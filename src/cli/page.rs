//! A page that shows queries with their answers: one HTML file, its pictures inside it.

use std::io::Cursor;
use std::path::Path;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use tuwen::copies::{Found, Index};
use tuwen::dataset::{ImageItem, TextItem};
use tuwen::picture::decode;
use tuwen::scene_text::Words;

use super::{draw, output};

const THUMBNAIL: u32 = 160;
/// Of two pictures side by side.
const PAIR: u32 = 480;
const QUALITY: u8 = 82;

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
        // It was within the limits before.
        let decoded = decode(bytes, u64::MAX, Some(2 * THUMBNAIL));
        Self::pixels(decoded.ok().as_ref().map(|d| &d.rgb), THUMBNAIL, name)
    }

    /// A query and what was found, side by side with lines between keypoints that agree; the one found alone where no
    /// keypoints were compared.
    pub fn pair(index: &Index, query: &[u8], file: &Path, found: &Found, name: &str) -> Self {
        let bytes = tuwen::picture::read(file).unwrap_or_default();
        let drawn = found.comparison.as_ref().and_then(|comparison| {
            let pictures = (index.open(query).ok()?, index.open(&bytes).ok()?);
            draw::side_by_side(pictures.0, &pictures.1, comparison).ok()
        });
        match &drawn {
            Some(_) => Self {
                wide: true,
                ..Self::pixels(drawn.as_ref(), PAIR, name)
            },
            None => Self::picture(&bytes, name),
        }
    }

    fn pixels(rgb: Option<&RgbImage>, most: u32, name: &str) -> Self {
        let jpeg = rgb.and_then(|rgb| jpeg(rgb, most));
        Self::new(jpeg.map_or(Seen::Nothing, Seen::Jpeg), name)
    }
}

/// As data of a page, its longer side at most so many pixels.
fn jpeg(rgb: &RgbImage, most: u32) -> Option<String> {
    let scale = f64::from(most) / f64::from(rgb.width().max(rgb.height()));
    let side = |v: u32| ((f64::from(v) * scale.min(1.0)).round() as u32).max(1);
    let small = imageops::resize(
        rgb,
        side(rgb.width()),
        side(rgb.height()),
        FilterType::Triangle,
    );
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(&small)
        .ok()?;
    Some(STANDARD.encode(jpeg.into_inner()))
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

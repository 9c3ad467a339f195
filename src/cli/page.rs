//! A page that shows queries with their answers: one HTML file, its pictures inside it.

use std::fmt::Write as _;
use std::io::Cursor;
use std::path::Path;

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

const STYLE: &str = "
:root { color-scheme: light dark; font-family: system-ui, 'Noto Sans CJK SC', sans-serif; }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
.row { display: grid; grid-template-columns: 13rem 1fr; gap: 1rem; padding: .8rem 0; border-top: 1px solid #8884; }
.hits { display: flex; flex-wrap: wrap; gap: .6rem; }
.item { width: 10rem; margin: 0; }
.item img { width: 100%; height: 8rem; object-fit: contain; background: #fff; border-radius: 6px; }
.pair { width: 21rem; } .pair img { height: 10rem; }
.item p { margin: 0; padding: .5rem; background: #8882; border-radius: 6px; overflow-wrap: anywhere; }
.right img, .right p { outline: 3px solid #2a9d4a; }
figcaption { font-size: .75rem; opacity: .7; overflow-wrap: anywhere; }
.query { width: auto; } .query p { font-size: 1.1rem; }
";

/// A picture or a sentence, ready to be shown.
pub struct Item {
    html: String,
    class: &'static str,
}

impl Item {
    fn new(html: String) -> Self {
        Self { html, class: "" }
    }

    pub fn text(text: &TextItem) -> Self {
        Self::new(format!(
            "<p>{}</p><figcaption>{}",
            isolated(&text.caption),
            isolated(&text.id.0)
        ))
    }

    pub fn sentence(sentence: &str) -> Self {
        Self::new(format!("<p>{}</p><figcaption>", isolated(sentence)))
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
                class: " pair",
                ..Self::pixels(drawn.as_ref(), PAIR, name)
            },
            None => Self::picture(&bytes, name),
        }
    }

    fn pixels(rgb: Option<&RgbImage>, most: u32, name: &str) -> Self {
        let (alt, name) = (escape(name), isolated(name));
        Self::new(match rgb.and_then(|rgb| jpeg(rgb, most)) {
            Some(data) => format!(
                "<img alt=\"{alt}\" src=\"data:image/jpeg;base64,{data}\"><figcaption>{name}"
            ),
            None => format!("<p>{name}</p><figcaption>cannot be shown"),
        })
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

/// A text from outside: whichever way it is written, what follows it is not turned.
fn isolated(text: &str) -> String {
    format!("<bdi>{}</bdi>", escape(text))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
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
pub struct Page {
    title: String,
    body: String,
}

impl Page {
    /// `lead`: what a reader must know.
    pub fn new(title: &str, lead: &str) -> Self {
        Self {
            title: escape(title),
            body: format!("<p>{}</p>\n", escape(lead)),
        }
    }

    pub fn heading(&mut self, text: &str) {
        let _ = write!(self.body, "<h2>{}</h2>", escape(text));
    }

    /// A query, something to say of it, and its answers.
    pub fn row(&mut self, query: Item, note: &str, hits: impl Iterator<Item = Shown>) {
        let _ = write!(
            self.body,
            "<div class=row><figure class=\"item query\">{} {}</figcaption></figure><div class=hits>",
            query.html,
            escape(note)
        );
        for hit in hits {
            let right = if hit.right { " right" } else { "" };
            let class = hit.item.class;
            let _ = write!(
                self.body,
                "<figure class=\"item{class}{right}\">{} · {:.3}{}</figcaption></figure>",
                hit.item.html,
                hit.score,
                hit.note
                    .iter()
                    .map(|note| format!("<br>{}", isolated(note)))
                    .collect::<String>()
            );
        }
        self.body.push_str("</div></div>\n");
    }

    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let Self { title, body } = self;
        let html = format!(
            "<!doctype html><html lang=zh><meta charset=utf-8>\
             <meta name=viewport content=\"width=device-width\"><title>{title}</title>\
             <style>{STYLE}</style><h1>{title}</h1>\n{body}</html>\n"
        );
        output::write(path, html.as_bytes())
    }
}

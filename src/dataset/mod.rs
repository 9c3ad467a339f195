//! Datasets: items, which of them belong together, and what they are used for.
//!
//! A reader is one file with `recognises` and `read`, and one line in [`READERS`]. Problems that a reader finds
//! become [`Warning`]s: they are reported with their paths and counted, and they neither stop the run nor mix up a
//! pair.

mod archive;
mod attachments;
mod captioned;
mod captions_table;
pub mod check;
mod finder;
mod flickr;
mod folds;
mod header;
mod karpathy;
mod keywords;
mod lists;
mod precomp;
mod rows;
mod source;
mod table;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};

pub(crate) use attachments::ids;
pub use captions_table::{About, about_pictures};
pub use finder::{Finder, Found};
pub use folds::{folds, held_out};
pub use keywords::{Keywords, Queries};
pub use source::{ImageSource, SharedZip};
pub use table::{Record, Table};
pub(crate) use text::MAX_TABLE;
pub use text::encoding;

use crate::error::{Error, Result};
use crate::progress::warn_each;

/// The name of a picture in its dataset, as result files write it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageId(pub String);

/// The name of a caption in its dataset, as result files write it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TextId(pub String);

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An image of a collection.
#[derive(Clone, Debug)]
pub struct ImageItem {
    /// Its name in the dataset.
    pub id: ImageId,
    /// Where its bytes are.
    pub source: ImageSource,
    /// Left and right are exchanged. Mirrored images are additional training data and in no gallery.
    pub mirrored: bool,
}

/// A caption of a collection.
#[derive(Clone, Debug)]
pub struct TextItem {
    /// Its name in the dataset.
    pub id: TextId,
    /// The text.
    pub caption: String,
}

/// An image and a caption that belong together, by their indices in the collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Index of the image.
    pub image: usize,
    /// Index of the caption.
    pub text: usize,
}

/// What a collection is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Training: everything is learned from it.
    Train,
    /// Validation: settings are chosen on it.
    Val,
    /// Test: its queries are answered and evaluated.
    Test,
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        })
    }
}

/// A direction of search: what the queries are and what the gallery holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Direction {
    /// Captions are queries, images are the gallery.
    #[serde(rename = "t2i")]
    TextToImage,
    /// Images are queries, captions are the gallery.
    #[serde(rename = "i2t")]
    ImageToText,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TextToImage => "text -> image",
            Self::ImageToText => "image -> text",
        })
    }
}

/// Items that are read, encoded and searched together.
#[derive(Clone, Debug)]
pub struct Collection {
    /// Name of the collection, safe as part of a file name.
    pub name: String,
    /// What the collection is used for.
    pub split: Split,
    /// The directions in which it can be queried.
    pub directions: Vec<Direction>,
    /// Its images; mirrored ones come last.
    pub images: Vec<ImageItem>,
    /// Its captions.
    pub texts: Vec<TextItem>,
    /// Known pairs, in the order of the texts.
    pub pairs: Vec<Pair>,
}

impl Collection {
    /// The texts of all captions, in order.
    pub fn captions(&self) -> Vec<&str> {
        self.texts.iter().map(|t| t.caption.as_str()).collect()
    }

    /// For each image, the indices of its texts.
    pub fn texts_of_images(&self) -> Vec<Vec<usize>> {
        let mut texts = vec![Vec::new(); self.images.len()];
        for p in &self.pairs {
            texts[p.image].push(p.text);
        }
        texts
    }

    /// For each text, the indices of its images.
    pub fn images_of_texts(&self) -> Vec<Vec<usize>> {
        let mut images = vec![Vec::new(); self.texts.len()];
        for p in &self.pairs {
            images[p.text].push(p.image);
        }
        images
    }

    /// The images without the mirrored ones, which come last.
    pub fn plain_images(&self) -> &[ImageItem] {
        let n = self.images.partition_point(|i| !i.mirrored);
        &self.images[..n]
    }

    /// A copy with every picture a second time, mirrored, with the same texts; the mirrored pictures follow all
    /// others.
    pub fn with_mirrored(&self) -> Self {
        let mut all = self.clone();
        let n = self.images.len();
        all.images.extend(self.images.iter().map(|image| ImageItem {
            id: ImageId(format!("{} mirrored", image.id)),
            mirrored: true,
            ..image.clone()
        }));
        all.pairs.extend(self.pairs.iter().map(|p| Pair {
            image: p.image + n,
            ..*p
        }));
        all
    }

    /// At most so many images, drawn by a hash of the seed and their ids: what is drawn of fewer is among what is drawn of more.
    pub fn sampled(&self, images: usize, seed: u64) -> Self {
        let draw = |i: &ImageItem| blake3::hash(format!("{seed}/{}", i.id.0).as_bytes());
        let mut order: Vec<usize> = (0..self.images.len()).collect();
        order.sort_by_cached_key(|&i| *draw(&self.images[i]).as_bytes());
        let drawn: BTreeSet<usize> = order.into_iter().take(images).collect();
        let name = format!("{}-{images}", self.name);
        self.filter(&name, self.split, |i| drawn.contains(&i))
    }

    /// The images whose indices satisfy `keep`, with the texts that are paired only with those images. The part is
    /// queried in both directions.
    pub fn filter(&self, name: &str, split: Split, keep: impl Fn(usize) -> bool) -> Self {
        let mut place = BTreeMap::new();
        let mut images = Vec::new();
        for (i, image) in self.images.iter().enumerate().filter(|&(i, _)| keep(i)) {
            place.insert(i, images.len());
            images.push(image.clone());
        }
        let mut texts = Vec::new();
        let mut pairs = Vec::new();
        for (text, paired) in self.images_of_texts().into_iter().enumerate() {
            let kept: Option<Vec<usize>> = paired.iter().map(|i| place.get(i).copied()).collect();
            if let Some(kept) = kept.filter(|k| !k.is_empty()) {
                let text_place = texts.len();
                texts.push(self.texts[text].clone());
                pairs.extend(kept.into_iter().map(|image| Pair {
                    image,
                    text: text_place,
                }));
            }
        }
        let directions = vec![Direction::TextToImage, Direction::ImageToText];
        Self {
            name: name.to_owned(),
            split,
            directions,
            images,
            texts,
            pairs,
        }
    }
}

/// A problem in the data that does not stop the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The same for all problems of one kind, so that they can be counted: "picture without a row".
    pub kind: &'static str,
    /// The details, with the path.
    pub message: String,
}

/// Each kind of warning with its messages.
fn by_kind(warnings: &[Warning]) -> BTreeMap<&'static str, Vec<&str>> {
    let mut kinds: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for Warning { kind, message } in warnings {
        kinds.entry(*kind).or_default().push(message);
    }
    kinds
}

/// Logs the problems, kind by kind.
pub(crate) fn warn_all(warnings: &[Warning]) {
    for (kind, messages) in by_kind(warnings) {
        warn_each(kind, messages.into_iter().map(str::to_owned));
    }
}

/// A dataset as it was read.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Name of the dataset, made from the name of its folder and safe as a file name.
    pub name: String,
    /// The collections, one for each split or attachment.
    pub collections: Vec<Collection>,
    /// Problems that the reader found.
    pub warnings: Vec<Warning>,
}

/// Options for reading a dataset.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Which captions to read if a dataset has several: how the file's name begins (`flickr8kenc`).
    pub captions: Option<String>,
    /// Encoding of texts without a byte-order mark; `None` detects it ([`encoding`] knows the names).
    pub encoding: Option<&'static Encoding>,
}

/// Recognises and reads one dataset layout.
pub struct Reader {
    /// Description of the layout, for messages.
    pub layout: &'static str,
    /// Whether it may have several files of captions, of which [`ReadOptions::captions`] chooses one.
    chooses_captions: bool,
    /// Recognises a folder by the contents of its files rather than by names alone.
    recognises: fn(&Path) -> bool,
    read: fn(&Path, &ReadOptions) -> Result<Dataset>,
}

/// The layouts that tuwen reads, in the order in which they are tried.
pub const READERS: &[Reader] = &[
    attachments::READER,
    precomp::READER,
    flickr::READER,
    karpathy::READER,
    captions_table::READER,
];

impl Dataset {
    /// Reads a folder in any of the known layouts.
    ///
    /// # Errors
    /// [`Error::Dataset`], which names the layouts, if the folder has none of them; those of reading its tables and
    /// lists.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self> {
        if !path.is_dir() {
            return Err(Error::dataset(path, "there is no such folder"));
        }
        let reader = READERS
            .iter()
            .find(|r| (r.recognises)(path))
            .ok_or_else(|| {
                let layouts: Vec<_> = READERS.iter().map(|r| r.layout).collect();
                Error::dataset(
                    path,
                    format!(
                        "not a dataset in a known layout: {}; known are: {}",
                        captioned::contents(path),
                        layouts.join("; ")
                    ),
                )
            })?;
        if let (Some(captions), false) = (&options.captions, reader.chooses_captions) {
            let reason = format!(
                "--captions {captions} chooses nothing here: the layout is {}",
                reader.layout
            );
            return Err(Error::dataset(path, reason));
        }
        let dataset = (reader.read)(path, options)?;
        warn_all(&dataset.warnings);
        Ok(dataset)
    }

    /// Whether no image has a file.
    fn has_no_picture(&self) -> bool {
        let mut images = self.collections.iter().flat_map(|c| &c.images);
        images.all(|i| i.source.is_missing())
    }

    /// Number of pictures in all collections.
    pub fn image_count(&self) -> u64 {
        self.collections.iter().map(|c| c.images.len() as u64).sum()
    }

    /// The collection to learn from.
    ///
    /// # Errors
    /// [`Error::Dataset`] with the problems in the data if there is none.
    pub fn train(&self) -> Result<&Collection> {
        Ok(&self.collections[self.train_place()?])
    }

    /// The place of the collection to learn from.
    ///
    /// # Errors
    /// As [`Self::train`].
    pub fn train_place(&self) -> Result<usize> {
        let none = || {
            let reason =
                "there are no pairs to learn from (attachment1, or a train list)".to_owned();
            Error::dataset(&self.name, reason + &self.what_was_wrong())
        };
        let mut collections = self.collections.iter();
        collections
            .position(|c| c.split == Split::Train)
            .ok_or_else(none)
    }

    /// Each kind of warning with its count and its first message, to be added to an error.
    pub(crate) fn what_was_wrong(&self) -> String {
        let kinds = by_kind(&self.warnings).into_iter();
        let each = kinds.map(|(kind, of_kind)| match of_kind[..] {
            [only] => format!("; {kind}: {only}"),
            _ => format!("; {kind}: {} times, first {}", of_kind.len(), of_kind[0]),
        });
        each.collect()
    }

    /// The first collection of a split that is queried in a direction, if one is given.
    pub fn split(&self, split: Split, direction: Option<Direction>) -> Option<&Collection> {
        self.collections
            .iter()
            .find(|c| c.split == split && direction.is_none_or(|d| c.directions.contains(&d)))
    }
}

/// A name for files, made from a folder's name.
fn name_of(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = full.file_name().map(|n| n.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "dataset".into())
}

//! The layout of the Taidi Cup 2024 problem B.
//!
//! ```text
//! attachment1/  ImageWordData.csv  image_id,caption     ImageData/    pairs to learn from
//! attachment2/  word_test.csv      text_id,caption                    queries
//!               image_data.csv     image_id             ImageData/    gallery
//! attachment3/  image_test.csv     image_id             ImageData/    queries
//!               word_data.csv      text_id,caption                    gallery
//! ```
//! The folders may also be called 附件1, 附件2, 附件3; `ImageData` may be a zip archive. A file
//! `truth.csv` (`text_id,image_id`) beside attachment 2 or 3 says what belongs together, for scoring.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::finder::{Finder, Found};
use super::source::Pictures;
use super::table::{Record, Table};
use super::{
    Collection, Dataset, Direction, ImageId, ImageItem, Pair, ReadOptions, Reader, Split, TextId,
    TextItem, Warning, name_of, warn_all,
};
use crate::error::{Error, Result};

pub const READER: Reader = Reader {
    layout: "Taidi Cup attachments (attachment1/ or 附件1/, ...)",
    chooses_captions: false,
    recognises: |root| (1..=3).any(|n| attachment(root, n).is_some()),
    read,
};

/// The folder of attachment `n`, under either name and in any case.
pub fn attachment(root: &Path, n: u8) -> Option<PathBuf> {
    let wanted = [format!("attachment{n}"), format!("附件{n}")];
    let mut entries: Vec<_> = fs::read_dir(root).ok()?.flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    entries
        .into_iter()
        .find(|e| {
            let name = e
                .file_name()
                .to_string_lossy()
                .to_lowercase()
                .replace(' ', "");
            wanted.contains(&name) && e.path().is_dir()
        })
        .map(|e| e.path())
}

fn read(root: &Path, options: &ReadOptions) -> Result<Dataset> {
    let mut warnings = Vec::new();
    let mut collections = Vec::new();
    if let Some(dir) = attachment(root, 1) {
        collections.push(training_pairs(&dir, options, &mut warnings)?);
    }
    if let Some(dir) = attachment(root, 2) {
        collections.push(to_answer(
            &dir,
            Direction::TextToImage,
            options,
            &mut warnings,
        )?);
    }
    if let Some(dir) = attachment(root, 3) {
        collections.push(to_answer(
            &dir,
            Direction::ImageToText,
            options,
            &mut warnings,
        )?);
    }
    Ok(Dataset {
        name: name_of(root),
        collections,
        warnings,
    })
}

fn training_pairs(
    dir: &Path,
    options: &ReadOptions,
    warnings: &mut Vec<Warning>,
) -> Result<Collection> {
    let table = dir.join("ImageWordData.csv");
    let table = Table::read_as(&table, &["image_id", "caption"], options.encoding, warnings)?;
    let mut ids: Vec<String> = Vec::new();
    let mut place: BTreeMap<String, usize> = BTreeMap::new();
    let mut texts = Vec::new();
    let mut pairs = Vec::new();
    let mut seen = BTreeSet::new();
    for record in &table.records {
        let (id, caption) = (&record.fields[0], &record.fields[1]);
        let at = || at(&table, record);
        if id.is_empty() {
            warn(warnings, "row without an id (left out)", at());
            continue;
        }
        if caption.trim().is_empty() {
            warn(warnings, "empty caption (left out)", at());
            continue;
        }
        if !seen.insert((id, caption)) {
            warn(warnings, "pair given twice (counted once)", at());
            continue;
        }
        // one picture may have several captions
        let image = *place.entry(id.clone()).or_insert_with(|| {
            ids.push(id.clone());
            ids.len() - 1
        });
        pairs.push(Pair {
            image,
            text: texts.len(),
        });
        texts.push(TextItem {
            id: TextId(format!("{id}#{}", record.line)),
            caption: caption.clone(),
        });
    }
    Ok(Collection {
        name: "attachment1".into(),
        split: Split::Train,
        directions: vec![],
        images: images(dir, &table.path, ids, warnings)?,
        texts,
        pairs,
    })
}

/// The tables of texts and of images in an attachment with queries.
fn tables(direction: Direction) -> [&'static str; 2] {
    match direction {
        Direction::TextToImage => ["word_test.csv", "image_data.csv"],
        Direction::ImageToText => ["word_data.csv", "image_test.csv"],
    }
}

/// Reads all texts, whatever they say, because every query must be answered.
fn read_texts(
    path: &Path,
    options: &ReadOptions,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<TextItem>> {
    let table = Table::read_as(path, &["text_id", "caption"], options.encoding, warnings)?;
    let text = |fields: &[String]| TextItem {
        id: TextId(fields[0].clone()),
        caption: fields[1].clone(),
    };
    Ok(unique(&table, warnings).map(text).collect())
}

fn read_images(
    path: &Path,
    options: &ReadOptions,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<String>> {
    let table = Table::read_as(path, &["image_id"], options.encoding, warnings)?;
    Ok(unique(&table, warnings).map(|f| f[0].clone()).collect())
}

/// The ids of the texts and of the images in an attachment's tables, as [`Dataset::open`] reads them.
pub(crate) fn ids(
    dir: &Path,
    direction: Direction,
    options: &ReadOptions,
) -> Result<[Vec<String>; 2]> {
    let [texts, images] = tables(direction).map(|name| dir.join(name));
    let mut warnings = Vec::new();
    let texts = read_texts(&texts, options, &mut warnings)?;
    let images = read_images(&images, options, &mut warnings)?;
    warn_all(&warnings);
    Ok([texts.into_iter().map(|t| t.id.0).collect(), images])
}

/// The pictures that ids from a table name.
fn images(
    dir: &Path,
    table: &Path,
    ids: Vec<String>,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<ImageItem>> {
    let pictures = Pictures::beside_tables(dir, warnings)?;
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    let at = |id: &str| format!("{}: {id}", table.display());
    let mut sources = pictures.of(&names, at, "picture without an id (not used)", warnings);
    let item = |id: String| ImageItem {
        source: sources.remove(&id).expect("each id is asked for once"),
        id: ImageId(id),
        mirrored: false,
    };
    Ok(ids.into_iter().map(item).collect())
}

fn at(table: &Table, record: &Record) -> String {
    format!(
        "{}, line {}: {}",
        table.path.display(),
        record.line,
        record.fields[0]
    )
}

/// The records whose first field is neither empty nor repeated.
fn unique<'a>(table: &'a Table, warnings: &mut Vec<Warning>) -> impl Iterator<Item = &'a [String]> {
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for record in &table.records {
        let id = &record.fields[0];
        if id.is_empty() {
            warn(warnings, "row without an id (left out)", at(table, record));
        } else if !seen.insert(id) {
            warn(
                warnings,
                "id given twice (the first counts)",
                at(table, record),
            );
        } else {
            kept.push(record.fields.as_slice());
        }
    }
    kept.into_iter()
}

fn to_answer(
    dir: &Path,
    direction: Direction,
    options: &ReadOptions,
    warnings: &mut Vec<Warning>,
) -> Result<Collection> {
    let [text_table, image_table] = tables(direction).map(|name| dir.join(name));
    let texts = read_texts(&text_table, options, warnings)?;
    let ids = read_images(&image_table, options, warnings)?;
    let images = images(dir, &image_table, ids, warnings)?;
    if images.is_empty() || texts.is_empty() {
        let (texts, images) = (texts.len(), images.len());
        let reason = format!("{texts} texts and {images} images: nothing to search");
        return Err(Error::dataset(dir, reason));
    }
    let pairs = truth(dir, &images, &texts, options, warnings)?;
    let name = match direction {
        Direction::TextToImage => "attachment2",
        Direction::ImageToText => "attachment3",
    };
    Ok(Collection {
        name: name.into(),
        split: Split::Test,
        directions: vec![direction],
        images,
        texts,
        pairs,
    })
}

/// The true pairs, if there is a `truth.csv`.
fn truth(
    dir: &Path,
    images: &[ImageItem],
    texts: &[TextItem],
    options: &ReadOptions,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Pair>> {
    let path = dir.join("truth.csv");
    let mut pairs = Vec::new();
    if !path.is_file() {
        return Ok(pairs);
    }
    let text_place: BTreeMap<&str, usize> =
        texts.iter().map(|t| t.id.0.as_str()).zip(0..).collect();
    // the truth may write the names of pictures in another way than the table
    let finder = Finder::new(images.iter().map(|i| i.id.0.clone()).collect());
    let columns = ["text_id", "image_id"];
    for record in Table::read_as(&path, &columns, options.encoding, warnings)?.records {
        let text = text_place.get(record.fields[0].as_str());
        match (finder.find(&record.fields[1]), text) {
            (Found::One(image), Some(&text)) => pairs.push(Pair { image, text }),
            _ => warn(
                warnings,
                "true pair of unknown ids (left out)",
                format!("{}, line {}", path.display(), record.line),
            ),
        }
    }
    pairs.sort_by_key(|p| (p.text, p.image));
    pairs.dedup();
    Ok(pairs)
}

fn warn(warnings: &mut Vec<Warning>, kind: &'static str, message: String) {
    warnings.push(Warning { kind, message });
}

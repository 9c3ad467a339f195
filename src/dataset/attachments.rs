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

use super::source::pictures;
use super::table::Table;
use super::{
    Collection, Dataset, Direction, ImageId, ImageItem, ImageSource, Pair, ReadOptions, Reader,
    Split, TextId, TextItem, Warning, name_of,
};
use crate::error::{Error, Result};

pub const READER: Reader = Reader {
    layout: "Taidi Cup attachments (attachment1/ or 附件1/, ...)",
    recognises: |root| (1..=3).any(|n| attachment(root, n).is_some()),
    read,
};

/// The folder of attachment `n`, by either name and in any case.
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

fn read(root: &Path, _: &ReadOptions) -> Result<Dataset> {
    let mut warnings = Vec::new();
    let mut collections = Vec::new();
    if let Some(dir) = attachment(root, 1) {
        collections.push(training_pairs(&dir, &mut warnings)?);
    }
    if let Some(dir) = attachment(root, 2) {
        collections.push(text_to_image(&dir, &mut warnings)?);
    }
    if let Some(dir) = attachment(root, 3) {
        collections.push(image_to_text(&dir, &mut warnings)?);
    }
    Ok(Dataset {
        name: name_of(root),
        collections,
        warnings,
    })
}

fn training_pairs(dir: &Path, warnings: &mut Vec<Warning>) -> Result<Collection> {
    let table = Table::read(
        &dir.join("ImageWordData.csv"),
        &["image_id", "caption"],
        warnings,
    )?;
    let mut files = pictures(dir, warnings)?;
    let mut images: Vec<ImageItem> = Vec::new();
    let mut place: BTreeMap<String, usize> = BTreeMap::new();
    let mut texts = Vec::new();
    let mut pairs = Vec::new();
    let mut seen = BTreeSet::new();
    for record in &table.records {
        let [id, caption] = &record.fields[..] else {
            unreachable!("two columns were asked for")
        };
        let id = id.trim();
        let at = || format!("{}, line {}: {id}", table.path.display(), record.line);
        if id.is_empty() {
            warn(warnings, "row without an id (left out)", at());
            continue;
        }
        if caption.trim().is_empty() {
            warn(warnings, "empty caption (left out)", at());
            continue;
        }
        if !seen.insert((id.to_owned(), caption.clone())) {
            warn(warnings, "pair given twice (counted once)", at());
            continue;
        }
        let image = match place.get(id) {
            Some(&image) => image, // one picture, several captions
            None => {
                let source = files.remove(id);
                if source.is_none() {
                    warn(warnings, "id without a picture", at());
                }
                place.insert(id.to_owned(), images.len());
                images.push(ImageItem {
                    id: ImageId(id.to_owned()),
                    source: source.unwrap_or_else(|| missing(dir, id)),
                    mirrored: false,
                });
                images.len() - 1
            }
        };
        pairs.push(Pair {
            image,
            text: texts.len(),
        });
        texts.push(TextItem {
            id: TextId(format!("{id}#{}", record.line)),
            caption: caption.clone(),
        });
    }
    warn_unused(&files, warnings);
    Ok(Collection {
        name: "attachment1".into(),
        split: Split::Train,
        directions: vec![],
        images,
        texts,
        pairs,
    })
}

fn text_to_image(dir: &Path, warnings: &mut Vec<Warning>) -> Result<Collection> {
    let texts = read_texts(&dir.join("word_test.csv"), warnings)?;
    let images = read_images(dir, "image_data.csv", warnings)?;
    with_truth(
        dir,
        "attachment2",
        Direction::TextToImage,
        images,
        texts,
        warnings,
    )
}

fn image_to_text(dir: &Path, warnings: &mut Vec<Warning>) -> Result<Collection> {
    let texts = read_texts(&dir.join("word_data.csv"), warnings)?;
    let images = read_images(dir, "image_test.csv", warnings)?;
    with_truth(
        dir,
        "attachment3",
        Direction::ImageToText,
        images,
        texts,
        warnings,
    )
}

/// Every text stays, whatever it says: a query must be answered.
fn read_texts(path: &Path, warnings: &mut Vec<Warning>) -> Result<Vec<TextItem>> {
    let table = Table::read(path, &["text_id", "caption"], warnings)?;
    let records = unique(&table, warnings);
    Ok(records
        .map(|fields| TextItem {
            id: TextId(fields[0].trim().to_owned()),
            caption: fields[1].clone(),
        })
        .collect())
}

fn read_images(dir: &Path, file: &str, warnings: &mut Vec<Warning>) -> Result<Vec<ImageItem>> {
    let path = dir.join(file);
    let table = Table::read(&path, &["image_id"], warnings)?;
    let ids: Vec<String> = unique(&table, warnings)
        .map(|f| f[0].trim().to_owned())
        .collect();
    let mut files = pictures(dir, warnings)?;
    let items = ids
        .into_iter()
        .map(|id| {
            let source = files.remove(&id).unwrap_or_else(|| {
                warn(
                    warnings,
                    "id without a picture",
                    format!("{}: {id}", path.display()),
                );
                missing(dir, &id)
            });
            ImageItem {
                id: ImageId(id),
                source,
                mirrored: false,
            }
        })
        .collect();
    warn_unused(&files, warnings);
    Ok(items)
}

/// The records with a first field that is neither empty nor a repetition.
fn unique<'a>(table: &'a Table, warnings: &mut Vec<Warning>) -> impl Iterator<Item = &'a [String]> {
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for record in &table.records {
        let id = record.fields[0].trim();
        let at = || format!("{}, line {}: {id}", table.path.display(), record.line);
        if id.is_empty() {
            warn(warnings, "row without an id (left out)", at());
        } else if !seen.insert(id) {
            warn(warnings, "id given twice (the first counts)", at());
        } else {
            kept.push(record.fields.as_slice());
        }
    }
    kept.into_iter()
}

fn with_truth(
    dir: &Path,
    name: &str,
    direction: Direction,
    images: Vec<ImageItem>,
    texts: Vec<TextItem>,
    warnings: &mut Vec<Warning>,
) -> Result<Collection> {
    let path = dir.join("truth.csv");
    let mut pairs = Vec::new();
    if path.is_file() {
        let image_place = places(images.iter().map(|i| i.id.0.as_str()));
        let text_place = places(texts.iter().map(|t| t.id.0.as_str()));
        for record in Table::read(&path, &["text_id", "image_id"], warnings)?.records {
            let text = text_place.get(record.fields[0].trim());
            let image = image_place.get(record.fields[1].trim());
            match (image, text) {
                (Some(&image), Some(&text)) => pairs.push(Pair { image, text }),
                _ => warn(
                    warnings,
                    "true pair of unknown ids (left out)",
                    format!("{}, line {}", path.display(), record.line),
                ),
            }
        }
        pairs.sort_by_key(|p| (p.text, p.image));
        pairs.dedup();
    }
    if images.is_empty() || texts.is_empty() {
        return Err(Error::dataset(
            dir,
            format!(
                "{} texts and {} images: nothing to search",
                texts.len(),
                images.len()
            ),
        ));
    }
    Ok(Collection {
        name: name.into(),
        split: Split::Test,
        directions: vec![direction],
        images,
        texts,
        pairs,
    })
}

fn places<'a>(ids: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    ids.enumerate().map(|(i, id)| (id, i)).collect()
}

fn missing(dir: &Path, id: &str) -> ImageSource {
    ImageSource::Missing(dir.join("ImageData").join(id))
}

fn warn(warnings: &mut Vec<Warning>, kind: &'static str, message: String) {
    warnings.push(Warning { kind, message });
}

fn warn_unused(files: &BTreeMap<String, ImageSource>, warnings: &mut Vec<Warning>) {
    for source in files.values() {
        warn(
            warnings,
            "picture without an id (not used)",
            source.describe(),
        );
    }
}

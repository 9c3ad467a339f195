//! Pictures with a table of their captions, in no splits: Flickr8k and Flickr30k as they are on Kaggle
//! (`captions.txt` with `image,caption`; `results.csv` with `image_name| comment_number| comment`), and any table
//! with such columns beside its pictures. A column `split` divides it.

use std::path::{Path, PathBuf};

use super::captioned::{Line, Part, dataset};
use super::table::Table;
use super::{Dataset, ReadOptions, Reader, Split, Warning, text};
use crate::error::Result;

pub const READER: Reader = Reader {
    layout: "a table of captions beside its pictures (captions.txt with image,caption; results.csv with image_name| \
             comment_number| comment)",
    chooses_captions: false,
    recognises: |root| table(root).is_some(),
    read,
};

/// Names of the columns.
const IMAGES: [&str; 7] = [
    "image",
    "image_name",
    "filename",
    "file_name",
    "image_id",
    "file",
    "img",
];
const CAPTIONS: [&str; 5] = ["caption", "comment", "sentence", "text", "raw"];

/// Names of a column of tags.
const TAGS: [&str; 4] = ["tags", "tag", "keywords", "labels"];

/// What a table says about pictures, by the name of each, in the order of the table.
///
/// # Errors
/// [`Error::MissingColumn`](crate::Error::MissingColumn) for a table without a column of pictures, or of what is asked
/// for; those of reading it.
pub fn about_pictures(
    path: &Path,
    what: About,
    options: &ReadOptions,
) -> Result<Vec<(String, String)>> {
    let mut warnings = Vec::new();
    let head = text::head(path, HEAD).unwrap_or_default();
    let columns: &[&str] = match what {
        About::Captions => &CAPTIONS,
        About::Tags => &TAGS,
    };
    let pairs = IMAGES
        .iter()
        .flat_map(|i| columns.iter().map(move |c| [*i, *c]));
    let found = pairs
        .into_iter()
        .find(|pair| Table::has_columns(&head, pair));
    let columns = found.unwrap_or([IMAGES[0], columns[0]]); // the error names them
    let table = Table::read_as(path, &columns, options.encoding, &mut warnings)?;
    super::warn_all(&warnings);
    let rows = table.records.into_iter().map(|record| {
        let mut fields = record.fields.into_iter();
        let [image, text] = [fields.next(), fields.next()].map(Option::unwrap_or_default);
        (image, text.trim().to_owned())
    });
    Ok(rows
        .filter(|(image, text)| !image.is_empty() && !text.is_empty())
        .collect())
}

/// What a table says about pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Sentences.
    Captions,
    /// Words, separated by commas or semicolons.
    Tags,
}

/// More bytes than a header has.
const HEAD: u64 = 1 << 16;

/// The first table of captions in a folder or in its `captions/`, and its two columns.
fn table(root: &Path) -> Option<(PathBuf, [&'static str; 2])> {
    let tables = files_of(root, &["txt", "csv", "tsv"]);
    tables.into_iter().find_map(|path| {
        let head = text::head(&path, HEAD)?;
        let pairs = IMAGES
            .iter()
            .flat_map(|i| CAPTIONS.iter().map(move |c| [*i, *c]));
        let columns = pairs
            .into_iter()
            .find(|columns| Table::has_columns(&head, columns))?;
        Some((path, columns))
    })
}

/// The regular files with these extensions in a folder and in its subfolders without pictures, sorted by path.
pub(super) fn files_of(root: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    const FOLDERS: [&str; 3] = ["captions", "annotations", "text"];
    let below = |name: String| FOLDERS.iter().any(|f| name.to_lowercase().ends_with(f));
    let list = |dir: &Path| {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|e| e.path()).collect();
        paths.sort();
        paths
    };
    let name = |p: &Path| {
        p.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let own = list(root);
    let folders = own.iter().filter(|p| p.is_dir() && below(name(p)));
    let deeper: Vec<PathBuf> = folders.flat_map(|f| list(f)).collect();
    let wanted = |p: &PathBuf| {
        let extension = p.extension().map(|e| e.to_string_lossy().to_lowercase());
        extension.is_some_and(|e| extensions.contains(&e.as_str()))
            && !name(p).starts_with('.')
            && p.is_file()
    };
    own.into_iter().chain(deeper).filter(wanted).collect()
}

fn read(root: &Path, options: &ReadOptions) -> Result<Dataset> {
    let mut warnings = Vec::new();
    let (path, [image, caption]) = table(root).expect("it was recognised");
    let columns = [image, caption, "split"];
    let split = text::head(&path, HEAD).is_some_and(|head| Table::has_columns(&head, &columns));
    let columns = &columns[..if split { 3 } else { 2 }];
    let table = Table::read_as(&path, columns, options.encoding, &mut warnings)?;
    let mut parts: Vec<Part> = [Split::Train, Split::Val, Split::Test]
        .map(|split| Part {
            split,
            list: path.clone(),
            lines: vec![],
        })
        .into();
    let mut captions = std::collections::BTreeMap::new();
    for record in table.records {
        let mut fields = record.fields.into_iter();
        let [image, caption] = [fields.next(), fields.next()].map(Option::unwrap_or_default);
        let mut warn = |kind| {
            let message = format!("{}, line {}: {image}", path.display(), record.line);
            warnings.push(Warning { kind, message });
        };
        let caption = caption.trim();
        if image.is_empty() {
            warn("row without an id (left out)");
        } else if caption.is_empty() {
            warn("empty caption (left out)");
        } else if let Some(split) = fields
            .next()
            .map_or(Some(Split::Train), |s| Split::named(&s))
        {
            let number: &mut usize = captions.entry(image.clone()).or_default();
            let line = Line {
                text: format!("{image}#{number}"),
                caption: caption.to_owned(),
                image,
            };
            *number += 1;
            parts[split as usize].lines.push(line); // in the order of the splits
        } else {
            warn("row of an unknown split (left out)");
        }
    }
    parts.retain(|p| !p.lines.is_empty());
    dataset(root, parts, warnings)
}

//! Karpathy's JSON (Karpathy & Fei-Fei, CVPR 2015), the format in which Flickr8k, Flickr30k, COCO, RSICD, RSITMD,
//! UCM and Sydney are distributed: `{"images": [{"filename", "filepath"?, "split", "sentences": [{"raw",
//! "tokens"?}]}]}`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::captioned::{Line, Part, dataset};
use super::captions_table::files_of;
use super::{Dataset, ReadOptions, Reader, Split, Warning, text};
use crate::error::{Error, Result};

pub const READER: Reader = Reader {
    layout: "Karpathy's JSON (dataset_flickr8k.json, dataset_rsicd.json, ... beside the pictures)",
    chooses_captions: true,
    recognises: |root| !json_files(root).is_empty(),
    read,
};

#[derive(Deserialize)]
struct File {
    images: Vec<Image>,
}

#[derive(Deserialize)]
struct Image {
    #[serde(alias = "file_name")]
    filename: String,
    /// Folder of the picture: COCO has two.
    #[serde(default)]
    filepath: String,
    #[serde(default)]
    split: Option<String>,
    #[serde(default)]
    sentences: Vec<Sentence>,
}

#[derive(Deserialize)]
struct Sentence {
    #[serde(default)]
    raw: String,
    #[serde(default)]
    tokens: Vec<String>,
}

/// Number of bytes by which such a file is recognised.
const HEAD: u64 = 1 << 14;

/// JSON files that begin as only such a file does.
fn json_files(root: &Path) -> Vec<PathBuf> {
    let mut found = files_of(root, &["json"]);
    found.retain(|path| {
        let head = text::head(path, HEAD).unwrap_or_default();
        ["\"images\"", "\"sentences\"", "\"raw\""]
            .iter()
            .all(|key| head.contains(key))
    });
    found
}

fn choose(root: &Path, options: &ReadOptions) -> Result<PathBuf> {
    let name = |p: &PathBuf| {
        p.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let found = json_files(root);
    let wanted = |p: &&PathBuf| {
        options
            .captions
            .as_ref()
            .is_none_or(|w| name(p).starts_with(w.as_str()))
    };
    let mut fitting = found.iter().filter(wanted);
    match (fitting.next(), fitting.next()) {
        (Some(path), None) => Ok(path.clone()),
        _ => {
            let names: Vec<_> = found.iter().map(name).collect();
            let reason = format!("say which file with --captions: {}", names.join(", "));
            Err(Error::dataset(root, reason))
        }
    }
}

fn read(root: &Path, options: &ReadOptions) -> Result<Dataset> {
    let mut warnings = Vec::new();
    let path = choose(root, options)?;
    let text = text::read(&path, options.encoding, &mut warnings)?.text;
    let file: File = serde_json::from_str(&text).map_err(|e| Error::Table {
        path: path.clone(),
        line: Some(e.line() as u64),
        reason: format!("not such a JSON as Karpathy's: {e}"),
    })?;
    let mut parts: Vec<Part> = [Split::Train, Split::Val, Split::Test]
        .map(|split| Part {
            split,
            list: path.clone(),
            lines: vec![],
        })
        .into();
    for image in file.images {
        let id = match image.filepath.trim_matches('/') {
            "" => image.filename,
            folder => format!("{folder}/{}", image.filename),
        };
        let mut warn = |kind| {
            warnings.push(Warning {
                kind,
                message: format!("{}: {id}", path.display()),
            })
        };
        let split = image
            .split
            .as_deref()
            .map_or(Some(Split::Train), Split::named);
        let Some(part) = parts.iter_mut().find(|p| Some(p.split) == split) else {
            warn("picture of an unknown split (left out)");
            continue;
        };
        let mut captions = 0;
        for sentence in image.sentences {
            let caption = match sentence.raw.trim() {
                "" => sentence.tokens.join(" "),
                raw => raw.to_owned(),
            };
            if caption.is_empty() {
                warn("empty caption (left out)");
                continue;
            }
            part.lines.push(Line {
                image: id.clone(),
                text: format!("{id}#{captions}"),
                caption,
            });
            captions += 1;
        }
        if captions == 0 {
            warn("picture without a caption (left out)");
        }
    }
    parts.retain(|p| !p.lines.is_empty());
    dataset(root, parts, warnings)
}

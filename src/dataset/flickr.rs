//! Flickr8k, Flickr30k and Flickr8k-CN: caption files with lines `NAME.jpg#zhc#N caption` or
//! `NAME.jpg#N<tab>caption`, and one list of image names per split. These files are in the folder itself, in
//! `captions/`, or in `Flickr8k_text/` beside `Flicker8k_Dataset/`, as the two archives unpack. Without lists, all
//! captions are training data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::captioned::{Line, Part, dataset};
use super::captions_table::files_of;
use super::finder::{Finder, Found};
use super::lists::{List, lists};
use super::{Dataset, ReadOptions, Reader, Split, Warning, name_of, text};
use crate::error::{Error, Result};

pub const READER: Reader = Reader {
    layout: "Flickr8k(-CN), Flickr30k (images/, captions/*.caption.txt or *.token with lines NAME.jpg#0 caption, split lists)",
    chooses_captions: true,
    recognises: |root| !caption_files(root).is_empty(),
    read,
};

/// How the names of the preferred caption files begin, if none is asked for: the Chinese captions, and those of the
/// original archives.
const USUAL: [&str; 3] = ["flickr8kzhc", "Flickr8k.token", "results_20130124"];

/// Number of bytes by which a caption file is recognised.
const HEAD: u64 = 1 << 14;

fn text_files(root: &Path) -> Vec<PathBuf> {
    files_of(root, &["txt", "token"])
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Files whose first lines are mostly captions with keys.
fn caption_files(root: &Path) -> Vec<PathBuf> {
    let is_captions = |path: &PathBuf| {
        let head = text::head(path, HEAD).unwrap_or_default();
        let lines: Vec<&str> = text::lines(&head)
            .filter(|l| !l.trim().is_empty())
            .take(20)
            .collect();
        let captions = lines.iter().filter(|l| parse(l).is_some()).count();
        2 * captions > lines.len()
    };
    text_files(root).into_iter().filter(is_captions).collect()
}

/// The file that was asked for, or the preferred one, or the only one.
fn choose(root: &Path, options: &ReadOptions) -> Result<PathBuf> {
    let files = caption_files(root);
    let begins = |wanted: &str| {
        files
            .iter()
            .find(|p| file_name(p).starts_with(wanted))
            .cloned()
    };
    let chosen = match (&options.captions, &files[..]) {
        (Some(wanted), _) => begins(wanted),
        (None, [only]) => Some(only.clone()),
        (None, _) => USUAL.iter().find_map(|usual| begins(usual)),
    };
    chosen.ok_or_else(|| {
        let names: Vec<_> = files.iter().map(|p| file_name(p)).collect();
        Error::dataset(
            root,
            format!("say which captions with --captions: {}", names.join(", ")),
        )
    })
}

/// Key, picture name and caption of a line: `dog.jpg#zhc#0`, `dog.jpg`, and the rest.
fn parse(line: &str) -> Option<(&str, &str, &str)> {
    let line = line.trim();
    let hash = line.find('#')?;
    let end = hash + line[hash..].find(char::is_whitespace)?;
    let (key, caption) = (&line[..end], line[end..].trim());
    let (image, _) = key
        .rsplit_once('#')
        .filter(|(_, n)| n.bytes().all(|b| b.is_ascii_digit()) && !n.is_empty())?;
    let image = match image.rsplit_once('#') {
        Some((image, language)) if language.bytes().all(|b| b.is_ascii_alphabetic()) => image,
        _ => image,
    };
    let whole = !image.is_empty() && !caption.is_empty() && !key.contains('\t');
    whole.then_some((key, image, caption))
}

/// Captions of each image as (key, caption), and the images in the order of the file.
struct Captions {
    order: Vec<String>,
    of: BTreeMap<String, Vec<(String, String)>>,
}

fn read_captions(
    path: &Path,
    options: &ReadOptions,
    warnings: &mut Vec<Warning>,
) -> Result<Captions> {
    let mut captions = Captions {
        order: vec![],
        of: BTreeMap::new(),
    };
    let text = text::read(path, options.encoding, warnings)?.text;
    for (number, line) in (1..).zip(text::lines(&text)) {
        if line.trim().is_empty() {
            continue;
        }
        let Some((key, image, caption)) = parse(line) else {
            const SHOWN: usize = 80;
            let shown: String = line.chars().take(SHOWN).collect();
            warnings.push(Warning {
                kind: "line without a caption (left out)",
                message: format!("{}, line {number}: {shown}", path.display()),
            });
            continue;
        };
        let own = captions.of.entry(image.to_owned()).or_insert_with(|| {
            captions.order.push(image.to_owned());
            vec![]
        });
        own.push((key.to_owned(), caption.to_owned()));
    }
    captions.of.values_mut().for_each(|c| c.sort());
    Ok(captions)
}

impl Captions {
    fn lines(&self, image: &str) -> impl Iterator<Item = Line> {
        let line = |(key, caption): &(String, String)| Line {
            image: image.to_owned(),
            text: key.clone(),
            caption: caption.clone(),
        };
        self.of[image].iter().map(line)
    }

    /// The captions of the pictures in a list, which may spell their names differently.
    fn part(&self, list: List, finder: &Finder, warnings: &mut Vec<Warning>) -> Part {
        let List { split, path, names } = list;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (mut lines, mut seen) = (Vec::new(), BTreeSet::new());
        for (name, found) in names.iter().zip(finder.find_all(&names)) {
            let kind = match found {
                Found::One(image) if seen.insert(image) => {
                    lines.extend(self.lines(&self.order[image]));
                    continue;
                }
                Found::One(_) => "picture listed twice (counted once)",
                _ => "picture without a caption (left out)",
            };
            let message = format!("{}: {name}", path.display());
            warnings.push(Warning { kind, message });
        }
        Part {
            split,
            list: path,
            lines,
        }
    }
}

fn read(root: &Path, options: &ReadOptions) -> Result<Dataset> {
    let mut warnings = Vec::new();
    let path = choose(root, options)?;
    let captions = read_captions(&path, options, &mut warnings)?;
    let finder = Finder::new(captions.order.clone());
    let mut files = text_files(root);
    let others = caption_files(root);
    files.retain(|f| !others.contains(f));
    let mut parts: Vec<Part> = Vec::new();
    for list in lists(&files, &finder, options, &mut warnings)? {
        parts.push(captions.part(list, &finder, &mut warnings));
    }
    if parts.is_empty() {
        let lines = captions
            .order
            .iter()
            .flat_map(|image| captions.lines(image))
            .collect();
        parts.push(Part {
            split: Split::Train,
            list: path,
            lines,
        });
    }
    let mut dataset = dataset(root, parts, warnings)?;
    if let Some(captions) = &options.captions {
        dataset.name = format!("{}-{captions}", name_of(root));
    }
    Ok(dataset)
}

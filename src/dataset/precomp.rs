//! RSICD and RSITMD in the layout of AMFMN (Yuan et al., TGRS 2022): `SPLIT_caps.txt` with one caption per line,
//! `SPLIT_filename.txt` with the picture of each caption, and the pictures in `images/`. VSE++ and SCAN (Faghri et
//! al. 2018, Lee et al. 2018) distribute Flickr30k and COCO like this too, with `SPLIT_ids.txt` and with vectors in
//! place of pictures.
//!
//! The second file comes in two forms: a name for every caption (the same name five times), or one for every five
//! captions. AMFMN's tools also cut `train_*_verify.txt` and `val_*_verify.txt` out of the training lists; these
//! are used if there is no other validation list.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::captioned::{Line, Part, contents, dataset};
use super::{Dataset, ReadOptions, Reader, Split, Warning, text};
use crate::error::{Error, Result};

pub const READER: Reader = Reader {
    layout: "RSICD and RSITMD (images/, train_caps.txt, train_filename.txt, test_caps.txt, ...)",
    chooses_captions: false,
    recognises: |root| WORDS.iter().any(|word| Files::of(root, word, "").is_some()),
    read,
};

/// How the file names of a split begin.
const WORDS: [&str; 4] = ["train", "val", "dev", "test"];

/// How the names of files with picture names end, the last with numbers that may be names.
const NAMES: [&str; 3] = ["filename", "filenames", "ids"];

/// Number of captions per picture.
const CAPTIONS: usize = 5;

/// The two lists of a split.
struct Files {
    captions: PathBuf,
    names: PathBuf,
    /// The names may be plain numbers.
    ids: bool,
}

impl Files {
    fn of(root: &Path, word: &str, end: &str) -> Option<Self> {
        let captions = root.join(format!("{word}_caps{end}.txt"));
        let (kind, names) = NAMES
            .map(|kind| (kind, root.join(format!("{word}_{kind}{end}.txt"))))
            .into_iter()
            .find(|(_, path)| path.is_file())?;
        let ids = kind == "ids";
        captions.is_file().then_some(Self {
            captions,
            names,
            ids,
        })
    }

    /// Picture name and caption, in the order of the captions.
    ///
    /// # Errors
    /// [`Error::Dataset`] if there is neither a name for every caption nor one for every five.
    fn lines(
        &self,
        options: &ReadOptions,
        warnings: &mut Vec<Warning>,
    ) -> Result<Vec<(String, String)>> {
        let mut names = read_lines(&self.names, options, warnings)?;
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        let mut captions = read_lines(&self.captions, options, warnings)?;
        let fits = |captions: usize| [1, CAPTIONS].map(|c| c * names.len()).contains(&captions);
        let found = captions.len();
        while !fits(captions.len()) && captions.last().is_some_and(String::is_empty) {
            captions.pop(); // empty lines at the end
        }
        if !fits(captions.len()) {
            return Err(Error::dataset(
                &self.names,
                format!(
                    "{} names for the {found} captions of {}; wanted is a name for every caption, or \
                     one for every {CAPTIONS}",
                    names.len(),
                    self.captions.display()
                ),
            ));
        }
        let each = if captions.len() == names.len() {
            1
        } else {
            CAPTIONS
        };
        let names = names.into_iter().flat_map(|n| std::iter::repeat_n(n, each));
        Ok(names.zip(captions).collect())
    }
}

fn read_lines(
    path: &Path,
    options: &ReadOptions,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<String>> {
    let text = text::read(path, options.encoding, warnings)?.text;
    Ok(text::lines(&text).map(|l| l.trim().to_owned()).collect())
}

/// The lists of each split; the first that exists counts.
fn splits(root: &Path) -> Vec<(Split, Files)> {
    let of = |word, end| Some((Split::named(word)?, Files::of(root, word, end)?));
    let mut found: Vec<(Split, Files)> =
        WORDS.into_iter().filter_map(|word| of(word, "")).collect();
    found.dedup_by_key(|(split, _)| *split);
    if found.iter().all(|(split, _)| *split != Split::Val)
        && let (Some(train), Some(val)) = (of("train", "_verify"), of("val", "_verify"))
    {
        found.retain(|(split, _)| *split != Split::Train);
        found.splice(0..0, [train, val]);
    }
    found
}

fn read(root: &Path, options: &ReadOptions) -> Result<Dataset> {
    let mut warnings = Vec::new();
    let mut parts = Vec::new();
    let splits = splits(root);
    for (split, files) in &splits {
        parts.push(part(*split, files, options, &mut warnings)?);
    }
    let numbers = splits.iter().find(|(_, files)| files.ids);
    let vectors = numbers.filter(|_| has_vectors(root));
    let explain = |files: &Files, why: &str| {
        let reason = format!(
            "captions with vectors made elsewhere, as VSE++ and SCAN keep them: {why} the ids of {}; put the pictures \
             in images/ under these names, or lists train_filename.txt, ... of their names beside the captions; {}",
            files.names.display(),
            contents(root)
        );
        Err(Error::dataset(root, reason))
    };
    match (vectors, dataset(root, parts, warnings)) {
        (Some((_, files)), Err(_)) => explain(files, "there are no pictures for"),
        (Some((_, files)), Ok(set)) if set.has_no_picture() => {
            explain(files, "no picture is called like")
        }
        (_, read) => read,
    }
}

fn has_vectors(root: &Path) -> bool {
    WORDS
        .iter()
        .any(|word| root.join(format!("{word}_ims.npy")).is_file())
}

fn part(
    split: Split,
    files: &Files,
    options: &ReadOptions,
    warnings: &mut Vec<Warning>,
) -> Result<Part> {
    let mut lines = Vec::new();
    let mut captions: BTreeMap<String, usize> = BTreeMap::new(); // of each picture, so far
    for (i, (image, caption)) in files.lines(options, warnings)?.into_iter().enumerate() {
        let mut warn = |kind| {
            let message = format!("{}, line {}: {image}", files.captions.display(), i + 1);
            warnings.push(Warning { kind, message });
        };
        if image.is_empty() {
            warn("caption without a name (left out)");
        } else if caption.is_empty() {
            warn("empty caption (left out)");
        } else {
            let number = captions.entry(image.clone()).or_default();
            lines.push(Line {
                text: format!("{image}#{number}"),
                caption,
                image,
            });
            *number += 1;
        }
    }
    Ok(Part {
        split,
        list: files.names.clone(),
        lines,
    })
}

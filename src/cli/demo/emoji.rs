//! Emoji pictures and their annotations, joined and divided.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use serde::Deserialize;
use tuwen::files;
use tuwen::progress::Progress;

use super::npm::Archives;

/// Written last: the folder is whole.
const MARK: &str = "NOTICE.txt";

const NOTICE: &str = "\
Demo set for tuwen, made from packages of the npm registry:
pictures    @lobehub/fluent-emoji-3d 1.1.0 (MIT; Fluent Emoji, Copyright (c) Microsoft Corporation)
captions    cldr-annotations-full and cldr-annotations-derived-full 48.2.0
            (Unicode-3.0; Copyright (c) Unicode, Inc.)
";

pub fn is_complete(out: &Path) -> bool {
    out.join(MARK).is_file()
}

#[derive(Deserialize)]
struct Annotation {
    #[serde(default)]
    default: Vec<String>,
    #[serde(default)]
    tts: Vec<String>,
}

struct Emoji {
    /// Code points in hexadecimal without U+FE0F, joined by hyphens.
    code: String,
    caption: String,
    webp: Vec<u8>,
}

/// Writes the three attachments; how many pairs each has.
pub fn write(archives: &Archives, out: &Path, progress: &dyn Progress) -> Result<[usize; 3]> {
    let mut captions = captions(&archives.annotations)?;
    captions.extend(self::captions(&archives.derived)?);
    let emoji = emoji(&archives.pictures, &captions)?;
    ensure!(
        emoji.len() > 1000,
        "only {} emoji have an annotation",
        emoji.len()
    );
    progress.start("demo set", emoji.len() as u64);
    let mut parts: [Vec<Emoji>; 3] = Default::default();
    for e in emoji {
        parts[part(&family(&e.code))].push(e);
    }
    for (part, n) in parts.iter().zip(1..) {
        write_attachment(&out.join(format!("attachment{n}")), n, part, progress)?;
    }
    progress.finish();
    files::write(&out.join(MARK), NOTICE.as_bytes())?;
    Ok(parts.map(|p| p.len()))
}

/// The files of a package, by their path in it.
fn unpack(archive: &Path, wanted: impl Fn(&str) -> bool) -> Result<BTreeMap<String, Vec<u8>>> {
    let file = File::open(archive).with_context(|| format!("cannot read {}", archive.display()))?;
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(GzDecoder::new(file)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        if wanted(&path) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            files.insert(path, bytes);
        }
    }
    Ok(files)
}

/// Code -> "name，keyword，keyword".
fn captions(archive: &Path) -> Result<BTreeMap<String, String>> {
    let mut captions = BTreeMap::new();
    for (path, bytes) in unpack(archive, |p| p.ends_with("/zh/annotations.json"))? {
        let json: serde_json::Value = serde_json::from_slice(&bytes)?;
        let inner = ["annotations", "annotationsDerived"]
            .iter()
            .find_map(|k| json.get(k)?.get("annotations"));
        let inner = inner
            .with_context(|| format!("{path} in {} holds no annotations", archive.display()))?;
        let all: BTreeMap<String, Annotation> = serde_json::from_value(inner.clone())?;
        for (emoji, annotation) in all {
            let mut seen = BTreeSet::new();
            let words = annotation.tts.iter().chain(&annotation.default);
            let words: Vec<&str> = words
                .map(String::as_str)
                .filter(|w| seen.insert(*w))
                .collect();
            captions.insert(code(emoji.chars().map(u32::from)), words.join("，"));
        }
    }
    Ok(captions)
}

const VARIATION_SELECTOR: u32 = 0xfe0f;
const JOINER: &str = "200d";

fn code(points: impl Iterator<Item = u32>) -> String {
    let points: Vec<String> = points
        .filter(|&p| p != VARIATION_SELECTOR)
        .map(|p| format!("{p:x}"))
        .collect();
    points.join("-")
}

/// The pictures that have a caption, without flags and skin tones, each emoji once.
fn emoji(archive: &Path, captions: &BTreeMap<String, String>) -> Result<Vec<Emoji>> {
    let mut found = BTreeMap::new();
    for (path, webp) in unpack(archive, |p| p.starts_with("package/assets/"))? {
        let stem = path
            .trim_start_matches("package/assets/")
            .trim_end_matches(".webp");
        let points: Option<Vec<u32>> = stem
            .split('-')
            .map(|p| u32::from_str_radix(p, 16).ok())
            .collect();
        let Some(points) = points else { continue };
        let tone = |p: &u32| (0x1f3fb..=0x1f3ff).contains(p);
        let flag = |p: &u32| (0x1f1e6..=0x1f1ff).contains(p);
        if points.iter().any(|p| tone(p) || flag(p)) {
            continue;
        }
        let code = code(points.into_iter());
        if let Some(caption) = captions.get(&code) {
            let caption = caption.clone();
            found.entry(code.clone()).or_insert(Emoji {
                code,
                caption,
                webp,
            });
        }
    }
    Ok(found.into_values().collect())
}

/// Emoji that are almost the same picture have the same family: they stay on one side.
fn family(code: &str) -> String {
    let points: Vec<&str> = code.split('-').filter(|p| *p != JOINER).collect();
    let is_person = |p: &str| ["1f468", "1f469", "1f9d1", "1f466", "1f467", "1f9d2"].contains(&p);
    if points.contains(&"20e3") {
        return "keycap".into();
    }
    if points.len() == 1 && ("1f550"..="1f567").contains(&points[0]) {
        return "clock face".into();
    }
    if points.iter().filter(|p| is_person(p)).count() > 1 {
        return "family or couple".into();
    }
    let neutral = points
        .iter()
        .filter(|p| !["2640", "2642"].contains(p))
        .map(|p| match *p {
            p if is_person(p) => "person",
            "1f474" | "1f475" | "1f9d3" => "old person",
            "1f385" | "1f936" => "father christmas",
            "1f470" | "1f935" => "wedding dress",
            "1f934" | "1f478" | "1fac5" => "royalty",
            p => p,
        });
    neutral.collect::<Vec<_>>().join("-")
}

/// 0 to learn from, 1 and 2 to test on: 70, 15 and 15 per cent of the families.
fn part(family: &str) -> usize {
    match blake3::hash(family.as_bytes()).as_bytes()[0] {
        0..179 => 0,
        179..217 => 1,
        _ => 2,
    }
}

fn write_attachment(dir: &Path, n: usize, emoji: &[Emoji], progress: &dyn Progress) -> Result<()> {
    let pictures = dir.join("ImageData");
    fs::create_dir_all(&pictures)
        .with_context(|| format!("cannot create {}", pictures.display()))?;
    for e in emoji {
        let path = pictures.join(image_id(e));
        fs::write(&path, &e.webp).with_context(|| format!("cannot write {}", path.display()))?;
        progress.step(1);
    }
    let pairs = || emoji.iter().map(|e| vec![image_id(e), e.caption.clone()]);
    let texts = || emoji.iter().map(|e| vec![text_id(e), e.caption.clone()]);
    let images = || emoji.iter().map(|e| vec![image_id(e)]);
    match n {
        1 => table(
            &dir.join("ImageWordData.csv"),
            &["image_id", "caption"],
            pairs(),
        )?,
        2 => {
            table(&dir.join("word_test.csv"), &["text_id", "caption"], texts())?;
            table(&dir.join("image_data.csv"), &["image_id"], images())?;
        }
        _ => {
            table(&dir.join("image_test.csv"), &["image_id"], images())?;
            table(&dir.join("word_data.csv"), &["text_id", "caption"], texts())?;
        }
    }
    if n > 1 {
        let truth = emoji.iter().map(|e| vec![text_id(e), image_id(e)]);
        table(&dir.join("truth.csv"), &["text_id", "image_id"], truth)?;
    }
    Ok(())
}

fn image_id(e: &Emoji) -> String {
    format!("{}.webp", e.code)
}

/// Says nothing about the picture.
fn text_id(e: &Emoji) -> String {
    format!("Word-{}", &blake3::hash(e.code.as_bytes()).to_hex()[..10])
}

fn table(path: &Path, header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row)?;
    }
    let bytes = writer.into_inner().context("cannot finish the table")?;
    Ok(files::write(path, &bytes)?)
}

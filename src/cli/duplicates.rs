use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use rayon::prelude::*;
use tuwen::copies::{Found, Index, Link, groups, sharpness};
use tuwen::files::printable;
use tuwen::matching::differing;
use tuwen::picture::{Picture, decode};
use tuwen::progress::{Progress, warn_each};

use super::bars::Bars;
use super::files::{Table, pictures_below, relative};
use super::finder::Finder;
use super::keep::{self, Measured, copy_of};
use super::output;
use super::page::{Item, Page, Shown};

/// Find groups of duplicate pictures in a folder
#[derive(clap::Args)]
#[command(after_help = "\
Writes one line for each picture that has a duplicate: group, keep, file, score, width, height, bytes, sharpness, differs.
Nothing is deleted. A group holds all pictures that are connected by matches: two of them need not match each other.

keep      1 for the picture to keep: the largest of its group; if several are equally large, the sharpest; then one whose
          name is not that of a copy (`a (1).jpg`, `a copy.jpg`, `a - 副本.jpg`), the oldest, the one with the shortest path
file      bytes of a name that are not UTF-8 are written \\xHH, and its backslashes \\\\
score     of the best match in the group (inf: byte for byte the same)
differs   the share that the picture and its best match do not have in common once they are aligned: near 0 for a copy,
          large for forms with other contents

Examples:
  tuwen duplicates photos --out groups.csv --html groups.html
  tuwen duplicates photos --out groups.csv --method phash")]
pub struct Args {
    /// Folder to look into, with its sub-folders
    folder: PathBuf,
    /// Table to write (CSV; `-` is the standard output)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Also write an HTML page with the groups and the inliers
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    finder: Finder,
}

/// A file of a group.
struct Member<'a> {
    file: &'a Path,
    matched: Matched<'a>,
    /// Share of what is not the same in its best match; none where it is not known.
    differs: Option<f64>,
    measured: Measured,
}

/// Pictures that differ in more than this are probably one form with other contents, or one scene at another time.
const OTHER_CONTENTS: f64 = 0.3;

/// Why a file is in its group.
enum Matched<'a> {
    /// A file is the same byte for byte.
    Same(&'a Path),
    Alike(&'a Best),
}

/// The best match of a picture.
struct Best {
    /// What it was found by.
    query: usize,
    found: Found,
}

impl Member<'_> {
    fn score(&self) -> f64 {
        match self.matched {
            Matched::Same(_) => f64::INFINITY,
            Matched::Alike(best) => best.found.score,
        }
    }

    fn has_other_contents(&self) -> bool {
        self.differs.is_some_and(|d| d >= OTHER_CONTENTS)
    }
}

pub fn run(args: &Args) -> Result<ExitCode> {
    output::check(&args.out)?;
    args.html.as_deref().map_or(Ok(()), output::check)?;
    let files = pictures_below(&args.folder, args.finder.hidden)?;
    let files = each_once(files);
    let bars = Bars::default();
    let mut bad = Vec::new();
    let index = args.finder.index(&files, &bars, &mut bad)?;
    let (links, best) = links(&index, args.finder.threshold(), &bars)?;
    let mut sets: Vec<Vec<usize>> = groups(index.len(), &links);
    let joined: BTreeSet<usize> = sets.iter().flatten().copied().collect();
    let alone = (0..index.len()).filter(|&i| index.files(i).len() > 1 && !joined.contains(&i));
    sets.extend(alone.map(|i| vec![i]));
    bars.start("measuring", sets.len() as u64);
    let measure = |set: &Vec<usize>| {
        let members = members(&index, &best, set, args.finder.limits.pixels());
        bars.step(1);
        members
    };
    let measured: Vec<_> = sets.par_iter().map(measure).collect();
    bars.finish();
    let (mut measured, unusable): (Vec<Vec<Member>>, Vec<_>) = measured.into_iter().unzip();
    bad.extend(unusable.into_iter().flatten());
    bad.sort();
    bad.dedup(); // a file that was looked at and measured
    measured.retain(|members| members.len() > 1);
    measured.sort_by(|a, b| a[0].file.cmp(b[0].file));
    write(args, &measured)?;
    if let Some(path) = &args.html {
        show(args, &index, &measured).write(path)?;
    }
    warn_each("picture that cannot be used", bad.into_iter());
    let others = measured.iter().flatten();
    let others = others.filter(|m| m.has_other_contents()).count();
    if others > 0 {
        tracing::warn!(
            "{others} pictures differ from their best match in {OTHER_CONTENTS} or more of what they show (column \
             `differs`): probably forms with other contents; look at them before you delete any"
        );
    }
    let more: usize = measured.iter().map(|members| members.len() - 1).sum();
    output::summary(
        &args.out,
        &format!(
            "{} groups, {more} redundant pictures, {} pictures in all",
            measured.len(),
            files.len()
        ),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Every file by one name, its own where it is there: who deletes a duplicate must not delete what it links to, and
/// wins no space where the names are hard links.
fn each_once(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut known: BTreeMap<(u64, u64), PathBuf> = BTreeMap::new();
    let (mut once, mut others) = (Vec::new(), Vec::new());
    for file in files {
        let Ok(metadata) = file.metadata() else {
            once.push(file); // who reads it will say why not
            continue;
        };
        match known.entry((metadata.dev(), metadata.ino())) {
            Entry::Vacant(entry) => {
                entry.insert(file);
            }
            Entry::Occupied(mut entry) => {
                let first = entry.get();
                let links = (first.is_symlink(), file.is_symlink());
                let better = match links {
                    (true, false) => true,
                    (false, true) => false,
                    _ => copy_of(&file).is_none() && copy_of(first).is_some(),
                };
                let other = if better { entry.insert(file) } else { file };
                others.push(format!(
                    "{} is {}",
                    printable(&other),
                    printable(entry.get())
                ));
            }
        }
    }
    if !others.is_empty() {
        tracing::info!(
            "{} names are links to files that have another name (no duplicates; -v lists them)",
            others.len()
        );
        others
            .iter()
            .for_each(|other| tracing::debug!("link: {other}"));
    }
    once.extend(known.into_values());
    once.sort();
    once
}

/// Of pictures that show the same, and the best of each picture.
fn links(
    index: &Index,
    threshold: f64,
    progress: &dyn Progress,
) -> Result<(Vec<Link>, BTreeMap<usize, Best>)> {
    progress.start("comparing", index.len() as u64);
    let ask = |place: usize| {
        let found = index.like(place);
        progress.step(1);
        let mut found = found?;
        found.retain(|f| f.score >= threshold);
        Ok(found)
    };
    let found: Vec<tuwen::Result<Vec<Found>>> = (0..index.len()).into_par_iter().map(ask).collect();
    progress.finish();
    let mut links = Vec::new();
    let mut best: BTreeMap<usize, Best> = BTreeMap::new();
    for (query, found) in found.into_iter().enumerate() {
        for found in found? {
            let (score, pair) = (found.score, [query, found.picture]);
            links.push(Link { pair, score });
            for place in pair {
                if best.get(&place).is_none_or(|b| score > b.found.score) {
                    let found = found.clone();
                    best.insert(place, Best { query, found });
                }
            }
        }
    }
    Ok((links, best))
}

/// The files of a group, the one to be kept first, and those that cannot be used.
fn members<'a>(
    index: &'a Index,
    best: &'a BTreeMap<usize, Best>,
    group: &[usize],
    max_pixels: u64,
) -> (Vec<Member<'a>>, Vec<String>) {
    let (mut members, mut bad) = (Vec::new(), Vec::new());
    for &picture in group {
        let files = index.files(picture);
        for file in files {
            let same = files.iter().find(|&f| f != file);
            let matched = same.map(|f| Matched::Same(f));
            let Some(matched) = matched.or_else(|| best.get(&picture).map(Matched::Alike)) else {
                continue; // a group has others
            };
            match measured(file, max_pixels) {
                Ok(measured) => members.push(Member {
                    file,
                    differs: differs(index, &matched),
                    matched,
                    measured,
                }),
                Err(e @ tuwen::Error::Picture { .. }) => {
                    bad.push(format!("{}: {e}", printable(file)))
                }
                Err(e) => bad.push(e.to_string()), // names the file
            }
        }
    }
    keep::best_first(&mut members, |m| (m.file, &m.measured));
    (members, bad)
}

/// How much of a picture is not the same in its best match, where they can be aligned.
fn differs(index: &Index, matched: &Matched) -> Option<f64> {
    let best = match matched {
        Matched::Same(_) => return Some(0.0),
        Matched::Alike(best) => best,
    };
    let comparison = best.found.comparison.as_ref()?;
    let consensus = comparison.consensus.as_ref()?;
    let open = |place: usize| -> Option<Picture> {
        let bytes = tuwen::picture::read(&index.files(place)[0]).ok()?;
        index.open(&bytes).ok()
    };
    let (query, picture) = (open(best.query)?, open(best.found.picture)?);
    let query = match comparison.mirrored {
        true => query.mirrored(),
        false => query,
    };
    differing(&query.gray, &picture.gray, &consensus.transform)
}

fn measured(file: &Path, max_pixels: u64) -> tuwen::Result<Measured> {
    let bytes = tuwen::picture::read(file)?;
    let decoded = decode(&bytes, max_pixels, None)?;
    let modified = file.metadata().and_then(|m| m.modified());
    Ok(Measured {
        width: decoded.size.0,
        height: decoded.size.1,
        bytes: bytes.len(),
        sharpness: sharpness(&Picture::from_rgb(decoded.rgb).gray),
        modified: modified.map_err(tuwen::Error::io("read", file))?,
    })
}

fn write(args: &Args, groups: &[Vec<Member>]) -> Result<()> {
    let header = [
        "group",
        "keep",
        "file",
        "score",
        "width",
        "height",
        "bytes",
        "sharpness",
        "differs",
    ];
    let mut table = Table::new(args.finder.spreadsheet, &header)?;
    for (number, members) in (1..).zip(groups) {
        for (place, m) in members.iter().enumerate() {
            let name = table.name(relative(&args.folder, m.file));
            table.row(&[
                number.to_string(),
                u8::from(place == 0).to_string(),
                name,
                format!("{:.1}", m.score()),
                m.measured.width.to_string(),
                m.measured.height.to_string(),
                m.measured.bytes.to_string(),
                format!("{:.1}", m.measured.sharpness),
                m.differs.map_or(String::new(), |d| format!("{d:.2}")),
            ])?;
        }
    }
    output::write(&args.out, &table.bytes()?)
}

fn show(args: &Args, index: &Index, groups: &[Vec<Member>]) -> Page {
    let lead = "Each group with the picture that is proposed to be kept, the largest, of several the sharpest, and the \
                others with their best match. Lines join matching keypoints.";
    let mut page = Page::new("tuwen duplicates", lead);
    for members in groups {
        let (keep, others) = members.split_first().expect("a group has members");
        let hits = others.iter().map(|m| {
            let name = relative(&args.folder, m.file);
            let alone = || Item::picture(&tuwen::picture::read(m.file).unwrap_or_default(), &name);
            let (item, with) = match m.matched {
                Matched::Alike(best) => {
                    let query = &index.files(best.query)[0];
                    let file = &index.files(best.found.picture)[0];
                    let other = if file == m.file { query } else { file };
                    let item = match best.found.comparison {
                        Some(_) => {
                            let bytes = tuwen::picture::read(query).unwrap_or_default();
                            Item::pair(index, &bytes, file, &best.found, &name)
                        }
                        None => alone(),
                    };
                    (item, format!("with {}", relative(&args.folder, other)))
                }
                Matched::Same(file) => {
                    let name = relative(&args.folder, file);
                    (alone(), format!("the same bytes as {name}"))
                }
            };
            Shown {
                item,
                score: m.score() as f32,
                right: false,
                note: Some(format!(
                    "{with}; {}x{}, {} bytes{}",
                    m.measured.width,
                    m.measured.height,
                    m.measured.bytes,
                    match m.has_other_contents() {
                        true => "; the same form with other contents?",
                        false => "",
                    }
                )),
            }
        });
        let bytes = tuwen::picture::read(keep.file).unwrap_or_default();
        let item = Item::picture(&bytes, &relative(&args.folder, keep.file));
        let note = format!(
            "keep: {}x{}, {} bytes",
            keep.measured.width, keep.measured.height, keep.measured.bytes
        );
        page.row(item, &note, hits);
    }
    page
}

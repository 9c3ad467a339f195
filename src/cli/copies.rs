use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use tuwen::copies::{Found, Index};
use tuwen::files::printable;
use tuwen::progress::{Progress, warn_each};

use super::bars::Bars;
use super::files::{Table, pictures_below, relative};
use super::finder::Finder;
use super::output;
use super::page::{Item, Page, Shown};

/// Find, for each query picture, the picture of a gallery that it is a copy of
#[derive(clap::Args)]
#[command(after_help = "\
Crops, scaled, turned, mirrored and re-encoded copies are found, and those that were written over. Writes one line
for each query that has a match: source (the gallery's file), query. The index of the gallery is kept in
WORK/features/copies: a picture that was there before costs nothing. (Visual words are learned from the first gallery
that has enough for them, about two hundred pictures, and serve later ones; a smaller one is looked at anew. VLAD and
Fisher vectors want four pictures for each number of --dim.) The score is -log10 of how many pictures of such a gallery
would be so alike by chance.

Examples:
  tuwen copies --gallery originals --queries suspects --out submit.csv
  tuwen copies --gallery originals --queries suspects --out submit.csv --scores --html page.html
  tuwen copies --gallery originals --queries suspects --out look-alikes.csv --method vlad --threshold 0")]
pub struct Args {
    /// Folder of the pictures that may have been copied
    #[arg(long, value_name = "DIR")]
    gallery: PathBuf,
    /// Folder of the pictures that may be copies
    #[arg(long, value_name = "DIR")]
    queries: PathBuf,
    /// The table to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Add a third column with the score, and a fourth with the number of matches that agree
    #[arg(long)]
    scores: bool,
    /// A page that shows each query, what was found, and the matches that agree
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    finder: Finder,
}

/// Pictures that the page shows of each query.
const SHOWN: usize = 3;

pub fn run(args: &Args) -> Result<ExitCode> {
    output::check(&args.out)?;
    args.html.as_deref().map_or(Ok(()), output::check)?;
    let gallery = pictures_below(&args.gallery, args.finder.hidden)?;
    let queries = pictures_below(&args.queries, args.finder.hidden)?;
    ensure!(
        !gallery.is_empty(),
        "{} has no pictures",
        printable(&args.gallery)
    );
    let bars = Bars::default();
    let mut bad = Vec::new();
    let index = args.finder.index(&gallery, &bars, &mut bad)?;
    bars.start("comparing", queries.len() as u64);
    let ask = |path: &PathBuf| {
        let found = search(&index, path);
        bars.step(1);
        let mut found = found?;
        found.retain(|f| f.score >= args.finder.threshold());
        found.truncate(SHOWN);
        Ok(found)
    };
    let found: Vec<Result<Vec<Found>>> = queries.par_iter().map(ask).collect();
    bars.finish();
    let header = ["source", "query", "score", "inliers"];
    let columns = if args.scores { 4 } else { 2 };
    let mut table = Table::new(args.finder.spreadsheet, &header[..columns])?;
    let (mut answered, mut matched) = (Vec::new(), 0);
    for (query, found) in queries.iter().zip(found) {
        match found {
            Ok(found) => {
                if let Some(best) = found.first() {
                    let source = table.name(relative(&args.gallery, &index.files(best.picture)[0]));
                    let score = format!("{:.1}", best.score);
                    let inliers = best.comparison.as_ref().map(|c| c.inliers().to_string());
                    let name = table.name(relative(&args.queries, query));
                    let record = [source, name, score, inliers.unwrap_or_default()];
                    table.row(&record[..columns])?;
                    matched += 1;
                }
                answered.push((query, found));
            }
            Err(e) => bad.push(format!("{e:#}")),
        }
    }
    output::write(&args.out, &table.bytes()?)?;
    if let Some(path) = &args.html {
        show(args, &index, &answered).write(path)?;
    }
    warn_each("picture that cannot be used", bad.into_iter());
    output::summary(
        &args.out,
        &format!(
            "{matched} of {} queries have a match, of score {} or more",
            queries.len(),
            args.finder.threshold()
        ),
    )?;
    Ok(ExitCode::SUCCESS)
}

fn search(index: &Index, path: &Path) -> Result<Vec<Found>> {
    let found = tuwen::picture::read(path).and_then(|bytes| index.search(&bytes));
    found.with_context(|| printable(path))
}

fn show(args: &Args, index: &Index, answered: &[(&PathBuf, Vec<Found>)]) -> Page {
    let lead = "Each query with what it is a copy of. Lines join keypoints that agree; a query that matches in a \
                mirror is turned over. Scores are -log10 of how many pictures would be so alike by chance.";
    let mut page = Page::new("tuwen copies", lead);
    for (query, found) in answered {
        let bytes = tuwen::picture::read(query).unwrap_or_default();
        let hits = found.iter().map(|hit| {
            let file = &index.files(hit.picture)[0];
            Shown {
                item: Item::pair(index, &bytes, file, hit, &relative(&args.gallery, file)),
                score: hit.score as f32,
                right: false,
                note: hit
                    .comparison
                    .as_ref()
                    .map(|c| format!("{} matches agree", c.inliers())),
            }
        });
        let item = Item::picture(&bytes, &relative(&args.queries, query));
        let note = if found.is_empty() { "no match" } else { "" };
        page.row(item, note, hits);
    }
    page
}

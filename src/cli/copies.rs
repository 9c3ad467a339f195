use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use tuwen::copies::{Found, Index};
use tuwen::files::printable;
use tuwen::progress::warn_each;

use super::bars::Bars;
use super::files::{Table, pictures_below, relative};
use super::finder::Finder;
use super::output;
use super::page::{Item, Page, Shown};

/// Find out which pictures are copies of pictures in a gallery
#[derive(clap::Args)]
#[command(after_help = "\
Finds copies that were cropped, scaled, rotated, mirrored, re-encoded, or overlaid with text or logos. Writes one line for
each query that has a match: source (the file in the gallery) and query. The index of the gallery is kept in
WORK/features/copies, so that only new or changed pictures are processed again. (Visual words are learned from the first
gallery with enough pictures, about two hundred, and used for later ones; a smaller gallery is indexed again each time.
VLAD and Fisher vectors need four pictures for each dimension of --dim.) The score is -log10 of the expected number of
equally similar pictures in a gallery of this size.

Examples:
  tuwen copies --gallery originals --queries suspects --out submit.csv
  tuwen copies --gallery originals --queries suspects --out submit.csv --scores --html page.html
  tuwen copies --gallery originals --queries suspects --out look-alikes.csv --method vlad --threshold 0")]
pub struct Args {
    /// Folder of originals
    #[arg(long, value_name = "DIR")]
    gallery: PathBuf,
    /// Folder of pictures that may be copies
    #[arg(long, value_name = "DIR")]
    queries: PathBuf,
    /// Table to write (CSV; `-` is the standard output)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Add columns with the score and the number of inliers
    #[arg(long)]
    scores: bool,
    /// Also write an HTML page with each query, its matches and the inliers
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
    let found = index.search_files(&queries, args.finder.threshold(), &bars);
    let header = ["source", "query", "score", "inliers"];
    let columns = if args.scores { 4 } else { 2 };
    let mut table = Table::new(args.finder.spreadsheet, &header[..columns])?;
    let (mut answered, mut matched) = (Vec::new(), 0);
    for (query, found) in queries.iter().zip(found) {
        match found {
            Ok(mut found) => {
                found.truncate(SHOWN);
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
            Err(e) => bad.push(format!("{}: {e}", printable(query))),
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
            "{matched} of {} queries have a match with a score of at least {}",
            queries.len(),
            args.finder.threshold()
        ),
    )?;
    Ok(ExitCode::SUCCESS)
}

fn show(args: &Args, index: &Index, answered: &[(&PathBuf, Vec<Found>)]) -> Page {
    let lead = "Each query with the pictures that it may be a copy of. Lines join matching keypoints; a query that matches as a \
                mirror image is shown mirrored. Scores are -log10 of the expected number of equally similar pictures.";
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
                    .map(|c| format!("{} inliers", c.inliers())),
            }
        });
        let item = Item::picture(&bytes, &relative(&args.queries, query));
        let note = if found.is_empty() { "no match" } else { "" };
        page.row(item, note, hits);
    }
    page
}

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use tuwen::artifact::write_atomically;
use tuwen::copies::{CopiesParams, Found, Index, Search, THRESHOLD};
use tuwen::progress::{Progress, warn_each};

use super::bars::Bars;
use super::files::pictures_below;

/// Find, for each query picture, the picture of a gallery that it is a copy of
#[derive(clap::Args)]
#[command(after_help = "\
Crops, scaled, turned, mirrored and re-encoded copies are found, and those that were written over. Writes one line
for each query that has a match: source (the gallery's file), query. The index of the gallery is kept in
WORK/features/copies: a picture that was there before costs nothing (below a hundred pictures all are looked at anew). The score is -log10 of how many pictures of such a
gallery would agree so well by chance.

Example:
  tuwen copies --gallery originals --queries suspects --out submit.csv --scores")]
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
    /// Score from which a picture is a copy
    #[arg(long, value_name = "SCORE", default_value_t = THRESHOLD)]
    threshold: f64,
    /// Pictures whose geometry is verified for each query
    #[arg(long, value_name = "N", default_value_t = Search::default().shortlist, value_parser = super::search::at_least_one)]
    shortlist: usize,
    /// Visual words; fewer where the gallery is too small to learn so many
    #[arg(long, value_name = "N", default_value_t = CopiesParams::default().words, value_parser = super::search::at_least_one)]
    words: usize,
    /// Folder whose features/ keep what is computed
    #[arg(long, value_name = "DIR", default_value = ".")]
    work: PathBuf,
}

/// The best match of a query.
struct Copy<'a> {
    source: &'a Path,
    score: f64,
    inliers: Option<usize>,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let (gallery, queries) = (
        pictures_below(&args.gallery)?,
        pictures_below(&args.queries)?,
    );
    ensure!(
        !gallery.is_empty(),
        "{} has no files",
        args.gallery.display()
    );
    let bars = Bars::default();
    let params = CopiesParams {
        words: args.words,
        ..CopiesParams::default()
    };
    let folder = args.work.join("features/copies");
    let mut bad = Vec::new();
    let index = params.index(&gallery, &folder, &bars, &mut bad)?;
    let how = Search {
        shortlist: args.shortlist,
        ..Search::default()
    };
    bars.start("comparing", queries.len() as u64);
    let ask = |path: &PathBuf| {
        let found = best(path, &index, how, args.threshold);
        bars.step(1);
        found
    };
    let found: Vec<Result<Option<Copy>>> = queries.par_iter().map(ask).collect();
    bars.finish();
    let mut table = csv::Writer::from_writer(Vec::new());
    let header = ["source", "query", "score", "inliers"];
    let columns = if args.scores { 4 } else { 2 };
    table.write_record(&header[..columns])?;
    let mut matched = 0;
    for (query, found) in queries.iter().zip(found) {
        match found {
            Ok(Some(copy)) => {
                matched += 1;
                let score = format!("{:.1}", copy.score);
                let inliers = copy.inliers.map(|n| n.to_string()).unwrap_or_default();
                let source = relative(&args.gallery, copy.source);
                let query = relative(&args.queries, query);
                table.write_record(&[source, query, score, inliers][..columns])?;
            }
            Ok(None) => {}
            Err(e) => bad.push(format!("{e:#}")),
        }
    }
    write_atomically(
        &args.out,
        &table.into_inner().context("cannot write the table")?,
    )?;
    warn_each("picture that cannot be used", bad.into_iter());
    say!("{matched} of {} queries have a match", queries.len());
    Ok(ExitCode::SUCCESS)
}

fn best<'a>(
    path: &Path,
    index: &'a Index,
    how: Search,
    threshold: f64,
) -> Result<Option<Copy<'a>>> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| name.clone())?;
    if let Some(source) = index.same(&bytes) {
        return Ok(Some(Copy {
            source,
            score: f64::INFINITY,
            inliers: None,
        }));
    }
    let found = index.search(&bytes, how).context(name)?;
    let copy = |found: &Found| Copy {
        source: index.file(found.picture),
        score: found.score,
        inliers: Some(found.comparison.inliers()),
    };
    Ok(found.first().filter(|f| f.score >= threshold).map(copy))
}

fn relative(folder: &Path, path: &Path) -> String {
    let name = path.strip_prefix(folder).unwrap_or(path);
    name.to_string_lossy().into_owned()
}

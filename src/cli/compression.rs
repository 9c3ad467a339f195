use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use ndarray::ArrayView1;
use serde::Deserialize;
use tuwen::copies::{Looked, SeenVectors, Set, VectorsParams};
use tuwen::linalg::stacked;
use tuwen::progress::{Progress, warn_each};

use super::finder;
use crate::cli::bars::Bars;
use crate::cli::files::{pictures_below, relative};
use crate::cli::output;
use crate::compression::Whitened;

/// Measure what smaller vectors find of the copies that are known, and what they cost
#[derive(clap::Args)]
#[command(after_help = "\
PCA-whitening, scalar and product quantisation, rotated or not, and binary codes by FAISS: bytes a picture, recall,
milliseconds a query. The vectors are VLAD codes of SIFT keypoints.

Example:
  tuwen compression --gallery originals --queries suspects --truth truth.csv --out COMPRESSION.md")]
pub struct Args {
    /// Folder of the pictures that were copied, and of others
    #[arg(long, value_name = "DIR")]
    gallery: PathBuf,
    /// Folder of copies
    #[arg(long, value_name = "DIR")]
    queries: PathBuf,
    /// Which copy is of which picture: columns source and query
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
    /// The page to write (Markdown)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Folder whose features/ keep what is computed
    #[arg(long, value_name = "DIR", default_value = ".")]
    work: PathBuf,
}

#[derive(Deserialize)]
struct Pair {
    source: String,
    query: String,
}

/// Numbers that PCA-whitening leaves, and codes of FAISS that are made of so many. One number a dimension, or bits; `np`
/// leaves the order of the codes alone, whose search takes minutes and serves polysemous filtering only.
const CODES: [(usize, &[&str]); 4] = [
    (512, &["Flat", "SQ8", "PQ64np", "OPQ64,PQ64np", "ITQ,LSH"]),
    (256, &["Flat", "SQ8", "PQ32np", "OPQ32,PQ32np", "ITQ,LSH"]),
    (
        128,
        &["Flat", "SQ8", "PQ16np", "OPQ16,PQ16np", "PQ32np", "ITQ,LSH"],
    ),
    (
        64,
        &["Flat", "SQ8", "PQ8np", "OPQ8,PQ8np", "PQ16np", "ITQ,LSH"],
    ),
];

pub fn run(args: &Args) -> Result<ExitCode> {
    let (gallery, queries) = (
        pictures_below(&args.gallery, false)?,
        pictures_below(&args.queries, false)?,
    );
    let truth = read(&args.truth)?;
    let method = VectorsParams {
        pca: None,
        mirrored: false,
        ..finder::vlad()
    };
    let bars = Bars::default();
    let mut bad = Vec::new();
    let folder = args.work.join("features/copies/vlad-raw");
    let looked = Looked::at(&method, &[&gallery, &queries], &folder, &bars, &mut bad)?;
    let [pictures, copies] = [&looked.sets[0], &looked.sets[1]];
    let (places, asked) = (
        vectors(pictures, &args.gallery),
        vectors(copies, &args.queries),
    );
    let Asked {
        sources,
        rows,
        without,
    } = Asked::new(&truth, &places, &asked, &mut bad);
    let widest = CODES[0].0;
    ensure!(
        places.len() > widest,
        "{} has {} usable pictures; at least {} are needed to learn {widest} dimensions",
        args.gallery.display(),
        places.len(),
        widest + 1
    );
    ensure!(
        !rows.is_empty(),
        "{} names no copy that can be used",
        args.truth.display()
    );
    let known = sources.len() + without;
    let (x, q) = (stacked(places.values().copied()), stacked(rows.into_iter()));
    let mut page = format!(
        "# Smaller vectors\n\nWritten by `make compression`; VLAD codes of {} numbers, {} pictures, {} copies of known \
         pictures. Recall is the share of copies whose picture is the first, and among the first 20, which geometry \
         would verify; mirrored copies are among them, and mirror images are not looked for; milliseconds are of the search on one core, without the picture's VLAD code.\n\n\
         | PCA-whitened to | code | bytes a picture | recall@1 | recall@20 | ms a query |\n|---:|---|---:|---:|---:|---:|\n",
        x.ncols(),
        x.nrows(),
        known
    );
    let codes = CODES.iter().map(|(_, names)| names.len() as u64);
    bars.start("measuring", codes.sum());
    for (dim, names) in CODES {
        let whitened = Whitened::new(dim, x.view(), q.view(), method.seed)?;
        for name in names {
            page += &row(&whitened, (dim, name), &sources, known)?;
            bars.step(1);
        }
    }
    bars.finish();
    output::write(&args.out, page.as_bytes())?;
    warn_each("picture that cannot be used", bad.into_iter());
    say!("{page}");
    Ok(ExitCode::SUCCESS)
}

/// What a code finds of the sources of so many known copies.
fn row(
    whitened: &Whitened,
    (dim, name): (usize, &str),
    sources: &[usize],
    known: usize,
) -> Result<String> {
    let m = whitened.measure(name, sources)?;
    let [first, among] = m
        .recall
        .map(|r| 100.0 * r * sources.len() as f64 / known as f64);
    Ok(format!(
        "| {dim} | {name} | {} | {first:.1} | {among:.1} | {:.2} |\n",
        m.bytes, m.milliseconds
    ))
}

fn read(path: &Path) -> Result<Vec<Pair>> {
    let context = || format!("cannot read {}", path.display());
    let mut table = csv::Reader::from_path(path).with_context(context)?;
    let pairs: Result<Vec<Pair>, _> = table.deserialize().collect();
    let pairs = pairs.with_context(context)?;
    ensure!(
        !pairs.is_empty(),
        "{} names no pair of `source` and `query`",
        path.display()
    );
    Ok(pairs)
}

/// The copies that can be looked for.
#[derive(Default)]
struct Asked<'a> {
    /// Where the picture of each stands in the gallery.
    sources: Vec<usize>,
    /// Their vectors.
    rows: Vec<ArrayView1<'a, f32>>,
    /// Number of copies without keypoints: they count as not found.
    without: usize,
}

impl<'a> Asked<'a> {
    fn new(
        truth: &[Pair],
        gallery: &BTreeMap<String, ArrayView1<f32>>,
        copies: &BTreeMap<String, ArrayView1<'a, f32>>,
        bad: &mut Vec<String>,
    ) -> Self {
        let order: BTreeMap<&str, usize> = gallery.keys().map(String::as_str).zip(0..).collect();
        let mut asked = Self::default();
        for Pair { source, query } in truth {
            match (order.get(source.as_str()), copies.get(query)) {
                (None, _) => bad.push(format!("{source}, which {query} is a copy of")),
                (Some(&place), Some(&row)) => {
                    asked.sources.push(place);
                    asked.rows.push(row);
                }
                (Some(_), None) => {
                    asked.without += 1;
                    bad.push(format!("{query}, which is not there or has no keypoints"));
                }
            }
        }
        asked
    }
}

/// By the names of the files.
fn vectors<'a>(set: &'a Set<SeenVectors>, folder: &Path) -> BTreeMap<String, ArrayView1<'a, f32>> {
    let all = set.files.iter().zip(&set.seen);
    let usable = all.filter(|(_, seen)| !seen.vector().is_empty());
    let named = usable.flat_map(|((_, files), seen)| {
        let named = move |file: &PathBuf| (relative(folder, file), seen.vector());
        files.iter().map(named)
    });
    named.collect()
}

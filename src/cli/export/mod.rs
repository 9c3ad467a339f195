mod parquet;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use ndarray::Array2;
use serde::Serialize;
use tuwen::gallery::Snapshot;

use crate::cli::output;

/// Write the vectors and the items of a gallery to files for other programs
#[derive(clap::Args)]
#[command(after_help = "\
The rows of both files belong together: the first vector is that of the first item.

Examples:
  tuwen export g --vectors v.npy --items items.parquet
  tuwen export g --items items.jsonl")]
pub struct Args {
    /// Folder of the gallery
    gallery: PathBuf,
    /// File for the pictures' points in the shared space, n×s (NumPy's .npy, float 32)
    #[arg(long, value_name = "FILE", required_unless_present = "items")]
    vectors: Option<PathBuf>,
    /// File for ids, captions, tags and metadata: .parquet, .csv or .jsonl
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    path: String,
    width: u32,
    height: u32,
    bytes: u64,
    taken: Option<String>,
    camera: Option<String>,
    folder: String,
    format: String,
    captions: Vec<String>,
    tags: Vec<String>,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    for path in [&args.vectors, &args.items].into_iter().flatten() {
        output::check(path)?;
    }
    let snapshot = Snapshot::open(&args.gallery)?;
    let keys = keys(&snapshot)?;
    if let Some(path) = &args.vectors {
        let mut x = Array2::zeros((keys.len(), snapshot.stamp().point));
        for (mut to, &key) in x.outer_iter_mut().zip(&keys) {
            let (part, row) = snapshot
                .picture_row(key)
                .context("a picture without a point")?;
            let pictures = snapshot.parts()[part].pictures();
            to.iter_mut()
                .zip(pictures.point(row))
                .for_each(|(to, v)| *to = v.to_f32());
        }
        let mut bytes = Vec::new();
        tuwen::views::write_npy(&mut bytes, x.view())?;
        output::write(path, &bytes)?;
    }
    if let Some(path) = &args.items {
        let rows: Vec<Row> = keys
            .iter()
            .map(|&key| row(&snapshot, key))
            .collect::<Result<_>>()?;
        output::write(path, &table(path, rows)?)?;
    }
    say!("{} pictures", keys.len());
    Ok(ExitCode::SUCCESS)
}

/// The keys of all pictures that have a point, rising.
fn keys(snapshot: &Snapshot) -> Result<Vec<u64>> {
    let mut keys = Vec::new();
    for next in snapshot.all_ids() {
        let (key, _) = next?;
        if snapshot.picture_row(key).is_some() {
            keys.push(key);
        }
    }
    Ok(keys)
}

fn row(snapshot: &Snapshot, key: u64) -> Result<Row> {
    let item = snapshot.item(key)?.context("a key without an item")?;
    let captions = snapshot.texts_of(key)?;
    let facts = item.facts;
    Ok(Row {
        id: facts.id,
        path: facts.path,
        width: facts.width,
        height: facts.height,
        bytes: facts.bytes,
        taken: facts.taken,
        camera: facts.camera,
        folder: facts.folder,
        format: facts.format,
        captions: captions.into_iter().map(|t| t.caption).collect(),
        tags: facts.tags,
    })
}

fn table(path: &Path, rows: Vec<Row>) -> Result<Vec<u8>> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("parquet") => Ok(parquet::write(vec![], rows)?),
        Some("jsonl") => {
            let mut bytes = Vec::new();
            for row in &rows {
                serde_json::to_writer(&mut bytes, row)?;
                bytes.push(b'\n');
            }
            Ok(bytes)
        }
        Some("csv") => {
            let mut writer = csv::Writer::from_writer(vec![]);
            writer.write_record([
                "id", "path", "width", "height", "bytes", "taken", "camera", "folder", "format",
                "captions", "tags",
            ])?;
            for row in &rows {
                writer.write_record([
                    &row.id,
                    &row.path,
                    &row.width.to_string(),
                    &row.height.to_string(),
                    &row.bytes.to_string(),
                    row.taken.as_deref().unwrap_or_default(),
                    row.camera.as_deref().unwrap_or_default(),
                    &row.folder,
                    &row.format,
                    &row.captions.join("\n"),
                    &row.tags.join(";"),
                ])?;
            }
            writer.into_inner().context("cannot write the table")
        }
        _ => bail!(
            "{}: name a file that ends in .parquet, .csv or .jsonl",
            path.display()
        ),
    }
}

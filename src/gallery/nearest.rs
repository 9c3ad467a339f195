//! An index over a large segment, so that a question need not look at every point.
//!
//! Segments up to [`INDEXED_FROM`] pictures are searched exactly. For a larger one FAISS keeps compressed points in
//! cells; what it finds is scored again from the points themselves. An index is a file beside the segments, which is
//! built again where it is lost.

use std::fs;
use std::path::{Path, PathBuf};

use half::slice::HalfFloatSliceExt;
use ndarray::{Array1, Array2, Axis, s};

use super::filter::Bitmap;
use super::{Part, Pictures};
use crate::artifact::Fingerprint;
use crate::error::{Error, Result};
use crate::files;
use crate::index::{Faiss, IndexParams};

/// Finds candidates in a segment without looking at every row.
pub trait Nearest: Send + Sync {
    /// Rows that are likely among the nearest, in any order.
    ///
    /// # Errors
    /// Those of the index.
    fn candidates(&self, query: &[f32], most: usize, allowed: &Bitmap) -> Result<Vec<u32>>;
}

/// Pictures from which on a segment has an index: to look at so many takes some tens of milliseconds.
const INDEXED_FROM: usize = 50_000;
/// Points that cells are learned from, for each cell (FAISS warns below 39).
const PER_CELL: usize = 40;
/// Components that are kept of a point.
const COMPONENTS: usize = 256;
/// Cells that a question looks into.
const PROBES: usize = 48;
/// Rows that are scored again, for each that is wanted, and at least.
const AGAIN: [usize; 2] = [8, 400];
/// Rows that are added at a time.
const BLOCK: usize = 20_000;

struct Cells {
    index: Faiss,
    cells: usize,
}

/// Cells of so many points: a power of two near twice the root.
fn cells(rows: usize) -> usize {
    ((2.0 * (rows as f64).sqrt()) as usize)
        .next_power_of_two()
        .min(rows / PER_CELL)
}

fn place(folder: &Path, part: &Part) -> [PathBuf; 2] {
    let file = |end: &str| folder.join("index").join(format!("{}.{end}", part.name()));
    [file("faiss"), file("digest")]
}

/// Builds the indexes that large segments lack, and removes those of segments that are gone.
///
/// # Errors
/// Those of FAISS, and of writing the files.
pub fn index(folder: &Path, parts: &[Part]) -> Result<()> {
    let large = || parts.iter().filter(|p| p.pictures().len() >= INDEXED_FROM);
    let wanted: Vec<PathBuf> = large().flat_map(|part| place(folder, part)).collect();
    for entry in fs::read_dir(folder.join("index"))
        .into_iter()
        .flatten()
        .flatten()
    {
        if !wanted.contains(&entry.path()) {
            let _ = fs::remove_file(entry.path()); // it is in nobody's way
        }
    }
    for part in large() {
        if nearest_of(folder, part).is_none() {
            build(folder, part)?;
        }
    }
    Ok(())
}

fn build(folder: &Path, part: &Part) -> Result<()> {
    let pictures = part.pictures();
    let n = pictures.len();
    tracing::info!("building the index of {n} pictures");
    let cells = cells(n);
    let reduce = match pictures.dim + 1 > COMPONENTS {
        true => format!("PCAR{COMPONENTS},"),
        false => String::new(),
    };
    let params = IndexParams {
        factory: format!("{reduce}IVF{cells},SQ8"),
        search: String::new(),
        sample: n,
    };
    let step = (n / (cells * PER_CELL)).max(1);
    let mut sample = charged(&pictures, (0..n).step_by(step));
    // The order of the inner products with a query stays where all items move by the same. The PCA would move queries,
    // too, where the mean is not 0; and queries, which lie elsewhere than items, would make cells that no item is in.
    let mean = sample
        .mean_axis(Axis(0))
        .unwrap_or_else(|| Array1::zeros(pictures.dim + 1));
    sample -= &mean;
    let mut index = Faiss::build(&params, sample.view(), sample.slice(s![..0, ..]))?;
    for start in (0..n).step_by(BLOCK) {
        let items = charged(&pictures, start..(start + BLOCK).min(n)) - &mean;
        index.add(items.view())?;
    }
    let [file, digest] = place(folder, part);
    let dir = folder.join("index");
    fs::create_dir_all(&dir).map_err(Error::io("create", &dir))?;
    let _ = fs::remove_file(&digest); // an index without its digest is not used
    index.write(&file)?;
    files::write(&digest, Fingerprint::of_file(&file)?.to_string().as_bytes())
}

/// Rows with their charges: k×(s + 1).
fn charged(pictures: &Pictures, rows: impl Iterator<Item = usize>) -> Array2<f32> {
    let rows: Vec<usize> = rows.collect();
    let dim = pictures.dim;
    let mut x = Array2::zeros((rows.len(), dim + 1));
    for (mut to, &row) in x.outer_iter_mut().zip(&rows) {
        let to = to
            .as_slice_mut()
            .expect("a row of a new matrix is contiguous");
        pictures.point(row).convert_to_f32_slice(&mut to[..dim]);
        to[dim] = match pictures.charges[row] {
            charge if charge.is_finite() => -charge,
            _ => 0.0, // it is left out when it is scored again
        };
    }
    x
}

/// The index of a segment, where it has one that is whole. FAISS trusts the files that it reads, so that a file is
/// compared with its digest first.
pub fn nearest_of(folder: &Path, part: &Part) -> Option<Box<dyn Nearest>> {
    let rows = part.pictures().len();
    if rows < INDEXED_FROM {
        return None;
    }
    let [file, digest] = place(folder, part);
    let wanted = fs::read_to_string(digest).ok()?;
    let found = Fingerprint::of_file(&file).ok()?;
    if found.to_string() != wanted {
        tracing::warn!(
            "{}: it is damaged; pictures are searched without it",
            file.display()
        );
        return None;
    }
    match Faiss::read(&file, "") {
        Ok(index) => Some(Box::new(Cells {
            index,
            cells: cells(rows),
        })),
        Err(e) => {
            tracing::warn!("{}: {e}; pictures are searched without it", file.display());
            None
        }
    }
}

impl Nearest for Cells {
    fn candidates(&self, query: &[f32], most: usize, allowed: &Bitmap) -> Result<Vec<u32>> {
        let asked: Vec<f32> = query.iter().copied().chain([1.0]).collect();
        let k = (AGAIN[0] * most).max(AGAIN[1]).min(allowed.rows());
        // The fewer rows are allowed, the more cells it takes to find as many.
        let share = allowed.count() as f64 / allowed.rows().max(1) as f64;
        let probes = (PROBES as f64 / share.max(1e-9)).min(self.cells as f64) as usize;
        let bits: Vec<u8> = allowed
            .words()
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect();
        self.index.nearest_among(&asked, k, &bits, probes.max(1))
    }
}

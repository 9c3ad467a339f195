//! Puts the vectors of any other program into a FAISS index, writes it, and finds the nearest neighbours of the first.
//!
//! ```sh
//! printf 'a,1,0,0\nb,0.9,0.1,0\nc,0,1,0\n' > vectors.csv            # an id and its numbers a line
//! cargo run --release --example import_vectors -- vectors.csv vectors.faiss
//! cargo run --release --example import_vectors -- vectors.csv vectors.faiss HNSW32
//! ```
//! Vectors that are to be learned from beside tuwen's own are a view of a recipe instead: `[image_views.imported]`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use ndarray::{Array2, s};
use tuwen::index::{Faiss, Flat, Index, IndexParams, recall};
use tuwen::linalg::l2_normalize_rows;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (table, file, factory) = match args.as_slice() {
        [table, file] => (table, file, "Flat"),
        [table, file, factory] => (table, file, factory.as_str()),
        _ => anyhow::bail!("usage: import_vectors VECTORS.csv INDEX [FACTORY]"),
    };
    let (mut ids, mut numbers) = (Vec::new(), Vec::new());
    for line in std::fs::read_to_string(table)?.lines() {
        let (id, row) = line.split_once(',').context("a line without numbers")?;
        ids.push(id.to_owned());
        for number in row.split(',') {
            numbers.push(number.trim().parse::<f32>().context(line.to_owned())?);
        }
    }
    ensure!(!ids.is_empty(), "{table} is empty");
    let mut x = Array2::from_shape_vec((ids.len(), numbers.len() / ids.len()), numbers)
        .context("lines with different numbers of columns")?;
    l2_normalize_rows(&mut x); // the index compares by inner product: of unit vectors, the cosine

    let params = IndexParams {
        factory: factory.to_owned(),
        ..IndexParams::default()
    };
    let index = Faiss::build(&params, x.view(), x.view())?;
    index.write(Path::new(file))?;

    let first = x.slice(s![..1, ..]);
    let found = index.search(first, 5)?;
    for hit in &found[0] {
        println!("{:.4}  {}", hit.score, ids[hit.item]);
    }
    let truth = Flat::new(x.clone()).search(first, 5)?;
    println!("share of the true neighbours: {}", recall(&found, &truth));
    Ok(())
}

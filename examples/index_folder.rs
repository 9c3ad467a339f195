//! Describes the pictures of a folder with a model and keeps them in a gallery. Run it again after the folder has
//! changed: only new and changed pictures are opened.
//!
//! ```sh
//! tuwen fit --data data/demo --model demo.tuwen          # makes a model
//! cargo run --release --example index_folder -- demo.tuwen photos gallery
//! ```

use std::path::Path;

use anyhow::{Context, Result};
use tuwen::gallery::Snapshot;
use tuwen::indexing::{Indexer, Source};
use tuwen::model::Model;
use tuwen::progress::Silent;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, folder, gallery] = args.as_slice() else {
        anyhow::bail!("usage: index_folder MODEL FOLDER GALLERY");
    };
    let model = Model::open(Path::new(model))?;
    let mut indexer = Indexer::open(Path::new(gallery), &model, &Silent)?;
    let synced = indexer
        .sync(Path::new(folder), &Source::default())
        .with_context(|| format!("{folder} was not indexed"))?;
    println!(
        "{} added, {} changed, {} removed, {} unchanged",
        synced.added, synced.changed, synced.removed, synced.unchanged
    );

    // Files that cannot be used are recorded with the reason, so that they are not opened again.
    let snapshot = Snapshot::open(Path::new(gallery))?;
    for bad in snapshot.bad()? {
        println!("{}: {}", bad.path, bad.reason);
    }
    println!("{} pictures in all", snapshot.counts().pictures);
    Ok(())
}

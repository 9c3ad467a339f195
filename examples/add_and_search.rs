//! Adds what is new in a folder to a gallery while an engine has the gallery open, and searches it with a sentence.
//!
//! ```sh
//! cargo run --release --example add_and_search -- gallery photos 笑脸
//! ```

use std::path::Path;

use anyhow::Result;
use tuwen::engine::{Engine, Query};
use tuwen::indexing::{Indexer, Source};
use tuwen::progress::Silent;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [gallery, folder, sentence] = args.as_slice() else {
        anyhow::bail!("usage: add_and_search GALLERY FOLDER SENTENCE");
    };
    let engine = Engine::open(Path::new(gallery))?;

    // There is one writer at a time; the engine goes on answering while it works.
    let mut indexer = Indexer::open(Path::new(gallery), engine.model(), &Silent)?;
    let synced = indexer.sync(Path::new(folder), &Source::default())?;
    println!("{} pictures added", synced.added);

    // A question sees the gallery as it is when it is asked.
    let query = Query {
        top: 10,
        explain: true,
        ..Query::text(sentence)
    };
    let answer = engine.ask(&query)?;
    for (rank, hit) in answer.hits.iter().enumerate() {
        if rank == answer.good {
            println!("-- probably wrong from here on --");
        }
        match hit.probability {
            Some(p) => println!("{:5.1} %  {}", 100.0 * p, hit.id),
            None => println!("{:7.3}  {}", hit.score, hit.id),
        }
        for part in hit.why.iter().flat_map(|why| &why.parts) {
            println!("          {:+.3} {}", part.share, part.name);
        }
    }
    Ok(())
}

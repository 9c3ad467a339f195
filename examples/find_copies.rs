//! Finds the copies of pictures in a gallery: cropped, scaled, rotated, mirrored, overlaid with text.
//!
//! ```sh
//! cargo run --release --example find_copies -- gallery suspect1.jpg suspect2.jpg
//! ```

use std::path::Path;

use anyhow::Result;
use tuwen::engine::{Engine, Find, Query};
use tuwen::picture;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [gallery, suspects @ ..] = args.as_slice() else {
        anyhow::bail!("usage: find_copies GALLERY PICTURE...");
    };
    let engine = Engine::open(Path::new(gallery))?;
    for suspect in suspects {
        // What finds copies is built with the first question and used again by the others.
        let bytes = picture::read(Path::new(suspect))?;
        let answer = engine.ask(&Query::picture(bytes, Find::Copies))?;
        println!("{suspect}: {} copies", answer.hits.len());
        for hit in &answer.hits {
            let Some(copy) = hit.why.as_ref().and_then(|why| why.copy.as_ref()) else {
                continue;
            };
            let how = match (copy.same_bytes, copy.mirrored) {
                (true, _) => "the same file".to_owned(),
                (false, true) => format!("{} keypoints agree, mirrored", copy.inliers),
                (false, false) => format!("{} keypoints agree", copy.inliers),
            };
            // The score is -log10 of the number of equally similar pictures that are expected by chance.
            println!("  {:6.1}  {}  ({how})", hit.score, hit.id);
        }
    }
    Ok(())
}

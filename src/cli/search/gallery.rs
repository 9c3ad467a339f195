//! Searching a gallery.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use tuwen::dataset::{TextId, TextItem};
use tuwen::engine::{Answer, Engine, Explanation, Find, Hit, Query};
use tuwen::files::printable;

use super::super::output;
use super::super::page::{Item, Page, Shown};
use super::Args;

pub fn run(args: &Args, gallery: &Path) -> Result<ExitCode> {
    let query = args.query(args.find.map_or(Find::Pictures, Find::from))?;
    if query.text.is_some() {
        // It takes as long as all the rest together.
        std::thread::spawn(tuwen::text::load_dictionary);
    }
    ask(args, &query, &Engine::open(gallery)?)
}

/// Asks, and prints the answer.
pub fn ask(args: &Args, query: &Query, engine: &Engine) -> Result<ExitCode> {
    args.html.as_deref().map_or(Ok(()), output::check)?;
    let answer = engine.ask(query).map_err(|e| match args.images.first() {
        Some(path) if matches!(e, tuwen::Error::Picture { .. }) || query.text.is_none() => {
            anyhow::Error::new(e).context(format!("cannot use {}", printable(path)))
        }
        _ => e.into(),
    })?;
    if args.json {
        output::json(&answer)?;
    } else {
        print(&answer, args.offset)?;
    }
    if let Some(path) = &args.html {
        page(args, query, &answer).write(path)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(answer: &Answer, offset: usize) -> Result<()> {
    for (i, hit) in answer.hits.iter().enumerate() {
        let rank = offset + i + 1;
        say!("{rank}\t{}\t{}", told(hit), name(hit));
        if let Some(why) = &hit.why {
            explain(why)?;
        }
    }
    match (answer.hits.len(), answer.good) {
        (0, _) => tracing::info!("nothing found among {} items", answer.searched),
        (all, good) if good < all => {
            tracing::info!("good answers: the first {good}; those after them are less likely right")
        }
        _ => {}
    }
    Ok(())
}

/// The probability, or the similarity where there is none.
fn told(hit: &Hit) -> String {
    format!("{:.4}", hit.probability.unwrap_or(hit.score).max(0.0))
}

fn name(hit: &Hit) -> String {
    match (&hit.path, &hit.text) {
        (Some(path), _) => path.clone(),
        (None, Some(text)) if hit.id.is_empty() => text.clone(),
        (None, Some(text)) => format!("{}\t{text}", hit.id),
        (None, None) => hit.id.clone(),
    }
}

fn explain(why: &Explanation) -> Result<()> {
    for part in &why.parts {
        say!("\t{:+.3}\t{}", part.share, part.name);
    }
    for word in &why.query_words {
        say!("\t{:+.3}\tthe word {}", word.share, word.name);
    }
    for matched in &why.words {
        let places = match (matched.in_caption, matched.boxes.len()) {
            (true, 0) => "in a caption".to_owned(),
            (true, n) => format!("in a caption, in {n} lines of the picture"),
            (false, n) => format!("in {n} lines of the picture"),
        };
        say!("\t{}\t{places}", matched.word);
    }
    if let Some(copy) = &why.copy {
        let mirrored = if copy.mirrored { ", mirrored" } else { "" };
        match copy.same_bytes {
            true => say!("\tthe same file byte for byte"),
            false => say!("\t{} keypoints agree{mirrored}", copy.inliers),
        }
    }
    Ok(())
}

fn page(args: &Args, query: &Query, answer: &Answer) -> Page {
    let mut page = Page::new(
        "tuwen search",
        "Best first, with the probability of being right.",
    );
    let item = match query.pictures.first() {
        Some(bytes) => Item::picture(bytes, &printable(&args.images[0])),
        None => Item::sentence(&args.text()),
    };
    let hits = answer.hits.iter().enumerate().map(|(i, hit)| Shown {
        item: match (&hit.path, &hit.text) {
            (Some(path), _) => {
                let bytes = tuwen::picture::read(Path::new(path)).unwrap_or_default();
                Item::picture(&bytes, &hit.id)
            }
            (None, text) => Item::text(&TextItem {
                id: TextId(hit.id.clone()),
                caption: text.clone().unwrap_or_default(),
            }),
        },
        score: hit.probability.unwrap_or(hit.score).max(0.0),
        right: false,
        note: note(hit, i < answer.good),
    });
    page.row(item, "", hits);
    page
}

/// The words that matched, and whether the hit is none of the good ones.
fn note(hit: &Hit, good: bool) -> Option<String> {
    let words = hit.why.iter().flat_map(|why| &why.words);
    let words: Vec<&str> = words.map(|w| w.word.as_str()).collect();
    let mut notes = Vec::new();
    if !words.is_empty() {
        notes.push(format!("matched: {}", words.join(" ")));
    }
    if !good {
        notes.push("less likely right".into());
    }
    (!notes.is_empty()).then(|| notes.join("; "))
}

//! Searching a gallery.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use tuwen::engine::{Answer, Engine, Explanation, Find, Hit, Query};

use super::super::output;
use super::super::page::{Item, Page, Shown};
use super::Args;

pub fn run(args: &Args, gallery: &Path) -> Result<ExitCode> {
    args.html.as_deref().map_or(Ok(()), output::check)?;
    let pictures = args.images.iter().map(|path| tuwen::picture::read(path));
    let query = Query {
        text: Some(args.text()).filter(|t| !t.is_empty()),
        must: args.must.clone(),
        not: args.not.clone(),
        pictures: pictures.collect::<Result<_, _>>()?,
        weights: args.weights.unwrap_or_default(),
        filter: args.filter.clone(),
        find: args.find.map_or(Find::Pictures, Find::from),
        top: args.top,
        offset: args.offset,
        explain: args.explain,
    };
    let engine = Engine::open(gallery)?;
    let answer = engine
        .ask(&query)
        .with_context(|| match args.images.first() {
            Some(path) if query.text.is_none() => {
                format!("cannot use {}", tuwen::files::printable(path))
            }
            _ => "no answer".into(),
        })?;
    if args.json {
        output::json(&answer)?;
    } else {
        print(&answer, args.offset)?;
    }
    if let Some(path) = &args.html {
        page(args, &query, &answer).write(path)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(answer: &Answer, offset: usize) -> Result<()> {
    for (i, hit) in answer.hits.iter().enumerate() {
        if i == answer.good && i > 0 {
            say!("-- less likely right from here on --");
        }
        let rank = offset + i + 1;
        say!("{rank}\t{}\t{}", told(hit), name(hit));
        if let Some(why) = &hit.why {
            explain(why)?;
        }
    }
    if answer.hits.is_empty() {
        say!("nothing found among {} items", answer.searched);
    }
    Ok(())
}

/// The probability, or the score where there is none.
fn told(hit: &Hit) -> String {
    match hit.probability {
        Some(p) => format!("{:.1} %", 100.0 * p),
        None => format!("{:.3}", hit.score),
    }
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
        Some(bytes) => Item::picture(bytes, &tuwen::files::printable(&args.images[0])),
        None => Item::sentence(&args.text()),
    };
    let hits = answer.hits.iter().map(|hit| Shown {
        item: match (&hit.path, &hit.text) {
            (Some(path), _) => {
                let bytes = tuwen::picture::read(Path::new(path)).unwrap_or_default();
                Item::picture(&bytes, &hit.id)
            }
            (None, text) => Item::sentence(text.as_deref().unwrap_or_default()),
        },
        score: hit.probability.unwrap_or(hit.score),
        right: false,
        note: hit.why.as_ref().map(|why| {
            let words: Vec<&str> = why.words.iter().map(|w| w.word.as_str()).collect();
            words.join(" ")
        }),
    });
    page.row(item, "", hits);
    page
}

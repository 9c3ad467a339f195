//! What the score of a hit comes of.

use ndarray::{Array2, ArrayView1};

use super::answer::{Explanation, Matched, Share};
use super::hits::item;
use super::{Asked, Engine, Ranked, View, lines};
use crate::error::Result;
use crate::model::Model;

/// Words of a query that are left out one by one, at most: a long text is told of by its first.
const MOST_WORDS: usize = 20;

/// Explains a picture that looks like the query's.
pub fn look(score: f32) -> Explanation {
    Explanation {
        parts: vec![part("looks", score)],
        ..Explanation::default()
    }
}

/// A text that is asked, and what it would be without each of its words.
pub struct Text<'a> {
    text: &'a str,
    words: Vec<String>,
    /// Of the text, then of what is left of it without each of the words.
    points: Array2<f32>,
}

impl<'a> Text<'a> {
    pub fn new(model: &Model, text: &'a str) -> Result<Self> {
        let Some(view) = model.text_side()?.words() else {
            return Ok(Self {
                text,
                words: vec![],
                points: Array2::default((0, model.dim())),
            });
        };
        let tokens = view.tokens(text);
        let mut words = tokens.clone();
        words.sort();
        words.dedup();
        words.truncate(MOST_WORDS);
        let without = |word: &String| -> String {
            let rest = tokens.iter().filter(|&t| t != word);
            rest.map(String::as_str).collect::<Vec<_>>().join(" ")
        };
        let mut texts = vec![tokens.join(" ")];
        texts.extend(words.iter().map(without));
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(Self {
            text,
            points: model.embed_texts(&texts)?.x,
            words,
        })
    }

    /// How much the cosine with a picture falls without each word, the largest fall first.
    fn shares(&self, picture: ArrayView1<f32>) -> Vec<Share> {
        let cosines = self.points.dot(&picture);
        let words = self.words.iter().zip(cosines.iter().skip(1));
        let mut shares: Vec<Share> = words
            .map(|(word, without)| part(word, cosines[0] - without))
            .collect();
        shares.sort_by(|a, b| b.share.total_cmp(&a.share));
        shares
    }
}

/// Explains a picture that a text, or a text and pictures, have found.
pub fn picture(
    engine: &Engine,
    view: &View,
    text: &Text,
    asked: &Asked,
    hit: &Ranked,
    share: f32,
) -> Result<Explanation> {
    let point = view.point(hit);
    let point = ArrayView1::from(&point);
    let mut parts: Vec<Share> = asked
        .parts
        .iter()
        .map(|(name, p)| part(name, (1.0 - share) * p.dot(&point)))
        .collect();
    let cosine: f32 = asked.parts.iter().map(|(_, p)| p.dot(&point)).sum();
    parts.push(part(
        "suits every query",
        (1.0 - share) * (hit.shared - cosine),
    ));
    if share > 0.0 {
        parts.push(part("words in the picture", share * hit.matched));
    }
    Ok(Explanation {
        parts,
        words: words(engine, view, text.text, hit.key)?,
        query_words: text.shares(point),
        copy: None,
    })
}

/// Explains a text that the words in a picture have found.
pub fn text(engine: &Engine, read: &str, caption: &str) -> Result<Explanation> {
    let lexicon = engine.model().lexicon()?;
    let words = match read.is_empty() {
        true => vec![],
        false => lexicon.terms().common(read, caption, lexicon.rarity()),
    };
    let matched = |word| Matched {
        word,
        in_caption: true,
        boxes: vec![],
    };
    Ok(Explanation {
        words: words.into_iter().map(matched).collect(),
        ..Explanation::default()
    })
}

fn part(name: &str, share: f32) -> Share {
    Share {
        name: name.to_owned(),
        share,
    }
}

/// The words that a text has in common with a picture's captions, its tags and the lines in it.
fn words(engine: &Engine, view: &View, text: &str, key: u64) -> Result<Vec<Matched>> {
    let lexicon = engine.model().lexicon()?;
    let common = |other: &str| lexicon.terms().common(text, other, lexicon.rarity());
    let mut found: Vec<Matched> = Vec::new();
    let mut note = |word: String| -> usize {
        let known = found.iter().position(|m| m.word == word);
        known.unwrap_or_else(|| {
            found.push(Matched {
                word,
                in_caption: false,
                boxes: vec![],
            });
            found.len() - 1
        })
    };
    let item = item(view, key)?;
    let mut in_captions = Vec::new();
    for caption in view.snapshot.texts_of(key)? {
        in_captions.extend(common(&caption.caption).into_iter().map(&mut note));
    }
    for tag in &item.facts.tags {
        in_captions.extend(common(tag).into_iter().map(&mut note));
    }
    let mut in_lines = Vec::new();
    for line in lines(&item) {
        in_lines.extend(common(&line.text).into_iter().map(|w| (note(w), line.quad)));
    }
    in_captions
        .into_iter()
        .for_each(|i| found[i].in_caption = true);
    in_lines
        .into_iter()
        .for_each(|(i, quad)| found[i].boxes.push(quad));
    Ok(found)
}

//! Words of a query in captions, tags and what was read in pictures: how well texts match, and whether a word is there.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::gallery::{Bitmap, List, Part, Postings, Snapshot};
use crate::scene_text::{Lexicon, Matching, Terms};

/// The words of a text that asks, ready to be matched with texts of a gallery.
pub struct WordsQuery {
    matching: Matching,
    /// Digest, weight in the query, and inverse document frequency of each term.
    terms: Vec<(u64, f32, f32)>,
    /// Mean number of terms of the texts that are searched.
    mean: f32,
}

impl WordsQuery {
    /// The words of a text, among texts with so many terms in the mean.
    pub fn new(lexicon: &Lexicon, matching: Matching, text: &str, mean: f32) -> Self {
        let bag = lexicon.terms().bag(text);
        let weights = matching.weights(&bag, lexicon.rarity());
        let terms = weights.into_iter();
        Self {
            matching,
            terms: terms
                .map(|(term, weight)| (term.digest(), weight, lexicon.rarity().of(term)))
                .collect(),
            mean,
        }
    }

    /// The rows that have a term in common with the query, and how well they match.
    pub fn matches(&self, postings: &Postings, part: &Part) -> Result<BTreeMap<u32, f32>> {
        let mut found = BTreeMap::new();
        for &(term, weight, idf) in &self.terms {
            let List { rows, counts } = find(postings, term, part)?;
            for (&row, &count) in rows.iter().zip(counts) {
                let size = [postings.lengths[row as usize], postings.norms[row as usize]];
                let there = self.matching.weight(count, idf, size, self.mean);
                *found.entry(row).or_default() += weight * there;
            }
        }
        Ok(found)
    }
}

fn find<'a>(postings: &Postings<'a>, term: u64, part: &Part) -> Result<List<'a>> {
    let found = postings.find(term);
    found.map_err(|reason| Error::artifact(part.path(), reason))
}

/// The most rows whose texts are read to make sure of a word that is found by its pairs of characters.
const MOST_READ: usize = 5000;

/// The pictures of every part that have a word in a caption, a tag or the text that was read.
pub fn with_word(snapshot: &Snapshot, terms: &Terms, word: &str) -> Result<Vec<Bitmap>> {
    let digests: Vec<u64> = terms.literal(word).iter().map(|t| t.digest()).collect();
    let mut with: Vec<Bitmap> = Vec::new();
    for part in snapshot.parts() {
        let pictures = part.pictures();
        let mut here = having(&pictures.read, &digests, part)?;
        here.add(&having(&pictures.tags, &digests, part)?);
        with.push(here);
    }
    for part in snapshot.parts() {
        let texts = part.texts();
        let mut captions = having(&texts.captions, &digests, part)?;
        captions.keep(&part.live_texts());
        let items = captions.iter().filter_map(|row| texts.item(row));
        insert(snapshot, items, &mut with);
    }
    let found: usize = with.iter().map(Bitmap::count).sum();
    if digests.len() > 1 && found <= MOST_READ {
        return only_literal(snapshot, terms, word, with);
    }
    Ok(with)
}

/// Adds pictures to the rows of their parts.
fn insert(snapshot: &Snapshot, items: impl Iterator<Item = u64>, rows: &mut [Bitmap]) {
    for (part, row) in items.filter_map(|item| snapshot.picture_row(item)) {
        rows[part].insert(row);
    }
}

/// Rows that have all of these terms; none where there are no terms.
fn having(postings: &Postings, digests: &[u64], part: &Part) -> Result<Bitmap> {
    let n = postings.lengths.len();
    let mut all: Option<Bitmap> = None;
    for &digest in digests {
        let List { rows, .. } = find(postings, digest, part)?;
        let here = Bitmap::from_rows(n, rows.iter().map(|&row| row as usize));
        match &mut all {
            Some(all) => all.keep(&here),
            None => all = Some(here),
        }
    }
    Ok(all.unwrap_or_else(|| Bitmap::empty(n)))
}

/// Leaves out pictures that have the word's pairs of characters apart from each other.
fn only_literal(
    snapshot: &Snapshot,
    terms: &Terms,
    word: &str,
    mut with: Vec<Bitmap>,
) -> Result<Vec<Bitmap>> {
    let wanted = terms.comparable(word);
    for (part, rows) in snapshot.parts().iter().zip(&mut with) {
        let keys = part.pictures().keys;
        let mut sure = Bitmap::empty(rows.rows());
        for row in rows.iter() {
            let texts = texts_about(snapshot, keys[row])?;
            if texts.iter().any(|t| terms.comparable(t).contains(&wanted)) {
                sure.insert(row);
            }
        }
        *rows = sure;
    }
    Ok(with)
}

/// The captions and tags of a picture, and the lines that were read in it.
pub fn texts_about(snapshot: &Snapshot, key: u64) -> Result<Vec<String>> {
    let captions = snapshot.texts_of(key)?;
    let mut texts: Vec<String> = captions.into_iter().map(|t| t.caption).collect();
    if let Some(item) = snapshot.item(key)? {
        texts.extend(super::lines(&item).into_iter().map(|l| l.text));
        texts.extend(item.facts.tags);
    }
    Ok(texts)
}

/// The pictures of every part of which no text is known.
pub fn without_text(snapshot: &Snapshot) -> Vec<Bitmap> {
    let mut known: Vec<Bitmap> = Vec::new();
    for part in snapshot.parts() {
        let pictures = part.pictures();
        let mut here = Bitmap::of(pictures.read.lengths, |l| l > 0.0);
        here.add(&Bitmap::of(pictures.tags.lengths, |l| l > 0.0));
        known.push(here);
    }
    for part in snapshot.parts() {
        insert(snapshot, part.captioned(), &mut known);
    }
    known.iter_mut().for_each(Bitmap::invert);
    known
}

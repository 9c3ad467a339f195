//! An inverted index: for every term, the documents that have it. What a query has in common with all documents
//! is found exactly, without a look at those that it has nothing in common with.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::Match;
use super::terms::{Bag, Rarity, Term};

/// How well the terms of a query and of a document go together, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Matching {
    /// The cosine of (1 + ln count)·idf (Salton & Buckley 1988).
    Cosine,
    /// Σ idf·q·c·(k1 + 1) / (c + k1·(1 − b + b·length/mean length)), with the counts q in the query and c in the
    /// document (Robertson & Zaragoza 2009, §3.4), as a share of what it comes to where c is without bounds.
    Bm25 {
        /// How much a repeated term counts.
        k1: f32,
        /// How much the length of the document counts, from 0 to 1.
        b: f32,
    },
}

impl Matching {
    /// What each term of a query weighs.
    pub fn weights(self, query: &Bag, rarity: &Rarity) -> Vec<(Term, f32)> {
        match self {
            Self::Cosine => unit(query, rarity),
            Self::Bm25 { .. } => share(query, rarity),
        }
    }

    /// What a term that occurs `count` times weighs in a document of so many terms and that norm (see [`norm`]), among
    /// documents of `mean` terms.
    pub fn weight(self, count: f32, idf: f32, [length, norm]: [f32; 2], mean: f32) -> f32 {
        match self {
            Self::Cosine => (1.0 + count.ln()) * idf / norm,
            Self::Bm25 { k1, b } => count / (count + k1 * (1.0 - b + b * length / mean)),
        }
    }
}

/// Length of the vector of (1 + ln count)·idf.
pub fn norm(bag: &Bag, rarity: &Rarity) -> f32 {
    let weigh = |&(term, count): &(Term, f32)| (1.0 + count.ln()) * rarity.of(term);
    bag.0.iter().map(|t| weigh(t).powi(2)).sum::<f32>().sqrt()
}

/// Documents by their terms.
pub struct Postings {
    matching: Matching,
    /// Places of documents, rising, with what the term weighs there.
    of: HashMap<Term, Vec<(u32, f32)>>,
    documents: usize,
}

impl Postings {
    /// Lists for documents.
    pub fn new(matching: Matching, documents: &[Bag], rarity: &Rarity) -> Self {
        let lengths = documents.iter().map(Bag::length).filter(|&l| l > 0.0);
        let (sum, n) = lengths.fold((0.0, 0.0), |(sum, n), l| (sum + l, n + 1.0));
        let mean = sum / f32::max(n, 1.0);
        let mut of = HashMap::<Term, Vec<(u32, f32)>>::new();
        for (place, document) in documents.iter().enumerate() {
            let size = [document.length(), norm(document, rarity)];
            for &(term, count) in &document.0 {
                let weight = matching.weight(count, rarity.of(term), size, mean);
                of.entry(term).or_default().push((place as u32, weight));
            }
        }
        Self {
            matching,
            of,
            documents: documents.len(),
        }
    }

    /// The documents that have a term in common with a query, rising, and how well they match.
    pub fn matches(&self, query: &Bag, rarity: &Rarity) -> Vec<Match> {
        let weights = self.matching.weights(query, rarity);
        let mut scores = vec![0.0; self.documents];
        for (term, weight) in weights {
            for &(place, there) in self.of.get(&term).into_iter().flatten() {
                scores[place as usize] += weight * there;
            }
        }
        let all = scores.into_iter().enumerate();
        all.filter(|&(_, score)| score > 0.0)
            .map(|(item, score)| Match { item, score })
            .collect()
    }
}

/// (1 + ln count)·idf as a unit vector.
fn unit(bag: &Bag, rarity: &Rarity) -> Vec<(Term, f32)> {
    let weigh = |&(term, count): &(Term, f32)| (term, (1.0 + count.ln()) * rarity.of(term));
    let mut weights: Vec<_> = bag.0.iter().map(weigh).collect();
    let norm = norm(bag, rarity);
    weights.iter_mut().for_each(|(_, w)| *w /= norm);
    weights
}

/// count·idf, in all 1.
fn share(bag: &Bag, rarity: &Rarity) -> Vec<(Term, f32)> {
    let weigh = |&(term, count): &(Term, f32)| (term, count * rarity.of(term));
    let mut weights: Vec<_> = bag.0.iter().map(weigh).collect();
    let sum: f32 = weights.iter().map(|(_, w)| w).sum();
    weights.iter_mut().for_each(|(_, w)| *w /= sum);
    weights
}

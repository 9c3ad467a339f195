//! Term weights (Salton & Buckley 1988) in the variant of scikit-learn's `TfidfVectorizer`. The inverse document
//! frequency is that of the training captions, also for queries.

use ndarray::Array1;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::error::{Error, Result};
use crate::linalg::SparseRow;

/// Settings of TF-IDF.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TfIdfParams {
    /// Least number of captions that a term must occur in.
    pub min_df: usize,
    /// Replaces the count by 1 + ln(count).
    pub sublinear: bool,
    /// How counts become weights.
    pub weighting: Weighting,
}

/// How a term's count and the caption's length become its weight, before idf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Weighting {
    /// The count, or its logarithm if `sublinear` is set.
    #[default]
    Count,
    /// BM25: count·(k1 + 1) / (count + k1·(1 − b + b·length/mean length)) (Robertson & Zaragoza 2009, §3.4).
    Bm25 {
        /// Saturation of the count: 0 ignores repetitions, large values weigh them fully.
        k1: f32,
        /// Effect of the caption's length, from 0 (none) to 1 (full).
        b: f32,
    },
}

impl Default for TfIdfParams {
    fn default() -> Self {
        Self {
            min_df: 2,
            sublinear: true,
            weighting: Weighting::Count,
        }
    }
}

/// A vocabulary with its weights: one column per term.
#[derive(Clone, Debug, PartialEq)]
pub struct TfIdf {
    params: TfIdfParams,
    /// Terms of the columns, rising.
    terms: Vec<String>,
    columns: FxHashMap<String, u32>,
    idf: Array1<f32>,
    /// Mean length of the training captions, in tokens.
    mean_length: f32,
}

#[derive(Serialize, Deserialize)]
struct Notes {
    params: TfIdfParams,
    vocabulary: Vec<String>,
    mean_length: f32,
}

impl TfIdfParams {
    /// Learns the vocabulary and idf = ln((1 + n) / (1 + df)) + 1 from the tokens of n captions.
    ///
    /// # Errors
    /// [`Error::TooFew`] if no term is frequent enough.
    pub fn fit(&self, documents: &[Vec<String>]) -> Result<TfIdf> {
        let counted = documents.par_chunks(CHUNK).map(frequencies);
        let mut df: Vec<(&str, usize)> = counted
            .reduce(FxHashMap::default, sum)
            .into_iter()
            .collect();
        df.retain(|&(_, n)| n >= self.min_df);
        df.sort_unstable();
        if df.is_empty() {
            return Err(Error::TooFew {
                what: format!("terms that occur in at least {} captions", self.min_df),
                needed: 1,
                found: 0,
            });
        }
        let n = documents.len() as f64;
        let idf = |&(_, df): &(&str, usize)| (((1.0 + n) / (1.0 + df as f64)).ln() + 1.0) as f32;
        let tokens: usize = documents.iter().map(Vec::len).sum();
        Ok(TfIdf::new(
            self.clone(),
            df.iter().map(|(term, _)| (*term).to_owned()).collect(),
            df.iter().map(idf).collect(),
            (tokens as f64 / n.max(1.0)) as f32,
        ))
    }
}

/// Number of captions that one thread counts.
const CHUNK: usize = 4096;

/// The number of documents in which each term occurs.
fn frequencies(documents: &[Vec<String>]) -> FxHashMap<&str, usize> {
    let mut seen = FxHashMap::<&str, (usize, usize)>::default(); // how often, and in which document last
    for (i, document) in documents.iter().enumerate() {
        for term in document {
            let (n, last) = seen.entry(term).or_insert((0, usize::MAX));
            *n += usize::from(*last != i);
            *last = i;
        }
    }
    seen.into_iter().map(|(term, (n, _))| (term, n)).collect()
}

fn sum<'a>(
    mut a: FxHashMap<&'a str, usize>,
    b: FxHashMap<&'a str, usize>,
) -> FxHashMap<&'a str, usize> {
    for (term, n) in b {
        *a.entry(term).or_default() += n;
    }
    a
}

impl TfIdf {
    fn new(params: TfIdfParams, terms: Vec<String>, idf: Array1<f32>, mean_length: f32) -> Self {
        let columns = terms.iter().cloned().zip(0..).collect();
        Self {
            params,
            terms,
            columns,
            idf,
            mean_length,
        }
    }

    /// Number of terms.
    pub fn dim(&self) -> usize {
        self.idf.len()
    }

    /// Inverse document frequency of each term, in the order of [`TfIdf::terms`].
    pub fn idf(&self) -> &Array1<f32> {
        &self.idf
    }

    /// The terms in the order of the columns, which is rising.
    pub fn terms(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().map(String::as_str)
    }

    /// The L2-normalised weights of a caption's terms; empty if it has no known term.
    pub fn transform(&self, tokens: &[String]) -> SparseRow {
        let known = tokens.iter().filter_map(|t| self.columns.get(t).copied());
        let mut known: Vec<u32> = known.collect();
        known.sort_unstable();
        let counts = known.chunk_by(|a, b| a == b);
        let counts = counts.map(|same| (same[0], same.len() as f32));
        let weight = |(j, count): (u32, f32)| {
            let tf = match self.params.weighting {
                Weighting::Bm25 { k1, b } => {
                    let length = tokens.len() as f32 / self.mean_length;
                    count * (k1 + 1.0) / (count + k1 * (1.0 - b + b * length))
                }
                Weighting::Count if self.params.sublinear => 1.0 + count.ln(),
                Weighting::Count => count,
            };
            (j, tf * self.idf[j as usize])
        };
        let mut row: SparseRow = counts.map(weight).collect();
        let norm = row.iter().map(|(_, w)| w * w).sum::<f32>().sqrt();
        row.iter_mut().for_each(|(_, w)| *w /= norm);
        row
    }

    /// Weights of many captions, computed by all threads; see [`Self::transform`].
    pub fn transform_all(&self, captions: &[Vec<String>]) -> Vec<SparseRow> {
        let rows = captions.par_iter().with_min_len(CHUNK / 16);
        rows.map(|tokens| self.transform(tokens)).collect()
    }

    /// Adds the vocabulary and its weights to an artifact.
    pub fn store(&self, artifact: Artifact) -> Artifact {
        let notes = Notes {
            params: self.params.clone(),
            vocabulary: self.terms.clone(),
            mean_length: self.mean_length,
        };
        artifact
            .with_notes(&notes)
            .with_vector("idf", self.idf.view())
    }

    /// Reads a vocabulary from an artifact that [`Self::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let notes: Notes = artifact.read_notes()?;
        Ok(Self::new(
            notes.params,
            notes.vocabulary,
            artifact.vector("idf")?,
            notes.mean_length,
        ))
    }
}

//! Term weights (Salton & Buckley 1988) in the variant of scikit-learn's `TfidfVectorizer`: the inverse
//! document frequency is that of the training captions, for a query too.

use std::collections::BTreeMap;

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::error::{Error, Result};
use crate::linalg::SparseRow;

/// Settings of TF-IDF.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TfIdfParams {
    /// Captions a term must occur in.
    pub min_df: usize,
    /// 1 + ln(count) in place of the count.
    pub sublinear: bool,
    pub weighting: Weighting,
}

/// How a term's count and the caption's length become its weight, before idf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Weighting {
    /// The count, or its logarithm.
    #[default]
    Count,
    /// count·(k1 + 1) / (count + k1·(1 − b + b·length/mean length)) (Robertson & Zaragoza 2009, §3.4).
    Bm25 { k1: f32, b: f32 },
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

/// A vocabulary with its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct TfIdf {
    params: TfIdfParams,
    /// Term -> column, columns in the order of the terms.
    vocabulary: BTreeMap<String, u32>,
    idf: Array1<f32>,
    /// Of the training captions, in tokens.
    mean_length: f32,
}

#[derive(Serialize, Deserialize)]
struct Notes {
    params: TfIdfParams,
    vocabulary: Vec<String>,
    mean_length: f32,
}

impl TfIdfParams {
    /// Learns vocabulary and idf = ln((1 + n) / (1 + df)) + 1 from the tokens of n captions.
    ///
    /// # Errors
    /// [`Error::TooFew`] where no term is frequent enough.
    pub fn fit(&self, documents: &[Vec<String>]) -> Result<TfIdf> {
        let mut df = BTreeMap::<&str, usize>::new();
        for document in documents {
            let terms: std::collections::BTreeSet<&str> =
                document.iter().map(String::as_str).collect();
            for term in terms {
                *df.entry(term).or_default() += 1;
            }
        }
        df.retain(|_, &mut n| n >= self.min_df);
        if df.is_empty() {
            return Err(Error::TooFew {
                what: format!("terms that occur in at least {} captions", self.min_df),
                needed: 1,
                found: 0,
            });
        }
        let n = documents.len() as f64;
        let idf = df
            .values()
            .map(|&df| (((1.0 + n) / (1.0 + df as f64)).ln() + 1.0) as f32)
            .collect();
        let terms = df.keys().enumerate();
        let tokens: usize = documents.iter().map(Vec::len).sum();
        Ok(TfIdf {
            mean_length: (tokens as f64 / n.max(1.0)) as f32,
            params: self.clone(),
            vocabulary: terms.map(|(i, t)| ((*t).to_owned(), i as u32)).collect(),
            idf,
        })
    }
}

impl TfIdf {
    /// Number of terms.
    pub fn dim(&self) -> usize {
        self.idf.len()
    }

    /// Of each term, in the order of [`TfIdf::terms`].
    pub fn idf(&self) -> &Array1<f32> {
        &self.idf
    }

    /// Rising.
    pub fn terms(&self) -> impl Iterator<Item = &str> {
        self.vocabulary.keys().map(String::as_str)
    }

    /// The L2-normalised weights of a caption; none where it has no known term.
    pub fn transform(&self, tokens: &[String]) -> SparseRow {
        let mut counts = BTreeMap::<u32, f32>::new();
        for column in tokens.iter().filter_map(|t| self.vocabulary.get(t)) {
            *counts.entry(*column).or_default() += 1.0;
        }
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
        let mut row: SparseRow = counts.into_iter().map(weight).collect();
        let norm = row.iter().map(|(_, w)| w * w).sum::<f32>().sqrt();
        row.iter_mut().for_each(|(_, w)| *w /= norm);
        row
    }

    pub fn store(&self, artifact: Artifact) -> Artifact {
        let notes = Notes {
            params: self.params.clone(),
            vocabulary: self.vocabulary.keys().cloned().collect(),
            mean_length: self.mean_length,
        };
        artifact
            .with_notes(&notes)
            .with_vector("idf", self.idf.view())
    }

    pub fn load(artifact: &Artifact) -> Result<Self> {
        let notes: Notes = artifact.read_notes()?;
        let terms = notes.vocabulary.into_iter().enumerate();
        Ok(Self {
            params: notes.params,
            mean_length: notes.mean_length,
            vocabulary: terms.map(|(i, t)| (t, i as u32)).collect(),
            idf: artifact.vector("idf")?,
        })
    }
}

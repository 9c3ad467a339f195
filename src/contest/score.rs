//! Scoring a result file against the true pairs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Answer, read};
use crate::dataset::{Direction, ReadOptions, Table, warn_all};
use crate::error::{Error, Result};

/// Recalls of a result file, in per cent of the queries that have a right answer.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct FileScore {
    /// The direction in which the queries ask.
    pub direction: Direction,
    /// Number of queries that have a right answer.
    pub queries: usize,
    /// Recall at 1.
    #[serde(rename = "R@1")]
    pub r1: f64,
    /// Recall at 5.
    #[serde(rename = "R@5")]
    pub r5: f64,
}

/// Scores a result file against a table `text_id,image_id`. A query of the table that is not answered counts as
/// missed.
///
/// # Errors
/// Those of [`read`]; [`Error::TooFew`] if the table is empty, [`Error::Mismatch`] if it is about other queries.
pub fn score(path: &Path, truth: &Path, options: &ReadOptions) -> Result<FileScore> {
    let (direction, answers) = read(path)?;
    let mut right: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut warnings = Vec::new();
    let pairs = Table::read_as(
        truth,
        &["text_id", "image_id"],
        options.encoding,
        &mut warnings,
    )?;
    warn_all(&warnings);
    for record in pairs.records {
        let [text, image] = [0, 1].map(|i| record.fields[i].clone());
        let (query, answer) = match direction {
            Direction::TextToImage => (text, image),
            Direction::ImageToText => (image, text),
        };
        right.entry(query).or_default().insert(answer);
    }
    if right.is_empty() {
        return Err(Error::TooFew {
            what: format!("true pairs in {}", truth.display()),
            needed: 1,
            found: 0,
        });
    }
    let answers: BTreeMap<&str, &Answer> = answers.iter().map(|a| (a.query.as_str(), a)).collect();
    if !right.keys().any(|q| answers.contains_key(q.as_str())) {
        return Err(Error::Mismatch {
            left: path.display().to_string(),
            left_is: "about other queries".into(),
            right: truth.display().to_string(),
            right_is: "about none of them".into(),
        });
    }
    let recall = |k: usize| {
        let hit = |(query, right): &(&String, &BTreeSet<String>)| {
            let answer = answers.get(query.as_str());
            answer.is_some_and(|a| a.results.iter().take(k).any(|r| right.contains(r)))
        };
        100.0 * right.iter().filter(hit).count() as f64 / right.len() as f64
    };
    Ok(FileScore {
        direction,
        queries: right.len(),
        r1: recall(1),
        r5: recall(5),
    })
}

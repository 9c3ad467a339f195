//! Finding all errors in a result file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use super::ANSWERS;
use super::parse::{Group, Parsed, parse};
use crate::dataset::{Direction, ReadOptions, ids};
use crate::error::Result;

/// An error in a result file, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Line of the file, from 1; `None` if the error concerns the whole file.
    pub line: Option<u64>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// The ids that a result file may use.
#[derive(Clone, Debug)]
pub struct Known {
    /// The direction in which the queries ask.
    pub direction: Direction,
    /// Ids of the queries, in the order of the input file.
    pub queries: Vec<String>,
    /// Ids of the gallery.
    pub gallery: BTreeSet<String>,
}

impl Known {
    /// Reads the ids of attachment 2 (for `result1.csv`) or 3 (for `result2.csv`), as a run reads them.
    ///
    /// # Errors
    /// Those of reading its tables.
    pub fn from_attachment(
        dir: &Path,
        direction: Direction,
        options: &ReadOptions,
    ) -> Result<Self> {
        let [texts, images] = ids(dir, direction, options)?;
        let (queries, gallery) = match direction {
            Direction::TextToImage => (texts, images),
            Direction::ImageToText => (images, texts),
        };
        Ok(Self {
            direction,
            queries,
            gallery: gallery.into_iter().collect(),
        })
    }
}

/// Finds all errors in a result file; with `known` ids, also answers that are missing or do not exist.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if the file cannot be read.
pub fn validate(path: &Path, known: Option<&Known>) -> Result<Vec<Violation>> {
    let Parsed {
        direction,
        groups,
        violations,
    } = parse(path)?;
    let mut check = Check {
        violations,
        asked: known.map(Asked::new),
        answered: BTreeMap::new(),
    };
    check.direction(direction);
    for group in &groups {
        check.query(group);
        check.rows(group);
    }
    check.end(&groups);
    Ok(check.violations)
}

/// What the input asks.
struct Asked<'a> {
    known: &'a Known,
    /// Where each query stands in the input.
    places: BTreeMap<&'a str, usize>,
    /// Of the queries answered so far, that which stands last.
    last: usize,
}

impl<'a> Asked<'a> {
    fn new(known: &'a Known) -> Self {
        let places = known.queries.iter().enumerate();
        Self {
            known,
            places: places.map(|(i, q)| (q.as_str(), i)).collect(),
            last: 0,
        }
    }

    /// What is wrong with a query that a file answers next.
    fn query(&mut self, query: &str) -> Option<String> {
        match self.places.get(query) {
            Some(&place) if place < self.last => Some(format!(
                "query {query} is out of order: the input names it earlier"
            )),
            Some(&place) => {
                self.last = place;
                None
            }
            None if self.known.gallery.contains(query) => {
                Some(format!("{query} is an id of the gallery, not of a query"))
            }
            None => Some(format!("{query} is not a query of the input")),
        }
    }

    /// What is wrong with an id that is given as an answer.
    fn result(&self, result: &str) -> Option<String> {
        if self.known.gallery.contains(result) {
            None
        } else if self.places.contains_key(result) {
            Some(format!("{result} is an id of a query, not of the gallery"))
        } else {
            Some(format!("{result} is not in the gallery"))
        }
    }
}

struct Check<'a> {
    violations: Vec<Violation>,
    asked: Option<Asked<'a>>,
    /// The line on which each query is answered first.
    answered: BTreeMap<&'a str, u64>,
}

impl<'a> Check<'a> {
    fn say(&mut self, line: impl Into<Option<u64>>, message: String) {
        let line = line.into();
        self.violations.push(Violation { line, message });
    }

    fn direction(&mut self, found: Option<Direction>) {
        if let (Some(found), Some(asked)) = (found, &self.asked)
            && found != asked.known.direction
        {
            let wanted = asked.known.direction;
            let message = format!("the file answers {found}, the attachment asks {wanted}");
            self.say(1, message);
        }
    }

    fn query(&mut self, group: &'a Group) {
        let Group { query, line, .. } = group;
        if let Some(first) = self.answered.insert(query, *line) {
            let message = format!("query {query} is answered again (first on line {first})");
            self.say(*line, message);
        }
        if let Some(wrong) = self.asked.as_mut().and_then(|a| a.query(query)) {
            self.say(*line, wrong);
        }
    }

    fn rows(&mut self, Group { query, line, rows }: &Group) {
        let gallery = self.asked.as_ref().map(|a| a.known.gallery.len());
        let expected = gallery.map_or(ANSWERS, |n| ANSWERS.min(n));
        if rows.len() != expected {
            let found = rows.len();
            let message = format!("query {query} has {found} results, expected {expected}");
            self.say(*line, message);
        }
        let mut results = BTreeSet::new();
        for (expected, (line, rank, result)) in (1..).zip(rows) {
            if rank.trim() != expected.to_string() {
                let message = format!("rank `{rank}` of query {query}, expected {expected}");
                self.say(*line, message);
            }
            if !results.insert(result) {
                self.say(*line, format!("{result} is given twice for query {query}"));
            }
            if let Some(wrong) = self.asked.as_ref().and_then(|a| a.result(result)) {
                self.say(*line, wrong);
            }
        }
    }

    fn end(&mut self, groups: &[Group]) {
        let queries = self.asked.iter().flat_map(|a| &a.known.queries);
        let missing = queries.filter(|q| !self.answered.contains_key(q.as_str()));
        let missing: Vec<String> = missing
            .map(|query| format!("query {query} is not answered"))
            .collect();
        for message in missing {
            self.say(None, message);
        }
        if groups.is_empty() {
            self.say(None, "there are no answers".into());
        }
    }
}

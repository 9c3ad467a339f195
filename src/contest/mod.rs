//! The contest's result files: written, read in both of their layouts, checked and scored.
//!
//! `result1.csv` answers texts with images (`text_id,similarity_ranking,result_image_id`), `result2.csv` images
//! with texts (`image_id,similarity_ranking,result_text_id`). Each query has five rows, ranks 1 to 5. The query's
//! id is on every row, or only on the first of its rows, as in the contest's printed tables.

mod gallery;

pub use gallery::{Found, Gallery};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use crate::dataset::{Direction, MAX_TABLE, ReadOptions, Table, ids, warn_all};
use crate::error::{Error, Result};
use crate::files;

/// Number of answers per query.
pub const ANSWERS: usize = 5;

/// The column names of the file for a direction.
pub fn header(direction: Direction) -> [&'static str; 3] {
    match direction {
        Direction::TextToImage => ["text_id", "similarity_ranking", "result_image_id"],
        Direction::ImageToText => ["image_id", "similarity_ranking", "result_text_id"],
    }
}

/// The contest's file name for a direction.
pub fn file_name(direction: Direction) -> &'static str {
    match direction {
        Direction::TextToImage => "result1.csv",
        Direction::ImageToText => "result2.csv",
    }
}

/// The answers to one query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Id of the query.
    pub query: String,
    /// Ids of the answers, best first.
    pub results: Vec<String>,
}

/// The layout of a result file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Format {
    /// Writes the query's id only on the first of its rows.
    pub blank_continuation: bool,
    /// Begins with a byte-order mark, by which spreadsheets recognise UTF-8.
    pub bom: bool,
}

/// Writes a result file, completely or not at all.
///
/// # Errors
/// [`Error::Io`] if the file cannot be written.
pub fn write(path: &Path, direction: Direction, answers: &[Answer], format: Format) -> Result<()> {
    let mut bytes = Vec::new();
    if format.bom {
        bytes.extend("\u{feff}".as_bytes());
    }
    let mut writer = csv::Writer::from_writer(bytes);
    let failed = |e: csv::Error| Error::Table {
        path: path.to_owned(),
        line: None,
        reason: e.to_string(),
    };
    writer.write_record(header(direction)).map_err(failed)?;
    for answer in answers {
        for (i, result) in answer.results.iter().enumerate() {
            let blank = format.blank_continuation && i > 0;
            let query = if blank { "" } else { &answer.query };
            let rank = (i + 1).to_string();
            writer
                .write_record([query, &rank, result])
                .map_err(failed)?;
        }
    }
    let bytes = writer
        .into_inner()
        .expect("writing to memory does not fail");
    files::write(path, &bytes)
}

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

/// The line on which a record begins, from 1. The csv crate's position may still be before the line break that ends
/// the line above.
fn first_line(text: &str, position: &csv::Position) -> u64 {
    let rest = text
        .as_bytes()
        .get(position.byte() as usize..)
        .unwrap_or_default();
    let breaks = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    position.line() + breaks.filter(|&&b| b == b'\n').count() as u64
}

/// The rows of one query in a file.
struct Group {
    query: String,
    line: u64,
    /// (line, rank as written, result)
    rows: Vec<(u64, String, String)>,
}

struct Parsed {
    direction: Option<Direction>,
    groups: Vec<Group>,
    violations: Vec<Violation>,
}

fn parse(path: &Path) -> Result<Parsed> {
    let bytes = files::read(path, MAX_TABLE)?;
    let mut violations = Vec::new();
    let mut say = |line, message: String| violations.push(Violation { line, message });
    let Ok(text) = std::str::from_utf8(&bytes) else {
        say(None, "the file is not UTF-8".into());
        return Ok(Parsed {
            direction: None,
            groups: vec![],
            violations,
        });
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let first = records
        .next()
        .transpose()
        .ok()
        .flatten()
        .unwrap_or_default();
    let both = [Direction::TextToImage, Direction::ImageToText];
    let direction = both.into_iter().find(|&d| first.iter().eq(header(d)));
    if direction.is_none() {
        let expected = both.map(|d| header(d).join(","));
        let found: Vec<&str> = first.iter().collect();
        say(
            Some(1),
            format!(
                "the header is `{}`, expected `{}` or `{}`",
                found.join(","),
                expected[0],
                expected[1]
            ),
        );
    }
    let mut groups: Vec<Group> = Vec::new();
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(e) => {
                say(
                    e.position().map(|p| first_line(text, p)),
                    format!("not CSV: {e}"),
                );
                continue;
            }
        };
        let line = record.position().map_or(0, |p| first_line(text, p));
        if record.len() != 3 {
            say(Some(line), format!("{} fields, expected 3", record.len()));
            continue;
        }
        let [query, rank, result] = [0, 1, 2].map(|i| record[i].to_owned());
        // A group goes on where the id is blank, or repeated with a rank that is not the first.
        let continues = groups
            .last()
            .is_some_and(|g| query.is_empty() || (query == g.query && rank.trim() != "1"));
        if continues {
            groups
                .last_mut()
                .expect("just seen")
                .rows
                .push((line, rank, result));
        } else {
            if query.is_empty() {
                say(Some(line), "the first row has no id".into());
            }
            groups.push(Group {
                query,
                line,
                rows: vec![(line, rank, result)],
            });
        }
    }
    Ok(Parsed {
        direction,
        groups,
        violations,
    })
}

/// Finds all errors in a result file; with `known` ids, also answers that are missing or do not exist.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read.
pub fn validate(path: &Path, known: Option<&Known>) -> Result<Vec<Violation>> {
    let Parsed {
        direction,
        groups,
        mut violations,
    } = parse(path)?;
    let expected = known.map_or(ANSWERS, |k| ANSWERS.min(k.gallery.len()));
    let mut say = |line: u64, message: String| {
        violations.push(Violation {
            line: Some(line),
            message,
        });
    };
    if let (Some(found), Some(known)) = (direction, known)
        && found != known.direction
    {
        say(
            1,
            format!(
                "the file answers {found}, the attachment asks {}",
                known.direction
            ),
        );
    }
    let queries: BTreeMap<&str, usize> = known
        .map(|k| {
            k.queries
                .iter()
                .enumerate()
                .map(|(i, q)| (q.as_str(), i))
                .collect()
        })
        .unwrap_or_default();
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    let mut last_place = 0;
    for group in &groups {
        let Group { query, line, rows } = group;
        if let Some(first) = seen.insert(query, *line) {
            say(
                *line,
                format!("query {query} is answered again (first on line {first})"),
            );
        }
        if let Some(known) = known {
            match queries.get(query.as_str()) {
                Some(&place) if place < last_place => {
                    say(
                        *line,
                        format!("query {query} is out of order: the input names it earlier"),
                    );
                }
                Some(&place) => last_place = place,
                None if known.gallery.contains(query) => {
                    say(
                        *line,
                        format!("{query} is an id of the gallery, not of a query"),
                    );
                }
                None => say(*line, format!("{query} is not a query of the input")),
            }
        }
        if rows.len() != expected {
            say(
                *line,
                format!(
                    "query {query} has {} results, expected {expected}",
                    rows.len()
                ),
            );
        }
        let mut results = BTreeSet::new();
        for (i, (line, rank, result)) in rows.iter().enumerate() {
            if rank.trim() != (i + 1).to_string() {
                say(
                    *line,
                    format!("rank `{rank}` of query {query}, expected {}", i + 1),
                );
            }
            if !results.insert(result) {
                say(*line, format!("{result} is given twice for query {query}"));
            }
            let Some(known) = known else { continue };
            if known.gallery.contains(result) {
                continue;
            }
            if queries.contains_key(result.as_str()) {
                say(
                    *line,
                    format!("{result} is an id of a query, not of the gallery"),
                );
            } else {
                say(*line, format!("{result} is not in the gallery"));
            }
        }
    }
    for query in known
        .iter()
        .flat_map(|k| &k.queries)
        .filter(|q| !seen.contains_key(q.as_str()))
    {
        violations.push(Violation {
            line: None,
            message: format!("query {query} is not answered"),
        });
    }
    if groups.is_empty() {
        violations.push(Violation {
            line: None,
            message: "there are no answers".into(),
        });
    }
    Ok(violations)
}

/// Reads a well-formed result file.
///
/// # Errors
/// [`Error::Table`] with the first error in the file.
pub fn read(path: &Path) -> Result<(Direction, Vec<Answer>)> {
    let parsed = parse(path)?;
    if let Some(v) = parsed.violations.first() {
        return Err(Error::Table {
            path: path.to_owned(),
            line: v.line,
            reason: v.message.clone(),
        });
    }
    let direction = parsed
        .direction
        .expect("a file without violations has a header");
    let answers = parsed.groups.into_iter().map(|g| Answer {
        query: g.query,
        results: g.rows.into_iter().map(|(_, _, result)| result).collect(),
    });
    Ok((direction, answers.collect()))
}

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

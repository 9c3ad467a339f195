//! What a run would use of a dataset and what it would leave out, found before anything is computed. Pictures are
//! not decoded; the first bytes of each are examined.

use rayon::prelude::*;
use serde::Serialize;

use super::{Collection, Dataset, Direction, Split, by_kind};
use crate::picture::check_head;

/// The state of a dataset before a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Name of the dataset.
    pub dataset: String,
    /// What a run would use of each collection.
    pub collections: Vec<Use>,
    /// Problems in the data, one entry for each kind.
    pub left_out: Vec<LeftOut>,
    /// Reasons why nothing could be learned or answered; empty if a run would succeed.
    pub failures: Vec<String>,
}

/// What a run uses of a collection.
#[derive(Clone, Debug, Serialize)]
pub struct Use {
    /// Name of the collection.
    pub name: String,
    /// Split that the collection belongs to.
    pub split: Split,
    /// Directions in which the collection is queried.
    pub directions: Vec<Direction>,
    /// Number of images that the dataset names.
    pub images: usize,
    /// Number of images whose files exist and begin like pictures.
    pub images_with_a_picture: usize,
    /// Number of captions.
    pub texts: usize,
    /// Number of pairs of an image and a caption.
    pub pairs: usize,
    /// Number of pairs whose image has such a file.
    pub pairs_with_a_picture: usize,
}

/// A kind of problem: data that is left out or was repaired.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOut {
    /// The kind of problem.
    pub reason: String,
    /// Number of occurrences.
    pub count: usize,
    /// The first occurrences, three at most.
    pub first: Vec<String>,
}

/// Number of examples of each kind.
const SHOWN: usize = 3;

/// Number of bytes by which a picture is recognised.
const HEAD: u64 = 1024;

/// Why an image has no usable picture: the kind, and the details.
type Problem = (&'static str, String);

impl Report {
    /// Examines the files of all pictures, on all threads. `max_bad_images` is the number of unusable pictures that
    /// a run tolerates.
    pub fn of(dataset: &Dataset, max_bad_images: usize) -> Self {
        let problems: Vec<Vec<Option<Problem>>> =
            dataset.collections.iter().map(problems).collect();
        let collections: Vec<Use> = dataset
            .collections
            .iter()
            .zip(&problems)
            .map(|(c, p)| Use::of(c, p))
            .collect();
        let mut left_out: Vec<LeftOut> = by_kind(&dataset.warnings)
            .into_iter()
            .map(|(kind, all)| LeftOut::new(kind, &all))
            .collect();
        let kinds = problems.iter().flatten().flatten();
        let mut by_problem = std::collections::BTreeMap::<&str, Vec<&str>>::new();
        for (kind, details) in kinds.filter(|(_, details)| !details.is_empty()) {
            by_problem.entry(kind).or_default().push(details);
        }
        left_out.extend(by_problem.iter().map(|(kind, all)| LeftOut::new(kind, all)));
        let mut report = Self {
            dataset: dataset.name.clone(),
            collections,
            left_out,
            failures: vec![],
        };
        report.find_failures(max_bad_images);
        report
    }

    fn find_failures(&mut self, max_bad_images: usize) {
        let mut failures = Vec::new();
        match self.collections.iter().find(|c| c.split == Split::Train) {
            None => failures.push("there are no pairs to learn from (attachment1, or a train list)".into()),
            Some(c) if c.pairs_with_a_picture == 0 => failures.push(format!(
                "nothing can be learned: {} has {} pairs, none of them with a picture that can be used",
                c.name, c.pairs
            )),
            Some(_) => {}
        }
        for c in self.collections.iter().filter(|c| c.split != Split::Train) {
            if c.texts == 0 || c.images_with_a_picture == 0 {
                failures.push(format!(
                    "nothing of {} can be answered: it has {} texts, and {} images of which {} have a picture that can be used",
                    c.name, c.texts, c.images, c.images_with_a_picture
                ));
            }
        }
        let bad: usize = self
            .collections
            .iter()
            .map(|c| c.images - c.images_with_a_picture)
            .sum();
        if failures.is_empty() && bad > max_bad_images {
            failures.push(format!(
                "{bad} images have no picture that can be used, and the recipe allows {max_bad_images} (max_bad_images)"
            ));
        }
        self.failures = failures;
    }

    /// Whether there are queries to answer.
    pub fn has_queries(&self) -> bool {
        self.collections
            .iter()
            .any(|c| c.split == Split::Test && !c.directions.is_empty())
    }
}

impl Use {
    fn of(c: &Collection, problems: &[Option<Problem>]) -> Self {
        let usable = |image: &usize| problems[*image].is_none();
        Self {
            name: c.name.clone(),
            split: c.split,
            directions: c.directions.clone(),
            images: c.images.len(),
            images_with_a_picture: (0..c.images.len()).filter(usable).count(),
            texts: c.texts.len(),
            pairs: c.pairs.len(),
            pairs_with_a_picture: c.pairs.iter().filter(|p| usable(&p.image)).count(),
        }
    }

    /// What a run does with the collection, in a few words.
    pub fn purpose(&self) -> String {
        let directions: Vec<String> = self.directions.iter().map(Direction::to_string).collect();
        match self.split {
            Split::Train => "to learn from".into(),
            Split::Val => "to choose settings on".into(),
            Split::Test => format!("to answer, {}", directions.join(" and ")),
        }
    }
}

impl LeftOut {
    fn new(reason: &str, all: &[&str]) -> Self {
        let first = all.iter().take(SHOWN).map(|m| (*m).to_owned()).collect();
        Self {
            reason: reason.to_owned(),
            count: all.len(),
            first,
        }
    }
}

/// The problem of each image's picture, if it has one.
fn problems(c: &Collection) -> Vec<Option<Problem>> {
    let problem = |image: &super::ImageItem| {
        if image.source.is_missing() {
            return Some(("id without a picture", String::new())); // the reader has warned of it
        }
        let place = image.source.describe();
        match image.source.head(HEAD) {
            Err(e) => Some(("picture that cannot be read", format!("{place}: {e}"))),
            Ok(bytes) if bytes.is_empty() => Some(("picture of no bytes", place)),
            Ok(bytes) => check_head(&bytes).err().map(|e| {
                (
                    "file that is not a picture that can be read",
                    format!("{place}: {e}"),
                )
            }),
        }
    };
    c.images.par_iter().map(problem).collect()
}

//! What a run would use of a dataset, and what it would leave out: found out before anything is computed. No
//! picture is decoded; the first bytes of each are looked at.

use rayon::prelude::*;
use serde::Serialize;

use super::{Collection, Dataset, Direction, Split, by_kind};
use crate::picture::check_head;

/// What a run would find.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub dataset: String,
    pub collections: Vec<Use>,
    /// What is wrong, kind by kind.
    pub left_out: Vec<LeftOut>,
    /// Why nothing can be learned or answered; nothing where a run would go through.
    pub failures: Vec<String>,
}

/// What is used of a collection.
#[derive(Clone, Debug, Serialize)]
pub struct Use {
    pub name: String,
    pub split: Split,
    pub directions: Vec<Direction>,
    pub images: usize,
    /// Images whose files are there and begin like pictures.
    pub images_with_a_picture: usize,
    pub texts: usize,
    pub pairs: usize,
    /// Pairs whose images have a picture.
    pub pairs_with_a_picture: usize,
}

/// Something of which part of the data is left out, or was mended.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOut {
    pub reason: String,
    pub count: usize,
    /// The first of them.
    pub first: Vec<String>,
}

/// Examples of each kind.
const SHOWN: usize = 3;

/// Enough of a file to know a picture by.
const HEAD: u64 = 1024;

/// Why an image has no picture that could be decoded: the kind, and the details.
type Problem = (&'static str, String);

impl Report {
    /// Looks at the files of all pictures, on all threads. `max_bad_images` is how many unusable pictures a run
    /// would put up with.
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

    /// Whether there are queries to be answered.
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

    /// What a run does with it.
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

/// What is wrong with the picture of each image.
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

//! Inverted lists: for every term, the rows that have it. A search looks a term up by bisection in the mapped
//! file, so that nothing is built when a gallery is opened.

use std::io;

use super::types::Bag;

/// Inverted lists over the rows of a segment, in a mapped file or in memory.
#[derive(Clone, Copy, Debug)]
pub struct Postings<'a> {
    /// Rising.
    pub terms: &'a [u64],
    /// Where the list of each term begins, and the end of the last.
    pub starts: &'a [u32],
    /// The lists, one after the other; each rises.
    pub rows: &'a [u32],
    /// How often the term occurs in the row.
    pub counts: &'a [f32],
    /// For every row of the segment, the number of its terms.
    pub lengths: &'a [f32],
    /// For every row of the segment, the norm that its bag came with.
    pub norms: &'a [f32],
}

/// The rows that have a term, rising, and how often they have it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct List<'a> {
    /// Rows of the segment.
    pub rows: &'a [u32],
    /// How often each of these rows has the term.
    pub counts: &'a [f32],
}

/// Stands for a row that a merge leaves out.
pub(super) const DROPPED: u32 = u32::MAX;

impl<'a> Postings<'a> {
    /// The rows that have a term; an empty list for a term that no row has. All rows of the list are rows of the
    /// segment.
    ///
    /// # Errors
    /// The reason, where the lists are damaged.
    pub fn find(&self, term: u64) -> Result<List<'a>, &'static str> {
        match self.terms.binary_search(&term) {
            Ok(place) => self.list(place),
            Err(_) => Ok(List::default()),
        }
    }

    /// The list of the term at a place.
    pub(super) fn list(&self, place: usize) -> Result<List<'a>, &'static str> {
        let bounds = self.starts.get(place).zip(self.starts.get(place + 1));
        let (&start, &end) = bounds.ok_or("an inverted list is missing")?;
        let range = start as usize..end as usize;
        let lists = self.rows.get(range.clone()).zip(self.counts.get(range));
        let (rows, counts) = lists.ok_or("an inverted list reaches out of the file")?;
        let n = self.lengths.len();
        match rows.iter().all(|&row| (row as usize) < n) {
            true => Ok(List { rows, counts }),
            false => Err("an inverted list has a row that is not there"),
        }
    }

    /// Whether the parts fit together, by their sizes alone: a look at all lists would read the whole file.
    pub(super) fn require_sizes(&self, n: usize) -> Result<(), &'static str> {
        let fits = self.starts.len() == self.terms.len() + 1
            && self.starts.first() == Some(&0)
            && self.starts.last().map(|&end| end as usize) == Some(self.rows.len())
            && self.counts.len() == self.rows.len()
            && self.lengths.len() == n
            && self.norms.len() == n;
        fits.then_some(())
            .ok_or("its inverted lists do not fit together")
    }

    /// Looks at every list.
    pub(super) fn require_sound(&self) -> Result<(), &'static str> {
        if !self.terms.is_sorted_by(|a, b| a < b) {
            return Err("the terms of its inverted lists do not rise");
        }
        for place in 0..self.terms.len() {
            let list = self.list(place)?;
            if list.rows.is_empty() || !list.rows.is_sorted_by(|a, b| a < b) {
                return Err("an inverted list does not rise");
            }
        }
        Ok(())
    }

    /// The bags of some rows, which rise. It reads all lists, because they are sorted by term.
    pub(super) fn bags(&self, rows: &[u32]) -> Result<Vec<Bag>, &'static str> {
        let norm = |&row: &u32| self.norms.get(row as usize).copied();
        let empty = |norm| Bag {
            terms: vec![],
            norm,
        };
        let bags = rows.iter().map(|row| norm(row).map(empty));
        let mut bags: Vec<Bag> = bags.collect::<Option<_>>().ok_or("a row is not there")?;
        for (place, &term) in self.terms.iter().enumerate() {
            let list = self.list(place)?;
            for (row, &count) in list.rows.iter().zip(list.counts) {
                if let Ok(wanted) = rows.binary_search(row) {
                    bags[wanted].terms.push((term, count));
                }
            }
        }
        Ok(bags)
    }
}

/// Inverted lists in memory.
#[derive(Debug, Default)]
pub(super) struct Built {
    terms: Vec<u64>,
    starts: Vec<u32>,
    rows: Vec<u32>,
    counts: Vec<f32>,
    lengths: Vec<f32>,
    norms: Vec<f32>,
}

impl Built {
    /// Lists for bags whose terms rise, one bag for every row.
    pub fn new(bags: &[&Bag]) -> Self {
        let mut all: Vec<(u64, u32, f32)> = Vec::new();
        for (row, bag) in bags.iter().enumerate() {
            all.extend(
                bag.terms
                    .iter()
                    .map(|&(term, count)| (term, row as u32, count)),
            );
        }
        all.sort_unstable_by_key(|&(term, row, _)| (term, row));
        let mut built = Self {
            rows: all.iter().map(|p| p.1).collect(),
            counts: all.iter().map(|p| p.2).collect(),
            lengths: bags
                .iter()
                .map(|b| b.terms.iter().map(|t| t.1).sum())
                .collect(),
            norms: bags.iter().map(|b| b.norm).collect(),
            ..Self::default()
        };
        for (at, &(term, ..)) in all.iter().enumerate() {
            if built.terms.last() != Some(&term) {
                built.terms.push(term);
                built.starts.push(at as u32);
            }
        }
        built.starts.push(all.len() as u32);
        built
    }

    pub fn view(&self) -> Postings<'_> {
        Postings {
            terms: &self.terms,
            starts: &self.starts,
            rows: &self.rows,
            counts: &self.counts,
            lengths: &self.lengths,
            norms: &self.norms,
        }
    }
}

/// Walks over the lists of several segments, term by term, as one that has only the rows that are kept: `kept[part]`
/// has the new place of every row, or [`DROPPED`]. Terms that no row is left of are passed over.
pub(super) fn merge(
    parts: &[Postings],
    kept: &[Vec<u32>],
    mut each: impl FnMut(u64, &[(u32, f32)]) -> io::Result<()>,
) -> io::Result<()> {
    let mut heads = vec![0; parts.len()];
    let mut list = Vec::new();
    loop {
        let next = parts
            .iter()
            .zip(&heads)
            .filter_map(|(part, &head)| part.terms.get(head));
        let Some(&term) = next.min() else {
            return Ok(());
        };
        list.clear();
        for ((part, head), kept) in parts.iter().zip(&mut heads).zip(kept) {
            if part.terms.get(*head) != Some(&term) {
                continue;
            }
            let from = part.list(*head).map_err(io::Error::other)?;
            let places = from.rows.iter().map(|&row| kept[row as usize]);
            let here = places.zip(from.counts.iter().copied());
            list.extend(here.filter(|&(place, _)| place != DROPPED));
            *head += 1;
        }
        list.sort_unstable_by_key(|&(place, _)| place);
        if !list.is_empty() {
            each(term, &list)?;
        }
    }
}

/// The terms that are left after a merge, and where their lists begin.
pub(super) fn merged_terms(
    parts: &[Postings],
    kept: &[Vec<u32>],
) -> io::Result<(Vec<u64>, Vec<u32>)> {
    let (mut terms, mut starts) = (vec![], vec![0u32]);
    let mut end = 0usize;
    merge(parts, kept, |term, list| {
        end += list.len();
        let too_many = |_| io::Error::other("more than 4294967295 places of terms in one segment");
        terms.push(term);
        starts.push(u32::try_from(end).map_err(too_many)?);
        Ok(())
    })?;
    Ok((terms, starts))
}

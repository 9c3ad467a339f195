//! A change with keys: what it adds, what it removes, and which captions go from a replaced picture to the one that
//! replaces it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::require;
use crate::error::{Error, Result};
use crate::gallery::database::Place;
use crate::gallery::part::Part;
use crate::gallery::queries;
use crate::gallery::types::{Change, Committed, NewCaption, NewItem, Stamp, Text, TextRow};

pub(super) struct Plan<'a> {
    /// By rising key.
    pub items: Vec<(u64, &'a NewItem)>,
    /// By rising key.
    pub texts: Vec<(Text, Cow<'a, TextRow>)>,
    pub dead_items: BTreeSet<u64>,
    pub dead_texts: BTreeSet<u64>,
    pub committed: Committed,
}

/// What a plan is made against.
pub(super) struct Before<'a> {
    pub place: &'a Place,
    pub connection: &'a Connection,
    pub stamp: &'a Stamp,
    pub parts: &'a [Part],
}

impl<'a> Plan<'a> {
    pub fn new(before: &Before, change: &'a Change) -> Result<Self> {
        require::fitting(before.stamp, change).map_err(|reason| before.refused(reason))?;
        let mut plan = Self {
            items: vec![],
            texts: vec![],
            dead_items: BTreeSet::new(),
            dead_texts: BTreeSet::new(),
            committed: Committed::default(),
        };
        let carried = plan.remove(before, change)?;
        plan.add(before, change, carried)?;
        Ok(plan)
    }

    /// What goes; returns the captions that each added picture takes over.
    fn remove(&mut self, before: &Before, change: &Change) -> Result<Vec<Vec<Text>>> {
        let failed = before.place.failed();
        let connection = before.connection;
        let touched = change.touch.iter().map(|t| &t.key);
        for &key in change.remove.iter().chain(touched) {
            before.require_item(key)?;
        }
        for &key in &change.remove_texts {
            let text = queries::text_of(connection, key).map_err(failed)?;
            text.ok_or_else(|| before.refused(format!("there is no text with the key {key}")))?;
            self.dead_texts.insert(key);
        }
        let ids: BTreeSet<&str> = require::new_texts(change)
            .map(|text| text.id.as_str())
            .collect();
        for id in &ids {
            self.dead_texts
                .extend(queries::text_key_of(connection, id).map_err(failed)?);
        }
        for &key in &change.remove {
            let texts = queries::texts_of(connection, key).map_err(failed)?;
            self.dead_texts.extend(texts.iter().map(|t| t.key));
            self.dead_items.insert(key);
        }
        let mut carried = vec![];
        for new in &change.add {
            let old = queries::key_of(connection, &new.facts.id).map_err(failed)?;
            let Some(old) = old.filter(|old| !self.dead_items.contains(old)) else {
                carried.push(vec![]);
                continue;
            };
            let texts = queries::texts_of(connection, old).map_err(failed)?;
            let over = texts
                .iter()
                .filter(|text| new.captions.is_none() && !self.dead_texts.contains(&text.key));
            carried.push(over.cloned().collect());
            self.dead_texts.extend(texts.iter().map(|t| t.key));
            self.dead_items.insert(old);
        }
        Ok(carried)
    }

    fn add(&mut self, before: &Before, change: &'a Change, carried: Vec<Vec<Text>>) -> Result<()> {
        let failed = before.place.failed();
        let mut rows = before.rows_of(carried.iter().flatten().map(|text| text.key))?;
        let mut item_key = queries::last_key(before.connection, "items").map_err(failed)?;
        self.dead_items_exclude_texts(before, change)?;
        let mut next_text = queries::last_key(before.connection, "texts").map_err(failed)?;
        let mut add_text = |id: &str, item, caption: &str, row| {
            next_text += 1;
            let (id, caption) = (id.to_owned(), caption.to_owned());
            let text = Text {
                key: next_text,
                id,
                item,
                caption,
            };
            self.texts.push((text, row));
            next_text
        };
        for (new, carried) in change.add.iter().zip(carried) {
            item_key += 1;
            self.items.push((item_key, new));
            self.committed.items.push(item_key);
            let item = Some(item_key);
            let given = new.captions.iter().flatten();
            let given = given.map(|NewCaption { id, caption, row }| {
                add_text(id, item, caption, Cow::Borrowed(row))
            });
            let mut keys: Vec<u64> = given.collect();
            for old in carried {
                let missing = || {
                    before
                        .place
                        .wrong(format!("the text {} is in no segment", old.id))
                };
                let row = rows.remove(&old.key).ok_or_else(missing)?;
                keys.push(add_text(&old.id, item, &old.caption, Cow::Owned(row)));
            }
            self.committed.captions.push(keys);
        }
        for new in &change.texts {
            let NewCaption { id, caption, row } = &new.text;
            let key = add_text(id, new.item, caption, Cow::Borrowed(row));
            self.committed.texts.push(key);
        }
        Ok(())
    }

    /// A text needs a picture that is still there after the change.
    fn dead_items_exclude_texts(&self, before: &Before, change: &Change) -> Result<()> {
        for item in change.texts.iter().filter_map(|text| text.item) {
            before.require_item(item)?;
            if self.dead_items.contains(&item) {
                return Err(before.refused(format!(
                    "a text is about the item {item}, which the same change removes"
                )));
            }
        }
        Ok(())
    }
}

impl Before<'_> {
    pub fn refused(&self, reason: impl Into<String>) -> Error {
        Error::File {
            path: self.place.0.clone(),
            reason: format!("the change cannot be made: {}", reason.into()),
        }
    }

    fn require_item(&self, key: u64) -> Result<()> {
        let there = queries::is_good(self.connection, key).map_err(self.place.failed())?;
        there
            .map(drop)
            .ok_or_else(|| self.refused(format!("there is no item with the key {key}")))
    }

    /// The rows of texts by their keys, as they are in the segments.
    fn rows_of(&self, keys: impl Iterator<Item = u64>) -> Result<BTreeMap<u64, TextRow>> {
        let keys: BTreeSet<u64> = keys.collect();
        let mut found = BTreeMap::new();
        if keys.is_empty() {
            return Ok(found);
        }
        for part in self.parts {
            let texts = part.texts();
            let here: Vec<(u64, usize)> = keys
                .iter()
                .filter_map(|&k| Some((k, texts.row_of(k)?)))
                .collect();
            if here.is_empty() {
                continue;
            }
            let rows: Vec<u32> = here.iter().map(|&(_, row)| row as u32).collect();
            let bags = texts
                .captions
                .bags(&rows)
                .map_err(|reason| part.segment.damaged(reason))?;
            found.extend(here.into_iter().zip(bags).map(|((key, row), terms)| {
                let (point, charge) = (texts.point(row).to_vec(), texts.charges[row]);
                (
                    key,
                    TextRow {
                        point,
                        charge,
                        terms,
                    },
                )
            }));
        }
        Ok(found)
    }

    /// Where the rows of removed items and texts are: place of the segment, and row.
    pub fn tombstones(&self, plan: &Plan) -> Result<[Vec<(usize, usize)>; 2]> {
        let failed = self.place.failed();
        let pictures: Vec<_> = self.parts.iter().map(Part::pictures).collect();
        let texts: Vec<_> = self.parts.iter().map(Part::texts).collect();
        let mut found = [vec![], vec![]];
        for &key in &plan.dead_items {
            if queries::is_good(self.connection, key).map_err(failed)? == Some(true) {
                let places = pictures.iter().map(|p| p.row_of(key)).enumerate();
                found[0].push(self.first(places, key)?);
            }
        }
        for &key in &plan.dead_texts {
            let places = texts.iter().map(|t| t.row_of(key)).enumerate();
            found[1].push(self.first(places, key)?);
        }
        Ok(found)
    }

    fn first(
        &self,
        mut places: impl Iterator<Item = (usize, Option<usize>)>,
        key: u64,
    ) -> Result<(usize, usize)> {
        let found = places.find_map(|(part, row)| Some((part, row?)));
        found.ok_or_else(|| self.place.wrong(format!("the key {key} is in no segment")))
    }
}

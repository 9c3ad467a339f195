//! What a change must be so that it can be stored.

use std::collections::BTreeSet;

use half::f16;

use crate::gallery::types::{Bag, Change, NewCaption, PictureRow, Seen, Stamp, TextRow, UNUSABLE};

/// All texts that come with a change.
pub(super) fn new_texts(change: &Change) -> impl Iterator<Item = &NewCaption> {
    let captions = change
        .add
        .iter()
        .filter_map(|new| new.captions.as_ref())
        .flatten();
    captions.chain(change.texts.iter().map(|text| &text.text))
}

/// # Errors
/// The reason why a change cannot be stored, by what is in it alone.
pub(super) fn fitting(stamp: &Stamp, change: &Change) -> Result<(), String> {
    let mut ids = BTreeSet::new();
    for new in &change.add {
        let id = &new.facts.id;
        if !ids.insert(id) {
            return Err(format!("it has the item {id} twice"));
        }
        if let Seen::Good(row) = &new.seen {
            picture(stamp, row).map_err(|reason| format!("{id}: {reason}"))?;
        }
    }
    let mut ids = BTreeSet::new();
    for new in new_texts(change) {
        let id = &new.id;
        if !ids.insert(id) {
            return Err(format!("it has the text {id} twice"));
        }
        text(stamp, &new.row).map_err(|reason| format!("{id}: {reason}"))?;
    }
    Ok(())
}

fn picture(stamp: &Stamp, row: &PictureRow) -> Result<(), String> {
    vector("point", &row.point, stamp.point)?;
    vector("look-alike vector", &row.look, stamp.look)?;
    charge(row.charge)?;
    bag(&row.read)?;
    bag(&row.tags)
}

fn text(stamp: &Stamp, row: &TextRow) -> Result<(), String> {
    vector("point", &row.point, stamp.point)?;
    charge(row.charge)?;
    bag(&row.terms)
}

fn vector(what: &str, values: &[f16], dimensions: usize) -> Result<(), String> {
    match values.len() {
        n if n != dimensions => Err(format!(
            "its {what} has {n} dimensions, the gallery {dimensions}"
        )),
        _ if !values.iter().all(|v| v.is_finite()) => {
            Err(format!("its {what} has a value that is not finite"))
        }
        _ => Ok(()),
    }
}

fn charge(value: f32) -> Result<(), String> {
    (value.is_finite() || value == UNUSABLE)
        .then_some(())
        .ok_or_else(|| format!("its charge is {value}"))
}

fn bag(bag: &Bag) -> Result<(), String> {
    let rising = bag.terms.is_sorted_by(|a, b| a.0 < b.0);
    let finite = bag.norm.is_finite() && bag.terms.iter().all(|t| t.1.is_finite());
    (rising && finite)
        .then_some(())
        .ok_or_else(|| "its terms do not rise, or a count is not finite".into())
}

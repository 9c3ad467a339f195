//! From ranked rows to hits.

use super::answer::{Answer, Explanation, Hit};
use super::rank::{Ranked, Ranking};
use super::stacks::{self, Stack};
use super::{Query, View};
use crate::calibration::Calibration;
use crate::error::{Error, Result};
use crate::gallery::Item;

/// Hits with their probabilities, those of a page.
pub fn answer(
    query: &Query,
    ranking: Ranking,
    stacks: &[Stack],
    calibration: Option<&Calibration>,
    hit: impl Fn(&Ranked) -> Result<Hit>,
) -> Result<Answer> {
    let Ranking { best, scores } = ranking;
    let probabilities = calibration.map(|c| falling(c.probabilities(&scores)));
    let shown = stacks.iter().skip(query.offset).take(query.top);
    let mut hits = Vec::new();
    for Stack { place, copies } in shown.clone() {
        hits.push(Hit {
            probability: probabilities.as_ref().and_then(|p| p.get(*place)).copied(),
            copies: copies.clone(),
            ..hit(&best[*place])?
        });
    }
    let good = match (calibration, &probabilities) {
        (Some(c), Some(p)) => {
            let good = c.good_ones(p);
            shown.take_while(|stack| stack.place < good).count()
        }
        _ => hits.len(),
    };
    Ok(Answer {
        good,
        searched: scores.rows,
        hits,
    })
}

/// The probabilities of the best hits. A hit is not more probable than one with a higher score.
fn falling(mut probabilities: Vec<f32>) -> Vec<f32> {
    let mut most = 1.0f32;
    for p in &mut probabilities {
        most = most.min(*p);
        *p = most;
    }
    probabilities
}

/// Hits for themselves, or one for those that are nearly the same.
pub fn stacks_of(view: &View, query: &Query, best: &[Ranked]) -> Vec<Stack> {
    match query.dedupe {
        true => stacks::stacked(view, best),
        false => stacks::single(best),
    }
}

/// A picture that was found.
pub fn picture(view: &View, hit: &Ranked, why: Option<Explanation>) -> Result<Hit> {
    let item = item(view, hit.key)?;
    Ok(Hit {
        key: Some(hit.key),
        id: item.facts.id,
        path: Some(item.facts.path),
        text: None,
        score: hit.score,
        probability: None,
        copies: vec![],
        why,
    })
}

pub fn item(view: &View, key: u64) -> Result<Item> {
    view.snapshot.item(key)?.ok_or_else(|| gone(key))
}

pub fn gone(key: u64) -> Error {
    Error::Query {
        reason: format!("the gallery is damaged: it has a point, and no item {key}"),
    }
}

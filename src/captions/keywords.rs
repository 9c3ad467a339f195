//! Keywords of pictures, out of their captions.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataset::{Collection, Dataset, Keywords, Split};
use crate::error::Result;
use crate::text::Cutter;

/// Keywords of a picture at most, and captions that say one of them at least.
const MOST: usize = 5;
const SAID: usize = 2;

/// What at least two captions of a picture say: of those words, the five that are rarest in the training captions.
///
/// # Errors
/// Those of [`Cutter::of`].
pub fn keywords(dataset: &Dataset) -> Result<Keywords> {
    let train = dataset
        .collections
        .iter()
        .filter(|c| c.split == Split::Train);
    let train: Vec<&str> = train.flat_map(Collection::captions).collect();
    let cutter = Cutter::of(&train)?;
    let words = |caption: &str| -> BTreeSet<String> {
        let words = cutter.words(caption).into_iter();
        words
            .filter(|w| w.chars().all(char::is_alphanumeric))
            .collect()
    };
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for word in train.iter().flat_map(|c| words(c)) {
        *found.entry(word).or_default() += 1;
    }
    let mut keywords = Keywords::new();
    for c in &dataset.collections {
        for (image, texts) in c.images.iter().zip(c.texts_of_images()) {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for word in texts.iter().flat_map(|&t| words(&c.texts[t].caption)) {
                *counts.entry(word).or_default() += 1;
            }
            let rarity = |w: &String| found.get(w).copied().unwrap_or(0);
            let said = counts.into_iter().filter(|&(_, n)| n >= SAID);
            let mut said: Vec<String> = said.map(|(w, _)| w).collect();
            said.sort_by_key(rarity);
            said.truncate(MOST);
            keywords.insert(image.id.0.clone(), said);
        }
    }
    Ok(keywords)
}

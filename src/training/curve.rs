//! A recipe with fewer and fewer training pictures.

use std::path::Path;

use super::Protocol;
use crate::dataset::{Dataset, Split};
use crate::error::{Error, Result};
use crate::evaluation::Learned;
use crate::progress::Progress;
use crate::recipe::Recipe;

/// Halvings of the training pictures, at most.
const HALVINGS: u32 = 4;
/// Fewer pictures are not learned from: what comes of them is chance.
const LEAST: usize = 24;

/// What a recipe reaches on a split with all, half, a quarter, ... of the training pictures, fewest first. Smaller parts lie in
/// larger ones. `each` sees every figure as it comes.
///
/// # Errors
/// [`Error::TooFew`] where not even three parts have 24 pictures, and those of [`Protocol::measure`].
pub fn learning_curve(
    split: Split,
    recipe: &Recipe,
    dataset: &Dataset,
    work: &Path,
    progress: &dyn Progress,
    mut each: impl FnMut(&Learned),
) -> Result<Vec<Learned>> {
    let place = dataset.train_place()?;
    let train = &dataset.collections[place];
    let all = train.images.len();
    let sizes = (0..=HALVINGS).map(|h| all >> h).filter(|&n| n >= LEAST);
    let mut sizes: Vec<usize> = sizes.collect();
    sizes.reverse();
    if sizes.len() < 3 {
        return Err(Error::TooFew {
            what: format!("training pictures of {}", dataset.name),
            needed: LEAST << 2,
            found: all,
        });
    }
    let mut learned = Vec::new();
    for pictures in sizes {
        let mut part = dataset.clone();
        if pictures < all {
            part.collections[place] = train.sampled(pictures, recipe.seed);
        }
        let report =
            Protocol::Split(split).measure(recipe, &part, work, progress, |_, _, _| Ok(()))?;
        let figures = report.mean_recall.zip(report.ci95.mean_recall);
        let (mean_recall, ci95) = figures.ok_or_else(|| {
            let reason = "a learning curve needs queries in both directions";
            Error::dataset(&dataset.name, reason)
        })?;
        let one = Learned {
            pictures,
            mean_recall,
            ci95,
        };
        each(&one);
        learned.push(one);
    }
    Ok(learned)
}

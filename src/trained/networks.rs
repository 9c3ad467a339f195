//! What the networks that are trained here have in common: regions, and what is told while they learn.

use half::f16;
use tuwen_nets::regions::Regions;
use tuwen_nets::tokens::UNKNOWN;
use tuwen_nets::training::Event;

use super::{Described, Learned, WordsParams};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::text::Words;
use crate::views::{RegionsParams, Rows};

/// The cells of a collection's pictures.
pub(super) struct Cells {
    values: Vec<f16>,
    cells: usize,
    width: usize,
    /// False where nothing is known of a picture.
    pub usable: Vec<bool>,
}

impl Cells {
    pub fn of(rows: &Rows, cells: usize) -> Self {
        Self {
            values: rows.x.iter().map(|&v| f16::from_f32(v)).collect(),
            cells,
            width: rows.x.ncols() / cells,
            usable: rows.usable.clone(),
        }
    }

    /// Of what a network learns from.
    pub fn of_all(learned: &Learned, regions: &RegionsParams) -> OfAll {
        let of = |described: &Described| Self::of(described.rows, regions.cells());
        OfAll {
            train: of(&learned.train),
            val: learned.val.as_ref().map(of),
        }
    }

    pub fn view(&self) -> Regions<'_> {
        Regions {
            values: &self.values,
            cells: self.cells,
            width: self.width,
        }
    }
}

/// The cells of the pictures that a network learns from, and of those that it is judged by.
pub(super) struct OfAll {
    pub train: Cells,
    pub val: Option<Cells>,
}

impl WordsParams {
    /// The words of the training captions.
    ///
    /// # Errors
    /// [`Error::TooFew`] where none is said often enough.
    pub(super) fn learn(&self, learned: &Learned) -> Result<Words> {
        let captions = learned.train.collection.captions();
        let words = Words::learn(&captions, self.least, self.most)?;
        let known = |c: &&str| words.numbers(c, usize::MAX).iter().any(|&n| n != UNKNOWN);
        match captions.iter().any(known) {
            true => Ok(words),
            false => Err(Error::TooFew {
                what: format!("words that stand {} times in the captions", self.least),
                needed: 1,
                found: 0,
            }),
        }
    }
}

/// Tells how a network learns.
pub(super) fn watch<'a>(what: &'a str, progress: &'a dyn Progress) -> impl FnMut(Event) + 'a {
    let mut told = 0;
    move |event| match event {
        Event::Step { done, steps, .. } => {
            if told == 0 {
                progress.start(&format!("{what}: learning"), steps as u64);
            }
            progress.step((done - told) as u64);
            told = done;
            if done == steps {
                progress.finish();
            }
        }
        Event::Epoch { done, loss, score } => {
            let score = score.map_or(String::new(), |s| {
                format!(", {s:.4} on the validation data")
            });
            tracing::info!("{what}: epoch {done}, loss {loss:.3}{score}");
        }
    }
}

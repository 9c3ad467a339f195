//! Ablations: recipes that differ by one thing each, run on one dataset and laid side by side.
//!
//! A [`Plan`] names them in ladders, each row to be compared with the one before; a [`Bench`] runs one and
//! keeps a [`RunFile`]; [`page`] and [`plot`] show what came out; [`verdict`] says whether it is what was
//! expected. Figures reach a page from run files alone, never by hand.

mod expected;
mod machine;
mod page;
mod plan;
mod plot;
mod run;

pub use expected::{DEFAULT_TOLERANCE, Verdict, bless, verdict};
pub use machine::{Commit, Machine};
pub use page::{Place, Shown, page};
pub use plan::{Entry, Ladder, NAMED, Plan, Published};
pub use plot::plot;
pub use run::{Bench, Chance, Chosen, Cost, Measured, RunFile, Seconds};

/// What became of a recipe.
pub enum State {
    Measured(Box<Measured>),
    /// Something that it needs is not there, or it was not asked for.
    NotRun(String),
    Failed(String),
}

/// A recipe of the plan and what became of it.
pub struct Row<'a> {
    pub entry: &'a Entry,
    pub state: State,
}

impl Row<'_> {
    pub fn measured(&self) -> Option<&Measured> {
        match &self.state {
            State::Measured(m) => Some(m),
            State::NotRun(_) | State::Failed(_) => None,
        }
    }

    /// Why there are no figures.
    fn without_figures(&self) -> Option<String> {
        match &self.state {
            State::Measured(_) => None,
            State::NotRun(reason) => Some(format!("not run: {reason}")),
            State::Failed(reason) => Some(format!("failed: {reason}")),
        }
    }
}

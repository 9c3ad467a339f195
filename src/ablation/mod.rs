//! Ablations: recipes that differ in one thing each, run on one dataset and compared side by side.
//!
//! A [`Plan`] lists them in ladders, in which each row is compared with the one before; a [`Bench`] runs a recipe
//! and keeps a [`RunFile`]; [`page`] and [`plot`] present the results; [`verdict`] tells whether a score is the
//! expected one. Figures reach a page only from run files, never by hand.

mod cost;
mod expected;
mod machine;
mod page;
mod plan;
mod plot;
mod run;

pub use expected::{Verdict, bless, verdict};
pub use machine::Commit;
pub use page::{Place, Shown, most_believed, page};
pub use plan::{Entry, NAMED, Plan};
pub use plot::plot;
pub use run::{Bench, Measured};

/// The outcome of one recipe.
pub enum State {
    /// The recipe ran, now or before, and these are its figures.
    Measured(Box<Measured>),
    /// The recipe was not run, and why: something it needs is missing, or it was not asked for.
    NotRun(String),
    /// The run ended with this error.
    Failed(String),
}

/// A recipe of the plan with its outcome.
pub struct Row<'a> {
    /// The recipe and its file.
    pub entry: &'a Entry,
    /// The outcome.
    pub state: State,
}

impl Row<'_> {
    /// The figures, if the recipe was measured.
    pub fn measured(&self) -> Option<&Measured> {
        match &self.state {
            State::Measured(m) => Some(m),
            State::NotRun(_) | State::Failed(_) => None,
        }
    }

    /// Why the row has no figures, as the page says it.
    fn without_figures(&self) -> Option<String> {
        match &self.state {
            State::Measured(_) => None,
            State::NotRun(reason) => Some(format!("not run: {reason}")),
            State::Failed(reason) => Some(format!("failed: {reason}")),
        }
    }
}

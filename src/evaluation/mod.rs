//! Quality of a ranking, with its uncertainty: recall at K, median rank, chance, confidence intervals.
//!
//! [`ranks`] turns scores into the ranks of right answers, a [`Ranking`] holds those of one direction, [`report`]
//! combines the figures of both, and [`difference`] compares two runs on the same queries. [`law`] says how a figure grows with
//! what is learned from.

mod growth;
mod metrics;
mod report;
mod significance;

pub use growth::{Law, Learned, law};
pub use metrics::{KS, Ranking, TIE, mean_recall, mid_rank, ranks};
pub use report::{AllIntervals, DirectionReport, Intervals, Report, report};
pub use significance::{Difference, difference};

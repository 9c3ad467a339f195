//! The command line: one file per verb, with its arguments and its `run`.

/// `println!` that fails where nothing can be written, and does not panic. Names from outside cannot steer the terminal.
macro_rules! say {
    ($($arg:tt)*) => { crate::cli::output::print(&tuwen::files::visible(&format!($($arg)*)))? };
}

mod ablation;
mod bars;
mod caption;
mod check;
mod common;
mod compare;
mod compression;
mod copies;
mod demo;
mod draw;
mod duplicates;
mod evaluate;
mod export;
mod features;
mod files;
mod finder;
mod fit;
mod gallery;
mod index;
mod inspect;
mod keep;
mod keywords;
pub mod log;
mod manual;
mod models;
mod output;
mod page;
mod read;
mod remove;
mod results;
mod score;
mod search;
mod serve;
mod timings;
mod validate;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// Classical image <-> text retrieval (图文检索) on a CPU: find pictures for a sentence, sentences for a picture, and
/// copies of a picture.
#[derive(Parser)]
#[command(version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Args {
    /// Number of worker threads (results do not depend on it)
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_THREADS))]
    threads: Option<u16>,
    /// Increase verbosity (-v, -vv)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print only warnings and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print the time spent in each stage
    #[arg(long, global = true)]
    pub timings: bool,
    #[command(subcommand)]
    verb: Verb,
}

/// More threads than any machine has cores, and few enough to start.
const MAX_THREADS: i64 = 1024;

const EXAMPLES: &str = "\
Examples:
  tuwen models                                     fetch the networks that read, see, and know what words mean
  tuwen demo                                       fetch the demo set into data/demo
  tuwen check --data data/demo                     what a run would use, and what it would leave out
  tuwen results --data data/demo --out out         answer attachments 2 and 3
  tuwen fit --data data/demo --model demo.tuwen    learn a model
  tuwen index photos --gallery g --model demo.tuwen
  tuwen search \"海边奔跑的狗\" --gallery g
  tuwen serve --gallery g                          the search page, and an API for programs
  tuwen evaluate --data data/flickr8k-cn --recipe experiments/card.toml";

#[derive(Subcommand)]
enum Verb {
    Demo(demo::Args),
    Models(models::Args),
    Check(check::Args),
    Features(features::Args),
    Fit(fit::Args),
    Index(index::Args),
    Search(search::Args),
    Keywords(keywords::Args),
    Caption(caption::Args),
    Serve(serve::Args),
    Gallery(gallery::Args),
    Remove(remove::Args),
    Export(export::Args),
    Results(results::Args),
    Evaluate(evaluate::Args),
    Ablation(ablation::Args),
    Match(compare::Args),
    Copies(copies::Args),
    Duplicates(duplicates::Args),
    Compression(compression::Args),
    Read(read::Args),
    Validate(validate::Args),
    Score(score::Args),
    Inspect(inspect::Args),
    Manual(manual::Args),
}

pub fn run(args: Args) -> Result<ExitCode> {
    if let Some(n) = args.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(n.into())
            .build_global()
            .context("cannot start the worker threads")?;
    }
    if !args.timings {
        return run_verb(args.verb);
    }
    let start = Instant::now();
    // on one of the worker threads, so that what waits for the others is not one thread more
    let outcome = rayon::scope(|_| run_verb(args.verb));
    timings::tell(start.elapsed().as_secs_f64());
    outcome
}

fn run_verb(verb: Verb) -> Result<ExitCode> {
    match verb {
        Verb::Demo(a) => demo::run(&a),
        Verb::Models(a) => models::run(&a),
        Verb::Check(a) => check::run(&a),
        Verb::Features(a) => features::run(&a),
        Verb::Fit(a) => fit::run(&a),
        Verb::Index(a) => index::run(&a),
        Verb::Search(a) => search::run(&a),
        Verb::Keywords(a) => keywords::run(&a),
        Verb::Caption(a) => caption::run(&a),
        Verb::Serve(a) => serve::run(&a),
        Verb::Gallery(a) => gallery::run(&a),
        Verb::Remove(a) => remove::run(&a),
        Verb::Export(a) => export::run(&a),
        Verb::Results(a) => results::run(&a),
        Verb::Evaluate(a) => evaluate::run(&a),
        Verb::Ablation(a) => ablation::run(&a),
        Verb::Match(a) => compare::run(&a),
        Verb::Copies(a) => copies::run(&a),
        Verb::Duplicates(a) => duplicates::run(&a),
        Verb::Compression(a) => compression::run(&a),
        Verb::Read(a) => read::run(&a),
        Verb::Validate(a) => validate::run(&a),
        Verb::Score(a) => score::run(&a),
        Verb::Inspect(a) => inspect::run(&a),
        Verb::Manual(a) => manual::run(&a),
    }
}

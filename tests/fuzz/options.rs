//! The command line: what `cargo test` gives every test, and a few words of its own.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use super::target::Target;
use super::targets::TARGETS;
use super::{parent, worker};

/// Tries damaged inputs on the program.
#[derive(Parser)]
pub struct Options {
    /// Targets with any of these in their names (all, where none is given).
    names: Vec<String>,
    /// What the inputs depend on.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Goes on for so long; else every target gets the same number of inputs each time.
    #[arg(long)]
    pub seconds: Option<u64>,
    /// Gives one saved input to the one target named.
    #[arg(long)]
    repeat: Option<PathBuf>,
    /// Says what there is, as other tests do.
    #[arg(long)]
    list: bool,
    /// The part of a worker: the first and the last input (not included), and a folder.
    #[arg(long, hide = true, num_args = 3, value_names = ["FROM", "TO", "FOLDER"])]
    worker: Option<Vec<String>>,
    // Other tests take these; here they change nothing.
    #[arg(long, hide = true)]
    nocapture: bool,
    #[arg(long, hide = true)]
    show_output: bool,
    #[arg(short, long, hide = true)]
    quiet: bool,
    #[arg(long, hide = true)]
    test_threads: Option<usize>,
}

pub fn main() -> ExitCode {
    let options = Options::parse();
    let targets = options.targets();
    if options.list {
        targets.iter().for_each(|t| println!("{}: test", t.name));
        return ExitCode::SUCCESS;
    }
    match (&options.worker, &options.repeat, &targets[..]) {
        (Some(part), _, [target]) => worker::work(target, options.seed, part),
        (_, Some(file), [target]) => worker::repeat(target, file),
        (_, Some(_), _) => {
            eprintln!("--repeat needs the name of one target");
            ExitCode::from(2)
        }
        _ => parent::run(&options, &targets),
    }
}

impl Options {
    fn targets(&self) -> Vec<&'static Target> {
        let exact = self.worker.is_some() || self.repeat.is_some();
        let asked = |t: &&Target| {
            let mut names = self.names.iter();
            self.names.is_empty() || names.any(|n| t.name == n || !exact && t.name.contains(n))
        };
        TARGETS.iter().filter(asked).collect()
    }
}

//! Starts the workers, one on each core, and says what their inputs did.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::options::Options;
use super::target::Target;
use super::worker::{HANGS, PATIENCE, PROGRESS, input};

/// Parts that a target's inputs are cut into, for the cores to share.
const PARTS: u64 = 20;
/// Inputs of a part at least.
const LEAST: u64 = 100;
/// Failures of one kind after which a target is left alone: an abort costs a process, a hang ten seconds.
const ENOUGH: usize = 20;
/// Where inputs that fail are kept.
const KEPT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/fuzz");

/// What one target did.
#[derive(Default)]
struct Found {
    tried: u64,
    seconds: f64,
    /// What happened, and where: the first input that did it, and how many did.
    failures: BTreeMap<String, (u64, usize)>,
}

/// Tries the targets; fails where an input does.
pub fn run(options: &Options, targets: &[&Target]) -> ExitCode {
    if targets.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nfuzzing with seed {}", options.seed);
    let found: Vec<Mutex<Found>> = targets.iter().map(|_| Mutex::default()).collect();
    let next = AtomicU64::new(0);
    let start = Instant::now();
    let limit = options.seconds.map(Duration::from_secs);
    let core = || {
        let folder = workplace();
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            let (round, place) = (job / targets.len() as u64, job % targets.len() as u64);
            let over = match limit {
                Some(limit) => start.elapsed() > limit,
                None => round >= PARTS,
            };
            if over {
                return;
            }
            let (target, found) = (targets[place as usize], &found[place as usize]);
            // A long run takes all targets by turns, a part of each.
            let size = target.inputs.div_ceil(PARTS).max(LEAST);
            let (from, to) = (round * size, (round + 1) * size);
            let to = if limit.is_some() {
                to
            } else {
                to.min(target.inputs)
            };
            try_part(target, options.seed, from..to, folder.path(), found);
        }
    };
    thread::scope(|scope| {
        for _ in 0..available_parallelism().map_or(1, usize::from) {
            scope.spawn(core);
        }
    });
    report(options, targets, found)
}

/// A folder in memory, where there is one.
fn workplace() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = tempfile::Builder::new()
        .prefix("tuwen-fuzz-")
        .tempdir_in(memory);
    folder
        .or_else(|_| tempfile::tempdir())
        .expect("a temporary folder")
}

/// Has workers try a part of the inputs: another where one is ended by its input.
fn try_part(target: &Target, seed: u64, part: Range<u64>, folder: &Path, found: &Mutex<Found>) {
    let start = Instant::now();
    let mut from = part.start;
    while from < part.end && found.lock().expect("no panic").failures.len() < ENOUGH {
        let _ = fs::remove_dir_all(folder.join("scratch"));
        let _ = fs::remove_file(folder.join(PROGRESS));
        let mut worker = Command::new(std::env::current_exe().expect("this program"));
        worker
            .arg(target.name)
            .args(["--seed", &seed.to_string(), "--worker"]);
        worker
            .args([from.to_string(), part.end.to_string()])
            .arg(folder);
        worker.env("TMPDIR", folder);
        // One thread each: the cores are shared among workers.
        for threads in [
            "RAYON_NUM_THREADS",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
        ] {
            worker.env(threads, "1");
        }
        let ended = worker.output().expect("a worker");
        let mut found = found.lock().expect("no panic");
        let said = String::from_utf8_lossy(&ended.stdout);
        let panics = said.lines().filter_map(|line| line.split_once(' '));
        for (number, panic) in panics {
            let number = number.parse().expect("the worker wrote a number");
            found.add(format!("panicked at {panic}"), number);
        }
        if ended.status.success() {
            found.tried += part.end - from;
            break;
        }
        let at = progress(folder).unwrap_or_else(|| {
            panic!(
                "{}: {}",
                target.name,
                String::from_utf8_lossy(&ended.stderr)
            )
        });
        let said = String::from_utf8_lossy(&ended.stderr);
        found.add(how(ended.status, &said), at);
        found.tried += at + 1 - from;
        from = at + 1;
    }
    found.lock().expect("no panic").seconds += start.elapsed().as_secs_f64();
}

/// The input that was tried last.
fn progress(folder: &Path) -> Option<u64> {
    let bytes = fs::read(folder.join(PROGRESS)).ok()?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

fn how(status: ExitStatus, said: &str) -> String {
    match (status.code(), status.signal()) {
        (Some(HANGS), _) => format!("took more than {PATIENCE} s"),
        (_, Some(signal)) => {
            // numbers differ from input to input
            let first = said.lines().find(|l| !l.is_empty()).unwrap_or_default();
            let first = first.replace(|c: char| c.is_ascii_digit(), "#");
            format!("ended the process with signal {signal}: {first}")
        }
        _ => format!("ended the process: {status} {said}"),
    }
}

impl Found {
    fn add(&mut self, what: String, number: u64) {
        let (first, times) = self.failures.entry(what).or_insert((number, 0));
        *first = number.min(*first);
        *times += 1;
    }
}

fn report(options: &Options, targets: &[&Target], found: Vec<Mutex<Found>>) -> ExitCode {
    let (mut tried, mut failed) = (0, 0);
    for (target, found) in targets.iter().zip(found) {
        let found = found.into_inner().expect("no panic");
        let seconds = found.seconds;
        println!(
            "{:<12} {:>8} inputs {seconds:>6.1} s",
            target.name, found.tried
        );
        tried += found.tried;
        failed += found.failures.len();
        for (what, (number, times)) in found.failures {
            let path = keep(target, options.seed, number);
            println!(
                "  {what}\n    {times} inputs; the first is {}",
                path.display()
            );
            println!(
                "    cargo test --release --test fuzz -- {} --repeat {}",
                target.name,
                path.display()
            );
        }
    }
    println!("{tried} inputs, {failed} kinds of failure");
    ExitCode::from(u8::from(failed > 0))
}

/// Writes an input under a folder of its own, with the name that says what it is.
fn keep(target: &Target, seed: u64, number: u64) -> PathBuf {
    let input = input(target, seed, number, &(target.seeds)());
    let folder = Path::new(KEPT).join(format!("{}-{seed}-{number}", target.name));
    fs::create_dir_all(&folder).expect("room for the input");
    input.file(&folder)
}

//! The process that gives inputs to the program. What it is at stands in a file beforehand, so that its end tells
//! which input was the cause.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, exit};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::mutator::Mutator;
use super::target::{Input, Target};

/// Seconds that one input may take.
pub const PATIENCE: u64 = 10;
/// What a worker exits with after that.
pub const HANGS: i32 = 86;
/// Address space of a worker: an input of some kilobytes that needs more ends the process.
const MEMORY: u64 = 4 << 30;
/// The number of the input that is tried, in the worker's folder.
pub const PROGRESS: &str = "progress";

/// The input of a number, always the same.
pub fn input(target: &Target, seed: u64, number: u64, seeds: &[Input]) -> Input {
    let mut mutator = Mutator::new(seed, number, seeds);
    let mut input = mutator.seed();
    (target.mutate)(&mut mutator, &mut input);
    input
}

/// Tries a part of the inputs; a line on stdout for each that panics.
pub fn work(target: &Target, seed: u64, part: &[String]) -> ExitCode {
    let number = |i: usize| part[i].parse::<u64>().expect("the parent wrote a number");
    let folder = PathBuf::from(&part[2]);
    let seeds = (target.seeds)();
    limit_memory();
    remember_panics();
    watch();
    let progress = File::create(folder.join(PROGRESS)).expect("room in the worker's folder");
    let scratch = folder.join("scratch");
    fs::create_dir_all(&scratch).expect("room in the worker's folder");
    for number in number(0)..number(1) {
        let at = progress.write_all_at(&number.to_le_bytes(), 0);
        at.expect("room in the worker's folder");
        let input = input(target, seed, number, &seeds);
        if let Some(panic) = panics(target, &input, &scratch) {
            println!("{number} {panic}");
        }
    }
    ExitCode::SUCCESS
}

/// Gives one file to the target, with all that is said on the way.
pub fn repeat(target: &Target, file: &Path) -> ExitCode {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let bytes = fs::read(file).expect("a file that can be read");
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let start = Instant::now();
    (target.run)(&Input::new(name, bytes), scratch.path());
    println!("no panic, {:.1} s", start.elapsed().as_secs_f64());
    ExitCode::SUCCESS
}

/// Where and why the program panicked on an input: also where it caught the panic itself, if it is in our own code,
/// which guards against decoders alone.
fn panics(target: &Target, input: &Input, scratch: &Path) -> Option<String> {
    STARTED.store(now(), Ordering::Relaxed);
    let ended = catch_unwind(AssertUnwindSafe(|| (target.run)(input, scratch)));
    STARTED.store(0, Ordering::Relaxed);
    let panic = PANIC.lock().expect("no panic while it is held").take();
    panic.filter(|p| ended.is_err() || p.starts_with("src/"))
}

/// The last one.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

fn remember_panics() {
    set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let reason = info.payload_as_str().unwrap_or("?").replace('\n', " ");
        // numbers differ from input to input
        let reason = reason.replace(|c: char| c.is_ascii_digit(), "#");
        *PANIC.lock().expect("no panic while it is held") = Some(format!("{place}: {reason}"));
    }));
}

/// When the present input was begun, in milliseconds from the start of the process; 0 between inputs.
static STARTED: AtomicU64 = AtomicU64::new(0);

fn now() -> u64 {
    static START: Mutex<Option<Instant>> = Mutex::new(None);
    let mut start = START.lock().expect("nothing panics here");
    1 + start.get_or_insert_with(Instant::now).elapsed().as_millis() as u64
}

/// Ends the process when an input takes too long.
fn watch() {
    thread::spawn(|| {
        loop {
            thread::sleep(Duration::from_millis(200));
            let started = STARTED.load(Ordering::Relaxed);
            if started > 0 && now().saturating_sub(started) > PATIENCE * 1000 {
                let _ = std::io::stdout().flush();
                exit(HANGS);
            }
        }
    });
}

fn limit_memory() {
    let limit = libc::rlimit {
        rlim_cur: MEMORY,
        rlim_max: MEMORY,
    };
    // SAFETY: the call reads the structure it is given and nothing else.
    let done = unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) };
    assert_eq!(done, 0, "the address space can be limited");
}

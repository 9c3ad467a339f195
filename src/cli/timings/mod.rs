//! Where the time went, as a table on stderr.

mod clock;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use ndarray::Array2;
use tuwen::linalg::matmul;
use tuwen::timing::peak_mib;

pub use clock::Clock;
use clock::stages;

/// Tells the stages of a run that took so many seconds.
pub fn tell(seconds: f64) {
    let threads = rayon::current_num_threads();
    let memory = peak_mib().map_or(String::new(), |mib| format!(", {mib:.0} MiB at most"));
    let all = seconds * threads as f64;
    let busy: f64 = stages().map(|stage| stage.seconds).sum();
    let ceilings = Ceilings::measured();
    let mut table = format!("{seconds:.1} s on {threads} threads{memory}\n");
    let _ = writeln!(
        table,
        "{:<28}{:>10}{:>8}{:>11}{:>14}{:>12}",
        "stage", "thread s", "share", "calls", "rate", "of ceiling"
    );
    let mut row = |name: &str, seconds: f64, calls: String, rate: String, reached: String| {
        let share = 100.0 * seconds / all;
        let _ = writeln!(
            table,
            "{name:<28}{seconds:>10.2}{share:>7.1}%{calls:>11}{rate:>14}{reached:>12}"
        );
    };
    for stage in stages().filter(|stage| stage.calls > 0) {
        let (mut rate, mut reached) = (String::new(), String::new());
        if let Some(unit) = stage.unit.filter(|_| stage.work > 0) {
            let work = stage.work as f64 / stage.seconds.max(1e-9);
            rate = format!("{}{unit}/s", scaled(work));
            if let Some(most) = ceilings.of(unit) {
                reached = format!("{:.0}%", 100.0 * work / most);
            }
        }
        let calls = stage.calls.to_string();
        row(stage.name, stage.seconds, calls, rate, reached);
    }
    let none = String::new;
    row("other work and waiting", all - busy, none(), none(), none());
    let _ = writeln!(
        table,
        "ceilings, on one thread: a product of f32 in the caches {}FLOP/s (one in f64 counts as two), a copy in memory {}B/s",
        scaled(ceilings.product),
        scaled(ceilings.copy)
    );
    eprint!("{table}");
}

/// With a prefix for the unit that follows.
fn scaled(rate: f64) -> String {
    match rate {
        r if r >= 1e9 => format!("{:.1} G", r / 1e9),
        r => format!("{:.1} M", r / 1e6),
    }
}

/// What one thread of this machine can do at most.
struct Ceilings {
    /// FLOP/s of a product of f32 in the caches.
    product: f64,
    /// Bytes/s of a copy in memory.
    copy: f64,
}

impl Ceilings {
    fn measured() -> Self {
        const SIDE: usize = 256; // one block of rows, so that it is not shared out
        let x = Array2::<f32>::from_elem((SIDE, 2 * SIDE), 0.5);
        let y = Array2::<f32>::from_elem((2 * SIDE, 2 * SIDE), 0.5);
        let operations = 2.0 * (SIDE * 2 * SIDE * 2 * SIDE) as f64;
        const BYTES: usize = 64 << 20; // more than the caches of one core
        let (from, mut to) = (vec![1u8; BYTES], vec![0u8; BYTES]);
        Self {
            product: operations / shortest(20, || matmul(x.view(), y.view())),
            copy: BYTES as f64 / shortest(5, || black_box(&mut to).copy_from_slice(&from)),
        }
    }

    /// None for pixels: what decodes them is its own ceiling.
    fn of(&self, unit: &str) -> Option<f64> {
        match unit {
            "FLOP" => Some(self.product),
            "B" => Some(self.copy),
            _ => None,
        }
    }
}

/// Seconds of the fastest of some runs.
fn shortest<T>(runs: usize, mut f: impl FnMut() -> T) -> f64 {
    let seconds = (0..runs).map(|_| {
        let start = Instant::now();
        black_box(f());
        start.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}

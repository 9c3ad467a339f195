//! Where the time went, as a table on stderr.

use std::fmt::Write as _;
use std::time::Instant;

use ndarray::Array2;
use tuwen::linalg::matmul;
use tuwen::timing::{ALL, PRODUCTS};

/// Tells the stages of a run that took so many seconds.
pub fn tell(seconds: f64) {
    let threads = rayon::current_num_threads();
    let all = seconds * threads as f64;
    let busy: f64 = ALL.iter().map(|stage| stage.seconds()).sum();
    let products = PRODUCTS.work() as f64 / PRODUCTS.seconds().max(1e-9);
    let mut table = format!("{seconds:.1} s on {threads} threads\n");
    let _ = writeln!(
        table,
        "{:<28}{:>10}{:>8}{:>11}{:>14}",
        "stage", "thread s", "share", "calls", "rate"
    );
    let mut row = |name: &str, seconds: f64, calls: String, rate: String| {
        let share = 100.0 * seconds / all;
        let _ = writeln!(
            table,
            "{name:<28}{seconds:>10.2}{share:>7.1}%{calls:>11}{rate:>14}"
        );
    };
    for stage in ALL.iter().filter(|stage| stage.calls() > 0) {
        let rate = match stage.unit {
            Some(unit) if stage.work() > 0 => {
                let (rate, prefix) = scaled(stage.work() as f64 / stage.seconds().max(1e-9));
                format!("{rate:.1} {prefix}{unit}/s")
            }
            _ => String::new(),
        };
        row(stage.name, stage.seconds(), stage.calls().to_string(), rate);
    }
    row(
        "other work and waiting",
        all - busy,
        String::new(),
        String::new(),
    );
    if PRODUCTS.calls() > 0 {
        let peak = peak();
        let (rate, prefix) = scaled(peak);
        let _ = writeln!(
            table,
            "matrix products reach {:.0}% of the {rate:.1} {prefix}FLOP/s that one thread gives a large one",
            100.0 * products / peak
        );
    }
    eprint!("{table}");
}

fn scaled(rate: f64) -> (f64, &'static str) {
    match rate {
        r if r >= 1e9 => (r / 1e9, "G"),
        r => (r / 1e6, "M"),
    }
}

/// Of a product of f32 that fits the caches, in FLOP/s on one thread: the best of some.
fn peak() -> f64 {
    const SIDE: usize = 256; // one block of rows, so that it is not shared out
    let x = Array2::<f32>::from_elem((SIDE, 2 * SIDE), 0.5);
    let y = Array2::<f32>::from_elem((2 * SIDE, 2 * SIDE), 0.5);
    let operations = 2.0 * (SIDE * 2 * SIDE * 2 * SIDE) as f64;
    let best = (0..20).map(|_| {
        let start = Instant::now();
        std::hint::black_box(matmul(x.view(), y.view()));
        start.elapsed().as_secs_f64()
    });
    operations / best.fold(f64::INFINITY, f64::min)
}

//! Long work: Python goes on meanwhile, bars move, and Ctrl-C ends it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use tuwen::progress::Progress;

use crate::{raised, warnings};

/// How often Python is asked whether the user has had enough, and how often a bar moves.
const TICK: Duration = Duration::from_millis(100);

/// What a stage is left by.
struct Stopped;

/// A bar of tqdm, where tqdm is installed.
struct Bar {
    bar: Py<PyAny>,
    pending: u64,
    moved: Instant,
}

/// Shows stages in tqdm's bars, and leaves them when it is told to.
#[derive(Default)]
pub struct Bars {
    tqdm: Option<Py<PyAny>>,
    bar: Mutex<Option<Bar>>,
    stop: AtomicBool,
}

impl Bars {
    /// For the beginning of each piece of parallel work: rayon begins every piece, whatever became of the others.
    pub fn leave_if_stopped(&self) {
        if self.stop.load(Ordering::Relaxed) {
            resume_unwind(Box::new(Stopped));
        }
    }

    fn with(&self, f: impl FnOnce(Python, &mut Option<Bar>)) {
        Python::attach(|py| {
            if let Ok(mut bar) = self.bar.lock() {
                f(py, &mut bar);
            }
        });
    }
}

impl Progress for Bars {
    fn start(&self, stage: &str, total: u64) {
        let Some(tqdm) = &self.tqdm else { return };
        self.with(|py, bar| {
            let kwargs = pyo3::types::PyDict::new(py);
            let set = kwargs
                .set_item("total", total)
                .and(kwargs.set_item("desc", stage))
                .and(kwargs.set_item("leave", false));
            // A bar that cannot be drawn is no reason to stop.
            let made = set.and_then(|()| tqdm.call(py, (), Some(&kwargs)));
            *bar = made.ok().map(|bar| Bar {
                bar,
                pending: 0,
                moved: Instant::now(),
            });
        });
    }

    fn step(&self, n: u64) {
        self.leave_if_stopped();
        if self.tqdm.is_none() {
            return;
        }
        // Python is not waited for where another step is just moving the bar.
        let due = match self.bar.try_lock().as_deref_mut() {
            Ok(Some(bar)) => {
                bar.pending += n;
                bar.moved.elapsed() >= TICK
            }
            _ => false,
        };
        if due {
            self.with(|py, bar| {
                if let Some(bar) = bar {
                    let _ = bar.bar.call_method1(py, "update", (bar.pending,));
                    (bar.pending, bar.moved) = (0, Instant::now());
                }
            });
        }
    }

    fn finish(&self) {
        if self.tqdm.is_none() {
            return;
        }
        self.with(|py, bar| {
            if let Some(bar) = bar.take() {
                let _ = bar.bar.call_method1(py, "update", (bar.pending,));
                let _ = bar.bar.call_method0(py, "close");
            }
        });
    }
}

/// Runs `work` on a thread of its own. Ctrl-C ends it at its next step; what it has written so far stays and is used again.
pub fn run<T: Send>(
    py: Python,
    progress: bool,
    work: impl FnOnce(&Bars) -> tuwen::Result<T> + Send,
) -> PyResult<T> {
    let tqdm = match progress {
        true => py.import("tqdm.auto").and_then(|m| m.getattr("tqdm")).ok(),
        false => None,
    };
    let bars = Bars {
        tqdm: tqdm.map(Bound::unbind),
        ..Bars::default()
    };
    let bars = &bars;
    let outcome = py.detach(move || {
        let (done, waiting) = channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let outcome = catch_unwind(AssertUnwindSafe(|| work(bars)));
                let _ = done.send(outcome); // the other end waits until it comes
            });
            loop {
                match waiting.recv_timeout(TICK) {
                    Ok(outcome) => return Ok(outcome),
                    Err(RecvTimeoutError::Disconnected) => return Err(None),
                    Err(RecvTimeoutError::Timeout) => {
                        if let Err(e) = Python::attach(|py| py.check_signals()) {
                            bars.stop.store(true, Ordering::Relaxed);
                            let _ = waiting.recv();
                            return Err(Some(e));
                        }
                    }
                }
            }
        })
    });
    warnings::tell(py)?;
    match outcome {
        Ok(Ok(result)) => result.map_err(raised),
        Ok(Err(payload)) if payload.is::<Stopped>() => Err(PyKeyboardInterrupt::new_err(())),
        Ok(Err(payload)) => resume_unwind(payload),
        Err(e) => Err(e.unwrap_or_else(|| raised("the work ended without an answer"))),
    }
}

//! Long work: Python goes on meanwhile, bars move, and Ctrl-C ends it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use tuwen::progress::Progress;

use crate::{raised, warnings};

/// How often Python is asked whether the user has had enough, and how often a bar moves.
const TICK: Duration = Duration::from_millis(100);

/// What a stage is left by.
struct Stopped;

/// Shows stages in tqdm's bars, and leaves them when it is told to.
///
/// Nothing here waits for Python while it holds a lock, or for a lock that somebody holds who waits for Python.
#[derive(Default)]
pub struct Bars {
    tqdm: Option<Py<PyAny>>,
    bar: Mutex<Option<Py<PyAny>>>,
    /// Steps that the bar does not show yet.
    pending: AtomicU64,
    /// When the bar moves next; held by the one that moves it.
    due: Mutex<Option<Instant>>,
    stop: AtomicBool,
}

impl Bars {
    /// For the beginning of each piece of parallel work: rayon begins every piece, whatever became of the others.
    pub fn leave_if_stopped(&self) {
        if self.stop.load(Ordering::Relaxed) {
            resume_unwind(Box::new(Stopped));
        }
    }

    fn put(&self, bar: Option<Py<PyAny>>) -> Option<Py<PyAny>> {
        let mut place = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, bar)
    }

    fn update(&self, py: Python, bar: &Py<PyAny>) {
        // a bar that cannot be drawn is no reason to stop
        let _ = bar.call_method1(py, "update", (self.pending.swap(0, Ordering::Relaxed),));
    }
}

impl Progress for Bars {
    fn start(&self, stage: &str, total: u64) {
        let Some(tqdm) = &self.tqdm else { return };
        Python::attach(|py| {
            let kwargs = pyo3::types::PyDict::new(py);
            let set = kwargs
                .set_item("total", total)
                .and(kwargs.set_item("desc", stage))
                .and(kwargs.set_item("leave", false));
            let made = set.and_then(|()| tqdm.call(py, (), Some(&kwargs)));
            self.pending.store(0, Ordering::Relaxed);
            drop(self.put(made.ok()));
        });
    }

    fn step(&self, n: u64) {
        self.leave_if_stopped();
        if self.tqdm.is_none() {
            return;
        }
        self.pending.fetch_add(n, Ordering::Relaxed);
        // one moves the bar at a time, and nobody waits for that
        let Ok(mut due) = self.due.try_lock() else {
            return;
        };
        if due.is_none_or(|due| due <= Instant::now()) {
            Python::attach(|py| {
                if let Some(bar) = self.put(None) {
                    self.update(py, &bar);
                    drop(self.put(Some(bar)));
                }
            });
            *due = Some(Instant::now() + TICK);
        }
    }

    fn finish(&self) {
        if self.tqdm.is_none() {
            return;
        }
        Python::attach(|py| {
            if let Some(bar) = self.put(None) {
                self.update(py, &bar);
                let _ = bar.call_method0(py, "close");
            }
        });
    }
}

/// Does short work while Python goes on.
pub fn brief<T: Send>(py: Python, work: impl FnOnce() -> tuwen::Result<T> + Send) -> PyResult<T> {
    let outcome = py.detach(work).map_err(raised);
    warnings::after(py, outcome)
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
    let outcome = match outcome {
        Ok(Ok(result)) => result.map_err(raised),
        Ok(Err(payload)) if payload.is::<Stopped>() => Err(PyKeyboardInterrupt::new_err(())),
        Ok(Err(payload)) => resume_unwind(payload),
        Err(e) => Err(e.unwrap_or_else(|| raised("the work ended without an answer"))),
    };
    warnings::after(py, outcome)
}

//! Progress bars and log lines on stderr, one not tearing the other.

use std::io::{self, Write};
use std::sync::{LazyLock, Mutex};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tuwen::progress::Progress;

static SCREEN: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

const TEMPLATE: &str = "{msg:<28} {bar:30} {pos}/{len} {per_sec} ETA {eta}";

/// Bars with rate and time to go; nothing is drawn where stderr is not a terminal.
#[derive(Default)]
pub struct Bars {
    current: Mutex<Option<ProgressBar>>,
}

impl Bars {
    fn with(&self, f: impl FnOnce(&mut Option<ProgressBar>)) {
        f(&mut self
            .current
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Progress for Bars {
    fn start(&self, stage: &str, total: u64) {
        let style = ProgressStyle::with_template(TEMPLATE).expect("a valid template");
        let bar = SCREEN.add(ProgressBar::new(total).with_style(style));
        bar.set_message(stage.to_owned());
        self.with(|current| *current = Some(bar));
    }

    fn step(&self, n: u64) {
        self.with(|current| {
            if let Some(bar) = current {
                bar.inc(n);
            }
        });
    }

    fn finish(&self) {
        self.with(|current| {
            if let Some(bar) = current.take() {
                bar.finish_and_clear();
            }
        });
    }
}

/// Where log lines go.
#[derive(Default)]
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Where the log cannot be written, the work goes on.
        let _ = SCREEN.suspend(|| io::stderr().write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

//! Progress of long stages and warnings on the way. The library reports; the program displays.

/// Receives the progress of stages that take a while.
pub trait Progress: Sync {
    /// A stage of `total` steps begins.
    fn start(&self, stage: &str, total: u64);
    /// `n` more steps are done; called from any thread.
    fn step(&self, n: u64);
    /// The stage is over.
    fn finish(&self);
}

/// Ignores all progress.
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _: &str, _: u64) {}
    fn step(&self, _: u64) {}
    fn finish(&self) {}
}

/// Number of warnings of one kind that are shown; the rest need more verbosity (`-v`).
const SHOWN: usize = 10;

/// Logs the messages of one kind of warning, the first ten as warnings and the rest at debug level, and then their
/// number.
pub fn warn_each(kind: &str, messages: impl Iterator<Item = String>) {
    let mut count = 0;
    for message in messages {
        if count < SHOWN {
            tracing::warn!("{kind}: {message}");
        } else {
            tracing::debug!("{kind}: {message}");
        }
        count += 1;
    }
    if count > SHOWN {
        tracing::warn!("{kind}: {count} in all; -v lists them");
    } else if count > 1 {
        tracing::warn!("{kind}: {count} in all");
    }
}

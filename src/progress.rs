//! How far a long stage is, and what went wrong on the way. The library reports; the program draws.

/// Told about stages that take a while.
pub trait Progress: Sync {
    /// A stage of `total` steps begins.
    fn start(&self, stage: &str, total: u64);
    /// Steps done, from any thread.
    fn step(&self, n: u64);
    fn finish(&self);
}

/// Tells nobody.
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _: &str, _: u64) {}
    fn step(&self, _: u64) {}
    fn finish(&self) {}
}

/// Warnings of one kind that are shown; the others are for those who ask for more (`-v`).
const SHOWN: usize = 10;

/// Warns of each thing of a kind, and says how many there are.
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

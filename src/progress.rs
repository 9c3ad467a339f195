//! How far a long stage is. The library reports; the program draws.

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

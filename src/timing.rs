//! Where the time goes: how long each thread was at which stage.
//!
//! A thread is at one stage at a time: what is begun within another stage, also when rayon lets a waiting thread take up
//! other work, stops the clock of the outer one until it is done. What other threads do for a stage counts where it is a
//! stage of its own, as products of matrices are.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Something that takes time, summed over all threads since the program began.
#[derive(Debug)]
pub struct Stage {
    pub name: &'static str,
    /// What [`Self::work`] counts, where it does: `B`, `px` or `FLOP`, of which one in f64 counts as two.
    pub unit: Option<&'static str>,
    nanoseconds: AtomicU64,
    calls: AtomicU64,
    work: AtomicU64,
}

impl Stage {
    const fn new(name: &'static str, unit: Option<&'static str>) -> Self {
        Self {
            name,
            unit,
            nanoseconds: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            work: AtomicU64::new(0),
        }
    }

    /// Runs `f` on this stage's clock.
    pub fn time<T>(&'static self, f: impl FnOnce() -> T) -> T {
        self.time_work(0, f)
    }

    /// Runs `f`, which does so much, on this stage's clock.
    pub fn time_work<T>(&'static self, work: u64, f: impl FnOnce() -> T) -> T {
        /// Goes back to the outer stage, also where `f` panics.
        struct Inside(Option<&'static Stage>);
        impl Drop for Inside {
            fn drop(&mut self) {
                switch(self.0);
            }
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.did(work);
        let _inside = Inside(switch(Some(self)));
        f()
    }

    /// Counts work that is known only once it is done.
    pub fn did(&self, work: u64) {
        self.work.fetch_add(work, Ordering::Relaxed);
    }

    /// Of all threads together.
    pub fn seconds(&self) -> f64 {
        self.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9
    }

    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// In [`Self::unit`]s.
    pub fn work(&self) -> u64 {
        self.work.load(Ordering::Relaxed)
    }
}

thread_local! {
    /// The stage that this thread is at, and since when.
    static CURRENT: Cell<(Option<&'static Stage>, Option<Instant>)> = const { Cell::new((None, None)) };
}

/// Goes from one stage to another; the one before.
fn switch(to: Option<&'static Stage>) -> Option<&'static Stage> {
    let now = Instant::now();
    let (from, since) = CURRENT.replace((to, Some(now)));
    if let (Some(stage), Some(since)) = (from, since) {
        let spent = now.duration_since(since).as_nanos() as u64;
        stage.nanoseconds.fetch_add(spent, Ordering::Relaxed);
    }
    from
}

/// MiB of memory that this process had at most, where the system tells (Linux).
pub fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

macro_rules! stages {
    ($($(#[$doc:meta])* $id:ident = $name:literal $(in $unit:literal)?;)*) => {
        $($(#[$doc])* pub static $id: Stage = Stage::new($name, stages!(@unit $($unit)?));)*
        /// In the order of a run.
        pub static ALL: &[&Stage] = &[$(&$id),*];
    };
    (@unit) => { None };
    (@unit $unit:literal) => { Some($unit) };
}

stages! {
    /// Reading files and their digests.
    DIGEST = "digests of pictures" in "B";
    /// JPEG and the like to pixels.
    DECODE = "decoding pictures" in "px";
    /// To the working size, and luma.
    SCALE = "scaling pictures";
    /// SIFT and ORB.
    KEYPOINTS = "keypoints (OpenCV)";
    DENSE_SIFT = "dense SIFT";
    COLOUR = "colour statistics";
    APPEARANCE = "whole-picture features";
    NETWORK = "networks";
    CODEBOOK = "codebooks and mixtures";
    /// VLAD, bags of words, Fisher vectors.
    ENCODING = "encoding";
    PCA = "PCA";
    READING = "reading text in pictures";
    SEGMENTATION = "segmentation";
    TF_IDF = "TF-IDF";
    LSA = "LSA";
    FUSION = "learning the fusion";
    PROJECTION = "projection";
    MATCHING = "verifying geometry";
    INDEX = "building the index";
    SEARCH = "searching";
    /// Reading and writing what is kept.
    ARTIFACTS = "artifacts" in "B";
    /// Products of matrices, of whatever stage.
    PRODUCTS = "matrix products" in "FLOP";
}

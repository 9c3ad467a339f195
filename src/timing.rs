//! Time spent in each stage, per thread.
//!
//! A thread is in one stage at a time. If another stage begins inside a stage, the outer clock stops until the
//! inner stage ends, also when rayon lets a waiting thread take up other work. Work that other threads do for a
//! stage counts only if it is a stage itself, such as matrix products.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// A stage with its clock and counters, summed over all threads since the program began.
#[derive(Debug)]
pub struct Stage {
    /// Name of the stage, as the timings table prints it.
    pub name: &'static str,
    /// Unit of [`Self::work`], if the stage counts it: `B` (bytes), `px` (pixels) or `FLOP` (one in f64 counts as
    /// two).
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

    /// Runs `f` on this stage's clock and returns its result.
    pub fn time<T>(&'static self, f: impl FnOnce() -> T) -> T {
        self.time_work(0, f)
    }

    /// Runs `f` on this stage's clock and counts `work` units of work.
    pub fn time_work<T>(&'static self, work: u64, f: impl FnOnce() -> T) -> T {
        /// Returns to the outer stage, also if `f` panics.
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

    /// Counts work whose amount is known only afterwards.
    pub fn did(&self, work: u64) {
        self.work.fetch_add(work, Ordering::Relaxed);
    }

    /// Seconds spent, summed over all threads.
    pub fn seconds(&self) -> f64 {
        self.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9
    }

    /// Number of calls of [`Self::time`] and [`Self::time_work`].
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Work done, in units of [`Self::unit`]; 0 if the stage counts none.
    pub fn work(&self) -> u64 {
        self.work.load(Ordering::Relaxed)
    }
}

thread_local! {
    /// The stage that this thread is in, and since when.
    static CURRENT: Cell<(Option<&'static Stage>, Option<Instant>)> = const { Cell::new((None, None)) };
}

/// Switches to another stage and returns the one before.
fn switch(to: Option<&'static Stage>) -> Option<&'static Stage> {
    let now = Instant::now();
    let (from, since) = CURRENT.replace((to, Some(now)));
    if let (Some(stage), Some(since)) = (from, since) {
        let spent = now.duration_since(since).as_nanos() as u64;
        stage.nanoseconds.fetch_add(spent, Ordering::Relaxed);
    }
    from
}

/// Peak memory of this process in MiB, if the system tells (Linux).
pub fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

macro_rules! stages {
    ($($(#[$doc:meta])* $id:ident = $name:literal $(in $unit:literal)?;)*) => {
        $($(#[$doc])* pub static $id: Stage = Stage::new($name, stages!(@unit $($unit)?));)*
        /// All stages, in the order of a run.
        pub static ALL: &[&Stage] = &[$(&$id),*];
    };
    (@unit) => { None };
    (@unit $unit:literal) => { Some($unit) };
}

stages! {
    /// Reading picture files and computing their digests; work in bytes.
    DIGEST = "digests of pictures" in "B";
    /// Decoding picture files to pixels; work in pixels.
    DECODE = "decoding pictures" in "px";
    /// Scaling to the working size, and luma.
    SCALE = "scaling pictures";
    /// Detecting SIFT and ORB keypoints.
    KEYPOINTS = "keypoints (OpenCV)";
    /// Dense SIFT descriptors.
    DENSE_SIFT = "dense SIFT";
    /// Local colour statistics.
    COLOUR = "colour statistics";
    /// Whole-picture features, such as histograms and GIST.
    APPEARANCE = "whole-picture features";
    /// Features of neural networks.
    NETWORK = "networks";
    /// Learning k-means codebooks and Gaussian mixtures.
    CODEBOOK = "codebooks and mixtures";
    /// Encoding local descriptors: VLAD, bags of words, Fisher vectors.
    ENCODING = "encoding";
    /// Fitting and applying PCA.
    PCA = "PCA";
    /// Reading the text in pictures.
    READING = "reading text in pictures";
    /// Segmenting captions into tokens.
    SEGMENTATION = "segmentation";
    /// Fitting and applying TF-IDF.
    TF_IDF = "TF-IDF";
    /// Fitting and applying latent semantic analysis.
    LSA = "LSA";
    /// Learning the fusion and choosing its settings.
    FUSION = "learning the fusion";
    /// Projecting views into the shared space.
    PROJECTION = "projection";
    /// Verifying the geometry of keypoint matches.
    MATCHING = "verifying geometry";
    /// Building search indexes.
    INDEX = "building the index";
    /// Searching.
    SEARCH = "searching";
    /// Reading and writing artifacts; work in bytes.
    ARTIFACTS = "artifacts" in "B";
    /// Matrix products of any stage; work in FLOP.
    PRODUCTS = "matrix products" in "FLOP";
}

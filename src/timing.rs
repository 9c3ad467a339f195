//! The stages of the work, as spans of `tracing`: whoever listens can tell where the time goes, of a run or of one request.
//!
//! A stage is a span at the level `TRACE` with the target [`TARGET`] and the stage's name. The work that is done in it is an
//! event with the same target and the fields `stage` and `work`. Where nobody listens, a stage costs a comparison. Stages
//! lie within each other: the time of an inner one is not that of the outer one.

use tracing::Span;

/// The target of spans and events.
pub const TARGET: &str = "tuwen::stage";

/// A stage of the work.
pub struct Stage {
    /// Name of the stage, as the timings table prints it.
    pub name: &'static str,
    /// Unit of the work that it counts, if it does: `B` (bytes), `px` (pixels) or `FLOP` (one in f64 counts as two).
    pub unit: Option<&'static str>,
    span: fn() -> Span,
}

impl Stage {
    const fn new(name: &'static str, unit: Option<&'static str>, span: fn() -> Span) -> Self {
        Self { name, unit, span }
    }

    /// Runs `f` within the stage and returns its result.
    pub fn time<T>(&self, f: impl FnOnce() -> T) -> T {
        self.time_work(0, f)
    }

    /// Runs `f` within the stage and counts `work` units of work.
    pub fn time_work<T>(&self, work: u64, f: impl FnOnce() -> T) -> T {
        let _inside = (self.span)().entered();
        self.did(work);
        f()
    }

    /// Counts work whose amount is known only afterwards.
    pub fn did(&self, work: u64) {
        if work > 0 {
            tracing::trace!(target: TARGET, stage = self.name, work);
        }
    }
}

/// Peak memory of this process in MiB, if the system tells (Linux).
pub fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

macro_rules! stages {
    ($($(#[$doc:meta])* $id:ident = $name:literal $(in $unit:literal)?;)*) => {
        $($(#[$doc])* pub static $id: Stage = Stage::new(
            $name,
            stages!(@unit $($unit)?),
            || tracing::trace_span!(target: TARGET, $name),
        );)*
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
    /// Sentences to vectors.
    SENTENCES = "sentence encoder";
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

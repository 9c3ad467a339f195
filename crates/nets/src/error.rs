use std::path::PathBuf;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Stored weights do not fit the network.
    #[error("the weights do not fit the network: {0}")]
    Weights(String),
    /// There is nothing to learn from.
    #[error("there is nothing to learn from: {0}")]
    Empty(&'static str),
    /// The loss is no longer a number.
    #[error(
        "the loss is not a number after {steps} steps: lower the learning rate, which is {rate}"
    )]
    Diverged {
        /// Steps made.
        steps: usize,
        /// The learning rate.
        rate: f64,
    },
    /// A checkpoint cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

//! The weights of networks that were trained here, in artifacts.

use ndarray::ArrayView1;
use tuwen_nets::weights::Weights;

use crate::artifact::Artifact;
use crate::error::{Error, Result};

const PREFIX: &str = "net.";

impl From<tuwen_nets::Error> for Error {
    fn from(e: tuwen_nets::Error) -> Self {
        Self::Network(e.to_string())
    }
}

/// Adds the weights to an artifact.
pub fn store(weights: &Weights, mut artifact: Artifact) -> Artifact {
    for (name, values) in weights {
        artifact = artifact.with_vector(&format!("{PREFIX}{name}"), ArrayView1::from(values));
    }
    artifact
}

/// The weights that [`store`] added.
///
/// # Errors
/// [`Error::Artifact`] for one that is not of numbers.
pub fn load(artifact: &Artifact) -> Result<Weights> {
    let names = artifact.tensors().filter_map(|(name, _, _)| {
        let short = name.strip_prefix(PREFIX)?;
        Some((short.to_owned(), name.to_owned()))
    });
    let names: Vec<(String, String)> = names.collect();
    let values = |(short, name): (String, String)| Ok((short, artifact.vector(&name)?.to_vec()));
    names.into_iter().map(values).collect()
}

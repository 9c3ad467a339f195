//! The networks that tuwen trains itself: small ones, over what others have computed of a picture, so that two cores suffice.
//!
//! - `captioner`: a Transformer that writes a caption, word by word.
//! - `matching`: networks that compare a picture and a caption as a pair.
//! - `contrast`: vectors learned without a label, and `augment`: random views of pictures for it.
//! - `training`: the loop that all of them learn by, with a schedule, checkpoints and resumption after a kill.
//! - `regions`: pictures as grids of vectors, and [`tokens`]: captions as numbers of words; what goes in.
//! - `weights`: a network's tensors by name, to be stored anywhere.
//!
//! Without the feature `burn` there are the settings ([`params`]) and the vocabularies alone, so that recipes are read anyway.
//!
//! Everything that is drawn at random comes from a seed, so that the same data, plan and seed give the same bytes on the CPU,
//! whatever the number of threads.

#[cfg(feature = "burn")]
pub mod augment;
#[cfg(feature = "burn")]
pub mod captioner;
#[cfg(feature = "burn")]
mod captions;
#[cfg(feature = "burn")]
pub mod contrast;
mod error;
#[cfg(feature = "burn")]
mod gru;
#[cfg(feature = "burn")]
pub mod matching;
pub mod params;
#[cfg(feature = "burn")]
pub mod regions;
#[cfg(feature = "burn")]
mod thin;
pub mod tokens;
#[cfg(feature = "burn")]
pub mod training;
#[cfg(feature = "burn")]
pub mod weights;

#[cfg(feature = "burn")]
pub use burn::tensor::Device;
pub use error::{Error, Result};

#[cfg(feature = "burn")]
/// Where networks are computed: the first GPU where the feature `cuda` is on, else the CPU.
pub fn device() -> Device {
    #[cfg(feature = "cuda")]
    return Device::cuda(0);
    #[cfg(not(feature = "cuda"))]
    Device::flex()
}

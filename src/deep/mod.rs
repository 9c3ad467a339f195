//! Networks that others have trained, as features of pictures: baselines to compare with.
//!
//! [`EfficientNetLite0`] is plain matrix products and runs in every build. CLIP runs on
//! [candle](https://github.com/huggingface/candle), which takes minutes to compile: the feature `deep`.

#[cfg(feature = "deep")]
mod clip;
mod conv;
mod lite0;
mod torch;
mod weights;

#[cfg(feature = "deep")]
pub use clip::{Clip, Fit, clip_pixels};
pub use lite0::{EfficientNetLite0, SIDE};
pub use weights::{Tensor, Weights};

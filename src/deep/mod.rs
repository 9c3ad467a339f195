//! Features of pictures from pre-trained networks, as baselines to compare with.
//!
//! [`EfficientNetLite0`] consists of plain matrix products and is in every build. CLIP runs on
//! [candle](https://github.com/huggingface/candle), which takes minutes to compile, and needs the Cargo feature
//! `deep`.

#[cfg(feature = "deep")]
mod clip;
mod conv;
mod lite0;
mod tensor;
mod torch;
mod weights;

#[cfg(feature = "deep")]
pub use clip::{Clip, Fit, clip_pixels};
pub use lite0::{CLASSES, Classifier, EfficientNetLite0, SIDE};
pub use tensor::Tensor;
pub use weights::Weights;

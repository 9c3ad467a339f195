//! Settings, as a recipe holds them.

use serde::{Deserialize, Serialize};

/// How a network learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// Times that everything is seen.
    pub epochs: usize,
    /// Items of a batch.
    pub batch: usize,
    /// Highest learning rate.
    pub rate: f64,
    /// Part of all steps during which the rate rises to it; then it falls to zero along a cosine.
    pub warm_up: f64,
    /// Weight decay of AdamW (Loshchilov & Hutter 2019).
    pub weight_decay: f64,
    /// Steps between checkpoints.
    pub keep_every: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 64,
            rate: 5e-4,
            warm_up: 0.1,
            weight_decay: 0.01,
            keep_every: 200,
        }
    }
}

/// Shape of the network, how it learns and how it writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaptionerParams {
    /// Numbers of a word and of a region inside the network, a multiple of `heads`.
    pub width: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Numbers of the layer between two layers of `width`.
    pub inner: usize,
    /// Layers over the regions.
    pub encoder_layers: usize,
    /// Layers over the words.
    pub decoder_layers: usize,
    /// Part of the numbers that are set to zero while it learns.
    pub dropout: f64,
    /// Probability that goes to all words instead of the right one (label smoothing, Szegedy et al. 2016).
    pub smoothing: f64,
    /// Longest caption in words, with the mark before and the mark after.
    pub length: usize,
    /// Captions of a picture that are learned from in one step.
    pub captions: usize,
    /// Whether half of the pictures are seen as in a mirror.
    pub mirror: bool,
    /// Captions that are written side by side, of which the best stays (beam search).
    pub beam: usize,
    /// A caption's log probability is divided by its length to this power (Wu et al. 2016, §7).
    pub length_power: f64,
    /// How it learns.
    pub plan: Plan,
}

impl Default for CaptionerParams {
    fn default() -> Self {
        Self {
            width: 384,
            heads: 6,
            inner: 1024,
            encoder_layers: 1,
            decoder_layers: 2,
            dropout: 0.3,
            smoothing: 0.1,
            length: 25,
            captions: 5,
            mirror: true,
            beam: 4,
            length_power: 0.7,
            plan: Plan {
                batch: 16,
                epochs: 10,
                ..Plan::default()
            },
        }
    }
}

/// How a picture and a caption are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Multi-scale attention, and captions that a picture guides (Yuan et al. 2022).
    #[default]
    Amfmn,
    /// Words that attend to cells (Lee et al. 2018).
    Scan,
}

/// What a right pair has to be above a wrong one by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Margin {
    /// Always the same.
    Fixed(f64),
    /// Less where the wrong caption resembles the right one: most·(1 − strength·cos) of their TF-IDF vectors.
    Dynamic {
        /// Largest margin.
        most: f64,
        /// From 0 to 1.
        strength: f64,
    },
}

/// The wrong pairs that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Negatives {
    /// All of a batch.
    #[default]
    All,
    /// The one that comes nearest (VSE++, Faghri et al. 2018).
    Hardest,
}

/// A network that compares pairs, and how it learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatcherParams {
    /// The network.
    pub method: Method,
    /// Numbers of a picture or caption inside the network, a multiple of twice `heads`.
    pub width: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Numbers of a word.
    pub word: usize,
    /// Numbers of a cell, the first ones, that come from shallow maps.
    pub shallow: usize,
    /// Part of the numbers that are set to zero while it learns.
    pub dropout: f64,
    /// Margin of the triplet loss.
    pub margin: Margin,
    /// The wrong pairs that count.
    pub negatives: Negatives,
    /// Most words of a caption that are looked at.
    pub length: usize,
    /// Whether half of the pictures are seen as in a mirror.
    pub mirror: bool,
    /// How it learns.
    pub plan: Plan,
}

impl Default for MatcherParams {
    fn default() -> Self {
        Self {
            method: Method::default(),
            width: 512,
            heads: 4,
            word: 300, // Yuan et al. 2022, §IV-B
            shallow: 0,
            dropout: 0.3,
            margin: Margin::Dynamic {
                most: 0.2,
                strength: 0.5,
            },
            negatives: Negatives::default(),
            length: 40,
            mirror: true,
            plan: Plan {
                batch: 100,
                ..Plan::default()
            },
        }
    }
}

/// What is near and what is far while a network learns by contrast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Contrast {
    /// SimCLR (Chen et al. 2020): a view finds its partner among all of a batch.
    NtXent {
        /// What cosines are divided by.
        temperature: f64,
    },
    /// A siamese network (Hadsell et al. 2006): partners come together, others are pushed apart up to a distance.
    Pairs {
        /// That distance, of unit vectors.
        margin: f64,
    },
}

/// A network that learns from pictures alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PictureContrastParams {
    /// The loss.
    pub loss: Contrast,
    /// Side of the pictures that it sees.
    pub side: usize,
    /// Numbers that are compared while it learns.
    pub width: usize,
    /// How it learns.
    pub plan: Plan,
}

impl Default for PictureContrastParams {
    fn default() -> Self {
        Self {
            loss: Contrast::NtXent { temperature: 0.2 },
            side: 64,
            width: 128,
            plan: Plan {
                epochs: 40,
                batch: 128,
                rate: 1e-3,
                ..Plan::default()
            },
        }
    }
}

/// A network that learns from captions alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextContrastParams {
    /// Numbers of a vector, and of a word.
    pub width: usize,
    /// Part of the numbers that are left out of each reading.
    pub dropout: f64,
    /// What cosines are divided by (Gao et al. 2021, §3: 0.05).
    pub temperature: f64,
    /// Most words of a caption that are looked at.
    pub length: usize,
    /// How it learns.
    pub plan: Plan,
}

impl Default for TextContrastParams {
    fn default() -> Self {
        Self {
            width: 256,
            dropout: 0.2,
            temperature: 0.05,
            length: 40,
            plan: Plan {
                epochs: 3,
                batch: 128,
                rate: 1e-3,
                ..Plan::default()
            },
        }
    }
}

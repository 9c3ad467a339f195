//! tuwen (图文): classical, hand-crafted-feature retrieval between images and texts, on a CPU. A sentence
//! finds pictures, a picture finds sentences, and its copies; no GPU, no downloaded network.
//!
//! # How it works
//! ```text
//! dataset ─► image views: SIFT/ORB ─ codebook ─ VLAD ─ PCA ┐
//!            text views:  jieba ─ TF-IDF ─ LSA ────────────┴► fusion (CCA) ─► index (FAISS) ─► answers ─► evaluation
//! ```
//! An **item** is an image or a caption. A **view** is one named way to turn items into vectors, a
//! **fusion** projects the views of both modalities into one **shared space**, and a **recipe** is one file
//! that determines all of it. Every stage has one grammar: parameters (public, with defaults, from TOML) →
//! `fit` on training items → a fitted model of another type, which never changes.
//!
//! Begin with [`training`], which knows the order of the stages; then read one stage: [`descriptor`],
//! [`codebook`], [`encoding`], [`appearance`], [`text`], [`fusion`], [`hubness`], [`scene_text`], [`index`],
//! [`evaluation`]. [`artifact`] is the one file format, [`dataset`] what is read, [`contest`] what is written for the contest,. [`matching`] compares two pictures by their keypoints, [`copies`] finds those of a gallery that show the same, [`ocr`]
//! reads them.
//!
//! # The stages on toy data
//! Six pictures, here described by how red and how blue they are, and their captions:
//! ```
//! use ndarray::array;
//! use tuwen::dataset::Pair;
//! use tuwen::fusion::{CcaParams, FusionParams, Pairs, Side};
//! use tuwen::index::{Flat, Index};
//! use tuwen::text::{Lsa, SegmenterParams, TfIdfParams};
//!
//! let captions = ["红色的苹果", "红色的汽车", "红色的花", "蓝色的大海", "蓝色的汽车", "蓝色的花"];
//! let x = array![[0.9, 0.1], [0.8, 0.1], [0.9, 0.2], [0.1, 0.9], [0.2, 0.8], [0.1, 0.8]]; // n×d
//!
//! // Captions to vectors: tokens, weights, projection.
//! let segmenter = SegmenterParams::default().load()?;
//! let tokens: Vec<_> = captions.iter().map(|c| segmenter.tokens(c)).collect();
//! let tfidf = TfIdfParams { min_df: 1, ..Default::default() }.fit(&tokens)?;
//! let rows: Vec<_> = tokens.iter().map(|t| tfidf.transform(t)).collect();
//! let lsa = Lsa::fit(rows.clone(), tfidf.dim(), 4, 0)?;
//! let y = lsa.transform(&rows);
//!
//! // Both into one space, learned from the pairs.
//! let pairs: Vec<_> = (0..6).map(|i| Pair { image: i, text: i }).collect();
//! let data = Pairs::new(x.view(), y.view(), &pairs);
//! let fusion = FusionParams::Cca(CcaParams::default()).fit(data)?;
//!
//! // A sentence nobody wrote finds the blue pictures.
//! let gallery = Flat::new(fusion.project(Side::Image, x.view())?);
//! let query = lsa.transform(&[tfidf.transform(&segmenter.tokens("蓝色"))]);
//! let hits = &gallery.search(fusion.project(Side::Text, query.view())?.view(), 3)?[0];
//! assert!(hits.iter().all(|hit| hit.item >= 3));
//! # Ok::<(), tuwen::Error>(())
//! ```

pub mod appearance;
pub mod artifact;
pub mod calibration;
pub mod codebook;
pub mod contest;
pub mod copies;
pub mod dataset;
pub mod deep;
pub mod descriptor;
pub mod encoding;
pub mod engine;
pub mod error;
pub mod evaluation;
pub mod files;
pub mod fusion;
pub mod gallery;
pub mod hubness;
pub mod index;
pub mod indexing;
mod lazy;
pub mod linalg;
pub mod matching;
pub mod model;
pub mod ocr;
pub mod picture;
pub mod progress;
pub mod recipe;
pub mod sampling;
pub mod scene_text;
pub mod text;
pub mod timing;
pub mod training;
pub mod views;

pub use error::{Error, Result};

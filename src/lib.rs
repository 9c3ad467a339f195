//! tuwen (图文) searches pictures with Chinese sentences, finds the sentences for a picture, pictures that look alike, and
//! copies. It uses classical, hand-crafted features and runs on a CPU; its main job needs no downloaded network.
//!
//! # From captioned pictures to answers
//! | step | what happens | where |
//! |---|---|---|
//! | trained | a recipe is run on a data set: views are fitted, a fusion is learned from the pairs, settings are chosen on validation data | [`training`] |
//! | learned | all that new pictures and sentences need, in one file that can be copied to another machine | [`model`] |
//! | held | pictures and texts that are searched, in a folder that grows; [`indexing`] keeps it in step with a folder of pictures | [`gallery`] |
//! | asked | a query with text, words, pictures and conditions gets hits with their probabilities | [`engine`] |
//!
//! ```no_run
//! use tuwen::engine::{Engine, Find, Query};
//! use tuwen::indexing::{Indexer, Source};
//! use tuwen::model::Model;
//! use tuwen::progress::Silent;
//!
//! let model = Model::open("demo.tuwen".as_ref())?;
//! Indexer::open("gallery".as_ref(), &model, &Silent)?.sync("photos".as_ref(), &Source::default())?;
//!
//! let engine = Engine::open("gallery".as_ref())?;
//! let answer = engine.ask(&Query::text("海边奔跑的狗"))?;
//! for hit in &answer.hits[..answer.good] {
//!     println!("{} {:?}", hit.id, hit.probability);
//! }
//! let texts = engine.ask(&Query::picture(std::fs::read("dog.jpg").unwrap(), Find::Texts))?;
//! # Ok::<(), tuwen::Error>(())
//! ```
//! The folder `examples/` has whole programs: training, indexing, searching, copies, and vectors of other programs.
//!
//! # What is learned
//! ```text
//! image views: SIFT/ORB ─ codebook ─ VLAD ─ PCA ┐
//! text views:  jieba ─ TF-IDF ─ LSA ────────────┴► fusion (CCA) ─► shared space ─► scores ─► probabilities
//! ```
//! An **item** is an image or a caption. A **view** is one named way to turn items into vectors, a
//! **fusion** projects the views of both modalities into one **shared space**, and a **recipe** is one file
//! that determines all of it. Every stage has one grammar: parameters (public, with defaults, from TOML) →
//! `fit` on training items → a fitted model of another type, which never changes.
//!
//! # Modules
//! - [`dataset`] reads captioned pictures, [`recipe`] the settings, [`picture`] decodes.
//! - Pictures: [`descriptor`], [`codebook`] and [`encoding`] for local features, [`appearance`] for whole pictures,
//!   [`networks`] that others have trained. Captions: [`text`], [`sentence`]. [`views`] puts these together.
//! - [`fusion`] learns the shared space, [`hubness`] corrects its scores, [`scene_text`] adds the words that [`ocr`] reads in
//!   pictures, [`calibration`] turns scores into probabilities, [`evaluation`] measures.
//! - [`training`] knows the order of the stages. [`artifact`] is the format of all files that it writes, and of the model.
//! - [`gallery`] stores, [`index`] finds nearest neighbours, [`engine`] answers.
//! - [`matching`] compares two pictures by their keypoints, [`copies`] finds the pictures of a gallery that show the same.
//! - [`captions`] says what a picture shows, and how well captions agree with those of people.
//! - [`contest`] answers the contest's attachments.
//! - [`error`], [`files`], [`linalg`], [`progress`], [`sampling`] and [`timing`] are at the bottom.
//!
//! Begin with [`engine`], or with [`training`] and one stage.
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

#![deny(missing_docs)]
// The library reports by errors, `tracing` and `progress`; it prints nothing.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod appearance;
pub mod artifact;
pub mod calibration;
pub mod captions;
pub mod codebook;
pub mod contest;
pub mod copies;
pub mod dataset;
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
mod leaves;
pub mod linalg;
pub mod matching;
pub mod model;
pub mod networks;
mod npy;
pub mod ocr;
pub mod picture;
pub mod progress;
pub mod recipe;
pub mod sampling;
pub mod scene_text;
pub mod sentence;
pub mod text;
pub mod timing;
pub mod trained;
pub mod training;
pub mod views;

pub use error::{Error, Result};

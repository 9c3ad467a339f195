//! A model: all that was learned, in one file that can be copied to another machine.
//!
//! A model turns pictures and texts into points of the shared space, reads the words in pictures with the networks of the
//! machine it runs on, and says how probable it is that an answer is right. It holds the vocabulary of the training
//! captions and, unless they are left out, the captions themselves; it holds no training picture and no path of one.
//!
//! The file is a [`Bundle`]: its parts are read when they are first needed, so that a sentence does not wait for what only
//! pictures need.
//!
//! | part | what it holds |
//! |---|---|
//! | `images.NAME`, `projections.NAME` | an image view, and its projection before the fusion |
//! | `texts.NAME` | a text view: its vocabulary, weights and directions |
//! | `fusion`, `fusion.texts` | the fusion, and the smaller one that projects texts alone |
//! | `bank.images`, `bank.texts` | training queries that charge images and texts |
//! | `look` | directions of the image views by which pictures look alike |
//! | `copies` | visual words, by which copies are found |
//! | `lexicon` | how rare words are in training captions |
//! | `captions` | the training captions as points of the shared space |
//! | `captioner` | a network that writes captions, where the recipe has one |

mod encoders;
mod keywords;

use std::collections::BTreeMap;
use std::path::Path;

use half::f16;
use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::lazy::Lazy;
pub use encoders::{ImageEncoder, PictureSide, TextSide};
pub use keywords::{Keyword, Vocabulary, Word};

use crate::artifact::{Artifact, Bundle, Fingerprint, Matrix, PartSize};
use crate::calibration::Calibration;
use crate::calibration::keywords::Keywords;
use crate::copies;
use crate::dataset::Direction;
use crate::error::{Error, Result};
use crate::fusion::Side;
use crate::gallery;
use crate::hubness::QueryBank;
use crate::linalg::Pca;
use crate::ocr::{Line, Models, Reader, joined};
use crate::picture::Picture;
use crate::recipe::Recipe;
use crate::scene_text::{Lexicon, Setting};
use crate::text::Dictionaries;
use crate::trained::Captioner;
use crate::views::Shown;

/// The stage name of a model file.
pub const STAGE: &str = "model";

/// The part of a network that writes captions.
pub(crate) const CAPTIONER: &str = "captioner";

/// What a model is besides its parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The recipe that it was made by.
    pub recipe: Recipe,
    /// The dictionaries of each text view that uses some, by the name of the view.
    pub dictionaries: BTreeMap<String, Dictionaries>,
    /// Number of pairs that it learned from.
    pub training_pairs: usize,
    /// Mean recall of the chosen setting on the validation data, in per cent.
    pub validation: Option<f64>,
    /// Width of the shared space.
    pub dim: usize,
    /// How much the words in a picture count beside the shared space, where they do.
    pub words: Option<Setting>,
    /// How scores become probabilities, where enough was validated to tell.
    pub calibrations: Calibrations,
    /// Number of training captions that it keeps; 0 if they were left out.
    pub captions: usize,
}

/// What turns scores into probabilities.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibrations {
    /// Probabilities of pictures for a text.
    pub pictures: Option<Calibration>,
    /// Probabilities of texts for a picture.
    pub texts: Option<Calibration>,
    /// Probabilities of words for a picture.
    pub keywords: Option<Keywords>,
}

/// A loaded model. It never changes, and threads share it.
pub struct Model {
    bundle: Bundle,
    about: About,
    pictures: Lazy<PictureSide>,
    texts: Lazy<TextSide>,
    look: Lazy<Pca>,
    copies: Lazy<copies::Vocabulary>,
    banks: [Lazy<QueryBank>; 2],
    lexicon: Lazy<Lexicon>,
    reader: Lazy<Option<Reader>>,
    captions: Lazy<Captions>,
    captioner: Lazy<Captioner>,
    vocabulary: Lazy<Vocabulary>,
}

/// Items in the shared space.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// n×s, unit rows; zero where an item is not usable.
    pub x: Array2<f32>,
    /// False where nothing is known of an item: no keypoint, no known word.
    pub usable: Vec<bool>,
}

/// A picture as a gallery keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// Its point in the shared space, s numbers; zero where it is not usable.
    pub point: Array1<f32>,
    /// What it is charged for suiting every query.
    pub charge: f32,
    /// Its image views alone, a unit vector: what looks alike lies near.
    pub look: Array1<f32>,
    /// False where no view finds anything in it.
    pub usable: bool,
}

/// The training captions.
pub struct Captions {
    /// In the order of the training data.
    pub texts: Vec<String>,
    /// n×s
    pub points: Matrix<f16>,
    /// What each is charged.
    pub charges: Array1<f32>,
}

impl Captions {
    /// The captions as rows that are searched, with a key for each.
    pub fn rows<'a>(&'a self, keys: &'a [u64]) -> gallery::Points<'a> {
        const CONTIGUOUS: &str = "what an artifact holds is contiguous";
        gallery::Points {
            keys,
            values: self.points.view().to_slice().expect(CONTIGUOUS),
            dim: self.points.dim().1,
            charges: self.charges.as_slice().expect(CONTIGUOUS),
        }
    }

    /// The captions of a model's part, in a space of so many numbers.
    pub(crate) fn load(part: &Artifact, dim: usize) -> Result<Self> {
        let captions = Self {
            texts: part.read_notes()?,
            points: part.kept_matrix("points")?,
            charges: part.vector("charges")?,
        };
        let n = captions.texts.len();
        part.require(captions.points.dim() == (n, dim) && captions.charges.len() == n)?;
        Ok(captions)
    }
}

impl Model {
    /// Opens a model file. Its parts are verified when they are read.
    ///
    /// # Errors
    /// [`Error::Artifact`] for a file that is not a model.
    pub fn open(path: &Path) -> Result<Self> {
        Self::from_bundle(Bundle::open(path, STAGE)?)
    }

    /// A model of parts that are in memory or in a file.
    pub fn from_bundle(bundle: Bundle) -> Result<Self> {
        Ok(Self {
            about: bundle.notes()?,
            bundle,
            pictures: Lazy::default(),
            texts: Lazy::default(),
            look: Lazy::default(),
            copies: Lazy::default(),
            banks: Default::default(),
            lexicon: Lazy::default(),
            reader: Lazy::default(),
            captions: Lazy::default(),
            captioner: Lazy::default(),
            vocabulary: Lazy::default(),
        })
    }

    /// Writes the model whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        self.bundle.write(path)
    }

    /// What it is, and what it was made by.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The recipe that it was made by.
    pub fn recipe(&self) -> &Recipe {
        &self.about.recipe
    }

    /// Digest of all it holds: models are the same where it is equal.
    pub fn fingerprint(&self) -> &Fingerprint {
        self.bundle.content()
    }

    /// What turns the scores of a direction into probabilities.
    pub fn calibration(&self, direction: Direction) -> Option<&Calibration> {
        let Calibrations {
            pictures, texts, ..
        } = &self.about.calibrations;
        match direction {
            Direction::TextToImage => pictures.as_ref(),
            Direction::ImageToText => texts.as_ref(),
        }
    }

    /// Width of the shared space.
    pub fn dim(&self) -> usize {
        self.about.dim
    }

    /// Its parts and their sizes.
    pub fn parts(&self) -> Vec<PartSize> {
        self.bundle.sizes()
    }

    /// Reads everything and compares it with its digests.
    ///
    /// # Errors
    /// [`Error::Artifact`] naming the first part that is damaged.
    pub fn verify(&self) -> Result<()> {
        self.bundle.verify()
    }

    /// What pictures go through.
    pub fn picture_side(&self) -> Result<&PictureSide> {
        let load = || PictureSide::load(&self.bundle, &self.about.recipe);
        self.pictures.get(load)
    }

    /// What texts go through.
    pub fn text_side(&self) -> Result<&TextSide> {
        let load = || TextSide::load(&self.bundle, &self.about.recipe, &self.about.dictionaries);
        self.texts.get(load)
    }

    /// Texts to points of the shared space, one row for each.
    pub fn embed_texts(&self, texts: &[&str]) -> Result<Points> {
        self.text_side()?.embed(texts)
    }

    /// Pictures at their working size to points of the shared space, one row for each.
    pub fn embed_pictures(&self, pictures: &[Picture]) -> Result<Points> {
        let side = self.picture_side()?;
        let features: Vec<_> = pictures.iter().map(Shown::bare).collect();
        side.embed(&side.features(&features)?)
    }

    /// A picture before the fusion: its image views side by side.
    pub fn features(&self, picture: &Picture) -> Result<Array1<f32>> {
        Ok(self
            .picture_side()?
            .features(&[Shown::bare(picture)])?
            .x
            .row(0)
            .to_owned())
    }

    /// Everything about a picture that a gallery keeps in its points.
    pub fn describe(&self, shown: Shown) -> Result<Described> {
        let side = self.picture_side()?;
        let features = side.features(&[shown])?;
        let points = side.embed(&features)?;
        Ok(Described {
            point: points.x.row(0).to_owned(),
            charge: self.charges(Side::Image, &points)?[0],
            look: self.looks(features.x.view())?.row(0).to_owned(),
            usable: points.usable[0],
        })
    }

    /// [`Self::describe`] for the bytes of a picture file, whose text is read where the recipe wants it.
    ///
    /// # Errors
    /// [`Error::Picture`] for bytes that are no picture, and those of [`Self::read`].
    pub fn describe_file(&self, bytes: &[u8]) -> Result<Described> {
        let picture = Picture::decode(bytes, &self.recipe().picture)?;
        let text = match self.recipe().reads_text() {
            true => joined(&self.read(bytes)?),
            false => String::new(),
        };
        self.describe(Shown {
            text: &text,
            ..Shown::bare(&picture)
        })
    }

    /// The place of a picture file in the shared space.
    ///
    /// # Errors
    /// Those of [`Self::describe_file`], [`Error::Query`] where nothing is found in it.
    pub fn point_of_file(&self, bytes: &[u8]) -> Result<Array1<f32>> {
        let described = self.describe_file(bytes)?;
        match described.usable {
            true => Ok(described.point),
            false => Err(Error::Query {
                reason: "no features were found in this picture".into(),
            }),
        }
    }

    /// n×d features to n×l unit rows, by which pictures look alike.
    pub fn looks(&self, features: ArrayView2<f32>) -> Result<Array2<f32>> {
        let mut look = self.look_directions()?.transform(features)?;
        crate::linalg::l2_normalize_rows(&mut look);
        Ok(look)
    }

    fn look_directions(&self) -> Result<&Pca> {
        self.look.get(|| Pca::load(&self.bundle.part("look")?))
    }

    /// Width of [`Described::look`].
    pub fn look_dim(&self) -> Result<usize> {
        Ok(self.look_directions()?.dim())
    }

    /// What each item is charged for suiting every query; 0 where the recipe charges nothing.
    pub fn charges(&self, side: Side, points: &Points) -> Result<Array1<f32>> {
        Ok(match self.bank(side)? {
            Some(bank) => bank.charges(points.x.view()),
            None => Array1::zeros(points.x.nrows()),
        })
    }

    /// The training queries that charge the items of a side.
    fn bank(&self, side: Side) -> Result<Option<&QueryBank>> {
        let (place, name) = match side {
            Side::Image => (0, "bank.images"),
            Side::Text => (1, "bank.texts"),
        };
        if !self.bundle.has(name) {
            return Ok(None);
        }
        let load = || QueryBank::load(&self.bundle.part(name)?, self.dim());
        self.banks[place].get(load).map(Some)
    }

    /// The visual words by which copies are found.
    pub fn visual_words(&self) -> Result<&copies::Vocabulary> {
        let load = || copies::Vocabulary::load(&self.bundle.part("copies")?);
        self.copies.get(load)
    }

    /// How words are compared.
    pub fn lexicon(&self) -> Result<&Lexicon> {
        self.lexicon
            .get(|| Lexicon::load(&self.bundle.part("lexicon")?))
    }

    /// What reads the words in pictures, where the recipe wants them read and the networks are there; it is said once
    /// where they are not.
    pub fn reader(&self) -> Result<Option<&Reader>> {
        let Some(scene_text) = &self.about.recipe.scene_text else {
            return Ok(None);
        };
        let load = || match scene_text.reader.load(&Models::find()) {
            Ok(reader) => Ok(Some(reader)),
            Err(e) => {
                tracing::warn!("words in pictures are not read: {e}");
                Ok(None)
            }
        };
        Ok(self.reader.get(load)?.as_ref())
    }

    /// The same where words in pictures count in scores, or are part of points.
    pub fn words_reader(&self) -> Result<Option<&Reader>> {
        match self.about.words.is_some() || self.recipe().reads_text() {
            true => self.reader(),
            false => Ok(None),
        }
    }

    /// The lines of text in a picture file; none where words do not count, or cannot be read.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<Line>> {
        match self.words_reader()? {
            Some(reader) => reader.read(bytes),
            None => Ok(vec![]),
        }
    }

    /// The training captions, where the model keeps them.
    pub fn captions(&self) -> Result<Option<&Captions>> {
        if !self.bundle.has("captions") {
            return Ok(None);
        }
        let load = || Captions::load(&self.bundle.part("captions")?, self.dim());
        self.captions.get(load).map(Some)
    }

    /// The network that writes captions, where the model has one.
    ///
    /// # Errors
    /// [`Error::NotBuilt`] if the program was built without such networks.
    pub fn captioner(&self) -> Result<Option<&Captioner>> {
        if !self.bundle.has(CAPTIONER) {
            return Ok(None);
        }
        let load = || Captioner::load(&self.bundle.part(CAPTIONER)?);
        self.captioner.get(load).map(Some)
    }

    /// The words of the training captions as points of the shared space.
    pub fn vocabulary(&self) -> Result<&Vocabulary> {
        let load = || Vocabulary::of(self.text_side()?);
        self.vocabulary.get(load)
    }
}

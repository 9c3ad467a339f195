//! A Transformer that writes captions, from a data set to a model and back.

use std::path::Path;

use ndarray::{Array1, Axis};
use serde::{Deserialize, Serialize};
use tuwen_nets::captioner::{Captioned, Captioner as Net};

use super::networks::{Cells, watch};
use super::{CaptioningParams, Described, Learned};
use crate::artifact::{Artifact, Spec};
use crate::dataset::Collection;
use crate::error::Result;
use crate::networks::own;
use crate::picture::Picture;
use crate::progress::Progress;
use crate::text::{StoredWords, Words};
use crate::views::{Feature, ImageView, Rows, Shown};

/// A captioner with all that it needs to see a picture and to write a sentence.
pub struct Captioner {
    params: CaptioningParams,
    view: Box<dyn ImageView>,
    words: Words,
    net: Net,
}

/// What a captioner came to on a collection.
pub struct Written {
    /// A caption for every picture; an empty one for a picture that cannot be used.
    pub captions: Vec<String>,
    /// The part of the words of the collection's captions that it predicts from those before, the end included.
    pub accuracy: f64,
}

#[derive(Serialize, Deserialize)]
struct Notes {
    params: CaptioningParams,
    #[serde(flatten)]
    words: StoredWords,
    /// Numbers of a cell.
    width: usize,
}

/// Learns from captioned pictures.
///
/// # Errors
/// Those of learning.
pub fn learn_captioner(
    params: &CaptioningParams,
    learned: Learned,
    spec: Spec,
    checkpoint: &Path,
    progress: &dyn Progress,
) -> Result<Artifact> {
    let words = params.words.learn(&learned)?;
    let cells = Cells::of_all(&learned, &params.regions);
    let train = captioned(params, learned.train.collection, &cells.train, &words);
    let val = learned.val.as_ref().zip(cells.val.as_ref());
    let val = val.map(|(v, cells)| captioned(params, v.collection, cells, &words));
    let net = Net::learn(
        &params.network,
        &train,
        val.as_ref(),
        words.count(),
        spec.seed,
        Some(checkpoint),
        &mut watch("captioner", progress),
    )?;
    let notes = Notes {
        params: params.clone(),
        words: words.stored(),
        width: train.regions.width,
    };
    let artifact = Artifact::new(spec)
        .with_notes(&notes)
        .with_part("regions", learned.view);
    Ok(own::store(&net.weights(), artifact))
}

impl Captioner {
    /// Reads what [`learn_captioner`] made.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let Notes {
            params,
            words,
            width,
        } = artifact.read_notes()?;
        let (words, weights) = (words.load()?, own::load(artifact)?);
        Ok(Self {
            view: params.regions.load(&artifact.part("regions")?)?,
            net: Net::of(&params.network, width, words.count(), weights)?,
            words,
            params,
        })
    }

    /// Writes a caption for a picture.
    ///
    /// # Errors
    /// [`Error::Picture`](crate::Error::Picture) if the picture cannot be used.
    pub fn caption(&self, picture: &Picture) -> Result<String> {
        let cells: Array1<f32> = self.view.describe(Shown::bare(picture))?;
        let rows = Rows {
            x: cells.insert_axis(Axis(0)),
            usable: vec![true],
            bad: vec![],
        };
        let cells = Cells::of(&rows, self.params.regions.cells());
        Ok(self.words.caption(&self.net.write(cells.view())[0]))
    }

    /// Writes captions for the pictures of a collection, and predicts those that it has.
    pub fn write(&self, described: &Described) -> Written {
        let cells = Cells::of(described.rows, self.params.regions.cells());
        let data = captioned(&self.params, described.collection, &cells, &self.words);
        let written = self.net.write(cells.view()).into_iter().zip(&cells.usable);
        let written = written.map(|(words, usable)| match usable {
            true => self.words.caption(&words),
            false => String::new(),
        });
        Written {
            captions: written.collect(),
            accuracy: self.net.accuracy(&data),
        }
    }
}

/// The captions of every picture that can be used, as numbers.
fn captioned<'c>(
    params: &CaptioningParams,
    collection: &Collection,
    cells: &'c Cells,
    words: &Words,
) -> Captioned<'c> {
    let most = params.network.length - 2;
    let of = |(texts, usable): (&Vec<usize>, &bool)| {
        let texts = texts.iter().filter(|_| *usable);
        let numbers = texts.map(|&t| words.numbers(&collection.texts[t].caption, most));
        numbers.filter(|n| !n.is_empty()).collect()
    };
    let texts = collection.texts_of_images();
    Captioned {
        regions: cells.view(),
        captions: texts.iter().zip(&cells.usable).map(of).collect(),
    }
}

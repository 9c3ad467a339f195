//! A Transformer that writes captions, from a data set to a model and back.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use tuwen_nets::captioner::{Captioned, Captioner as Net};
use tuwen_nets::tokens::Vocabulary;

use super::networks::{self, Cells};
use super::{CaptionerParams, CaptioningParams};
use crate::artifact::{Artifact, Fingerprint, Spec};
use crate::dataset::{Collection, Split};
use crate::error::{Error, Result};
use crate::networks::own;
use crate::picture::Picture;
use crate::text::Cutter;
use crate::training::Training;
use crate::views::{Feature, ImageView, Rows, Shown};

/// A captioner with all that it needs to see a picture and to write a sentence.
pub struct Captioner {
    view: Box<dyn ImageView>,
    cells: usize,
    cutter: Cutter,
    vocabulary: Vocabulary,
    net: Net,
}

/// What a captioner came to on a split.
pub struct Written {
    /// A caption for every picture of the collection; an empty one for a picture that cannot be used.
    pub captions: Vec<String>,
    /// The part of the words of the collection's captions that it predicts from those before, the end included.
    pub accuracy: f64,
}

#[derive(Serialize, Deserialize)]
struct Notes {
    params: CaptioningParams,
    /// How captions are cut.
    words: String,
    vocabulary: Vocabulary,
    /// Numbers of a cell.
    width: usize,
}

impl Captioner {
    /// Reads a captioner of a model.
    ///
    /// # Errors
    /// [`Error::Artifact`] if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let notes: Notes = artifact.read_notes()?;
        let CaptioningParams {
            regions, network, ..
        } = &notes.params;
        Ok(Self {
            view: regions.load(&artifact.part("regions")?)?,
            cells: regions.grid * regions.grid,
            cutter: Cutter::named(&notes.words)?,
            net: net(network, &notes, artifact)?,
            vocabulary: notes.vocabulary,
        })
    }

    /// What cuts captions into words.
    pub fn cutter(&self) -> &Cutter {
        &self.cutter
    }

    /// Writes a caption for a picture.
    ///
    /// # Errors
    /// [`Error::Picture`] if the picture cannot be used.
    pub fn caption(&self, picture: &Picture) -> Result<String> {
        let cells: Array1<f32> = self.view.describe(Shown::bare(picture))?;
        let rows = Rows {
            x: cells.insert_axis(ndarray::Axis(0)),
            usable: vec![true],
            bad: vec![],
        };
        let cells = Cells::of(&rows, self.cells);
        let words = self.net.write(cells.view()).remove(0);
        Ok(self.cutter.joined(&self.vocabulary.words(&words)))
    }
}

fn net(params: &CaptionerParams, notes: &Notes, artifact: &Artifact) -> Result<Net> {
    let weights = own::load(artifact)?;
    Ok(Net::of(
        params,
        notes.width,
        notes.vocabulary.len(),
        weights,
    )?)
}

impl Training<'_> {
    fn captioning(&self) -> Result<&CaptioningParams> {
        let params = self.recipe.captioner.as_ref();
        params.ok_or_else(|| Error::Recipe {
            path: self.recipe.name.clone().into(),
            reason: "it has no `[captioner]`".into(),
        })
    }

    /// The captions of every picture of a collection that can be used, as numbers.
    fn captioned<'c>(
        &self,
        collection: &Collection,
        cells: &'c Cells,
        cutter: &Cutter,
        vocabulary: &Vocabulary,
    ) -> Result<Captioned<'c>> {
        let most = self.captioning()?.network.length - 2;
        let of = |(texts, usable): (&Vec<usize>, &bool)| {
            let texts = texts.iter().filter(|_| *usable);
            let words = |&t: &usize| cutter.words(&collection.texts[t].caption);
            let numbers = texts.map(|t| vocabulary.numbers(&words(t), most));
            numbers.filter(|n| !n.is_empty()).collect()
        };
        let texts = collection.texts_of_images();
        Ok(Captioned {
            regions: cells.view(),
            captions: texts.iter().zip(&cells.usable).map(of).collect(),
        })
    }

    /// The recipe's captioner, learned from the training pictures.
    ///
    /// # Errors
    /// [`Error::Recipe`] if the recipe has none; those of describing pictures and of learning.
    pub fn captioner(&self) -> Result<Artifact> {
        let params = self.captioning()?;
        let seed = self.recipe.seed;
        let regions = self.regions(&params.regions);
        let mut spec =
            Spec::new("captioner", params, seed).input("regions", regions.fingerprint()?);
        let learned_from = |c: &&Collection| c.split != Split::Test;
        for c in regions.dataset().collections.iter().filter(learned_from) {
            let pairs: Vec<_> = c.pairs.iter().map(|p| (p.image, p.text)).collect();
            spec = spec.input(&c.name, Fingerprint::of(&(c.captions(), pairs)));
        }
        let path = self.file("vocab", "captioner", &spec);
        self.cached(&path, spec, |spec| {
            let rows = regions.rows()?;
            let data = regions.dataset().collections.iter().zip(&rows);
            let cells = params.regions.grid * params.regions.grid;
            let of_split = |split| {
                let mut data = data
                    .clone()
                    .filter(|(c, _)| c.split == split && !c.pairs.is_empty());
                data.next().map(|(c, rows)| (c, Cells::of(rows, cells)))
            };
            let train = of_split(Split::Train);
            let (train, train_cells) = train.ok_or(Error::TooFew {
                what: "captioned pictures to learn from".into(),
                needed: 1,
                found: 0,
            })?;
            let texts = train.captions();
            let cutter = Cutter::of(&texts)?;
            let words: Vec<Vec<String>> = texts.iter().map(|t| cutter.words(t)).collect();
            let vocabulary = Vocabulary::learn(
                words.iter().map(Vec::as_slice),
                params.words.least,
                params.words.most,
            );
            let learn = self.captioned(train, &train_cells, &cutter, &vocabulary)?;
            let val = of_split(Split::Val);
            let val = val
                .as_ref()
                .map(|(c, cells)| self.captioned(c, cells, &cutter, &vocabulary));
            let val = val.transpose()?;
            let net = Net::learn(
                &params.network,
                &learn,
                val.as_ref(),
                vocabulary.len(),
                seed,
                Some(&path.with_extension("checkpoint")),
                &mut networks::watch("captioner", self.progress()),
            )?;
            let notes = Notes {
                params: params.clone(),
                words: cutter.name().to_owned(),
                vocabulary,
                width: learn.regions.width,
            };
            let artifact = Artifact::new(spec)
                .with_notes(&notes)
                .with_part("regions", regions.view()?);
            Ok(own::store(&net.weights(), artifact))
        })
    }

    /// Captions for the pictures of a collection by the recipe's captioner.
    ///
    /// # Errors
    /// As [`Self::captioner`].
    pub fn write_captions(&self, collection: usize) -> Result<Written> {
        let params = self.captioning()?;
        let artifact = self.captioner()?;
        let notes: Notes = artifact.read_notes()?;
        let net = net(&params.network, &notes, &artifact)?;
        let cutter = Cutter::named(&notes.words)?;
        let regions = self.regions(&params.regions);
        let rows = regions.rows()?;
        let cells = Cells::of(&rows[collection], params.regions.grid * params.regions.grid);
        let asked = &regions.dataset().collections[collection];
        let data = self.captioned(asked, &cells, &cutter, &notes.vocabulary)?;
        let written = net.write(cells.view()).into_iter().zip(&cells.usable);
        let written = written.map(|(words, usable)| match usable {
            true => cutter.joined(&notes.vocabulary.words(&words)),
            false => String::new(),
        });
        Ok(Written {
            captions: written.collect(),
            accuracy: net.accuracy(&data),
        })
    }
}

//! A collection of a data set as a gallery, so that it is searched as any other.

use std::sync::Arc;

use half::f16;
use ndarray::{Array2, ArrayView1};

use super::space::{Embedded, embed};
use super::{Features, Fitted, Keep, Training};
use crate::artifact::{Fingerprint, Spec};
use crate::dataset::{Collection, Direction};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::gallery::{
    Bag, Change, Facts, NewCaption, NewItem, NewText, PictureRow, Seen, TextRow, UNUSABLE, Writer,
};
use crate::indexing::stamp;
use crate::model::Model;
use crate::ocr::Line;
use crate::scene_text::{Lexicon, norm};

/// Items that are committed together.
const BLOCK: usize = 2048;

fn halves(x: ArrayView1<f32>) -> Vec<f16> {
    x.iter().map(|&v| f16::from_f32(v)).collect()
}

fn bag(lexicon: &Lexicon, text: &str) -> Bag {
    let bag = lexicon.terms().bag(text);
    Bag {
        norm: norm(&bag, lexicon.rarity()),
        terms: bag
            .0
            .iter()
            .map(|&(t, count)| (t.digest(), count))
            .collect(),
    }
}

impl Training<'_> {
    /// An engine over the pictures and texts of a collection. Model and gallery are kept in the work folder.
    ///
    /// # Errors
    /// [`Error::Recipe`] for a recipe that needs all queries at once.
    pub fn engine(
        &self,
        collection: usize,
        features: &[Features],
        fitted: &Fitted,
    ) -> Result<Engine> {
        if self.recipe.transductive() {
            return Err(Error::Recipe {
                path: self.recipe.name.clone().into(),
                reason: "`hubness.bank = \"queries\"` looks at all queries at once: it can be evaluated, not searched".into(),
            });
        }
        let model = Arc::new(self.kept_model(features, fitted)?);
        let what = (
            self.pictures(collection),
            self.texts(collection),
            &self.dataset.collections[collection].directions,
        );
        let spec = Spec::new("gallery", &(), 0)
            .input("model", model.fingerprint().clone())
            .input("items", Fingerprint::of(&what));
        let name = format!("gallery-{}", spec.fingerprint().short());
        let folder = self.folder("features").join(name);
        let mut writer = Writer::open(&folder, &stamp(&model)?)?;
        if writer.known()?.is_empty() {
            self.fill(&mut writer, collection, features, fitted, &model)?;
        }
        drop(writer);
        Engine::with(model, &folder)
    }

    /// The model, from the work folder where it is there.
    fn kept_model(&self, features: &[Features], fitted: &Fitted) -> Result<Model> {
        let spec =
            Spec::new("model", &self.recipe.picture, 0).input("fusion", fitted.fingerprint.clone());
        let path = self
            .file("features", "model", &spec)
            .with_extension("tuwen");
        if let Ok(model) = Model::open(&path)
            && model.verify().is_ok()
        {
            return Ok(model);
        }
        self.model(features, fitted, Keep { captions: false })?
            .save(&path)?;
        Model::open(&path)
    }

    fn fill(
        &self,
        writer: &mut Writer,
        place: usize,
        features: &[Features],
        fitted: &Fitted,
        model: &Model,
    ) -> Result<()> {
        let c = &self.dataset.collections[place];
        let z = embed(&fitted.fusion, &features[place])?;
        let charges = |direction, n: usize| -> Result<Vec<f32>> {
            let charges = self.charges(direction, features, &fitted.fusion, &z)?;
            Ok(charges.map_or(vec![0.0; n], |c| c.to_vec()))
        };
        let rows = Rows {
            c,
            contents: &self.contents[place],
            lexicon: model.lexicon()?,
            of_images: charges(Direction::TextToImage, c.images.len())?,
            of_texts: charges(Direction::ImageToText, c.texts.len())?,
            looks: model.looks(features[place].images.x.view())?,
            read: self.lines(fitted.scene_text.as_ref(), place)?,
            z,
        };
        let images: Vec<usize> = (0..c.plain_images().len()).collect();
        for block in images.chunks(BLOCK) {
            writer.commit(&Change {
                add: block.iter().map(|&i| rows.image(i)).collect(),
                ..Change::default()
            })?;
        }
        let texts: Vec<usize> = (0..c.texts.len()).collect();
        for block in texts.chunks(BLOCK) {
            writer.commit(&Change {
                texts: block.iter().map(|&t| rows.text(t)).collect(),
                ..Change::default()
            })?;
        }
        Ok(())
    }
}

/// A collection as rows of a gallery.
struct Rows<'a> {
    c: &'a Collection,
    contents: &'a [Fingerprint],
    lexicon: &'a Lexicon,
    z: Embedded,
    of_images: Vec<f32>,
    of_texts: Vec<f32>,
    looks: Array2<f32>,
    /// Of each image.
    read: Vec<Vec<Line>>,
}

impl Rows<'_> {
    fn image(&self, i: usize) -> NewItem {
        let Self { c, z, read, .. } = self;
        let usable = z.image_usable[i];
        NewItem {
            facts: Facts {
                id: c.images[i].id.0.clone(),
                path: c.images[i].source.describe(),
                digest: self.contents[i].to_string(),
                read: serde_json::to_value(&read[i]).expect("lines are plain data"),
                ..Facts::default()
            },
            seen: Seen::Good(PictureRow {
                point: halves(z.images.row(i)),
                charge: if usable { self.of_images[i] } else { UNUSABLE },
                look: halves(self.looks.row(i)),
                copies: vec![],
                read: bag(self.lexicon, &crate::engine::joined(&read[i])),
                tags: Bag::default(),
            }),
            captions: None,
        }
    }

    fn text(&self, t: usize) -> NewText {
        let Self { c, z, .. } = self;
        NewText {
            item: None,
            text: NewCaption {
                id: c.texts[t].id.0.clone(),
                caption: c.texts[t].caption.clone(),
                row: TextRow {
                    point: halves(z.texts.row(t)),
                    charge: if z.text_usable[t] {
                        self.of_texts[t]
                    } else {
                        UNUSABLE
                    },
                    terms: bag(self.lexicon, &c.texts[t].caption),
                },
            },
        }
    }
}

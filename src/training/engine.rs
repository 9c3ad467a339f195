//! A collection of a data set as a gallery, so that it is searched as any other.

use std::sync::Arc;

use ndarray::Array2;

use super::space::{Embedded, embed};
use super::{Features, Fitted, Keep, Training};
use crate::artifact::{Fingerprint, Spec};
use crate::dataset::{Collection, Direction};
use crate::engine::Engine;
use crate::error::Result;
use crate::files;
use crate::gallery::{
    Bag, Change, Facts, NewCaption, NewItem, NewText, PictureRow, Seen, TextRow, Writer,
};
use crate::indexing::{bag, charge, halves, stamp};
use crate::model::Model;
use crate::ocr::{Line, joined};
use crate::scene_text::Lexicon;

impl Training<'_> {
    /// An engine over the pictures and texts of a collection. Model and gallery are kept in the work folder.
    ///
    /// # Errors
    /// [`Error::Recipe`](crate::Error::Recipe) for a recipe that needs all queries at once.
    pub fn engine(
        &self,
        collection: usize,
        features: &[Features],
        fitted: &Fitted,
    ) -> Result<Engine> {
        self.recipe.require_single_queries()?;
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
        let _alone = files::lock_folder(&folder)?;
        if let Ok(engine) = Engine::with(model.clone(), &folder)
            && engine.view()?.snapshot.generation() > 0
        {
            return Ok(engine);
        }
        let change = self.rows(collection, features, fitted, &model)?;
        Writer::open(&folder, &stamp(&model)?)?.commit(&change)?;
        Engine::with(model, &folder)
    }

    /// The model, from the work folder where it is there.
    fn kept_model(&self, features: &[Features], fitted: &Fitted) -> Result<Model> {
        let mut recipe = self.recipe.clone();
        recipe.expected.clear(); // nothing that is computed depends on it
        let words = self.view.as_ref().map(|v| v.fingerprint());
        let spec = Spec::new("model", &recipe, 0)
            .input("fusion", fitted.fingerprint.clone())
            .input("words", Fingerprint::of(&words));
        let path = self
            .file("features", "model", &spec)
            .with_extension("tuwen");
        if let Ok(model) = Model::open(&path)
            && model.verify().is_ok()
        {
            return Ok(model);
        }
        let model = self.model(features, fitted, Keep { captions: false })?;
        model.save(&path)?;
        Ok(model)
    }

    /// All pictures and texts of a collection, to be committed as a whole: a gallery is there with all of them or is
    /// filled again.
    fn rows(
        &self,
        place: usize,
        features: &[Features],
        fitted: &Fitted,
        model: &Model,
    ) -> Result<Change> {
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
        Ok(Change {
            add: (0..c.plain_images().len()).map(|i| rows.image(i)).collect(),
            texts: (0..c.texts.len()).map(|t| rows.text(t)).collect(),
            ..Change::default()
        })
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
                charge: charge(z.image_usable[i], self.of_images[i]),
                look: halves(self.looks.row(i)),
                copies: vec![],
                read: bag(self.lexicon, &joined(&read[i])),
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
                    charge: charge(z.text_usable[t], self.of_texts[t]),
                    terms: bag(self.lexicon, &c.texts[t].caption),
                },
            },
        }
    }
}

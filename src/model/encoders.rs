//! What pictures and texts go through on their way to the shared space.

use ndarray::{Array1, Array2};
use rayon::prelude::*;

use super::{About, Points};
use crate::artifact::Bundle;
use crate::error::Result;
use crate::fusion::{Fusion, Side};
use crate::hubness::QueryBank;
use crate::picture::Picture;
use crate::views::{ImageView, Projection, Rows, TextView, TextViewSetup};

/// An image view with its projection.
pub struct ImageEncoder {
    /// Name of the view in the recipe.
    pub name: String,
    /// Factor of this view's vectors beside the others'.
    pub weight: f32,
    view: Box<dyn ImageView>,
    projection: Projection,
}

/// What pictures go through.
pub struct PictureSide {
    encoders: Vec<ImageEncoder>,
    fusion: Fusion,
    bank: Option<QueryBank>,
}

/// What texts go through.
pub struct TextSide {
    /// With the factor of each one's block.
    views: Vec<(f32, TextView)>,
    /// The place among them of the first that cuts texts into words.
    words: Option<usize>,
    fusion: Fusion,
    bank: Option<QueryBank>,
}

fn bank(bundle: &Bundle, name: &str) -> Result<Option<QueryBank>> {
    let part = bundle.has(name).then(|| bundle.part(name)).transpose()?;
    part.map(|part| QueryBank::load(&part)).transpose()
}

/// Rows before the fusion to points after it.
fn embed(fusion: &Fusion, bank: Option<&QueryBank>, side: Side, rows: &Rows) -> Result<Points> {
    let mut projected = Rows {
        x: fusion.project(side, rows.x.view())?,
        usable: rows.usable.clone(),
        bad: vec![],
    };
    projected.blank_unusable();
    Ok(Points {
        charges: match bank {
            Some(bank) => bank.charges(projected.x.view()),
            None => Array1::zeros(projected.x.nrows()),
        },
        x: projected.x,
        usable: projected.usable,
    })
}

impl PictureSide {
    pub(super) fn load(bundle: &Bundle, about: &About) -> Result<Self> {
        let encoder = |params: &crate::views::ImageViewParams| {
            let projection = bundle.part(&format!("projections.{}", params.name))?;
            Ok(ImageEncoder {
                name: params.name.clone(),
                weight: params.weight,
                view: params
                    .feature
                    .load(&bundle.part(&format!("images.{}", params.name))?)?,
                projection: Projection::load(params, &projection)?,
            })
        };
        let views = about.recipe.image_views.par_iter();
        Ok(Self {
            encoders: views.map(encoder).collect::<Result<_>>()?,
            fusion: Fusion::load(&bundle.part("fusion")?)?,
            bank: bank(bundle, "bank.images")?,
        })
    }

    /// The image views of pictures at their working size, each with the name that imported vectors are found by, side by
    /// side: one row for each.
    pub fn features(&self, pictures: &[(&str, &Picture)]) -> Result<Rows> {
        let views = self.encoders.iter().map(|encoder| {
            let mut x = Array2::zeros((pictures.len(), encoder.view.dim()));
            for (mut row, (name, picture)) in x.outer_iter_mut().zip(pictures) {
                row.assign(&encoder.view.describe(name, picture)?);
            }
            let found = |row: ndarray::ArrayView1<f32>| row.iter().any(|&v| v != 0.0);
            let rows = Rows {
                usable: x.outer_iter().map(found).collect(),
                x,
                bad: vec![],
            };
            Ok((encoder.weight, encoder.projection.apply(rows)?))
        });
        Ok(Rows::side_by_side(views.collect::<Result<_>>()?))
    }

    /// Features to points of the shared space.
    pub fn embed(&self, features: &Rows) -> Result<Points> {
        embed(&self.fusion, self.bank.as_ref(), Side::Image, features)
    }
}

impl TextSide {
    pub(super) fn load(bundle: &Bundle, about: &About) -> Result<Self> {
        let view = |params: &crate::views::TextViewParams| {
            let setup = TextViewSetup::with(params, about.dictionaries.get(&params.name))?;
            let view = setup.load(&bundle.part(&format!("texts.{}", params.name))?)?;
            Ok((params.weight, view))
        };
        let views = &about.recipe.text_views;
        Ok(Self {
            views: views.par_iter().map(view).collect::<Result<_>>()?,
            words: views
                .iter()
                .position(|v| about.dictionaries.contains_key(&v.name)),
            fusion: Fusion::load(&bundle.part("fusion.texts")?)?,
            bank: bank(bundle, "bank.texts")?,
        })
    }

    /// Texts to points of the shared space, one row for each.
    pub fn embed(&self, texts: &[&str]) -> Result<Points> {
        let views = self
            .views
            .iter()
            .map(|(w, view)| (*w, view.describe(texts)));
        let rows = Rows::side_by_side(views.collect());
        embed(&self.fusion, self.bank.as_ref(), Side::Text, &rows)
    }

    /// The view that cuts texts into words, where there is one.
    pub fn words(&self) -> Option<&TextView> {
        self.words.map(|place| &self.views[place].1)
    }
}

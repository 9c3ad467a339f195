//! What pictures and texts go through on their way to the shared space.

use std::collections::BTreeMap;

use ndarray::Array2;
use rayon::prelude::*;

use super::Points;
use crate::artifact::Bundle;
use crate::error::Result;
use crate::fusion::{Fusion, Side};
use crate::recipe::Recipe;
use crate::text::Dictionaries;
use crate::views::{ImageView, Projection, Rows, Shown, TermView, TextView, TextViewSetup};

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
}

/// What texts go through.
pub struct TextSide {
    /// With the factor of each one's block.
    views: Vec<(f32, TextView)>,
    /// The place among them of the first that cuts texts into words.
    words: Option<usize>,
    fusion: Fusion,
}

/// Rows before the fusion to points after it.
fn embed(fusion: &Fusion, side: Side, rows: &Rows) -> Result<Points> {
    Ok(Points {
        x: fusion.points(side, rows.x.view(), &rows.usable)?,
        usable: rows.usable.clone(),
    })
}

impl PictureSide {
    /// Reads what pictures go through from the parts of a model.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) for a part that is missing or damaged.
    pub fn load(bundle: &Bundle, recipe: &Recipe) -> Result<Self> {
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
        let views = recipe.image_views.par_iter();
        Ok(Self {
            encoders: views.map(encoder).collect::<Result<_>>()?,
            fusion: Fusion::load(&bundle.part("fusion")?)?,
        })
    }

    /// The image views of pictures, side by side: one row for each.
    pub fn features(&self, pictures: &[Shown]) -> Result<Rows> {
        // One picture alone keeps more than one core busy.
        let views = self.encoders.par_iter().map(|encoder| {
            let mut x = Array2::zeros((pictures.len(), encoder.view.dim()));
            for (mut row, shown) in x.outer_iter_mut().zip(pictures) {
                row.assign(&encoder.view.describe(*shown)?);
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
        embed(&self.fusion, Side::Image, features)
    }
}

impl TextSide {
    /// Reads what texts go through from the parts of a model. `dictionaries`: those of each text view that has some.
    ///
    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) for a part that is missing or damaged.
    pub fn load(
        bundle: &Bundle,
        recipe: &Recipe,
        dictionaries: &BTreeMap<String, Dictionaries>,
    ) -> Result<Self> {
        let view = |params: &crate::views::TextViewParams| {
            let setup = TextViewSetup::with(params, dictionaries.get(&params.name))?;
            let view = setup.load(&bundle.part(&format!("texts.{}", params.name))?)?;
            Ok((params.weight, view))
        };
        let all = &recipe.text_views;
        let (views, fusion) = rayon::join(
            || all.par_iter().map(view).collect::<Result<_>>(),
            || Fusion::load(&bundle.part("fusion.texts")?),
        );
        Ok(Self {
            views: views?,
            words: all.iter().position(|v| dictionaries.contains_key(&v.name)),
            fusion: fusion?,
        })
    }

    /// Texts to points of the shared space, one row for each.
    pub fn embed(&self, texts: &[&str]) -> Result<Points> {
        let views = self.views.iter();
        let views = views.map(|(w, view)| Ok((*w, view.describe(texts)?)));
        let rows = Rows::side_by_side(views.collect::<Result<_>>()?);
        embed(&self.fusion, Side::Text, &rows)
    }

    /// The view that cuts texts into words, where there is one.
    pub fn words(&self) -> Option<&TermView> {
        self.views[self.words?].1.terms()
    }
}

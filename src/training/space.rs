//! The shared space: known and new items placed in it, and rankings read off it.

use ndarray::{Array1, Array2, Axis, s};

use super::{Features, Training};
use crate::dataset::{Collection, Direction};
use crate::error::Result;
use crate::evaluation::{self, Ranking};
use crate::fusion::{Fusion, Side};
use crate::hubness::{Bank, QueryBank, asking, charged};
use crate::sampling::sample_places;
use crate::scene_text::{Match, Words};
use crate::trained::Compared;
use crate::views::Rows;

/// A collection in the shared space: unit rows, zero where an item is not usable.
pub struct Embedded {
    /// Points of the pictures, n×s.
    pub images: Array2<f32>,
    /// Which pictures are usable.
    pub image_usable: Vec<bool>,
    /// Points of the captions, m×s.
    pub texts: Array2<f32>,
    /// Which captions are usable.
    pub text_usable: Vec<bool>,
}

/// Both sides of a collection in the shared space.
pub fn embed(fusion: &Fusion, features: &Features) -> Result<Embedded> {
    let points = |side, rows: &Rows| fusion.points(side, rows.x.view(), &rows.usable);
    Ok(Embedded {
        images: points(Side::Image, &features.images)?,
        image_usable: features.images.usable.clone(),
        texts: points(Side::Text, &features.texts)?,
        text_usable: features.texts.usable.clone(),
    })
}

impl Training<'_> {
    /// What the items that a direction searches are charged, if the recipe says so.
    pub(super) fn charges(
        &self,
        direction: Direction,
        features: &[Features],
        fusion: &Fusion,
        z: &Embedded,
    ) -> Result<Option<Array1<f32>>> {
        let Some(params) = &self.recipe.hubness else {
            return Ok(None);
        };
        let (items, queries, usable) = match direction {
            Direction::TextToImage => (&z.images, &z.texts, &z.text_usable),
            Direction::ImageToText => (&z.texts, &z.images, &z.image_usable),
        };
        let charges = match params.bank {
            Bank::Training | Bank::Classes => self
                .bank(direction, &features[self.train()?], fusion)?
                .charges(items.view()),
            Bank::Queries => {
                let queries = queries.select(Axis(0), &usable_rows(usable, usize::MAX));
                params.charge.of(items.view(), queries.view())
            }
        };
        Ok(Some(charges))
    }

    /// The training queries that charge what a direction searches, scaled by their scores on training items.
    pub(super) fn bank(
        &self,
        direction: Direction,
        train: &Features,
        fusion: &Fusion,
    ) -> Result<QueryBank> {
        self.bank_without(direction, train, fusion, None)
    }

    /// The same without the training images that are held out, and their texts.
    pub(super) fn bank_without(
        &self,
        direction: Direction,
        train: &Features,
        fusion: &Fusion,
        held_out: Option<&[bool]>,
    ) -> Result<QueryBank> {
        let params = self.recipe.hubness.clone().unwrap_or_default();
        if params.bank == Bank::Classes {
            let classes = self.classes(fusion)?;
            let queries = match direction {
                Direction::TextToImage => Array2::zeros((0, fusion.dim())),
                Direction::ImageToText => classes.clone(),
            };
            return Ok(QueryBank::new(params.charge, queries, classes.view()));
        }
        let collection = self.dataset.train()?;
        let mut usable = [train.images.usable.clone(), train.texts.usable.clone()];
        for pair in &collection.pairs {
            if held_out.is_some_and(|out| out[pair.image]) {
                usable[0][pair.image] = false;
                usable[1][pair.text] = false;
            }
        }
        let some = |side, rows: &Rows, most| {
            let usable = match side {
                Side::Image => &usable[0],
                Side::Text => &usable[1],
            };
            let chosen = usable_rows(usable, most);
            fusion.project(side, rows.x.select(Axis(0), &chosen).view())
        };
        let texts = some(Side::Text, &train.texts, params.texts)?;
        let images = some(Side::Image, &train.images, params.images)?;
        let (queries, items) = match direction {
            Direction::TextToImage => (texts, images),
            Direction::ImageToText => (images, texts),
        };
        Ok(QueryBank::new(params.charge, queries, items.view()))
    }

    /// A picture of each class that the image views know, in the shared space.
    fn classes(&self, fusion: &Fusion) -> Result<Array2<f32>> {
        let views = self.recipe.image_views.iter();
        let views: Vec<_> = views
            .map(|params| Ok((params, self.fit_image_view(params)?.classes())))
            .collect::<Result<_>>()?;
        let n = views.iter().map(|(_, x)| x.nrows()).max().unwrap_or(0);
        let rows = views.into_iter().map(|(params, known)| {
            let mut x = Array2::zeros((n, known.ncols()));
            x.slice_mut(s![..known.nrows(), ..]).assign(&known);
            let usable = (0..n).map(|i| i < known.nrows()).collect();
            let rows = Rows {
                x,
                usable,
                bad: vec![],
            };
            Ok((params.weight, self.projection(params)?.apply(rows)?))
        });
        let rows = Rows::side_by_side(rows.collect::<Result<_>>()?);
        fusion.project(Side::Image, rows.x.view())
    }
}

/// At most so many usable rows, evenly spread.
pub(super) fn usable_rows(usable: &[bool], most: usize) -> Vec<usize> {
    let all: Vec<usize> = (0..usable.len()).filter(|&i| usable[i]).collect();
    sample_places(all.len(), most).map(|i| all[i]).collect()
}

/// mR on the pairs of the images for which `asked` holds, against each other.
pub(super) fn mean_recall(
    fusion: &Fusion,
    c: &Collection,
    features: &Features,
    asked: impl Fn(usize) -> bool,
) -> Result<f64> {
    let embedded = embed(fusion, features)?;
    let scores = Scores {
        z: &embedded,
        charges: None,
        words: None,
        pairs: None,
    };
    let t2i = ranking(c, scores, Direction::TextToImage, &asked, &asked);
    let i2t = ranking(c, scores, Direction::ImageToText, &asked, &asked);
    Ok(evaluation::mean_recall(&t2i, &i2t))
}

/// What the scores of a collection's items come of.
#[derive(Clone, Copy)]
pub(super) struct Scores<'a> {
    pub z: &'a Embedded,
    /// Of all items that are searched.
    pub charges: Option<&'a Array1<f32>>,
    pub words: Option<&'a Words<'a>>,
    /// Compares the best again, and how much that counts.
    pub pairs: Option<(&'a Compared, f32)>,
}

/// Ranks the images (or texts) for which `asks` holds of their image, with a known answer, among those for which
/// `among` holds.
pub(super) fn ranking(
    c: &Collection,
    Scores {
        z,
        charges,
        words,
        pairs,
    }: Scores,
    direction: Direction,
    asks: impl Fn(usize) -> bool,
    among: impl Fn(usize) -> bool,
) -> Ranking {
    let images: Vec<usize> = (0..c.images.len()).filter(|&i| among(i)).collect();
    let images_of = c.images_of_texts();
    let everything = images.len() == c.images.len();
    let texts: Vec<usize> = (0..c.texts.len())
        .filter(|&t| everything || images_of[t].iter().any(|&i| among(i)))
        .collect();
    let (queries, gallery, answers) = match direction {
        Direction::TextToImage => (&texts, &images, &images_of),
        Direction::ImageToText => (&images, &texts, &c.texts_of_images()),
    };
    let (q, g, usable) = match direction {
        Direction::TextToImage => (&z.texts, &z.images, &z.image_usable),
        Direction::ImageToText => (&z.images, &z.texts, &z.text_usable),
    };
    let mut place = vec![None; g.nrows()];
    gallery
        .iter()
        .enumerate()
        .for_each(|(p, &item)| place[item] = Some(p));
    let asks = |&i: &usize| match direction {
        Direction::TextToImage => images_of[i].iter().any(|&image| asks(image)),
        Direction::ImageToText => asks(i) && !answers[i].is_empty(),
    };
    let queries: Vec<usize> = queries.iter().copied().filter(asks).collect();
    let truth: Vec<Vec<usize>> = queries
        .iter()
        .map(|&i| answers[i].iter().filter_map(|&a| place[a]).collect())
        .collect();
    let usable: Vec<bool> = gallery.iter().map(|&i| usable[i]).collect();
    let (mut q, mut g) = (q.select(Axis(0), &queries), g.select(Axis(0), gallery));
    if let Some(charges) = charges {
        q = asking(q.view());
        g = charged(g.view(), &charges.select(Axis(0), gallery));
    }
    let blend = |query: usize, scores: &mut [f32]| {
        if let Some(Words {
            asking,
            gallery: words_of,
        }) = words
        {
            let matches = words_of.matches(&asking[queries[query]]);
            let here = |m: Match| place[m.item].map(|item| Match { item, ..m });
            words_of.blend(scores, matches.into_iter().filter_map(here));
        }
        if let Some((pairs, weight)) = pairs {
            pairs.reorder(direction, queries[query], gallery, weight, scores);
        }
    };
    let ranks = evaluation::ranks(q.view(), g.view(), &usable, &truth, blend);
    let mut out = Ranking::default();
    for ((&query, truth), rank) in queries.iter().zip(&truth).zip(ranks) {
        let Some(rank) = rank else { continue };
        let unit = match direction {
            Direction::TextToImage => answers[query][0],
            Direction::ImageToText => query,
        };
        out.push(rank, unit, truth.len(), gallery.len());
    }
    out
}

//! A space that both sides are in already: image views and a text view whose vectors can be compared as they are, such as the
//! two towers of a network that others have trained. Nothing is learned. The vectors of several image views are added up,
//! so that a picture in which one view finds nothing is placed by the others.

use ndarray::{Array2, ArrayView1, ArrayView2, s};
use serde::{Deserialize, Serialize};

use super::{Choice, Columns, Fusion, FusionParams, Method, Pairs, Projector, Score, Side, Trial};
use crate::artifact::Artifact;
use crate::error::{Error, Result};
use crate::linalg::l2_normalize_rows;

pub(super) const STAGE: &str = "joint";

/// The views.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JointParams {
    /// Names of the image views.
    pub image_views: Vec<String>,
    /// Name of the text view. All vectors are of one length.
    pub text_view: String,
}

/// The columns of the views.
#[derive(Clone, Debug, PartialEq)]
pub struct Joint {
    images: Vec<Place>,
    text: Place,
}

/// The columns of a view among those of all views.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    from: usize,
    to: usize,
    all: usize,
}

impl Place {
    fn of(name: &str, views: &[Columns], all: usize) -> Result<Self> {
        let view = views.iter().find(|v| v.name == name);
        let view = view.ok_or_else(|| Error::Mismatch {
            left: "the fusion".into(),
            left_is: format!("of a view `{name}`"),
            right: "the views".into(),
            right_is: "without it".into(),
        })?;
        Ok(Self {
            from: view.range.start,
            to: view.range.end,
            all,
        })
    }

    fn width(self) -> usize {
        self.to - self.from
    }

    fn is_whole(self) -> bool {
        self.from < self.to && self.to <= self.all
    }
}

impl Method for JointParams {
    fn stage(&self) -> &'static str {
        STAGE
    }

    fn views(&self) -> (Vec<&String>, Vec<&String>) {
        (self.image_views.iter().collect(), vec![&self.text_view])
    }

    fn choose(&self, data: Pairs, score: Score) -> Result<Choice> {
        let fusion = self.fit(data)?;
        let setting = FusionParams::Joint(self.clone());
        Ok(Choice {
            trials: vec![Trial {
                setting: setting.clone(),
                score: score(&fusion)?,
            }],
            setting,
            fusion,
        })
    }

    fn fit(&self, data: Pairs) -> Result<Fusion> {
        let text = Place::of(&self.text_view, data.text_views, data.y.ncols())?;
        let mut images = Vec::new();
        for name in &self.image_views {
            let image = Place::of(name, data.image_views, data.x.ncols())?;
            if image.width() != text.width() {
                return Err(Error::dimensions(
                    &format!("the image view `{name}`"),
                    image.width(),
                    &format!("the text view `{}`", self.text_view),
                    text.width(),
                ));
            }
            images.push(image);
        }
        Ok(Fusion::new(Joint { images, text }))
    }
}

impl Projector for Joint {
    fn stage(&self) -> &'static str {
        STAGE
    }

    fn dim(&self) -> usize {
        self.text.width()
    }

    fn project(&self, side: Side, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        let places = match side {
            Side::Image => &self.images[..],
            Side::Text => std::slice::from_ref(&self.text),
        };
        let all = places[0].all;
        if x.ncols() != all {
            return Err(Error::dimensions("the fusion", all, "the input", x.ncols()));
        }
        let mut sum = Array2::zeros((x.nrows(), self.dim()));
        for place in places {
            sum += &x.slice(s![.., place.from..place.to]);
        }
        l2_normalize_rows(&mut sum);
        Ok(sum)
    }

    fn store(&self, artifact: Artifact) -> Artifact {
        let numbers = |p: &Place| [p.from, p.to, p.all].map(|n| n as u32);
        let images: Vec<u32> = self.images.iter().flat_map(numbers).collect();
        artifact
            .with_vector("images", ArrayView1::from(&images))
            .with_vector("text", ArrayView1::from(&numbers(&self.text)))
    }
}

impl Joint {
    /// Reads what [`Projector::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`] if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let places = |side: &str| -> Result<Vec<Place>> {
            let numbers = artifact.vector::<u32>(side)?;
            let (places, rest) = numbers.as_slice().unwrap_or_default().as_chunks();
            artifact.require(!places.is_empty() && rest.is_empty())?;
            let place = |numbers: &[u32; 3]| {
                let [from, to, all] = numbers.map(|n| n as usize);
                Place { from, to, all }
            };
            Ok(places.iter().map(place).collect())
        };
        let (images, text) = (places("images")?, places("text")?[0]);
        let fits = |p: &Place| p.is_whole() && p.width() == text.width() && p.all == images[0].all;
        artifact.require(text.is_whole() && images.iter().all(fits))?;
        Ok(Self { images, text })
    }
}

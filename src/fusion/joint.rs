//! A space that both sides are in already: an image view and a text view whose vectors can be compared as they are, such as
//! the two towers of a network that others have trained. Nothing is learned.

use ndarray::{Array2, ArrayView1, ArrayView2, s};
use serde::{Deserialize, Serialize};

use super::{Choice, Columns, Fusion, FusionParams, Method, Pairs, Projector, Score, Side, Trial};
use crate::artifact::Artifact;
use crate::error::{Error, Result};
use crate::linalg::l2_normalize_rows;

pub(super) const STAGE: &str = "joint";

/// The two views.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JointParams {
    /// Name of the image view.
    pub image_view: String,
    /// Name of the text view, whose vectors are as long.
    pub text_view: String,
}

/// The columns of the two views.
#[derive(Clone, Debug, PartialEq)]
pub struct Joint {
    image: Place,
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
        (vec![&self.image_view], vec![&self.text_view])
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
        let joint = Joint {
            image: Place::of(&self.image_view, data.image_views, data.x.ncols())?,
            text: Place::of(&self.text_view, data.text_views, data.y.ncols())?,
        };
        match joint.image.width() == joint.text.width() {
            true => Ok(Fusion::new(joint)),
            false => Err(Error::dimensions(
                &format!("the image view `{}`", self.image_view),
                joint.image.width(),
                &format!("the text view `{}`", self.text_view),
                joint.text.width(),
            )),
        }
    }
}

impl Projector for Joint {
    fn stage(&self) -> &'static str {
        STAGE
    }

    fn dim(&self) -> usize {
        self.image.width()
    }

    fn project(&self, side: Side, x: ArrayView2<f32>) -> Result<Array2<f32>> {
        let place = match side {
            Side::Image => self.image,
            Side::Text => self.text,
        };
        if x.ncols() != place.all {
            return Err(Error::dimensions(
                "the fusion",
                place.all,
                "the input",
                x.ncols(),
            ));
        }
        let mut z = x.slice(s![.., place.from..place.to]).to_owned();
        l2_normalize_rows(&mut z);
        Ok(z)
    }

    fn store(&self, artifact: Artifact) -> Artifact {
        let numbers = |p: Place| [p.from, p.to, p.all].map(|n| n as u32);
        artifact
            .with_vector("image", ArrayView1::from(&numbers(self.image)))
            .with_vector("text", ArrayView1::from(&numbers(self.text)))
    }
}

impl Joint {
    /// Reads what [`Projector::store`] wrote.
    ///
    /// # Errors
    /// [`Error::Artifact`] if parts are missing or do not fit together.
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let place = |side: &str| -> Result<Place> {
            let numbers = artifact.vector::<u32>(side)?;
            artifact.require(numbers.len() == 3)?;
            let [from, to, all] = [0, 1, 2].map(|i| numbers[i] as usize);
            Ok(Place { from, to, all })
        };
        let joint = Self {
            image: place("image")?,
            text: place("text")?,
        };
        let whole = joint.image.is_whole() && joint.text.is_whole();
        artifact.require(whole && joint.image.width() == joint.text.width())?;
        Ok(joint)
    }
}

//! What probabilities are worth, over all parts of a protocol.

use serde::{Deserialize, Serialize};
use tuwen::calibration::Reliability;
use tuwen::error::Result;
use tuwen::training::{BOTH, Checked, Features, Fitted, Protocol, Training};

/// Parts of 0 to 1 that probabilities are sorted into.
pub const BINS: usize = 10;

/// Probabilities of the best hits, each with whether it is right.
#[derive(Default)]
pub struct Probabilities {
    t2i: Checked,
    i2t: Checked,
}

/// What was said against what came true; nothing where it could not be told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Believed {
    pub t2i: Option<Reliability>,
    pub i2t: Option<Reliability>,
}

impl Probabilities {
    /// Adds a part of a protocol.
    pub fn check(
        &mut self,
        protocol: &Protocol,
        training: &Training,
        features: &[Features],
        fitted: &Fitted,
    ) -> Result<()> {
        if training.recipe.transductive() {
            return Ok(());
        }
        for (checked, direction) in [&mut self.t2i, &mut self.i2t].into_iter().zip(BOTH) {
            if let Some(place) = training.place(protocol.split(), direction) {
                let part = training.check_calibration(features, fitted, place, direction)?;
                checked.extend(&part.unwrap_or_default());
            }
        }
        Ok(())
    }

    pub fn believed(&self) -> Believed {
        let of = |c: &Checked| {
            let known = !c.right.is_empty();
            known.then(|| Reliability::new(&c.probabilities, &c.right, BINS))
        };
        Believed {
            t2i: of(&self.t2i),
            i2t: of(&self.i2t),
        }
    }
}

impl Believed {
    /// Both directions with their short names.
    pub fn each(&self) -> [(&'static str, Option<&Reliability>); 2] {
        [("t2i", self.t2i.as_ref()), ("i2t", self.i2t.as_ref())]
    }

    /// Whether there is anything.
    pub fn is_known(&self) -> bool {
        self.t2i.is_some() || self.i2t.is_some()
    }
}

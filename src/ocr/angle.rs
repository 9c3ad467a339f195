//! Finds upside-down lines: for a line that is cut out, a network returns the probabilities of 0 and of 180 degrees
//! (PP-OCR, Du et al., 2020, section 2.2).

use ndarray::{Array4, Axis, Ix2, concatenate};
use opencv::prelude::*;

use super::detection::{planes, resized};
use super::models::{ANGLE, Models};
use crate::error::Result;
use crate::networks::Network;

/// The network that finds upside-down lines.
pub struct AngleClassifier(Network);

/// Input size of the network, which was trained on the beginnings of lines.
const HEIGHT: i32 = 48;
const WIDTH: i32 = 192;
/// Number of lines per run.
const BATCH: usize = 6;

impl AngleClassifier {
    pub fn load(models: &Models) -> Result<Self> {
        Ok(Self(models.network(&ANGLE)?))
    }

    /// The probability that each line is upside down.
    pub fn on_its_head(&self, lines: &[Mat]) -> Result<Vec<f32>> {
        let mut probabilities = Vec::with_capacity(lines.len());
        for batch in lines.chunks(BATCH) {
            let inputs = batch.iter().map(|line| {
                let width = f64::from(HEIGHT * line.cols()) / f64::from(line.rows());
                let width = (width.ceil() as i32).clamp(1, WIDTH);
                planes(&resized(line, width, HEIGHT)?, WIDTH)
            });
            let inputs: Vec<Array4<f32>> = inputs.collect::<Result<_>>()?;
            let views: Vec<_> = inputs.iter().map(|i| i.view()).collect();
            let input = concatenate(Axis(0), &views).expect("inputs of one size");
            let answers = self.0.answer::<Ix2>(&input)?;
            if answers.dim() != (batch.len(), 2) {
                return Err(self
                    .0
                    .wrong("it does not answer with two probabilities a line"));
            }
            probabilities.extend(answers.column(1));
        }
        Ok(probabilities)
    }
}

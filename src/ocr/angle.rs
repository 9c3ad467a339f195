//! Telling lines that stand on their head: a network answers, for a line that is cut out, with the probabilities of 0
//! and of 180 degrees (PP-OCR, Du et al., 2020, section 2.2).

use ndarray::{Array4, Axis, Ix2, concatenate};
use opencv::prelude::*;

use super::detection::{planes, resized};
use super::models::{ANGLE, Models};
use super::runtime::{Network, Runtime};
use crate::error::Result;

pub struct AngleClassifier(Network);

/// What the network was trained on: the beginnings of lines, of this height and width.
const HEIGHT: i32 = 48;
const WIDTH: i32 = 192;
/// Lines of one run.
const BATCH: usize = 6;

impl AngleClassifier {
    pub fn load(runtime: &Runtime, models: &Models) -> Result<Self> {
        Ok(Self(Network::load(runtime, models, &ANGLE)?))
    }

    /// The probability that a line stands on its head, of each.
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
            let answers = self.0.run::<Ix2>(&input)?;
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

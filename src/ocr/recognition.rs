//! Spelling a line: a network gives every step along it the probabilities of all characters; repeats and
//! blanks are taken out (connectionist temporal classification, Graves et al., ICML 2006, best path).

use std::path::Path;

use ndarray::{Array4, ArrayView2, Axis, Ix3, concatenate};
use opencv::core::{self, BORDER_REPLICATE, Mat, Point2f, Scalar, Size, Vector};
use opencv::imgproc;
use opencv::prelude::*;

use super::detection::{planes, resized};
use super::quad::Quad;
use super::runtime::{Network, Runtime};
use crate::error::{Error, Result};

/// Reads lines.
pub struct Recognizer {
    network: Network,
    /// By the network's numbers less one: 0 is the blank.
    characters: Vec<String>,
}

/// What the network was trained on: lines of this height, of at least this width.
const HEIGHT: i32 = 48;
const LEAST_WIDTH: i32 = 320;
/// Lines of one run, of similar widths.
const BATCH: usize = 6;
/// Boxes this many times as high as wide are columns, and are turned.
const UPRIGHT: f32 = 1.5;

impl Recognizer {
    pub fn load(runtime: &Runtime, path: &Path) -> Result<Self> {
        let network = Network::load(runtime, path)?;
        let Some(list) = network.metadata("character")? else {
            return Err(Error::weights(
                path,
                "it has no list of characters (metadata `character`)",
            ));
        };
        let mut characters: Vec<String> = list.lines().map(str::to_owned).collect();
        characters.push(" ".into());
        Ok(Self {
            network,
            characters,
        })
    }

    /// Text and confidence of every line.
    pub fn read(&self, picture: &Mat, quads: &[Quad]) -> Result<Vec<(String, f32)>> {
        let lines: Vec<Mat> = quads
            .iter()
            .map(|q| cut_out(picture, q))
            .collect::<Result<_>>()?;
        let ratio = |line: &Mat| line.cols() as f32 / line.rows() as f32;
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by(|&a, &b| ratio(&lines[a]).total_cmp(&ratio(&lines[b])));
        let mut read = vec![(String::new(), 0.0); lines.len()];
        for batch in order.chunks(BATCH) {
            let widest = ratio(&lines[*batch.last().expect("chunks are not empty")]);
            let width = ((HEIGHT as f32 * widest) as i32).max(LEAST_WIDTH);
            let inputs = batch.iter().map(|&i| {
                let own = (HEIGHT as f32 * ratio(&lines[i])).ceil() as i32;
                planes(&resized(&lines[i], own.clamp(1, width), HEIGHT)?, width)
            });
            let inputs: Vec<Array4<f32>> = inputs.collect::<Result<_>>()?;
            let views: Vec<_> = inputs.iter().map(|i| i.view()).collect();
            let input = concatenate(Axis(0), &views).expect("inputs of one size");
            let steps = self.network.run::<Ix3>(&input)?;
            for (&i, steps) in batch.iter().zip(steps.outer_iter()) {
                read[i] = self.decode(steps);
            }
        }
        Ok(read)
    }

    /// steps × characters -> text, and the mean probability of its characters.
    fn decode(&self, steps: ArrayView2<f32>) -> (String, f32) {
        let (mut text, mut sum, mut count) = (String::new(), 0.0, 0);
        let mut before = 0;
        for step in steps.outer_iter() {
            let better = |best: (usize, f32), (c, &p): (usize, &f32)| {
                if p > best.1 { (c, p) } else { best }
            };
            let (character, probability) = step.iter().enumerate().fold((0, f32::MIN), better);
            if character != 0 && character != before {
                text.push_str(
                    self.characters
                        .get(character - 1)
                        .map_or("", String::as_str),
                );
                sum += probability;
                count += 1;
            }
            before = character;
        }
        (text, if count == 0 { 0.0 } else { sum / count as f32 })
    }
}

/// What is in a box, upright.
fn cut_out(picture: &Mat, quad: &Quad) -> Result<Mat> {
    let (w, h) = (
        quad.width().max(1.0).floor(),
        quad.height().max(1.0).floor(),
    );
    let points = |points: [[f32; 2]; 4]| -> Vector<Point2f> {
        points.iter().map(|p| Point2f::new(p[0], p[1])).collect()
    };
    let (from, to) = (
        points(quad.0),
        points([[0.0, 0.0], [w, 0.0], [w, h], [0.0, h]]),
    );
    let perspective = imgproc::get_perspective_transform(&from, &to, core::DECOMP_LU)?;
    let mut line = Mat::default();
    imgproc::warp_perspective(
        picture,
        &mut line,
        &perspective,
        Size::new(w as i32, h as i32),
        imgproc::INTER_CUBIC,
        BORDER_REPLICATE,
        Scalar::default(),
    )?;
    if h / w < UPRIGHT {
        return Ok(line);
    }
    let mut turned = Mat::default();
    core::rotate(&line, &mut turned, core::ROTATE_90_COUNTERCLOCKWISE)?;
    Ok(turned)
}

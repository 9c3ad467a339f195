//! The direction in which the text of a line runs.
//!
//! A tall box is a column, or a line on its side; the recogniser reads both after a quarter turn. The angle
//! classifier finds upside-down lines. It errs on short lines and numbers, so a line that it would turn is read
//! both ways, and the result with more confidence is kept. A line that runs differently from most of the page is
//! also read as the others run.

use opencv::core::{self, Mat};

use super::Reader;
use super::crop::{cut_out, is_tall, turned};
use super::quad::{Point, Quad};
use super::recognition::Spelling;
use crate::error::Result;

/// The direction in which text runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Upright,
    /// From top to bottom: columns, or a page on its right side.
    Down,
    /// Upside down.
    Over,
    /// From bottom to top: a page on its left side.
    Up,
}

/// A line that was read.
#[derive(Clone, Debug)]
pub struct Read {
    pub quad: Quad,
    pub turn: Turn,
    pub spelling: Spelling,
}

/// Probability from which a line is upside down, as in RapidOCR 1.4.4.
const ON_ITS_HEAD: f32 = 0.9;

impl Turn {
    const ALL: [Self; 4] = [Self::Upright, Self::Down, Self::Over, Self::Up];

    /// The direction of text in a box, given whether the box is tall and what the classifier says.
    fn of(tall: bool, on_its_head: bool) -> Self {
        match (tall, on_its_head) {
            (false, false) => Self::Upright,
            (true, false) => Self::Down,
            (false, true) => Self::Over,
            (true, true) => Self::Up,
        }
    }

    fn opposite(self) -> Self {
        match self {
            Self::Upright => Self::Over,
            Self::Over => Self::Upright,
            Self::Down => Self::Up,
            Self::Up => Self::Down,
        }
    }

    /// Turns the contents of a box so that text of this direction runs to the right.
    fn apply(self, cut: &Mat) -> Result<Mat> {
        match self {
            Self::Upright => Ok(cut.clone()),
            Self::Down => turned(cut, core::ROTATE_90_COUNTERCLOCKWISE),
            Self::Over => turned(cut, core::ROTATE_180),
            Self::Up => turned(cut, core::ROTATE_90_CLOCKWISE),
        }
    }

    /// A box in the coordinates of the page turned so that its text runs to the right.
    pub fn upright(self, quad: Quad) -> Quad {
        Quad::ordered(quad.0.map(|[x, y]: Point| match self {
            Self::Upright => [x, y],
            Self::Down => [y, -x],
            Self::Over => [-x, -y],
            Self::Up => [-y, x],
        }))
    }

    /// The direction of most letters on a page.
    pub fn of_most(lines: &[Read], confidence: f32) -> Self {
        let letters = |turn: Self| -> usize {
            let sure = |l: &&Read| l.turn == turn && l.spelling.confidence >= confidence;
            let of_turn = lines.iter().filter(sure);
            of_turn.map(|l| l.spelling.letters.len()).sum()
        };
        // the first of those with the most, so that a page without text is upright
        let most = Self::ALL.map(|t| (letters(t), t));
        most.into_iter()
            .rev()
            .max_by_key(|m| m.0)
            .map_or(Self::Upright, |m| m.1)
    }
}

impl Reader {
    /// Spells the boxes of a picture.
    pub(super) fn spell(&self, picture: &Mat, quads: &[Quad]) -> Result<Vec<Read>> {
        let cuts = quads.iter().map(|q| cut_out(picture, q));
        let cuts: Vec<Mat> = cuts.collect::<Result<_>>()?;
        let tall: Vec<bool> = quads.iter().map(is_tall).collect();
        let as_found = cuts.iter().zip(&tall);
        let lines = as_found.map(|(cut, &tall)| Turn::of(tall, false).apply(cut));
        let lines: Vec<Mat> = lines.collect::<Result<_>>()?;
        let spellings = self.recognizer.read(&lines)?;
        let mut read: Vec<Read> = (0..quads.len())
            .zip(spellings)
            .map(|(i, spelling)| Read {
                quad: quads[i],
                turn: Turn::of(tall[i], false),
                spelling,
            })
            .collect();
        let on_its_head = self.angle.on_its_head(&lines)?;
        let doubtful = (0..read.len()).filter(|&i| on_its_head[i] > ON_ITS_HEAD);
        let turns = doubtful.map(|i| (i, read[i].turn.opposite())).collect();
        self.try_turns(&cuts, &mut read, turns)?;
        let most = Turn::of_most(&read, self.params.confidence);
        if most != Turn::Upright {
            let others = (0..read.len()).filter(|&i| read[i].turn != most);
            let turns = others.map(|i| (i, most)).collect();
            self.try_turns(&cuts, &mut read, turns)?;
        }
        Ok(read)
    }

    /// Reads lines in other directions and keeps the results with more confidence.
    fn try_turns(&self, cuts: &[Mat], read: &mut [Read], turns: Vec<(usize, Turn)>) -> Result<()> {
        let lines = turns.iter().map(|&(i, turn)| turn.apply(&cuts[i]));
        let lines: Vec<Mat> = lines.collect::<Result<_>>()?;
        for ((i, turn), spelling) in turns.into_iter().zip(self.recognizer.read(&lines)?) {
            if spelling.confidence > read[i].spelling.confidence {
                read[i].turn = turn;
                read[i].spelling = spelling;
            }
        }
        Ok(())
    }
}

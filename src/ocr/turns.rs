//! Which way the text of a line runs.
//!
//! A tall box is a column, or a line on its side; the recognizer reads both after a quarter turn. Lines that stand on
//! their head are told by the angle classifier. It errs on short lines and figures, so that a line it would turn is
//! read both ways, and what is read with more confidence counts. A line that runs otherwise than most of the
//! page is read that way too.

use opencv::core::{self, Mat};

use super::Reader;
use super::crop::{cut_out, is_tall, turned};
use super::quad::{Point, Quad};
use super::recognition::Spelling;
use crate::error::Result;

/// Which way text runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Upright,
    /// From top to bottom: columns, or a page on its right side.
    Down,
    /// On its head.
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

/// That a line stands on its head, as in RapidOCR 1.4.4.
const ON_ITS_HEAD: f32 = 0.9;

impl Turn {
    const ALL: [Self; 4] = [Self::Upright, Self::Down, Self::Over, Self::Up];

    /// Of a box that is tall or not, the classifier's answer about what it shows.
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

    /// What is in a box where text runs this way, so that it runs to the right.
    fn apply(self, cut: &Mat) -> Result<Mat> {
        match self {
            Self::Upright => Ok(cut.clone()),
            Self::Down => turned(cut, core::ROTATE_90_COUNTERCLOCKWISE),
            Self::Over => turned(cut, core::ROTATE_180),
            Self::Up => turned(cut, core::ROTATE_90_CLOCKWISE),
        }
    }

    /// A box as it stands when the page is turned so that its text runs to the right.
    pub fn upright(self, quad: Quad) -> Quad {
        Quad::ordered(quad.0.map(|[x, y]: Point| match self {
            Self::Upright => [x, y],
            Self::Down => [y, -x],
            Self::Over => [-x, -y],
            Self::Up => [-y, x],
        }))
    }

    /// That of most letters on a page.
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
    /// What is spelled in the boxes of a picture.
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

    /// Reads lines in other turns, and keeps what is read with more confidence.
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

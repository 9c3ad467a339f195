//! Spells a line: a network gives the probabilities of all characters at every step along it; repeats and blanks
//! are removed (connectionist temporal classification, Graves et al., ICML 2006, best path).

use ndarray::{Array4, ArrayView2, Axis, Ix3, concatenate};
use opencv::core::Mat;
use opencv::prelude::*;

use super::crop;
use super::detection::{planes, resized};
use super::models::{CHARACTERS, Models, RECOGNITION};
use crate::error::Result;
use crate::networks::Network;

/// The network that reads lines.
pub struct Recognizer {
    network: Network,
    /// Characters by the network's classes, minus one: class 0 is the blank of CTC, and the last is the space.
    characters: Vec<String>,
}

/// The text of a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spelling {
    pub text: String,
    /// Mean probability of its characters, from 0 to 1.
    pub confidence: f32,
    pub letters: Vec<Letter>,
}

/// A character other than the space.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    pub text: String,
    pub probability: f32,
    /// Position of its middle along the line, from 0 to 1.
    pub at: f32,
}

/// Input size of the network: lines of this height, at least as wide.
const HEIGHT: i32 = 48;
/// Number of lines per run; they have similar widths.
const BATCH: usize = 6;
/// Least probability of a space between letters. The network often prefers CTC's blank to the space if letters are
/// close. Of 4,800 places between letters, rendered in seven fonts and three sizes, 95 % of the gaps between words
/// have this probability of a space, and none within words.
const SPACE: f32 = 0.1;

impl Recognizer {
    pub fn load(models: &Models) -> Result<Self> {
        let network = models.network(&RECOGNITION)?;
        let list = models.read(&CHARACTERS)?;
        let list = String::from_utf8_lossy(&list);
        let mut characters: Vec<String> = list.lines().map(str::to_owned).collect();
        characters.push(" ".into());
        Ok(Self {
            network,
            characters,
        })
    }

    /// Spells each line; very long ones are read in parts.
    pub fn read(&self, lines: &[Mat]) -> Result<Vec<Spelling>> {
        let mut parts = Vec::new();
        let mut counts = Vec::new();
        for line in lines {
            let of_line = crop::parts(line)?;
            counts.push(of_line.len());
            parts.extend(of_line);
        }
        let pictures: Vec<&Mat> = parts.iter().map(|p| &p.picture).collect();
        let mut spelled = self.read_parts(&pictures)?.into_iter().zip(&parts);
        let whole = counts.into_iter().map(|n| joined(spelled.by_ref().take(n)));
        Ok(whole.collect())
    }

    fn read_parts(&self, lines: &[&Mat]) -> Result<Vec<Spelling>> {
        let ratio = |line: &Mat| line.cols() as f32 / line.rows() as f32;
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by(|&a, &b| ratio(lines[a]).total_cmp(&ratio(lines[b])));
        let mut read = vec![Spelling::default(); lines.len()];
        for batch in order.chunks(BATCH) {
            let widest = ratio(lines[*batch.last().expect("chunks are not empty")]);
            let width = ((HEIGHT as f32 * widest) as i32).max(HEIGHT);
            let own = |i: usize| ((HEIGHT as f32 * ratio(lines[i])).ceil() as i32).clamp(1, width);
            let inputs = batch
                .iter()
                .map(|&i| planes(&resized(lines[i], own(i), HEIGHT)?, width));
            let inputs: Vec<Array4<f32>> = inputs.collect::<Result<_>>()?;
            let views: Vec<_> = inputs.iter().map(|i| i.view()).collect();
            let input = concatenate(Axis(0), &views).expect("inputs of one size");
            let steps = self.network.answer::<Ix3>(&input)?;
            for (&i, steps) in batch.iter().zip(steps.outer_iter()) {
                read[i] = self.decode(steps, width as f32 / own(i) as f32);
            }
        }
        Ok(read)
    }

    /// Decodes steps × characters; `padded` is the ratio of the input's width to the line's.
    fn decode(&self, steps: ArrayView2<f32>, padded: f32) -> Spelling {
        let mut spelling = Spelling::default();
        let (mut sum, mut count) = (0.0, 0);
        let (mut before, mut space) = (0, Space::None);
        for (t, step) in steps.outer_iter().enumerate() {
            let better = |best: (usize, f32), (c, &p): (usize, &f32)| {
                if p > best.1 { (c, p) } else { best }
            };
            let (character, probability) = step.iter().enumerate().fold((0, f32::MIN), better);
            if step.get(self.characters.len()).is_some_and(|&p| p > SPACE) {
                space = space.max(Space::Likely);
            }
            if character != 0 && character != before {
                let text = self.characters.get(character - 1);
                let text = text.map_or("", String::as_str);
                sum += probability;
                count += 1;
                if text == " " {
                    space = Space::Read;
                } else {
                    let at = (t as f32 + 0.5) / steps.nrows() as f32 * padded;
                    spelling.push(text, probability, at.min(1.0), space);
                    // its own step may have that probability of the space that follows
                    space = Space::None;
                }
            }
            before = character;
        }
        if count > 0 {
            spelling.confidence = sum / count as f32;
        }
        spelling.without_even_spaces()
    }
}

/// The space before a character.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Space {
    None,
    /// More than [`SPACE`].
    Likely,
    /// The network's own answer.
    Read,
}

impl Spelling {
    fn push(&mut self, text: &str, probability: f32, at: f32, space: Space) {
        let written = |before: &Letter| match space {
            Space::None => false,
            Space::Likely => !(is_han(&before.text) && is_han(text)),
            Space::Read => true,
        };
        if self.letters.last().is_some_and(written) {
            self.text.push(' ');
        }
        self.text.push_str(text);
        self.letters.push(Letter {
            text: text.to_owned(),
            probability,
            at,
        });
    }

    /// Removes spaces between widely spaced Chinese letters, which do not separate words.
    fn without_even_spaces(mut self) -> Self {
        let (spaces, letters) = (self.text.matches(' ').count(), &self.letters);
        if letters.len() > 2
            && spaces + 1 == letters.len()
            && letters.iter().all(|l| is_han(&l.text))
        {
            self.text.retain(|c| c != ' ');
        }
        self
    }
}

/// Joins the parts of a line.
fn joined<'a>(parts: impl Iterator<Item = (Spelling, &'a crop::Part)>) -> Spelling {
    let mut whole = Spelling::default();
    let (mut sum, mut count) = (0.0, 0);
    for (part, place) in parts {
        if whole.letters.is_empty() && place.share == 1.0 {
            return part;
        }
        let letters = part.letters.len();
        sum += part.confidence * letters as f32;
        count += letters;
        let mut space = if place.after_gap {
            Space::Likely
        } else {
            Space::None
        };
        let mut spaced = part.text.chars().peekable();
        for letter in part.letters {
            while spaced.next_if_eq(&' ').is_some() {
                space = Space::Read;
            }
            for _ in letter.text.chars() {
                spaced.next();
            }
            let at = place.begin + letter.at * place.share;
            whole.push(&letter.text, letter.probability, at, space);
            space = Space::None;
        }
    }
    if count > 0 {
        whole.confidence = sum / count as f32;
    }
    whole
}

/// Whether a character is written without spaces between words: Chinese letters and punctuation.
pub fn is_han(character: &str) -> bool {
    character.chars().all(|c| {
        matches!(c, '\u{3000}'..='\u{303f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{20000}'..='\u{323af}')
    })
}

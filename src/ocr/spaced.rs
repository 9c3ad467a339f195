//! Widely spaced letters. The detector joins letters by their distance: it finds widely spaced ones separately, and
//! in a poem written in columns it finds the rows. This module links such letters to their neighbours beside and
//! below, and decides between rows and columns by which of them contain more words, or, if words do not tell, by
//! which letters are closer.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jieba_rs::Jieba;

use super::quad::{Point, Quad};
use super::recognition::{Letter, Spelling, is_han};
use super::turns::{Read, Turn};
use crate::error::Result;

/// Least and largest step between letters, in letters: closer ones are set normally, farther ones are not in one
/// line.
const LEAST_STEP: f32 = 1.12;
const MOST_STEP: f32 = 2.5;
/// Largest offset from the line, in letters.
const ASKEW: f32 = 0.4;
/// Largest ratio of the sizes of two letters.
const LARGER: f32 = 1.4;
/// Ratio of steps from which columns are preferred to rows if nothing else tells.
const CLOSER: f32 = 0.95;

/// A letter on the page.
struct Cell {
    line: usize,
    letter: Letter,
    quad: Quad,
    place: Point,
    size: f32,
}

/// Joins lines of widely spaced letters to rows, or divides them into columns; other lines stay.
pub fn joined(lines: Vec<Read>, confidence: f32) -> Result<Vec<Read>> {
    let cells: Vec<Cell> = lines
        .iter()
        .enumerate()
        .filter(|(_, l)| l.spelling.confidence >= confidence && is_spaced(l))
        .flat_map(|(i, l)| cells(i, l))
        .collect();
    if cells.len() < 2 {
        return Ok(lines);
    }
    let (right, below) = (links(&cells, 0), links(&cells, 1));
    let mut lines: Vec<Option<Read>> = lines.into_iter().map(Some).collect();
    let mut joined = Vec::new();
    for group in groups(&cells, &right, &below) {
        let rows = chains(&group, &right);
        let columns = chains(&group, &below);
        let (chains, turn) = match are_columns(&cells, &rows, &columns) {
            true => (columns, Turn::Down),
            false => (rows, Turn::Upright),
        };
        for chain in chains {
            if turn == Turn::Upright && !joins_whole_lines(&cells, &chain) {
                continue;
            }
            chain.iter().for_each(|&i| lines[cells[i].line] = None);
            joined.push(read(&cells, &chain, turn)?);
        }
    }
    Ok(lines.into_iter().flatten().chain(joined).collect())
}

/// Whether a row of letters consists of several detected lines, all of each.
fn joins_whole_lines(cells: &[Cell], row: &[usize]) -> bool {
    let lines: BTreeSet<usize> = row.iter().map(|&i| cells[i].line).collect();
    let all = cells.iter().filter(|c| lines.contains(&c.line)).count();
    lines.len() > 1 && all == row.len()
}

/// Whether a line has only Chinese letters, and either a single one or all of them widely spaced.
fn is_spaced(line: &Read) -> bool {
    let letters = &line.spelling.letters;
    if line.turn != Turn::Upright || !letters.iter().all(|l| is_han(&l.text)) {
        return false;
    }
    let width = line.quad.width();
    match &letters[..] {
        [] => false,
        [_] => true,
        [first, .., last] => {
            let step = (last.at - first.at) * width / (letters.len() - 1) as f32;
            step >= LEAST_STEP * line.quad.height()
        }
    }
}

fn cells(line: usize, read: &Read) -> impl Iterator<Item = Cell> {
    let quad = read.quad;
    let (width, height) = (quad.width(), quad.height());
    let alone = read.spelling.letters.len() == 1;
    read.spelling.letters.iter().map(move |letter| {
        // a flat letter by itself, whose box is flat too
        let size = if alone && letter.text == "一" {
            width.max(height)
        } else {
            height
        };
        let half = 0.5 * size / width;
        Cell {
            line,
            letter: letter.clone(),
            quad: quad.between((letter.at - half).max(0.0), (letter.at + half).min(1.0)),
            place: quad.along(letter.at),
            size,
        }
    })
}

/// For each letter, the next one beside it (axis 0) or below it (axis 1), if each is the other's nearest.
fn links(cells: &[Cell], axis: usize) -> Vec<Option<usize>> {
    let nearest = |i: usize, sign: f32| {
        let steps = cells.iter().enumerate().filter_map(|(j, other)| {
            let size = (cells[i].size + other.size) / 2.0;
            let by = |c: usize| (other.place[c] - cells[i].place[c]) / size;
            let (step, off) = (by(axis) * sign, by(1 - axis).abs());
            let larger = (cells[i].size / other.size).max(other.size / cells[i].size);
            let linked = (0.7..=MOST_STEP).contains(&step) && off <= ASKEW && larger <= LARGER;
            linked.then_some((step, j))
        });
        steps.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, j)| j)
    };
    let back: Vec<_> = (0..cells.len()).map(|i| nearest(i, -1.0)).collect();
    let forth = (0..cells.len()).map(|i| nearest(i, 1.0).filter(|&j| back[j] == Some(i)));
    forth.collect()
}

/// Groups of letters that are linked, or were found in one line.
fn groups(cells: &[Cell], right: &[Option<usize>], below: &[Option<usize>]) -> Vec<Vec<usize>> {
    let mut group: Vec<usize> = (0..cells.len()).collect();
    let mut unite = |a: usize, b: usize| {
        let (from, to) = (group[a].max(group[b]), group[a].min(group[b]));
        group
            .iter_mut()
            .filter(|g| **g == from)
            .for_each(|g| *g = to);
    };
    for i in 0..cells.len() {
        [right[i], below[i]]
            .into_iter()
            .flatten()
            .for_each(|j| unite(i, j));
        if i > 0 && cells[i - 1].line == cells[i].line {
            unite(i - 1, i);
        }
    }
    let members = |g: usize| (0..cells.len()).filter(|&i| group[i] == g).collect();
    (0..cells.len())
        .filter(|&g| group[g] == g)
        .map(members)
        .collect()
}

/// The letters of a group, from link to link.
fn chains(group: &[usize], next: &[Option<usize>]) -> Vec<Vec<usize>> {
    let followed: Vec<usize> = group.iter().filter_map(|&i| next[i]).collect();
    let first = group.iter().filter(|i| !followed.contains(i));
    let chain = |&i: &usize| std::iter::successors(Some(i), |&i| next[i]).collect();
    first.map(chain).collect()
}

fn are_columns(cells: &[Cell], rows: &[Vec<usize>], columns: &[Vec<usize>]) -> bool {
    if columns.iter().all(|c| c.len() == 1) {
        return false;
    }
    let words = |chains: &[Vec<usize>]| -> usize {
        let text = |c: &Vec<usize>| -> String {
            c.iter().map(|&i| cells[i].letter.text.as_str()).collect()
        };
        chains.iter().map(|c| within_words(text(c))).sum()
    };
    let (in_rows, in_columns) = (words(rows), words(columns));
    if in_rows != in_columns {
        return in_columns > in_rows;
    }
    match (mean_step(cells, rows), mean_step(cells, columns)) {
        (Some(row), Some(column)) => column < CLOSER * row,
        (row, _) => row.is_none(),
    }
}

/// The number of letters that follow another one of the same word.
fn within_words(text: String) -> usize {
    static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);
    let text = fast2s::convert(&text);
    let words = JIEBA.cut(&text, false);
    words
        .iter()
        .map(|w| w.word.chars().count().saturating_sub(1))
        .sum()
}

fn mean_step(cells: &[Cell], chains: &[Vec<usize>]) -> Option<f32> {
    let pairs = chains.iter().flat_map(|c| c.windows(2));
    let steps = pairs.map(|p| {
        let (a, b) = (cells[p[0]].place, cells[p[1]].place);
        (a[0] - b[0]).hypot(a[1] - b[1])
    });
    let (sum, count) = steps.fold((0.0, 0), |(sum, n), step| (sum + step, n + 1));
    (count > 0).then(|| sum / count as f32)
}

fn read(cells: &[Cell], chain: &[usize], turn: Turn) -> Result<Read> {
    let letters: Vec<Letter> = chain.iter().map(|&i| cells[i].letter.clone()).collect();
    let quads: Vec<Quad> = chain.iter().map(|&i| cells[i].quad).collect();
    let sum: f32 = letters.iter().map(|l| l.probability).sum();
    Ok(Read {
        quad: Quad::around(&quads)?,
        turn,
        spelling: Spelling {
            text: letters.iter().map(|l| l.text.as_str()).collect(),
            confidence: sum / letters.len() as f32,
            letters,
        },
    })
}

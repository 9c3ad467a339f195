//! Reading order of lines: rows from top to bottom and from left to right within a row, columns from right to left;
//! a rotated page is read as if it were upright.

use super::quad::{Point, Quad};
use super::turns::{Read, Turn};

/// Largest distance in pixels between the tops of lines in one row, which is read from left to right.
const SAME_ROW: f32 = 10.0;
/// Largest gap between columns that belong together, in widths of a column,
const COLUMN_GAP: f32 = 3.0;
/// and the share of the shorter one for which they must be side by side.
const BESIDE: f32 = 0.5;

/// The indices of corners, from top to bottom and from left to right within a row.
pub fn of_corners(corners: &[Point]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..corners.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (corners[a], corners[b]);
        a[1].total_cmp(&b[1]).then(a[0].total_cmp(&b[0]))
    });
    // by insertion: rows drift apart on slanted pages, so that "same row" is no order to sort by
    for i in 1..order.len() {
        for j in (1..=i).rev() {
            let (before, after) = (corners[order[j - 1]], corners[order[j]]);
            if (after[1] - before[1]).abs() < SAME_ROW && after[0] < before[0] {
                order.swap(j - 1, j);
            } else {
                break;
            }
        }
    }
    order
}

/// Sorts lines into reading order, on a page where most text runs as `most`.
pub fn of_lines(lines: Vec<Read>, most: Turn) -> Vec<Read> {
    match most {
        Turn::Upright => among_rows(lines),
        Turn::Over | Turn::Up => in_frame(lines, most),
        Turn::Down => {
            // a heading stands above its columns, a signature below them
            let columns = || {
                lines
                    .iter()
                    .filter(|l| l.turn == Turn::Down)
                    .map(|l| l.quad.bounds())
            };
            let top = columns().map(|b| b.top).fold(f32::MAX, f32::min);
            let bottom = columns().map(|b| b.bottom).fold(f32::MIN, f32::max);
            let upright = |l: &Read| l.turn == Turn::Upright;
            let above = |l: &Read| upright(l) && l.quad.centre()[1] < top;
            let below = |l: &Read| upright(l) && l.quad.centre()[1] > bottom;
            let (heading, rest): (Vec<_>, Vec<_>) = lines.iter().cloned().partition(above);
            let (signature, columns): (Vec<_>, Vec<_>) = rest.into_iter().partition(below);
            let mut lines = in_frame(heading, Turn::Upright);
            lines.extend(in_frame(columns, most));
            lines.extend(in_frame(signature, Turn::Upright));
            lines
        }
    }
}

fn in_frame(lines: Vec<Read>, turn: Turn) -> Vec<Read> {
    let corners: Vec<Point> = lines.iter().map(|l| turn.upright(l.quad).0[0]).collect();
    let mut lines: Vec<Option<Read>> = lines.into_iter().map(Some).collect();
    let order = of_corners(&corners).into_iter();
    order.filter_map(|i| lines[i].take()).collect()
}

/// Sorts upright lines, and columns between them that are read together.
fn among_rows(lines: Vec<Read>) -> Vec<Read> {
    let mut blocks: Vec<Vec<Read>> = Vec::new();
    for line in lines {
        if line.turn != Turn::Down {
            blocks.push(vec![line]);
            continue;
        }
        let near = |block: &Vec<Read>| {
            let columns = block.iter().filter(|l| l.turn == Turn::Down);
            columns.into_iter().any(|l| are_beside(&l.quad, &line.quad))
        };
        let (mut of_line, rest): (Vec<_>, Vec<_>) = blocks.into_iter().partition(near);
        blocks = rest;
        let mut block: Vec<Read> = of_line.drain(..).flatten().collect();
        block.push(line);
        blocks.push(block);
    }
    let corner = |block: &Vec<Read>| match &block[..] {
        [line] => line.quad.0[0],
        columns => {
            let bounds = columns.iter().map(|l| l.quad.bounds());
            bounds.fold([f32::MAX; 2], |c, b| [c[0].min(b.left), c[1].min(b.top)])
        }
    };
    let corners: Vec<Point> = blocks.iter().map(corner).collect();
    let order = of_corners(&corners).into_iter();
    let blocks = order.map(|i| in_frame(std::mem::take(&mut blocks[i]), Turn::Down));
    blocks.flatten().collect()
}

fn are_beside(a: &Quad, b: &Quad) -> bool {
    let (a, b) = (a.bounds(), b.bounds());
    let height = (a.bottom - a.top).min(b.bottom - b.top);
    let beside = a.bottom.min(b.bottom) - a.top.max(b.top);
    let width = (a.right - a.left).max(b.right - b.left);
    let gap = a.left.max(b.left) - a.right.min(b.right);
    beside >= BESIDE * height && gap <= COLUMN_GAP * width
}

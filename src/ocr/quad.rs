//! Four corners.

use serde::{Deserialize, Serialize};

pub type Point = [f32; 2];

/// Corners of a line of text: top left, top right, bottom right, bottom left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quad(pub [Point; 4]);

fn distance(a: Point, b: Point) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

impl Quad {
    /// Four points in order: of the two on the left the upper is the first.
    pub fn ordered(mut points: [Point; 4]) -> Self {
        points.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let by_height = |a: Point, b: Point| if a[1] <= b[1] { (a, b) } else { (b, a) };
        let (top_left, bottom_left) = by_height(points[0], points[1]);
        let (top_right, bottom_right) = by_height(points[2], points[3]);
        Self([top_left, top_right, bottom_right, bottom_left])
    }

    pub fn map(self, f: impl Fn(Point) -> Point) -> Self {
        Self(self.0.map(f))
    }

    /// Down by so many pixels.
    pub fn moved(self, y: f32) -> Self {
        self.map(|[px, py]| [px, py + y])
    }

    pub fn scaled(self, by: f32) -> Self {
        self.map(|[x, y]| [x * by, y * by])
    }

    /// Of the longer of two opposite sides.
    pub fn width(&self) -> f32 {
        distance(self.0[0], self.0[1]).max(distance(self.0[2], self.0[3]))
    }

    /// As [`Self::width`].
    pub fn height(&self) -> f32 {
        distance(self.0[0], self.0[3]).max(distance(self.0[1], self.0[2]))
    }

    /// Of its first two sides, the shorter.
    pub fn least_side(&self) -> f32 {
        distance(self.0[0], self.0[1]).min(distance(self.0[0], self.0[3]))
    }
}

/// Lines whose tops are so many pixels apart are one row, read from left to right.
const SAME_ROW: f32 = 10.0;

/// From top to bottom, and from left to right within a row.
pub fn in_reading_order(quads: &mut [Quad]) {
    let corner = |q: &Quad| q.0[0];
    quads.sort_by(|a, b| {
        let (a, b) = (corner(a), corner(b));
        a[1].total_cmp(&b[1]).then(a[0].total_cmp(&b[0]))
    });
    // by insertion: rows drift apart on slanted pages, so that "same row" is no order to sort by
    for i in 1..quads.len() {
        for j in (1..=i).rev() {
            let (before, after) = (corner(&quads[j - 1]), corner(&quads[j]));
            if (after[1] - before[1]).abs() < SAME_ROW && after[0] < before[0] {
                quads.swap(j - 1, j);
            } else {
                break;
            }
        }
    }
}

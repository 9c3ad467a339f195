//! Quadrilaterals and rectangles in a picture.

use opencv::core::{Point2f, Vector};
use opencv::imgproc;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// A point (x, y) in pixels; y points down.
pub type Point = [f32; 2];

/// The corners of a line of text: top left, top right, bottom right, bottom left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quad(pub [Point; 4]);

fn distance(a: Point, b: Point) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

impl Quad {
    /// Sorts four points into the order of corners: the upper one of the two on the left is the first.
    pub fn ordered(mut points: [Point; 4]) -> Self {
        points.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let by_height = |a: Point, b: Point| if a[1] <= b[1] { (a, b) } else { (b, a) };
        let (top_left, bottom_left) = by_height(points[0], points[1]);
        let (top_right, bottom_right) = by_height(points[2], points[3]);
        Self([top_left, top_right, bottom_right, bottom_left])
    }

    /// The smallest rectangle, of any angle, around several quadrilaterals; one that already holds the others is
    /// returned unchanged.
    ///
    /// # Errors
    /// [`Error::OpenCv`](crate::Error::OpenCv) from OpenCV.
    pub fn around(quads: &[Self]) -> Result<Self> {
        let bounds = quads.iter().map(Self::bounds);
        let whole = bounds
            .reduce(|a, b| a.joined(b))
            .expect("quads to go around");
        let same = |q: &&Self| q.bounds().holds(whole);
        if let Some(&quad) = quads.iter().find(same) {
            return Ok(quad);
        }
        let points = quads.iter().flat_map(|q| q.0);
        let points: Vector<Point2f> = points.map(|p| Point2f::new(p[0], p[1])).collect();
        let mut corners = [Point2f::default(); 4];
        imgproc::min_area_rect(&points)?.points(&mut corners)?;
        Ok(Self::ordered(corners.map(|p| [p.x, p.y])))
    }

    /// Applies a function to every corner.
    pub fn map(self, f: impl Fn(Point) -> Point) -> Self {
        Self(self.0.map(f))
    }

    /// The quadrilateral moved by (x, y) pixels.
    pub fn moved(self, x: f32, y: f32) -> Self {
        self.map(|[px, py]| [px + x, py + y])
    }

    /// The quadrilateral with all coordinates multiplied by a factor.
    pub fn scaled(self, by: f32) -> Self {
        self.map(|[x, y]| [x * by, y * by])
    }

    /// The length of the longer of the top and bottom sides, in pixels.
    pub fn width(&self) -> f32 {
        distance(self.0[0], self.0[1]).max(distance(self.0[2], self.0[3]))
    }

    /// The length of the longer of the left and right sides, in pixels.
    pub fn height(&self) -> f32 {
        distance(self.0[0], self.0[3]).max(distance(self.0[1], self.0[2]))
    }

    /// The length of the shorter of the first two sides, in pixels.
    pub fn least_side(&self) -> f32 {
        distance(self.0[0], self.0[1]).min(distance(self.0[0], self.0[3]))
    }

    /// A point on the centre line, from the left side (0) to the right side (1).
    pub fn along(&self, share: f32) -> Point {
        let [a, b, c, d] = self.0;
        [0, 1].map(|i| {
            let (left, right) = ((a[i] + d[i]) / 2.0, (b[i] + c[i]) / 2.0);
            left + (right - left) * share
        })
    }

    /// The part from one share of the width to another.
    pub fn between(&self, from: f32, to: f32) -> Self {
        let [a, b, c, d] = self.0;
        let at = |l: Point, r: Point, share: f32| [0, 1].map(|i| l[i] + (r[i] - l[i]) * share);
        Self([at(a, b, from), at(a, b, to), at(d, c, to), at(d, c, from)])
    }

    /// The middle of the centre line.
    pub fn centre(&self) -> Point {
        self.along(0.5)
    }

    /// The upright rectangle around it.
    pub fn bounds(&self) -> Bounds {
        let of = |c: usize, pick: fn(f32, f32) -> f32| {
            self.0
                .iter()
                .map(|p| p[c])
                .reduce(pick)
                .expect("four corners")
        };
        Bounds {
            left: of(0, f32::min),
            top: of(1, f32::min),
            right: of(0, f32::max),
            bottom: of(1, f32::max),
        }
    }
}

/// An upright rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

impl Bounds {
    /// The intersection of two rectangles; its area is 0 if they do not overlap.
    pub fn common(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }

    pub fn area(self) -> f32 {
        (self.right - self.left).max(0.0) * (self.bottom - self.top).max(0.0)
    }

    fn joined(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    fn holds(self, other: Self) -> bool {
        self.joined(other) == self
    }
}

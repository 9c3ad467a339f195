//! Histograms of local binary patterns (Ojala, Pietikäinen & Mäenpää, PAMI 2002): which points on a circle around a
//! pixel are at least as bright as the pixel.

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::{Appearance, Regions, normalized, wrong};
use crate::error::Result;
use crate::picture::Picture;

/// Settings of the local binary patterns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LbpParams {
    /// Number of points on the circle.
    pub points: usize,
    /// Radius of the circle in pixels.
    pub radius: f32,
    /// One bin per pattern whose bright points form one arc, and one bin for all other patterns.
    pub uniform: bool,
    /// Grid of regions, [columns, rows]; each region has its own histogram.
    pub grid: [usize; 2],
    /// Power applied to each share of pixels.
    pub power: f32,
}

impl Default for LbpParams {
    fn default() -> Self {
        Self {
            points: 8,
            radius: 1.0,
            uniform: true,
            grid: [4, 4],
            power: 0.5,
        }
    }
}

/// Most points without and with `uniform`: more would give more patterns than a picture has pixels to fill.
const MOST_POINTS: [usize; 2] = [12, 24];
/// Largest radius: beyond it hardly any pixel has its circle inside the picture.
const MOST_RADIUS: f32 = 100.0;
/// An interpolated value within this distance of a level equals it: levels are whole numbers, and the rest is
/// rounding.
const EQUAL: f32 = 1e-3;

/// The circle, ready to be placed around pixels.
pub struct Lbp {
    params: LbpParams,
    /// The four pixels around each point, as (dx, dy), and their weights.
    points: Vec<[([isize; 2], f32); 4]>,
    /// The bin of each pattern.
    bins: Vec<u32>,
}

impl LbpParams {
    pub(super) fn pattern(&self) -> Result<Lbp> {
        let most = MOST_POINTS[usize::from(self.uniform)];
        if !(2..=most).contains(&self.points) || self.grid.contains(&0) {
            return Err(wrong(
                "LBP",
                "`points` need to be 2 to 24 (12 if not `uniform`), and `grid` positive",
            ));
        }
        if !(1.0..=MOST_RADIUS).contains(&self.radius) {
            return Err(wrong("LBP", "`radius` needs to be from 1 to 100"));
        }
        let p = self.points;
        let bins = (0..1u32 << p).map(|code| match self.uniform {
            true => uniform(code, p),
            false => code,
        });
        Ok(Lbp {
            points: (0..p).map(|i| self.point(i)).collect(),
            bins: bins.collect(),
            params: self.clone(),
        })
    }

    /// Point i, counted anti-clockwise from the right, as a mix of the four pixels around it.
    fn point(&self, i: usize) -> [([isize; 2], f32); 4] {
        let angle = std::f64::consts::TAU * i as f64 / self.points as f64;
        // A point on a pixel is that pixel, whatever the sine's last digit.
        let round = |v: f64| (v * 1e5).round() / 1e5;
        let x = round(f64::from(self.radius) * angle.cos());
        let y = round(-f64::from(self.radius) * angle.sin());
        let (left, top) = (x.floor(), y.floor());
        let (u, v) = (x - left, y - top);
        let corner = |dx: f64, dy: f64, weight: f64| {
            // without weight, not one pixel further out
            let (dx, dy) = if weight == 0.0 {
                (0.0, 0.0)
            } else {
                (left + dx, top + dy)
            };
            ([dx as isize, dy as isize], weight as f32)
        };
        [
            corner(0.0, 0.0, (1.0 - u) * (1.0 - v)),
            corner(1.0, 0.0, u * (1.0 - v)),
            corner(0.0, 1.0, (1.0 - u) * v),
            corner(1.0, 1.0, u * v),
        ]
    }
}

/// The bin of a pattern of p points: no bright point; arcs by length, then by first point; all; any other.
fn uniform(code: u32, p: usize) -> u32 {
    let p = p as u32;
    let all = (1u32 << p) - 1;
    let before = (code << 1 | code >> (p - 1)) & all; // bit i: point i − 1
    let starts = code & !before;
    match (code, starts.count_ones()) {
        (0, _) => 0,
        (c, _) if c == all => p * (p - 1) + 1,
        (_, 1) => 1 + (code.count_ones() - 1) * p + starts.trailing_zeros(),
        _ => p * (p - 1) + 2,
    }
}

impl Lbp {
    fn bins(&self) -> usize {
        let p = self.params.points;
        if self.params.uniform {
            p * (p - 1) + 3
        } else {
            1 << p
        }
    }
}

impl Appearance for Lbp {
    fn dim(&self) -> usize {
        self.bins() * self.params.grid[0] * self.params.grid[1]
    }

    /// Pixels whose circle leaves the picture are skipped.
    fn describe(&self, picture: &Picture) -> Array1<f32> {
        let mut regions = Regions::new(self.params.grid, self.bins());
        let size = [picture.gray.width(), picture.gray.height()].map(|s| s as usize);
        let [w, h] = size;
        let pixels = picture.gray.as_raw();
        let border = self.params.radius.ceil() as usize;
        let points = self
            .points
            .iter()
            .map(|corners| corners.map(|([dx, dy], weight)| (dy * w as isize + dx, weight)));
        let points: Vec<_> = points.collect();
        for y in border..h.saturating_sub(border) {
            for x in border..w.saturating_sub(border) {
                let at = y * w + x;
                let level = f32::from(pixels[at]) - EQUAL;
                let code = points
                    .iter()
                    .enumerate()
                    .fold(0usize, |code, (i, corners)| {
                        let value: f32 = corners
                            .iter()
                            .map(|&(offset, weight)| {
                                f32::from(pixels[at.wrapping_add_signed(offset)]) * weight
                            })
                            .sum();
                        code | usize::from(value >= level) << i
                    });
                regions.add([x, y], size, Some(self.bins[code] as usize));
            }
        }
        normalized(regions.shares(), self.params.power)
    }
}

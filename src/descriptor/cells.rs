//! The kernel of the dense descriptors: a picture of eight values per pixel, averaged over the 4×4 cells of
//! square patches whose corners lie on a grid.
//!
//! A cell's average is weighted by a triangle of half-width `cell` in x and in y, so that neighbouring cells
//! overlap and a pixel is shared between the four nearest (the bilinear interpolation of Lowe 2004, §6.1).
//! The window is separable, and rows and columns are computed only where a cell is centred. The eight values
//! lie together: every operation is one on eight lanes.

use ndarray::Array2;

/// Values per pixel.
pub const LANES: usize = 8;
/// Cells per side of a patch (Lowe 2004, §6.2).
pub const SIDE: usize = 4;

pub type Lanes = [f32; LANES];

/// width×height pixels, by rows.
pub struct Planes {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<Lanes>,
}

/// Patches of one size on a grid: their first cells are centred at multiples of `step`, and every cell within
/// the picture.
pub struct Grid {
    pub step: usize,
    /// Pixels between the centres of neighbouring cells, and half-width of the window.
    pub cell: usize,
}

/// The averages of a patch's cells, by rows.
pub type Patch = [Lanes; SIDE * SIDE];

impl Grid {
    /// Pixels between the centres of the first and the last cell.
    fn reach(&self) -> usize {
        self.cell * (SIDE - 1)
    }

    /// Patches along a side of that many pixels.
    fn count(&self, pixels: usize) -> usize {
        pixels
            .checked_sub(self.reach() + 1)
            .map_or(0, |rest| rest / self.step + 1)
    }

    /// Places of the patches' centres, n×2, as (x, y) from −0.5 to 0.5 of the picture's width and height.
    pub fn places(&self, width: usize, height: usize) -> Array2<f32> {
        let (columns, rows) = (self.count(width), self.count(height));
        let centre = |i: usize, pixels: usize| {
            ((i * self.step) as f32 + self.reach() as f32 / 2.0 + 0.5) / pixels as f32 - 0.5
        };
        Array2::from_shape_fn((columns * rows, 2), |(i, axis)| match axis {
            0 => centre(i % columns, width),
            _ => centre(i / columns, height),
        })
    }

    /// The pixels at which a cell of some patch is centred, rising, and the place of each among them.
    fn centres(&self, patches: usize) -> (Vec<usize>, Vec<usize>) {
        let all = (0..patches).flat_map(|p| (0..SIDE).map(move |c| p * self.step + c * self.cell));
        let mut centres: Vec<usize> = all.collect();
        centres.sort_unstable();
        centres.dedup();
        let mut place = vec![0; centres.last().map_or(0, |l| l + 1)];
        for (i, &c) in centres.iter().enumerate() {
            place[c] = i;
        }
        (centres, place)
    }

    /// Weights of a triangle with sum 1: offsets −(cell − 1) to cell − 1.
    fn window(&self) -> Vec<f32> {
        let cell = self.cell as isize;
        (1 - cell..cell)
            .map(|d| (cell - d.abs()) as f32 / (cell * cell) as f32)
            .collect()
    }

    /// The cells of all patches, in the order of [`Grid::places`].
    pub fn cells(&self, planes: &Planes) -> Vec<Patch> {
        let (w, h) = (planes.width, planes.height);
        let (columns, rows) = (self.count(w), self.count(h));
        let (xs, x_place) = self.centres(columns);
        let (ys, y_place) = self.centres(rows);
        let window = self.window();
        let mut averages = vec![[0.0; LANES]; xs.len() * ys.len()];
        let mut line = vec![[0.0; LANES]; w];
        for (&y, averages) in ys.iter().zip(averages.chunks_mut(xs.len().max(1))) {
            line.fill([0.0; LANES]);
            for (i, &weight) in window.iter().enumerate() {
                // beyond the border the last row goes on
                let from = (y + i).saturating_sub(self.cell - 1).min(h - 1);
                let row = &planes.pixels[from * w..][..w];
                for (sum, pixel) in line.iter_mut().zip(row) {
                    add(sum, pixel, weight);
                }
            }
            for (&x, average) in xs.iter().zip(averages) {
                for (i, &weight) in window.iter().enumerate() {
                    let from = (x + i).saturating_sub(self.cell - 1).min(w - 1);
                    add(average, &line[from], weight);
                }
            }
        }
        let patch = |i: usize| {
            let (x, y) = (i % columns * self.step, i / columns * self.step);
            std::array::from_fn(|c| {
                let column = x_place[x + c % SIDE * self.cell];
                let row = y_place[y + c / SIDE * self.cell];
                averages[row * xs.len() + column]
            })
        };
        (0..columns * rows).map(patch).collect()
    }
}

#[inline(always)]
fn add(sum: &mut Lanes, value: &Lanes, weight: f32) {
    for (s, v) in sum.iter_mut().zip(value) {
        *s += v * weight;
    }
}

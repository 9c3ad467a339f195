//! The kernel of the dense descriptors: a picture with eight values per pixel, averaged over the 4×4 cells of
//! square patches on a grid.
//!
//! A cell's average is weighted by a triangle of half-width `cell` in x and in y, so that neighbouring cells
//! overlap and a pixel is shared between the four nearest cells (the bilinear interpolation of Lowe 2004, §6.1).
//! The window is separable, and rows and columns are computed only where a cell is centred. The eight values are
//! adjacent in memory: every operation works on eight lanes.

use multiversion::multiversion;
use ndarray::Array2;

/// Values per pixel.
pub const LANES: usize = 8;
/// Cells per side of a patch (Lowe 2004, §6.2).
pub const SIDE: usize = 4;

/// The eight values of a pixel.
pub type Lanes = [f32; LANES];

/// A picture of width×height pixels, row by row.
pub struct Planes {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<Lanes>,
}

/// Patches of one size on a grid. The first cell of a patch is centred at multiples of `step`, and all its cells
/// are centred within the picture.
pub struct Grid {
    /// Pixels between neighbouring patches.
    pub step: usize,
    /// Pixels between the centres of neighbouring cells, and half-width of the window.
    pub cell: usize,
}

/// The averages of a patch's cells, row by row.
pub type Patch = [Lanes; SIDE * SIDE];

impl Grid {
    pub fn new(step: usize, cell: usize) -> Self {
        Self {
            step: step.max(1),
            cell: cell.max(1),
        }
    }

    /// Pixels between the centres of the first and the last cell.
    fn reach(&self) -> usize {
        self.cell * (SIDE - 1)
    }

    /// Number of patches along a side of that many pixels.
    fn count(&self, pixels: usize) -> usize {
        pixels
            .checked_sub(self.reach() + 1)
            .map_or(0, |rest| rest / self.step + 1)
    }

    /// Number of patches in a picture of that size.
    pub fn patches(&self, width: usize, height: usize) -> usize {
        self.count(width) * self.count(height)
    }

    /// The centres of the patches, row by row, as (x, y) from −0.5 to 0.5 of the picture's width and height.
    fn places(&self, width: usize, height: usize) -> impl Iterator<Item = f32> {
        let columns = self.count(width);
        let centre = |i: usize, pixels: usize| {
            ((i * self.step) as f32 + self.reach() as f32 / 2.0 + 0.5) / pixels as f32 - 0.5
        };
        let patches = 0..self.patches(width, height);
        patches.flat_map(move |i| [centre(i % columns, width), centre(i / columns, height)])
    }

    /// The centres of the patches of several grids, n×2, as (x, y) from −0.5 to 0.5 of the picture's width and
    /// height.
    pub fn all_places(grids: &[Self], width: usize, height: usize) -> Array2<f32> {
        let places: Vec<f32> = grids.iter().flat_map(|g| g.places(width, height)).collect();
        Array2::from_shape_vec((places.len() / 2, 2), places).expect("two numbers per patch")
    }

    /// The pixels at which a cell of some patch is centred, rising, and a table from pixel to index among them.
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

    /// Computes the averages over the cells of all patches.
    pub fn cells(&self, planes: &Planes) -> Cells {
        let (columns, rows) = (self.count(planes.width), self.count(planes.height));
        let (xs, x_place) = self.centres(columns);
        let (ys, y_place) = self.centres(rows);
        let mut averages = vec![[0.0; LANES]; xs.len() * ys.len()];
        average(planes, self.cell, &self.window(), &xs, &ys, &mut averages);
        Cells {
            step: self.step,
            cell: self.cell,
            columns,
            width: xs.len(),
            averages,
            x_place,
            y_place,
        }
    }
}

/// Averages over the cells of all patches, made by [`Grid::cells`].
pub struct Cells {
    step: usize,
    cell: usize,
    /// Patches per row of patches.
    columns: usize,
    /// Cell centres per row of `averages`.
    width: usize,
    averages: Vec<Lanes>,
    x_place: Vec<usize>,
    y_place: Vec<usize>,
}

impl Cells {
    /// The cells of one patch, in the order of [`Grid::places`].
    #[inline(always)]
    pub fn patch(&self, i: usize) -> Patch {
        let (x, y) = (i % self.columns * self.step, i / self.columns * self.step);
        let columns: [usize; SIDE] = std::array::from_fn(|c| self.x_place[x + c * self.cell]);
        let rows: [usize; SIDE] = std::array::from_fn(|c| self.y_place[y + c * self.cell]);
        std::array::from_fn(|c| self.averages[rows[c / SIDE] * self.width + columns[c % SIDE]])
    }
}

/// The windowed averages around each of xs × ys.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn average(
    planes: &Planes,
    cell: usize,
    window: &[f32],
    xs: &[usize],
    ys: &[usize],
    averages: &mut [Lanes],
) {
    let (w, h) = (planes.width, planes.height);
    // beyond the border the last pixel goes on
    let inside = |at: usize, offset: usize, size: usize| {
        (at + offset).saturating_sub(cell - 1).min(size - 1)
    };
    let mut line = vec![[0.0; LANES]; w];
    for (&y, averages) in ys.iter().zip(averages.chunks_mut(xs.len().max(1))) {
        line.fill([0.0; LANES]);
        for (i, &weight) in window.iter().enumerate() {
            let row = &planes.pixels[inside(y, i, h) * w..][..w];
            for (sum, pixel) in line.iter_mut().zip(row) {
                for (s, v) in sum.iter_mut().zip(pixel) {
                    *s += v * weight;
                }
            }
        }
        for (&x, average) in xs.iter().zip(averages) {
            let mut sum = [0.0; LANES];
            for (i, &weight) in window.iter().enumerate() {
                for (s, v) in sum.iter_mut().zip(&line[inside(x, i, w)]) {
                    *s += v * weight;
                }
            }
            *average = sum;
        }
    }
}

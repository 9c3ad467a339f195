//! Pictures as grids of cells, a vector each.

use burn::tensor::{Device, Tensor, TensorData};
use half::f16;

/// The cells of several pictures, one row of `cells × width` numbers a picture.
#[derive(Clone, Copy, Debug)]
pub struct Regions<'a> {
    /// pictures×cells×width.
    pub values: &'a [f16],
    /// Cells of a picture, row by row of a square grid.
    pub cells: usize,
    /// Numbers of a cell.
    pub width: usize,
}

impl Regions<'_> {
    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.values.len() / (self.cells * self.width).max(1)
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The cells of some pictures: pictures×cells×width.
    pub fn of(&self, pictures: &[usize], device: &Device) -> Tensor<3> {
        self.turned(pictures, &[], device)
    }

    /// Like [`Self::of`], with the rows of cells of every picture turned round where `mirrored` says so; none are where it is
    /// empty. What a network saw in a mirrored picture is nearly the mirror image of what it saw in the picture.
    pub fn turned(&self, pictures: &[usize], mirrored: &[bool], device: &Device) -> Tensor<3> {
        let size = self.cells * self.width;
        let side = self.cells.isqrt();
        let mut values = Vec::with_capacity(pictures.len() * size);
        for (k, &picture) in pictures.iter().enumerate() {
            let row = &self.values[picture * size..(picture + 1) * size];
            if mirrored.get(k) == Some(&true) && side * side == self.cells {
                for line in row.chunks_exact(side * self.width) {
                    let cells = line.chunks_exact(self.width).rev();
                    values.extend(cells.flatten().map(|v| v.to_f32()));
                }
            } else {
                values.extend(row.iter().map(|v| v.to_f32()));
            }
        }
        let shape = [pictures.len(), self.cells, self.width];
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

//! The stored figures, and how near ours come to them.

use std::fs;
use std::path::Path;

use image::RgbImage;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use tuwen::artifact::{Artifact, Spec};
use tuwen::picture::Picture;

/// The bytes of a file of the repository.
pub fn read(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// One file of tensors; each getter gives a matrix, a vector being a matrix of one row.
pub struct Golden(Vec<u8>);

impl Golden {
    pub fn open(name: &str) -> Self {
        Self(read(&format!("tests/golden/{name}.safetensors")))
    }

    fn get<T, const N: usize>(
        &self,
        name: &str,
        dtype: Dtype,
        from: fn([u8; N]) -> T,
    ) -> Array2<T> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap();
        assert_eq!(tensor.dtype(), dtype, "{name}");
        let (rows, columns) = match *tensor.shape() {
            [n] => (1, n),
            [n, d] => (n, d),
            ref shape => panic!("{name} has shape {shape:?}"),
        };
        let values = tensor
            .data()
            .chunks_exact(N)
            .map(|c| from(c.try_into().unwrap()))
            .collect();
        Array2::from_shape_vec((rows, columns), values).unwrap()
    }

    pub fn u8(&self, name: &str) -> Array2<u8> {
        self.get(name, Dtype::U8, u8::from_le_bytes)
    }

    pub fn i64(&self, name: &str) -> Array2<i64> {
        self.get(name, Dtype::I64, i64::from_le_bytes)
    }

    pub fn f32(&self, name: &str) -> Array2<f32> {
        self.get(name, Dtype::F32, f32::from_le_bytes)
    }

    pub fn f64(&self, name: &str) -> Array2<f64> {
        self.get(name, Dtype::F64, f64::from_le_bytes)
    }
}

/// The picture whose rows of pixels are stored as `rgb`.
pub fn rgb_picture(golden: &Golden) -> Picture {
    let rgb = golden.u8("rgb");
    let (height, width) = (rgb.nrows() as u32, rgb.ncols() as u32 / 3);
    let pixels = rgb.into_raw_vec_and_offset().0;
    Picture::from_rgb(RgbImage::from_raw(width, height, pixels).unwrap())
}

pub fn json<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    serde_json::from_slice(&read(&format!("tests/golden/{name}.json"))).unwrap()
}

pub fn assert_near(ours: ArrayView2<f64>, golden: ArrayView2<f64>, tolerance: f64) {
    assert_eq!(ours.dim(), golden.dim());
    let differences = ours.iter().zip(golden).map(|(a, b)| (a - b).abs());
    let difference = differences.max_by(f64::total_cmp).unwrap_or(0.0); // not a number: the largest
    assert!(
        difference <= tolerance,
        "{difference:e} apart, {tolerance:e} allowed"
    );
}

pub fn wide(x: &Array2<f32>) -> Array2<f64> {
    x.mapv(f64::from)
}

pub fn as_row(v: ArrayView1<f64>) -> Array2<f64> {
    v.to_owned().insert_axis(Axis(0))
}

pub fn centred(x: &Array2<f32>) -> Array2<f64> {
    let x = wide(x);
    &x - &x.mean_axis(Axis(0)).unwrap()
}

/// ±1 for each column of `ours`: the sign that makes it point the way of `golden`'s.
pub fn signs(ours: ArrayView2<f64>, golden: ArrayView2<f64>) -> Array1<f64> {
    (ours.columns().into_iter().zip(golden.columns()))
        .map(|(a, b)| a.dot(&b).signum())
        .collect()
}

pub fn artifact(stage: &str) -> Artifact {
    Artifact::new(Spec::new(stage, &(), 0))
}

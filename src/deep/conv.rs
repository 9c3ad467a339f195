//! Convolutions on feature maps with adjacent channels; batch normalisation is folded into the weights.

use ndarray::{Array1, Array2, Axis, CowArray};

use super::weights::Weights;
use crate::error::Result;
use crate::linalg::affine;

/// Added to variances (`batch_norm_epsilon` of Google's `efficientnet_lite_builder.py`).
const EPSILON: f64 = 1e-3;

/// A feature map.
pub struct Map {
    pub height: usize,
    pub width: usize,
    /// hw×c: the channels of each position, row by row.
    pub x: Array2<f32>,
}

/// The function after a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    Linear,
    /// min(max(x, 0), 6), which EfficientNet-Lite uses in place of EfficientNet's swish.
    Relu6,
}

/// Batch normalisation as a factor and a constant per channel.
struct Norm {
    scale: Vec<f64>,
    shift: Vec<f64>,
}

impl Norm {
    fn load(weights: &Weights, name: &str, channels: usize) -> Result<Self> {
        let get = |part: &str| weights.vector(&format!("{name}.{part}"), channels);
        let (gamma, beta) = (get("weight")?, get("bias")?);
        let (mean, variance) = (get("running_mean")?, get("running_var")?);
        let wide = |v: &Array1<f32>, i: usize| f64::from(v[i]);
        let scale: Vec<f64> = (0..channels)
            .map(|i| wide(&gamma, i) / (wide(&variance, i).max(0.0) + EPSILON).sqrt())
            .collect();
        let shift = (0..channels)
            .map(|i| wide(&beta, i) - wide(&mean, i) * scale[i])
            .collect();
        Ok(Self { scale, shift })
    }

    fn shift(&self) -> Array1<f32> {
        self.shift.iter().map(|&s| s as f32).collect()
    }
}

/// A convolution over all channels.
pub struct Full {
    /// kkc×o: positions of the kernel row by row, then channels.
    w: Array2<f32>,
    bias: Array1<f32>,
    kernel: usize,
    stride: usize,
    activation: Activation,
}

impl Full {
    /// Reads a convolution. `shape` is [outputs, inputs, k, k]; `names` are those of the convolution and of its
    /// normalisation.
    pub fn load(
        weights: &Weights,
        names: [&str; 2],
        shape: [usize; 4],
        stride: usize,
        activation: Activation,
    ) -> Result<Self> {
        let [outputs, inputs, kernel, _] = shape;
        let w = weights.get(&format!("{}.weight", names[0]), &shape)?;
        let norm = Norm::load(weights, names[1], outputs)?;
        let scaled = |(row, o): (usize, usize)| {
            let (place, i) = (row / inputs, row % inputs);
            let v = w[[o, i, place / kernel, place % kernel]];
            (f64::from(v) * norm.scale[o]) as f32
        };
        Ok(Self {
            w: Array2::from_shape_fn((kernel * kernel * inputs, outputs), scaled),
            bias: norm.shift(),
            kernel,
            stride,
            activation,
        })
    }

    pub fn apply(&self, map: &Map) -> Map {
        let (height, width, patches) = if self.kernel == 1 && self.stride == 1 {
            (map.height, map.width, CowArray::from(&map.x))
        } else {
            let window = Window::new(map, self.kernel, self.stride);
            (window.height, window.width, window.patches(map).into())
        };
        let x = affine(patches.view(), self.w.view(), &self.bias);
        let mut out = Map { height, width, x };
        activate(&mut out.x, self.activation);
        out
    }
}

/// A depthwise convolution, with [`Activation::Relu6`].
pub struct Depthwise {
    /// kk×c
    w: Array2<f32>,
    bias: Array1<f32>,
    kernel: usize,
    stride: usize,
}

impl Depthwise {
    pub fn load(
        weights: &Weights,
        names: [&str; 2],
        [channels, kernel]: [usize; 2],
        stride: usize,
    ) -> Result<Self> {
        let w = weights.get(
            &format!("{}.weight", names[0]),
            &[channels, 1, kernel, kernel],
        )?;
        let norm = Norm::load(weights, names[1], channels)?;
        let scaled = |(place, c): (usize, usize)| {
            let v = w[[c, 0, place / kernel, place % kernel]];
            (f64::from(v) * norm.scale[c]) as f32
        };
        Ok(Self {
            w: Array2::from_shape_fn((kernel * kernel, channels), scaled),
            bias: norm.shift(),
            kernel,
            stride,
        })
    }

    pub fn apply(&self, map: &Map) -> Map {
        let window = Window::new(map, self.kernel, self.stride);
        let mut x = Array2::zeros((window.height * window.width, map.x.ncols()));
        for (place, mut out) in x.outer_iter_mut().enumerate() {
            let out = out.as_slice_mut().expect("a row of a new matrix");
            out.copy_from_slice(self.bias.as_slice().expect("a vector of its own"));
            for (tap, from) in window.taps(place) {
                let w = self.w.row(tap);
                let row = map.x.row(from);
                let (w, row) = (
                    w.as_slice().expect("row-major"),
                    row.as_slice().expect("row-major"),
                );
                for ((o, &w), &x) in out.iter_mut().zip(w).zip(row) {
                    *o += w * x;
                }
            }
        }
        activate(&mut x, Activation::Relu6);
        Map {
            height: window.height,
            width: window.width,
            x,
        }
    }
}

fn activate(x: &mut Array2<f32>, activation: Activation) {
    if activation == Activation::Relu6 {
        x.mapv_inplace(|v| v.clamp(0.0, 6.0));
    }
}

/// The positions of a map that a kernel covers. As with TensorFlow's `SAME`, there are as many positions as strides
/// fit, with zeros around the map; an odd zero comes last.
struct Window {
    kernel: usize,
    stride: usize,
    /// Size of the result.
    height: usize,
    width: usize,
    /// Size of the map.
    from: [usize; 2],
    /// Number of zeros above and to the left.
    before: [usize; 2],
}

impl Window {
    fn new(map: &Map, kernel: usize, stride: usize) -> Self {
        let before = |size: usize| {
            let span = (size.div_ceil(stride) - 1) * stride + kernel;
            span.saturating_sub(size) / 2
        };
        Self {
            kernel,
            stride,
            height: map.height.div_ceil(stride),
            width: map.width.div_ceil(stride),
            from: [map.height, map.width],
            before: [before(map.height), before(map.width)],
        }
    }

    /// Positions of the kernel that lie on the map, with the positions of the map that they cover.
    fn taps(&self, place: usize) -> impl Iterator<Item = (usize, usize)> {
        let at = [place / self.width, place % self.width];
        let inside = move |axis: usize, k: usize| {
            let i = (at[axis] * self.stride + k).checked_sub(self.before[axis])?;
            (i < self.from[axis]).then_some(i)
        };
        (0..self.kernel * self.kernel).filter_map(move |tap| {
            let y = inside(0, tap / self.kernel)?;
            let x = inside(1, tap % self.kernel)?;
            Some((tap, y * self.from[1] + x))
        })
    }

    /// What the kernel covers at each position, one row per position.
    fn patches(&self, map: &Map) -> Array2<f32> {
        let channels = map.x.ncols();
        let mut patches = Array2::zeros((
            self.height * self.width,
            self.kernel * self.kernel * channels,
        ));
        for (place, mut row) in patches.outer_iter_mut().enumerate() {
            for (tap, from) in self.taps(place) {
                row.slice_mut(ndarray::s![tap * channels..(tap + 1) * channels])
                    .assign(&map.x.index_axis(Axis(0), from));
            }
        }
        patches
    }
}

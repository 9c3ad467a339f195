//! One modality's network and its gradient.
//!
//! z = x̃·a + gelu(x̃·w1 + b1)·w2 + b2, then scaled to unit length; x̃ is the input, centred and scaled.

use ndarray::{Array1, Array2, ArrayView2, Axis, aview_mut1, aview1};
use rayon::prelude::*;

use super::dropout::Dropout;
use super::real::Real;
use crate::linalg::{add_matmul, matmul};

/// All that a tower learns; also its gradient, which has the same shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights<T> {
    /// d×o, the linear path past the hidden layer.
    pub a: Array2<T>,
    /// d×h
    pub w1: Array2<T>,
    pub b1: Array1<T>,
    /// h×o
    pub w2: Array2<T>,
    pub b2: Array1<T>,
}

impl<T: Real> Weights<T> {
    /// Whether the shapes belong to one network with an input of width `d`.
    pub fn fit(&self, d: usize) -> bool {
        let (h, o) = (self.b1.len(), self.b2.len());
        self.a.dim() == (d, o) && self.w1.dim() == (d, h) && self.w2.dim() == (h, o)
    }

    pub fn zeros_like(&self) -> Self {
        Self {
            a: Array2::zeros(self.a.dim()),
            w1: Array2::zeros(self.w1.dim()),
            b1: Array1::zeros(self.b1.dim()),
            w2: Array2::zeros(self.w2.dim()),
            b2: Array1::zeros(self.b2.dim()),
        }
    }

    /// a, w1, b1, w2 and b2.
    pub fn arrays(&self) -> [&[T]; 5] {
        [
            self.a.as_slice(),
            self.w1.as_slice(),
            self.b1.as_slice(),
            self.w2.as_slice(),
            self.b2.as_slice(),
        ]
        .map(|s| s.expect("weights are in rows"))
    }

    /// Like [`Self::arrays`], mutable.
    pub fn arrays_mut(&mut self) -> [&mut [T]; 5] {
        [
            self.a.as_slice_mut(),
            self.w1.as_slice_mut(),
            self.b1.as_slice_mut(),
            self.w2.as_slice_mut(),
            self.b2.as_slice_mut(),
        ]
        .map(|s| s.expect("weights are in rows"))
    }
}

/// A tower: the scaling of its input, and its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Tower<T> {
    /// Subtracted from the input.
    pub mean: Array1<T>,
    /// Factor of the centred input; it gives the rows a mean length of 1.
    pub scale: T,
    pub weights: Weights<T>,
}

/// What a forward pass keeps for the backward pass, for B items.
pub struct Pass<T> {
    /// B×d, after dropout.
    x: Array2<T>,
    /// B×h, after dropout.
    hidden: Array2<T>,
    /// B×h: slope of `hidden` with respect to the input of the GELU.
    slope: Array2<T>,
    /// B×o: the output, unit rows (zero rows for outputs of zero).
    pub unit: Array2<T>,
    /// Lengths of the outputs before normalisation.
    lengths: Vec<T>,
}

/// √(2/π) and the cubic term of the GELU's tanh form (Hendrycks & Gimpel 2016, §2).
const GELU_SCALE: f64 = 0.797_884_560_802_865_4;
const GELU_CUBIC: f64 = 0.044_715;

/// gelu(p) and its slope. ½(1 + tanh y) is the logistic function of 2y, which needs one exponential.
fn gelu<T: Real>(p: T) -> (T, T) {
    let (one, two) = (T::one(), T::of(2.0));
    let (c, cubic) = (T::of(GELU_SCALE), T::of(GELU_CUBIC));
    let y = c * (p + cubic * p * p * p);
    let s = one / (one + (-two * y).exponential());
    let dy = c * (one + T::of(3.0) * cubic * p * p);
    (p * s, s + two * p * s * (one - s) * dy)
}

fn rows_mut<T>(x: &mut Array2<T>) -> &mut [T] {
    x.as_slice_mut().expect("a new matrix is in rows")
}

impl<T: Real> Tower<T> {
    /// Rows of x: n×d, centred, scaled and thinned by `dropout`: B×d.
    pub fn input(&self, x: ArrayView2<T>, rows: &[usize], dropout: Option<&Dropout>) -> Array2<T> {
        let d = self.mean.len();
        let mut out = Array2::zeros((rows.len(), d));
        rows_mut(&mut out)
            .par_chunks_mut(d.max(1))
            .enumerate()
            .for_each(|(i, out)| {
                match dropout {
                    Some(dropout) => dropout.fill(i, out),
                    None => out.fill(T::one()),
                }
                for ((o, &v), &m) in out.iter_mut().zip(x.row(rows[i])).zip(&self.mean) {
                    *o *= (v - m) * self.scale;
                }
            });
        out
    }

    /// The forward pass; x: B×d as [`Self::input`] returns it.
    pub fn forward(&self, x: Array2<T>, dropout: Option<&Dropout>) -> Pass<T> {
        let Weights { a, w1, b1, w2, b2 } = &self.weights;
        let (h, o) = w2.dim();
        let mut slope = matmul(x.view(), w1.view()); // x·w1, until it is replaced row by row
        let mut hidden = Array2::zeros(slope.dim());
        rows_mut(&mut hidden)
            .par_chunks_mut(h.max(1))
            .zip(rows_mut(&mut slope).par_chunks_mut(h.max(1)))
            .enumerate()
            .for_each(|(i, (hidden, slope))| {
                match dropout {
                    Some(dropout) => dropout.fill(i, hidden),
                    None => hidden.fill(T::one()),
                }
                for ((g, p), &b) in hidden.iter_mut().zip(slope).zip(b1) {
                    let kept = *g;
                    let (value, derivative) = gelu(*p + b);
                    *g = kept * value;
                    *p = kept * derivative;
                }
            });
        let mut unit = matmul(hidden.view(), w2.view());
        add_matmul(&mut unit, x.view(), a.view());
        let normalise = |row: &mut [T]| {
            let mut row = aview_mut1(row);
            row += b2;
            let length = row.dot(&row).sqrt();
            if length > T::zero() {
                row /= length;
            }
            length
        };
        let lengths = rows_mut(&mut unit)
            .par_chunks_mut(o.max(1))
            .map(normalise)
            .collect();
        Pass {
            x,
            hidden,
            slope,
            unit,
            lengths,
        }
    }

    /// The backward pass: the gradient of the weights from that of the unit output, B×o, which is used up.
    pub fn backward(&self, pass: &Pass<T>, mut d_unit: Array2<T>) -> Weights<T> {
        // Only what is square to the output moves it: dz = (du − (u·du)u)/|z|.
        let o = pass.unit.ncols();
        rows_mut(&mut d_unit)
            .par_chunks_mut(o.max(1))
            .enumerate()
            .for_each(|(i, row)| {
                let u = pass.unit.row(i);
                let along = u.dot(&aview1(row));
                let length = pass.lengths[i];
                let mut row = aview_mut1(row);
                if length > T::zero() {
                    row.zip_mut_with(&u, |d, &u| *d = (*d - along * u) / length);
                } else {
                    row.fill(T::zero());
                }
            });
        let dz = d_unit;
        let mut dp = matmul(dz.view(), self.weights.w2.t());
        dp *= &pass.slope;
        Weights {
            a: matmul(pass.x.t(), dz.view()),
            w1: matmul(pass.x.t(), dp.view()),
            b1: dp.sum_axis(Axis(0)),
            w2: matmul(pass.hidden.t(), dz.view()),
            b2: dz.sum_axis(Axis(0)),
        }
    }
}

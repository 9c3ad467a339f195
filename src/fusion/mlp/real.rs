//! The numbers that training is written for: f32 to train with, f64 to check the gradients with.

use faer::traits::ComplexField;
use ndarray::NdFloat;

pub trait Real: NdFloat + ComplexField {
    fn of(v: f64) -> Self;
    fn wide(self) -> f64;
}

impl Real for f32 {
    fn of(v: f64) -> Self {
        v as Self
    }
    fn wide(self) -> f64 {
        self.into()
    }
}

impl Real for f64 {
    fn of(v: f64) -> Self {
        v
    }
    fn wide(self) -> f64 {
        self
    }
}

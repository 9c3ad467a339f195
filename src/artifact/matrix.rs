//! A matrix of an artifact that is not copied.

use std::marker::PhantomData;

use ndarray::{Array2, ArrayView2};

use super::bytes::Bytes;
use super::{Element, pulled};

/// A matrix in memory, or where it lies in the mapped file of a model: large ones cost neither the time nor the memory of
/// a copy.
#[derive(Clone, Debug)]
pub struct Matrix<T>(Place<T>);

#[derive(Clone, Debug)]
enum Place<T> {
    Memory(Array2<T>),
    File {
        bytes: Bytes,
        shape: [usize; 2],
        of: PhantomData<T>,
    },
}

impl<T: Element> Matrix<T> {
    /// `bytes` hold rows·columns numbers, little-endian and row-major; nothing where there are not as many.
    pub(super) fn new(bytes: &Bytes, shape: [usize; 2]) -> Option<Self> {
        let lies_as_in_memory = cfg!(target_endian = "little")
            && bytes.is_mapped()
            && bytemuck::try_cast_slice::<u8, T>(bytes)
                .is_ok_and(|values| ArrayView2::from_shape(shape, values).is_ok());
        Some(Self(match lies_as_in_memory {
            true => Place::File {
                bytes: bytes.clone(),
                shape,
                of: PhantomData,
            },
            false => Place::Memory(Array2::from_shape_vec(shape, pulled(bytes)).ok()?),
        }))
    }

    /// The numbers.
    pub fn view(&self) -> ArrayView2<'_, T> {
        match &self.0 {
            Place::Memory(matrix) => matrix.view(),
            Place::File { bytes, shape, .. } => {
                ArrayView2::from_shape(*shape, bytemuck::cast_slice(bytes))
                    .expect("its shape was tried when it was made")
            }
        }
    }

    /// Numbers of rows and columns.
    pub fn dim(&self) -> (usize, usize) {
        self.view().dim()
    }
}

impl<T> From<Array2<T>> for Matrix<T> {
    fn from(matrix: Array2<T>) -> Self {
        Self(Place::Memory(matrix))
    }
}

impl<T: Element + PartialEq> PartialEq for Matrix<T> {
    fn eq(&self, other: &Self) -> bool {
        self.view() == other.view()
    }
}

//! Matrices of floats in NumPy's format
//! ([NEP 1](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)).

use std::io::{self, Write};

use ndarray::{Array2, ArrayView2, ShapeBuilder};
use safetensors::Dtype;

use crate::artifact::floats;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Writes an n×d matrix as `float32`, in C order.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut impl Write, x: ArrayView2<f32>) -> io::Result<()> {
    let (n, d) = x.dim();
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, {d}), }}");
    // Magic, version and length take 10 bytes; the data begins at a multiple of 64.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    out.write_all(MAGIC)?;
    out.write_all(&[1, 0])?;
    out.write_all(&(length as u16).to_le_bytes())?;
    out.write_all(format!("{header:<width$}\n", width = length - 1).as_bytes())?;
    for row in x.outer_iter() {
        let bytes: Vec<u8> = row.iter().flat_map(|v| v.to_le_bytes()).collect();
        out.write_all(&bytes)?;
    }
    Ok(())
}

/// An array as it lies in a file.
pub struct Raw<'a> {
    /// Its axes.
    pub shape: Vec<usize>,
    dtype: &'a str,
    fortran: bool,
    data: &'a [u8],
}

impl<'a> Raw<'a> {
    /// Reads the header.
    pub fn new(bytes: &'a [u8]) -> Result<Self, String> {
        let (header, data) = split(bytes).ok_or("it is not a whole .npy file")?;
        let value = |key: &str| {
            after(header, key)
                .ok_or_else(|| format!("its header says nothing of '{key}': {header}"))
        };
        let shape = value("shape")?;
        let quoted = value("descr")?;
        Ok(Self {
            shape: numbers(shape).ok_or_else(|| format!("its shape is {shape}"))?,
            dtype: quoted.split(['\'', '"']).nth(1).unwrap_or(quoted),
            fortran: value("fortran_order")?.starts_with("True"),
            data,
        })
    }

    fn require(&self, width: usize) -> Result<(), String> {
        let count = self.shape.iter().try_fold(width, |n, &d| n.checked_mul(d));
        match count == Some(self.data.len()) {
            true => Ok(()),
            false => Err(format!(
                "{} values of '{}' are not {} bytes",
                self.shape
                    .iter()
                    .map(usize::to_string)
                    .collect::<Vec<_>>()
                    .join("x"),
                self.dtype,
                self.data.len()
            )),
        }
    }

    /// Its values if they are `float16`, `float32` or `float64`, of either byte order, as they lie.
    pub fn floats(&self) -> Result<Vec<f32>, String> {
        let (kind, width) = match self.dtype.get(1..) {
            Some("f2") => (Dtype::F16, 2),
            Some("f4") => (Dtype::F32, 4),
            Some("f8") => (Dtype::F64, 8),
            _ => return Err(format!("its values are of '{}', not floats", self.dtype)),
        };
        self.require(width)?;
        let values = if self.dtype.starts_with('>') {
            let little: Vec<u8> = self
                .data
                .chunks_exact(width)
                .flat_map(|c| c.iter().rev().copied())
                .collect();
            floats(kind, &little)
        } else {
            floats(kind, self.data)
        };
        Ok(values.expect("a type of floats"))
    }

    /// Its values if they are `uint8`, as they lie.
    pub fn bytes(&self) -> Result<&'a [u8], String> {
        if self.dtype.get(1..) != Some("u1") {
            return Err(format!("its values are of '{}', not uint8", self.dtype));
        }
        self.require(1).map(|()| self.data)
    }
}

/// An n×d matrix of floats, in C or Fortran order.
pub fn read(bytes: &[u8]) -> Result<Array2<f32>, String> {
    let raw = Raw::new(bytes)?;
    let &[n, d] = raw.shape.as_slice() else {
        return Err(format!("it has {} axes, expected two", raw.shape.len()));
    };
    let shape = (n, d).set_f(raw.fortran);
    let x = Array2::from_shape_vec(shape, raw.floats()?).map_err(|e| e.to_string())?;
    Ok(x.as_standard_layout().into_owned())
}

/// Header and data.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (&[major, _minor], rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk()?;
    let (len, rest) = if major == 1 {
        let (len, rest) = rest.split_first_chunk()?;
        (usize::from(u16::from_le_bytes(*len)), rest)
    } else {
        let (len, rest) = rest.split_first_chunk()?;
        (usize::try_from(u32::from_le_bytes(*len)).ok()?, rest)
    };
    let (header, data) = rest.split_at_checked(len)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

/// What follows a key of the header, which is a Python dictionary.
fn after<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}':"))?;
    Some(rest.trim_start())
}

/// The numbers of a Python tuple that the text begins with.
fn numbers(text: &str) -> Option<Vec<usize>> {
    let (inside, _) = text.strip_prefix('(')?.split_once(')')?;
    let parts = inside.split(',').map(str::trim).filter(|p| !p.is_empty());
    parts.map(|p| p.parse().ok()).collect()
}

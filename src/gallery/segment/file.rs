//! Writing a safetensors file tensor by tensor, so that one of any size needs little memory.
//!
//! Tensors lie in the order of the sizes of their elements, the largest first, as safetensors itself orders them: after
//! a header whose length is a multiple of eight, every element is aligned.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use bytemuck::Pod;
use safetensors::tensor::Dtype;
use serde_json::{Map, Value, json};

use super::{Element, Header, KEY};
use crate::artifact::Fingerprint;
use crate::error::{Error, Result};

/// Bytes that are digested and written at a time.
const BUFFER: usize = 1 << 20;

/// Writes the bytes of a tensor.
type Filling<'a> = dyn Fn(&mut dyn Write) -> io::Result<()> + 'a;

/// A tensor that is yet to be written.
pub(super) struct Column<'a> {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    /// Writes as many bytes as the shape says.
    write: Box<Filling<'a>>,
}

impl<'a> Column<'a> {
    pub fn new<T: Element>(
        name: impl Into<String>,
        shape: Vec<usize>,
        write: impl Fn(&mut dyn Write) -> io::Result<()> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            dtype: T::DTYPE,
            shape,
            write: Box::new(write),
        }
    }

    /// Of numbers in memory.
    pub fn whole<T: Element + 'a>(name: impl Into<String>, values: Vec<T>) -> Self {
        Self::new::<T>(name, vec![values.len()], move |out| put(out, &values))
    }

    fn bytes(&self) -> u64 {
        (self.shape.iter().product::<usize>() * self.dtype.bitsize() / 8) as u64
    }
}

/// Writes numbers as they lie in memory, which is as they lie in a file where the least significant byte comes first.
pub(super) fn put<T: Pod>(out: &mut dyn Write, values: &[T]) -> io::Result<()> {
    out.write_all(bytemuck::cast_slice(values))
}

/// A file that is digested while it is written.
struct Digested {
    file: File,
    hash: blake3::Hasher,
    bytes: u64,
}

impl Write for Digested {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A file under its final name, on the disk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written {
    pub name: String,
    pub path: PathBuf,
    pub digest: Fingerprint,
}

/// Writes a segment whole or not at all. Its name is its number and the beginning of its digest, so that no two
/// contents ever have the same.
pub(super) fn create(
    folder: &Path,
    number: u64,
    header: &Header,
    mut columns: Vec<Column>,
) -> Result<Written> {
    columns.sort_by(|a, b| (b.dtype.bitsize(), &a.name).cmp(&(a.dtype.bitsize(), &b.name)));
    let temporary = folder.join(format!(".{number:08}.tmp"));
    let written = stream(&temporary, &head(header, &columns), &columns).and_then(|digest| {
        let name = format!("{number:08}-{}", digest.short());
        let path = folder.join(format!("{name}.safetensors"));
        fs::rename(&temporary, &path)?;
        sync_folder(folder)?;
        Ok(Written { name, path, digest })
    });
    written.map_err(|cause| {
        let _ = fs::remove_file(&temporary); // otherwise the next writer removes it
        Error::io("write", &temporary)(cause)
    })
}

/// The length of the header and the header, as a safetensors file begins.
fn head(header: &Header, columns: &[Column]) -> Vec<u8> {
    let metadata = serde_json::to_string(header).expect("numbers and texts always serialise");
    let mut tensors = Map::new();
    tensors.insert("__metadata__".into(), json!({ KEY: metadata }));
    let mut end = 0;
    for column in columns {
        let start = end;
        end += column.bytes();
        let dtype = Value::String(format!("{:?}", column.dtype));
        let about = json!({ "dtype": dtype, "shape": column.shape, "data_offsets": [start, end] });
        tensors.insert(column.name.clone(), about);
    }
    let mut json = Value::Object(tensors).to_string().into_bytes();
    json.resize(json.len().next_multiple_of(8), b' ');
    let length = (json.len() as u64).to_le_bytes();
    [&length[..], &json].concat()
}

fn stream(path: &Path, head: &[u8], columns: &[Column]) -> io::Result<Fingerprint> {
    let digested = Digested {
        file: File::create(path)?,
        hash: blake3::Hasher::new(),
        bytes: 0,
    };
    let mut out = BufWriter::with_capacity(BUFFER, digested);
    out.write_all(head)?;
    for column in columns {
        (column.write)(&mut out)?;
    }
    let digested = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    let wanted = head.len() as u64 + columns.iter().map(Column::bytes).sum::<u64>();
    if digested.bytes != wanted {
        let reason = format!(
            "{} bytes came out, not {wanted}: a segment that is merged is damaged",
            digested.bytes
        );
        return Err(io::Error::other(reason));
    }
    digested.file.sync_all()?;
    Ok(Fingerprint::of_hash(digested.hash.finalize()))
}

/// Makes the names in a folder outlast a loss of power.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

//! Weights as PyTorch wrote them before version 1.6: five pickles one after another (a magic number, the format's
//! version, facts about the machine, the tensors, the keys of their storages), then each storage as its length and
//! its numbers.
//!
//! Only the part of pickle that such a file needs is read, and nothing is ever called. Values are kept in one list
//! and refer to each other by index, so that no file can nest or repeat itself beyond its own size. Tensors may
//! share a storage, but together must not be much larger than their storages.

use std::collections::BTreeMap;

use ndarray::{ArrayView, IxDyn, ShapeBuilder};
use safetensors::Dtype;

use super::tensor::Tensor;
use crate::artifact::floats;

/// `MAGIC_NUMBER` of `torch/serialization.py`, as a pickle of protocol 2.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

type Result<T> = std::result::Result<T, String>;

/// Whether bytes begin like such a file.
pub fn is_legacy(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Largest ratio of the numbers in all tensors to those in their storages: networks tie a few weights.
const MOST_SHARED: usize = 2;
/// Tensors of networks have fewer dimensions.
const MOST_DIMENSIONS: usize = 8;
/// Longest name in bytes; names in networks are shorter.
const LONGEST_NAME: usize = 1000;

/// Reads the floating-point tensors of a dictionary of tensors (a `state_dict`).
pub fn read(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>> {
    let mut bytes = bytes;
    for _ in 0..3 {
        Pickle::read(&mut bytes)?;
    }
    let layouts = Pickle::read(&mut bytes)?.layouts()?;
    let storages = storages(&mut bytes, &layouts)?;
    let held: usize = storages.values().map(Vec::len).sum();
    let mut left = held.saturating_mul(MOST_SHARED);
    let mut found = BTreeMap::new();
    for (name, layout) in layouts.iter().filter(|(_, l)| l.dtype != Dtype::I64) {
        let values = storages
            .get(&layout.key)
            .ok_or_else(|| format!("`{name}` has no storage"))?;
        let values = values.get(layout.offset..).unwrap_or(&[]);
        let size = layout
            .shape
            .iter()
            .try_fold(1, |n: usize, &d| n.checked_mul(d));
        let Some(size) = size.filter(|&n| n <= values.len()) else {
            return Err(format!("`{name}` is larger than its storage"));
        };
        left = left.checked_sub(size).ok_or_else(|| {
            format!("its tensors hold more than {MOST_SHARED} times the {held} numbers in their storages")
        })?;
        let shape = IxDyn(&layout.shape).strides(IxDyn(&layout.strides));
        let tensor = ArrayView::from_shape(shape, values)
            .map_err(|e| format!("`{name}` does not fit its storage: {e}"))?;
        found.insert(name.clone(), tensor.as_standard_layout().into_owned());
    }
    Ok(found)
}

/// The numbers of the floating-point storages, by key.
fn storages(
    bytes: &mut &[u8],
    layouts: &BTreeMap<String, Layout>,
) -> Result<BTreeMap<String, Vec<f32>>> {
    let dtypes: BTreeMap<&str, Dtype> = layouts.values().map(|l| (&l.key[..], l.dtype)).collect();
    let keys = Pickle::read(bytes)?;
    let mut storages = BTreeMap::new();
    for &key in keys.list(keys.root)? {
        let key = keys.text(key)?;
        let dtype = dtypes.get(key);
        let &dtype = dtype.ok_or_else(|| format!("storage {key} belongs to no tensor"))?;
        let len = u64::from_le_bytes(*take(bytes)?);
        let len = usize::try_from(len).map_err(|_| "a storage is too long")?;
        let data = len
            .checked_mul(dtype.bitsize() / 8)
            .and_then(|n| bytes.split_off(..n))
            .ok_or("it breaks off in its numbers")?;
        if let Some(values) = floats(dtype, data) {
            storages.insert(key.to_owned(), values);
        }
    }
    Ok(storages)
}

fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Result<&'a [u8; N]> {
    let (first, rest) = bytes.split_first_chunk().ok_or("it breaks off")?;
    *bytes = rest;
    Ok(first)
}

/// Where the numbers of a tensor are.
struct Layout {
    key: String,
    dtype: Dtype,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

/// The type of a storage's numbers.
fn dtype_of(class: &str) -> Result<Dtype> {
    match class {
        "torch HalfStorage" => Ok(Dtype::F16),
        "torch FloatStorage" => Ok(Dtype::F32),
        "torch DoubleStorage" => Ok(Dtype::F64),
        "torch LongStorage" => Ok(Dtype::I64), // counters, which a trained network does not need
        _ => Err(format!("a storage is a {class}")),
    }
}

/// Index of a value in [`Pickle::values`].
type At = usize;

enum Value {
    /// None, a truth value, or anything else of no use here.
    Other,
    Int(i64),
    Text(String),
    /// Module and name, with a space between.
    Class(String),
    Sequence(Vec<At>),
    Dict(Vec<(At, At)>),
    /// A persistent id, which says where a storage is.
    Storage(At),
    /// A class and the arguments it is to be called with.
    Call(At, At),
}

/// One object as it was pickled.
struct Pickle {
    values: Vec<Value>,
    root: At,
}

impl Pickle {
    /// Reads one pickle from the front of the bytes.
    fn read(bytes: &mut &[u8]) -> Result<Self> {
        let mut reader = Reader::default();
        while reader.step(bytes)? {}
        let root = reader.pop()?;
        let values = reader.values;
        Ok(Self { values, root })
    }

    fn list(&self, at: At) -> Result<&[At]> {
        match &self.values[at] {
            Value::Sequence(items) => Ok(items),
            _ => Err("a list is missing in its pickle".into()),
        }
    }

    fn text(&self, at: At) -> Result<&str> {
        match &self.values[at] {
            Value::Text(text) => Ok(text),
            _ => Err("a text is missing in its pickle".into()),
        }
    }

    fn class(&self, at: At) -> Result<&str> {
        match &self.values[at] {
            Value::Class(class) => Ok(class),
            _ => Err("a class is missing in its pickle".into()),
        }
    }

    fn size(&self, at: At) -> Result<usize> {
        match self.values[at] {
            Value::Int(n) => usize::try_from(n).map_err(|_| format!("{n} is no size")),
            _ => Err("a number is missing in its pickle".into()),
        }
    }

    /// A text that is short enough to be kept many times.
    fn name(&self, at: At) -> Result<String> {
        match self.text(at)? {
            long if long.len() > LONGEST_NAME => Err("a name in its pickle is too long".into()),
            name => Ok(name.to_owned()),
        }
    }

    fn sizes(&self, at: At) -> Result<Vec<usize>> {
        let list = self.list(at)?;
        if list.len() > MOST_DIMENSIONS {
            return Err(format!("{} dimensions are too many", list.len()));
        }
        list.iter().map(|&i| self.size(i)).collect()
    }

    /// The layout of every tensor, by name.
    fn layouts(&self) -> Result<BTreeMap<String, Layout>> {
        let Value::Dict(entries) = &self.values[self.root] else {
            return Err("it holds no dictionary of tensors (a state_dict)".into());
        };
        let mut layouts = BTreeMap::new();
        for &(name, tensor) in entries {
            let name = self.name(name)?;
            let layout = self.layout(tensor).map_err(|e| format!("`{name}`: {e}"))?;
            if layouts.contains_key(&name) {
                return Err(format!("it holds `{name}` twice"));
            }
            layouts.insert(name, layout);
        }
        Ok(layouts)
    }

    /// `_rebuild_tensor_v2(storage, offset, shape, strides, …)`, where the storage is `("storage", class, key,
    /// device, length, …)`.
    fn layout(&self, tensor: At) -> Result<Layout> {
        let Value::Call(function, arguments) = self.values[tensor] else {
            return Err("not a tensor".into());
        };
        let function = self.class(function)?;
        if function != "torch._utils _rebuild_tensor_v2" {
            return Err(format!("{function} is not known to make tensors"));
        }
        let [storage, offset, shape, strides, ..] = *self.list(arguments)? else {
            return Err("too few arguments".into());
        };
        let Value::Storage(storage) = self.values[storage] else {
            return Err("no storage".into());
        };
        let [_, class, key, ..] = *self.list(storage)? else {
            return Err("too few facts on a storage".into());
        };
        Ok(Layout {
            key: self.name(key)?,
            dtype: dtype_of(self.class(class)?)?,
            offset: self.size(offset)?,
            shape: self.sizes(shape)?,
            strides: self.sizes(strides)?,
        })
    }
}

/// The stack machine that executes a pickle.
#[derive(Default)]
struct Reader {
    values: Vec<Value>,
    stack: Vec<At>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: BTreeMap<u32, At>,
}

/// What stands in the bytes after an instruction for a long number, a text or a class.
fn written(code: u8, bytes: &mut &[u8]) -> Result<Value> {
    match code {
        0x8a => {
            let [len] = *take(bytes)?;
            let long = bytes.split_off(..usize::from(len)).ok_or("it breaks off")?;
            Ok(long_int(long))
        }
        b'X' => {
            let len = u32::from_le_bytes(*take(bytes)?) as usize;
            let text = bytes.split_off(..len).ok_or("it breaks off")?;
            let text = str::from_utf8(text).map_err(|e| e.to_string())?;
            Ok(Value::Text(text.to_owned()))
        }
        _ => {
            let (module, name) = (line(bytes)?, line(bytes)?);
            Ok(Value::Class(format!("{module} {name}")))
        }
    }
}

impl Reader {
    /// Executes one instruction; returns false after the last.
    fn step(&mut self, bytes: &mut &[u8]) -> Result<bool> {
        let [code] = *take(bytes)?;
        match code {
            b'.' => return Ok(false),
            0x80 => drop(take::<1>(bytes)?), // version
            b'(' => self.marks.push(self.stack.len()),
            b'N' | 0x88 | 0x89 => self.push(Value::Other),
            b'K' => self.push(Value::Int(take::<1>(bytes)?[0].into())),
            b'M' => self.push(Value::Int(u16::from_le_bytes(*take(bytes)?).into())),
            b'J' => self.push(Value::Int(i32::from_le_bytes(*take(bytes)?).into())),
            0x8a | b'X' | b'c' => {
                let value = written(code, bytes)?;
                self.push(value);
            }
            b')' | b']' => self.push(Value::Sequence(vec![])),
            b'}' => self.push(Value::Dict(vec![])),
            b't' => {
                let items = self.since_mark()?;
                self.push(Value::Sequence(items));
            }
            0x85..=0x87 => {
                let from = self.stack.len().checked_sub(usize::from(code - 0x84));
                let items = self.stack.split_off(from.ok_or("its stack is empty")?);
                self.push(Value::Sequence(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.extend(&[item])?;
            }
            b'e' => {
                let items = self.since_mark()?;
                self.extend(&items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.extend(&[key, value])?;
            }
            b'u' => {
                let items = self.since_mark()?;
                self.extend(&items)?;
            }
            b'b' => drop(self.pop()?), // attributes of a dictionary: versions of modules
            b'Q' => {
                let id = self.pop()?;
                self.push(Value::Storage(id));
            }
            b'R' => self.call()?,
            b'q' => self.remember(take::<1>(bytes)?[0].into())?,
            b'r' => self.remember(u32::from_le_bytes(*take(bytes)?))?,
            b'h' => self.recall(take::<1>(bytes)?[0].into())?,
            b'j' => self.recall(u32::from_le_bytes(*take(bytes)?))?,
            other => return Err(format!("its pickle has an instruction {other:#04x}")),
        }
        Ok(true)
    }

    /// Calls a function: none is run, but an ordered dictionary is begun.
    fn call(&mut self) -> Result<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        self.push(match &self.values[function] {
            Value::Class(class) if class == "collections OrderedDict" => Value::Dict(vec![]),
            _ => Value::Call(function, arguments),
        });
        Ok(())
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn pop(&mut self) -> Result<At> {
        self.stack.pop().ok_or("its stack is empty".into())
    }

    fn since_mark(&mut self) -> Result<Vec<At>> {
        let mark = self.marks.pop().filter(|&m| m <= self.stack.len());
        Ok(self.stack.split_off(mark.ok_or("a mark is missing")?))
    }

    /// Appends to the list, or the dictionary, on top of the stack.
    fn extend(&mut self, items: &[At]) -> Result<()> {
        let &top = self.stack.last().ok_or("its stack is empty")?;
        match &mut self.values[top] {
            Value::Sequence(list) => list.extend(items),
            Value::Dict(entries) => {
                entries.extend(items.as_chunks().0.iter().map(|&[k, v]| (k, v)));
            }
            _ => return Err("what it appends to is no list".into()),
        }
        Ok(())
    }

    fn remember(&mut self, key: u32) -> Result<()> {
        let &top = self.stack.last().ok_or("its stack is empty")?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<()> {
        let &at = self.memo.get(&key).ok_or("it recalls what it never knew")?;
        self.stack.push(at);
        Ok(())
    }
}

/// A whole number of few bytes, in two's complement. (The magic number has ten bytes and is never read as a
/// number.)
fn long_int(bytes: &[u8]) -> Value {
    if bytes.len() > 8 {
        return Value::Other;
    }
    let sign = bytes.last().is_some_and(|b| b & 0x80 != 0);
    let mut all = [if sign { 0xff } else { 0 }; 8];
    all[..bytes.len()].copy_from_slice(bytes);
    Value::Int(i64::from_le_bytes(all))
}

fn line<'a>(bytes: &mut &'a [u8]) -> Result<&'a str> {
    let end = bytes.iter().position(|&b| b == b'\n');
    let line = end
        .and_then(|n| bytes.split_off(..n))
        .ok_or("it breaks off")?;
    take::<1>(bytes)?; // the end of the line
    str::from_utf8(line).map_err(|e| e.to_string())
}

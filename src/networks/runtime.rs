//! Runs networks in ONNX Runtime, a shared library that is loaded when first needed; nothing is linked.

use std::sync::{Arc, Mutex};

use ndarray::{Array, Array4, ArrayD, Dimension};
use ort::environment::Environment;
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};

use super::{Folder, Pinned};
use crate::error::{Error, Result};

// From the wheel onnxruntime 1.28.0 (experiments/networks/ocr.txt): the last whose wheels for Linux keep no diary of what runs,
// and send none. Those from 1.29.0 on write one into the user's cache as they are loaded, before it can be forbidden.
#[cfg(not(target_arch = "aarch64"))]
pub(crate) const LIBRARY: Pinned = Pinned {
    name: "libonnxruntime.so",
    sha256: "aa4079d18f4ea7a5f3a94d80cd4bbe0f2740436626622d64d793803a20381083",
    bytes: 24_272_944,
};
#[cfg(target_arch = "aarch64")]
pub(crate) const LIBRARY: Pinned = Pinned {
    name: "libonnxruntime.so",
    sha256: "23a37c2994bc273e1d59a4f49af6cba5bf1cfbc29f04907ec27df375aba50a7d",
    bytes: 20_657_248,
};
/// Part of the models that the library belongs to: what reads text needs it most.
pub(crate) const LIBRARY_PART: &str = "ocr";

/// Loads the library from a folder, once per process: there is only one right library, so the first one stays loaded.
fn environment(folder: &Folder) -> Result<Environment> {
    static LOADED: Mutex<Option<Environment>> = Mutex::new(None);
    let mut loaded = LOADED.lock().expect("no thread panics here");
    if let Some(environment) = &*loaded {
        return Ok(environment.clone());
    }
    let library = folder.read(&LIBRARY)?;
    let new = load_library(&library).map_err(|e| Error::weights(folder.path(&LIBRARY), e))?;
    Ok(loaded.insert(new).clone())
}

/// Loads the library from memory that no other program can name, so that exactly the checked bytes run.
#[cfg(target_os = "linux")]
fn load_library(bytes: &[u8]) -> Result<Environment, String> {
    use std::io::Write;
    use std::os::fd::AsRawFd;

    use rustix::fs::{MemfdFlags, memfd_create};
    let memory = memfd_create("onnxruntime", MemfdFlags::CLOEXEC).map_err(|e| e.to_string())?;
    let mut memory = std::fs::File::from(memory);
    memory.write_all(bytes).map_err(|e| e.to_string())?;
    let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
    let builder = ort::init_from(path).map_err(|e| e.to_string())?;
    builder
        .with_telemetry(false)
        .build()
        .map_err(|e| e.to_string())
}
#[cfg(not(target_os = "linux"))]
fn load_library(_: &[u8]) -> Result<Environment, String> {
    Err("networks run on Linux only".into())
}

/// What an input or an output of a network holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// Single precision.
    Float,
    /// Integers of 64 bits.
    Long,
    /// Integers of 32 bits.
    Int,
    /// Anything else.
    Other,
}

/// An input or an output of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub element: Element,
    /// Its axes; `None` where a length is free.
    pub shape: Vec<Option<usize>>,
}

impl Port {
    fn of(outlet: &Outlet) -> Self {
        let (element, shape) = match outlet.dtype() {
            ValueType::Tensor { ty, shape, .. } => {
                let element = match ty {
                    TensorElementType::Float32 => Element::Float,
                    TensorElementType::Int64 => Element::Long,
                    TensorElementType::Int32 => Element::Int,
                    _ => Element::Other,
                };
                let axes = shape.iter().map(|&d| usize::try_from(d).ok());
                (element, axes.collect())
            }
            _ => (Element::Other, vec![]),
        };
        Self {
            name: outlet.name().to_owned(),
            element,
            shape,
        }
    }
}

impl Port {
    /// Zeros for an input that is not asked about, for one item; free lengths are 1, or those of a picture of this side.
    pub(super) fn blank(&self, side: u32) -> Value {
        let side = side as usize;
        let length =
            |axis: usize, free: usize| self.shape.get(axis).copied().flatten().unwrap_or(free);
        match self.shape.len() {
            4 => Value::Floats(Array4::zeros((
                1,
                length(1, 3),
                length(2, side),
                length(3, side),
            ))),
            _ => {
                let length = length(1, 1);
                Value::Numbers(vec![0; length], [1, length])
            }
        }
    }
}

/// A value for an input.
pub enum Value {
    /// Single precision.
    Floats(Array4<f32>),
    /// Whole numbers, n×length, which are given as the input wants them.
    Numbers(Vec<i64>, [usize; 2]),
}

/// A network that several threads run at once, each in a session of its own.
pub struct Network {
    name: String,
    bytes: Arc<[u8]>,
    environment: Environment,
    idle: Mutex<Vec<Session>>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

impl Network {
    /// Loads a network from its bytes, and the library from a folder.
    ///
    /// # Errors
    /// [`Error::Weights`] if the library is missing or another, or if the bytes are no network that it can run.
    pub fn load(library: &Folder, name: &str, bytes: Vec<u8>) -> Result<Self> {
        let mut network = Self {
            name: name.to_owned(),
            bytes: bytes.into(),
            environment: environment(library)?,
            idle: Mutex::default(),
            inputs: vec![],
            outputs: vec![],
        };
        let first = network.session()?;
        network.inputs = first.inputs().iter().map(Port::of).collect();
        network.outputs = first.outputs().iter().map(Port::of).collect();
        network.give_back(first);
        Ok(network)
    }

    /// Its inputs, in their order.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// Its outputs, in their order.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// The output of this name; the first one where none is named.
    ///
    /// # Errors
    /// [`Error::Weights`] with the names that there are.
    pub fn output(&self, name: Option<&str>) -> Result<&Port> {
        let found = match name {
            Some(name) => self.outputs.iter().find(|o| o.name == name),
            None => self.outputs.first(),
        };
        found.ok_or_else(|| {
            let names: Vec<&str> = self.outputs.iter().map(|o| &*o.name).collect();
            let wanted = name.unwrap_or_default();
            self.wrong(format!(
                "it has no output `{wanted}`; it has {}",
                names.join(", ")
            ))
        })
    }

    /// Runs a network of one input and one output; the output must have as many axes as the type says.
    ///
    /// # Errors
    /// [`Error::Weights`] if the network fails on the input.
    pub fn answer<D: Dimension>(&self, input: &Array4<f32>) -> Result<Array<f32, D>> {
        let (input_name, output) = match (&self.inputs[..], &self.outputs[..]) {
            ([input], [output, ..]) => (&input.name, &output.name),
            _ => return Err(self.wrong("it does not have one input and an output")),
        };
        let inputs = vec![(&**input_name, tensor(input).map_err(|e| self.wrong(e))?)];
        let answer = self.run_session(inputs, &[output])?.remove(0);
        answer.into_dimensionality().map_err(|e| self.wrong(e))
    }

    /// Runs the network on the given inputs, and returns the outputs of these names.
    ///
    /// # Errors
    /// [`Error::Weights`] if the network fails on the inputs, or if an output is not of single precision.
    pub fn run(&self, inputs: &[(&str, Value)], outputs: &[&str]) -> Result<Vec<ArrayD<f32>>> {
        let ints: Vec<Vec<i32>> = inputs.iter().map(|(_, value)| narrowed(value)).collect();
        let values = inputs.iter().zip(&ints).map(|((name, value), ints)| {
            let value = match value {
                Value::Floats(x) => tensor(x)?,
                Value::Numbers(_, shape) if self.takes_ints(name) => {
                    TensorRef::from_array_view((*shape, &ints[..]))?.into()
                }
                Value::Numbers(numbers, shape) => {
                    TensorRef::from_array_view((*shape, &numbers[..]))?.into()
                }
            };
            Ok((*name, value))
        });
        let values = values.collect::<ort::Result<_>>();
        self.run_session(values.map_err(|e| self.wrong(e))?, outputs)
    }

    fn takes_ints(&self, input: &str) -> bool {
        let mut ports = self.inputs.iter();
        ports.any(|p| p.name == input && p.element == Element::Int)
    }

    fn run_session(
        &self,
        inputs: Vec<(&str, SessionInputValue)>,
        outputs: &[&str],
    ) -> Result<Vec<ArrayD<f32>>> {
        let mut session = self.session()?;
        let answers = (|| -> ort::Result<Vec<(Vec<usize>, Vec<f32>)>> {
            let answers = session.run(inputs)?;
            let answer = |name: &&str| {
                let (shape, values) = answers[*name].try_extract_tensor::<f32>()?;
                Ok((shape.iter().map(|&d| d as usize).collect(), values.to_vec()))
            };
            outputs.iter().map(answer).collect()
        })();
        let answers = answers.map_err(|e| self.wrong(e))?;
        self.give_back(session);
        let array = |(shape, values): (Vec<usize>, Vec<f32>)| ArrayD::from_shape_vec(shape, values);
        let arrays = answers.into_iter().map(array).collect::<Result<_, _>>();
        arrays.map_err(|e| self.wrong(e))
    }

    /// An idle session, or a new one. A session runs on the calling thread: items are distributed over threads,
    /// and sums are the same for any number of threads.
    fn session(&self) -> Result<Session> {
        let idle = self.idle.lock().expect("no thread panics with it").pop();
        if let Some(session) = idle {
            return Ok(session);
        }
        let new = || -> ort::Result<Session> {
            Session::builder(&self.environment)?
                .with_intra_threads(1)?
                .commit_from_memory(&self.bytes)
        };
        new().map_err(|e| self.wrong(e))
    }

    fn give_back(&self, session: Session) {
        self.idle
            .lock()
            .expect("no thread panics with it")
            .push(session);
    }

    /// An error about this network.
    pub fn wrong(&self, reason: impl ToString) -> Error {
        Error::weights(&self.name, reason.to_string())
    }
}

fn tensor(x: &Array4<f32>) -> ort::Result<SessionInputValue<'_>> {
    let (n, c, h, w) = x.dim();
    let values = x.as_slice().expect("a new array is contiguous");
    Ok(TensorRef::from_array_view(([n, c, h, w], values))?.into())
}

fn narrowed(value: &Value) -> Vec<i32> {
    match value {
        Value::Floats(_) => vec![],
        Value::Numbers(numbers, _) => numbers.iter().map(|&n| n as i32).collect(),
    }
}

//! Runs networks in ONNX Runtime.

use std::sync::{Arc, Mutex};

use ndarray::{Array, Array4, ArrayD, Dimension};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;

use super::models::{LIBRARY, Models};
use crate::error::{Error, Result};
use crate::networks::Pinned;

/// ONNX Runtime, loaded once per process.
pub struct Runtime {
    environment: Environment,
}

impl Runtime {
    /// Loads the library from a folder. There is only one right library, so the first one stays loaded.
    pub fn load(models: &Models) -> Result<Self> {
        static LOADED: Mutex<Option<Environment>> = Mutex::new(None);
        let mut loaded = LOADED.lock().expect("no thread panics here");
        if loaded.is_none() {
            let library = models.read(&LIBRARY)?;
            let new = load_library(&library);
            *loaded = Some(new.map_err(|e| Error::weights(models.path(&LIBRARY), e))?);
        }
        let environment = loaded.clone().expect("it was loaded above");
        Ok(Self { environment })
    }
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
    Err("text can be read on Linux only".into())
}

/// A network that several threads run at once, each in a session of its own.
pub struct Network {
    name: &'static str,
    bytes: Arc<[u8]>,
    environment: Environment,
    idle: Mutex<Vec<Session>>,
}

impl Network {
    pub fn load(runtime: &Runtime, models: &Models, file: &Pinned) -> Result<Self> {
        let network = Self {
            name: file.name,
            bytes: models.read(file)?.into(),
            environment: runtime.environment.clone(),
            idle: Mutex::default(),
        };
        let first = network.session()?;
        network.give_back(first);
        Ok(network)
    }

    /// Runs the network on one input; the one output must have the expected number of dimensions.
    pub fn run<D: Dimension>(&self, input: &Array4<f32>) -> Result<Array<f32, D>> {
        let mut session = self.session()?;
        let (n, c, h, w) = input.dim();
        let values = input.as_slice().expect("a new array is contiguous");
        let output = (|| -> ort::Result<(Vec<usize>, Vec<f32>)> {
            let input = TensorRef::from_array_view(([n, c, h, w], values))?;
            let outputs = session.run(ort::inputs![input])?;
            let (shape, values) = outputs[0].try_extract_tensor::<f32>()?;
            Ok((shape.iter().map(|&d| d as usize).collect(), values.to_vec()))
        })();
        let (shape, values) = output.map_err(|e| self.wrong(e))?;
        self.give_back(session);
        ArrayD::from_shape_vec(shape, values)
            .and_then(ArrayD::into_dimensionality)
            .map_err(|e| self.wrong(e))
    }

    /// An idle session, or a new one. A session runs on the calling thread: pictures are distributed over threads,
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

    pub fn wrong(&self, reason: impl ToString) -> Error {
        Error::weights(self.name, reason.to_string())
    }
}

//! Networks in ONNX Runtime.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ndarray::{Array, Array4, ArrayD, Dimension};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;

use super::missing_or_wrong;
use crate::error::{Error, Result};

/// File name of the library within the folder of models.
pub const LIBRARY: &str = "libonnxruntime.so";

/// ONNX Runtime, loaded once per process.
pub struct Runtime {
    environment: Environment,
}

impl Runtime {
    /// Loads the library of a folder; the first one that was asked for stays.
    pub fn load(folder: &Path) -> Result<Self> {
        static LOADED: Mutex<Option<Environment>> = Mutex::new(None);
        let path = folder.join(LIBRARY);
        let mut loaded = LOADED.lock().expect("no thread panics here");
        if let Some(environment) = &*loaded {
            return Ok(Self {
                environment: environment.clone(),
            });
        }
        if !path.exists() {
            return Err(missing_or_wrong(&path, ""));
        }
        let builder = ort::init_from(&path).map_err(|e| missing_or_wrong(&path, e))?;
        let environment = builder
            .with_telemetry(false)
            .build()
            .map_err(|e| missing_or_wrong(&path, e))?;
        *loaded = Some(environment.clone());
        Ok(Self { environment })
    }
}

/// A network that several threads run at once, each in a session of its own.
pub struct Network {
    path: PathBuf,
    environment: Environment,
    idle: Mutex<Vec<Session>>,
}

impl Network {
    pub fn load(runtime: &Runtime, path: &Path) -> Result<Self> {
        let network = Self {
            path: path.to_owned(),
            environment: runtime.environment.clone(),
            idle: Mutex::default(),
        };
        let first = network.session()?;
        network.give_back(first);
        Ok(network)
    }

    /// What its file says under that key.
    pub fn metadata(&self, key: &str) -> Result<Option<String>> {
        let session = self.session()?;
        let value = session.metadata().map_err(|e| self.wrong(e))?.custom(key);
        self.give_back(session);
        Ok(value)
    }

    /// One input, one output, of as many dimensions as are asked for.
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

    /// One that is idle, or a new one. A session runs on the thread that asks: pictures are what is shared out,
    /// and sums come out the same for any number of threads.
    fn session(&self) -> Result<Session> {
        let idle = self.idle.lock().expect("no thread panics with it").pop();
        if let Some(session) = idle {
            return Ok(session);
        }
        let new = || -> ort::Result<Session> {
            Session::builder(&self.environment)?
                .with_intra_threads(1)?
                .commit_from_file(&self.path)
        };
        new().map_err(|e| missing_or_wrong(&self.path, e))
    }

    fn give_back(&self, session: Session) {
        self.idle
            .lock()
            .expect("no thread panics with it")
            .push(session);
    }

    fn wrong(&self, reason: impl ToString) -> Error {
        Error::weights(&self.path, reason.to_string())
    }
}

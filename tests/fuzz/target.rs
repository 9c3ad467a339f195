//! What is tried: inputs that are right, how they are damaged, and what reads them.

use std::fs;
use std::path::{Path, PathBuf};

use super::mutator::Mutator;

/// One way into the program.
pub struct Target {
    pub name: &'static str,
    /// Inputs of the short run, which takes a minute or two; 0 for what is tried in long runs alone.
    pub inputs: u64,
    /// Inputs that are right; the same ones every time.
    pub seeds: fn() -> Vec<Input>,
    /// Damages an input.
    pub mutate: fn(&mut Mutator, &mut Input),
    /// Gives the input to the program. The folder is empty at first, in memory where there is such a place, and
    /// the worker's own.
    pub run: fn(&Input, &Path),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// File name, which may say what kind of input it is.
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Input {
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
        }
    }

    /// A committed file.
    pub fn committed(path: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let name = path.file_name().expect("a file").to_string_lossy();
        Self::new(name, fs::read(&path).expect("a committed file"))
    }

    /// The input as a file of its own name.
    pub fn file(&self, folder: &Path) -> PathBuf {
        let path = folder.join(&self.name);
        fs::write(&path, &self.bytes).expect("room for the input");
        path
    }
}

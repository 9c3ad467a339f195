//! Dates and cameras in picture files.

use std::path::Path;

use tuwen::picture::exif::Taken;

use crate::fuzz::dated::usual;
use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "dates",
    inputs: 60_000,
    seeds,
    mutate,
    run,
};

fn seeds() -> Vec<Input> {
    let mut seeds = vec![Input::committed("tests/fixtures/pictures/exif_rotated.jpg")];
    for made in [usual(false), usual(true)] {
        seeds.extend([
            Input::new("a.tiff", made.tiff()),
            Input::new("a.jpg", made.jpeg()),
            Input::new("a.png", made.png(made.block())),
            Input::new("a.webp", made.webp(made.tiff())),
        ]);
    }
    seeds
}

const WORDS: &[&[u8]] = &[
    b"\xff\xd8\xff\xe1",
    b"\xff\xda",
    b"Exif\0\0II*\0\x08\0\0\0",
    b"Exif\0\0MM\0*\0\0\0\x08",
    b"eXIf",
    b"EXIF",
    b"RIFF",
    b"\x87\x69\0\x04\0\0\0\x01",
    b"\x69\x87\x04\0\x01\0\0\0",
    b"\x90\x03\0\x02\0\0\0\x14",
    b"2024:02:30 24:60:60\0",
    b"0000:00:00 00:00:00\0",
];

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    mutator.bytes(&mut input.bytes, WORDS);
}

fn run(input: &Input, _: &Path) {
    let Taken { at, camera } = Taken::read(&input.bytes);
    // the first photograph that is left, and the last year that four digits have
    let years = 18260101000000..=99991231235959;
    assert!(at.is_none_or(|at| years.contains(&at)), "{at:?}");
    let clean = |name: &String| !name.is_empty() && name.trim() == name && name.len() < 2000;
    assert!(camera.as_ref().is_none_or(clean), "{camera:?}");
}

//! Picture files of every format.

use std::fs;
use std::path::Path;

use tuwen::picture::{Picture, PictureParams};

use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "pictures",
    inputs: 200_000,
    seeds,
    mutate,
    run,
};

/// Larger ones are slow, and what is in them is in smaller ones too.
const MOST_BYTES: usize = 12_000;

/// The committed ones in every format.
fn seeds() -> Vec<Input> {
    let folders = ["tests/fixtures/pictures", "tests/fixtures/formats"];
    let mut seeds = Vec::new();
    for folder in folders {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let entries = fs::read_dir(root).expect("a committed folder");
        let names = entries.map(|e| e.expect("an entry").file_name().into_string());
        let mut names: Vec<String> = names.map(|n| n.expect("a plain name")).collect();
        names.sort();
        seeds.extend(
            names
                .iter()
                .map(|n| Input::committed(&format!("{folder}/{n}"))),
        );
    }
    seeds.retain(|s| s.bytes.len() <= MOST_BYTES && !s.name.ends_with(".json"));
    seeds
}

/// Markers and chunks.
const WORDS: &[&[u8]] = &[
    b"\xff\xd8\xff\xe1",
    b"\xff\xc2",
    b"\xff\xc4",
    b"\xff\xda",
    b"\xff\xd9",
    b"IHDR",
    b"IDAT",
    b"PLTE",
    b"tRNS",
    b"acTL",
    b"iCCP",
    b"IEND",
    b"Exif\0\0II*\0",
    b"MM\0*",
    b"RIFF",
    b"VP8X",
    b"VP8L",
    b"ALPH",
    b"GIF89a",
    b"\x21\xf9\x04",
    b"BM",
    b"\xff\xdd\0\x04\0\x01",
    b"\xff\xee\0\x0eAdobe",
    b"II*\0",
    b"II+\0\x08\0\0\0",
    b"P6 ",
    b"qoif",
    b"farbfeld",
];

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    mutator.bytes(&mut input.bytes, WORDS);
}

fn run(input: &Input, _: &Path) {
    let params = PictureParams {
        max_pixels: 1 << 20,
        max_side: 64,
        ..PictureParams::default()
    };
    if let Ok(picture) = Picture::decode(&input.bytes, &params) {
        assert!(picture.rgb.width().max(picture.rgb.height()) <= 64);
        assert_eq!(picture.rgb.dimensions(), picture.gray.dimensions());
    }
}

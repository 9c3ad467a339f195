//! Archives of pictures: every entry is found, named and read.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use tuwen::dataset::{Dataset, ReadOptions};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "zips",
    inputs: 60_000,
    seeds,
    mutate,
    run,
};

const NAMES: [&str; 4] = ["a.png", "sub/b.png", "狗.png", "../c.png"];

fn seeds() -> Vec<Input> {
    let methods = [CompressionMethod::Stored, CompressionMethod::Deflated];
    let packed = methods.map(|method| {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(method);
        for (i, name) in NAMES.iter().enumerate() {
            archive.start_file(*name, options).expect("an entry");
            let bytes: Vec<u8> = (0..200).map(|j| (j / (i + 2)) as u8).collect();
            archive.write_all(&bytes).expect("room in memory");
        }
        let bytes = archive.finish().expect("room in memory").into_inner();
        Input::new("ImageData.zip", bytes)
    });
    packed.into()
}

const WORDS: &[&[u8]] = &[
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"PK\x07\x08",
    b"\x08\0",
    b"\x63\0",
    b"../",
    b"\xb9\xb7",
];

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    mutator.bytes(&mut input.bytes, WORDS);
}

fn run(input: &Input, scratch: &Path) {
    let folder = scratch.join("attachment1");
    if !folder.exists() {
        fs::create_dir(&folder).expect("room for a folder");
        let rows = NAMES.map(|n| format!("{},一只狗\n", n.rsplit('/').next().unwrap_or(n)));
        let table = format!("image_id,caption\n{}", rows.concat());
        fs::write(folder.join("ImageWordData.csv"), table).expect("room for a table");
    }
    input.file(&folder);
    let Ok(dataset) = Dataset::open(scratch, &ReadOptions::default()) else {
        return;
    };
    for image in dataset.collections.iter().flat_map(|c| &c.images) {
        let _ = image.source.describe();
        let _ = image.source.read();
    }
}

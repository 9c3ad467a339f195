//! Vectors of other programs: `.npy`, `.safetensors`, `.jsonl`.

use std::fs;
use std::path::Path;

use tuwen::artifact::{Artifact, Spec};
use tuwen::views::{FeatureParams, ImportedParams};

use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "vectors",
    inputs: 200_000,
    seeds,
    mutate,
    run,
};

const ROWS: usize = 3;

fn seeds() -> Vec<Input> {
    let values: Vec<u8> = (0..ROWS * 2)
        .flat_map(|i| (i as f32).to_le_bytes())
        .collect();
    let npy = |order: &str, descr: &str| {
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({ROWS}, 2), }}\n");
        let length = (header.len() as u16).to_le_bytes();
        let parts = [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), &values];
        Input::new("vectors.npy", parts.concat())
    };
    let header = br#"{"vectors":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]}}"#;
    let length = (header.len() as u64).to_le_bytes();
    let jsonl = "{\"id\": \"0\", \"vector\": [0.5, 1]}\n{\"image_id\": 1, \"feature\": [2, 3e1]}\n\n{\"id\": \"2\", \"features\": [4, -5]}\n";
    vec![
        npy("False", "<f4"),
        npy("True", ">f4"),
        Input::new(
            "vectors.safetensors",
            [&length[..], header, &values].concat(),
        ),
        Input::new("vectors.jsonl", jsonl),
        Input::new("ids.txt", "a.jpg\nb.jpg\n狗.png\n"),
    ]
}

const WORDS: &[&[u8]] = &[
    b"'shape': (0, 0)",
    b"'shape': (18446744073709551615, 1)",
    b"'descr': '<f8'",
    b"'descr': '>f2'",
    b"'fortran_order': True",
    b"\"shape\":[0,2]",
    b"\"dtype\":\"BF16\"",
    b"[[[[[[[[[[[[[[[[",
    b"1e39",
    b"NaN",
    b"null",
    b"\xef\xbb\xbf",
    b"\r\n",
];

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    mutator.text(&mut input.bytes, WORDS);
}

fn run(input: &Input, scratch: &Path) {
    let mut path = input.file(scratch);
    let mut ids = scratch.join("right.txt");
    fs::write(&ids, "a\nb\nc\n").expect("room for three ids");
    if input.name == "ids.txt" {
        ids = path;
        path = seeds()[0].file(scratch);
    }
    let params = FeatureParams::Imported(ImportedParams {
        ids: (!path.ends_with("vectors.jsonl")).then_some(ids),
        path,
        tensor: None,
        normalize: true,
    });
    if let Ok(view) = params.load(&Artifact::new(Spec::new("image-view", &(), 0))) {
        assert!(view.dim() > 0, "vectors without numbers are refused");
    }
}

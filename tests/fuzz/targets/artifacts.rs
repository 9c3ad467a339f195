//! Files of artifacts, damaged anywhere: the checksum mostly notices.

use std::path::Path;

use ndarray::{Array1, Array2};
use tuwen::artifact::{Artifact, Fingerprint, Spec, read_header};

use crate::fuzz::forge::stored;
use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "artifacts",
    inputs: 150_000,
    seeds,
    mutate,
    run,
};

fn seeds() -> Vec<Input> {
    let spec = Spec::new("codebook", &["made up"], 7)
        .input("pictures", Fingerprint::of_bytes(b"pictures"));
    let x = Array2::from_shape_fn((3, 4), |(i, j)| i as f32 - j as f32);
    let full = Artifact::new(spec.clone())
        .with_notes(&["两只狗", "a dog"])
        .with_matrix("x", x.view())
        .with_vector("usable", Array1::from(vec![1u8, 0, 1]).view());
    let part = Artifact::new(spec.clone()).with_part("part", full.clone());
    vec![
        stored("full.safetensors", &full),
        stored("part.safetensors", &part),
        stored("empty.safetensors", &Artifact::new(spec)),
    ]
}

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    let words: &[&[u8]] = &[
        b"\"shape\":[0,0]",
        b"\"shape\":[18446744073709551615,2]",
        b"\"data_offsets\":[0,18446744073709551615]",
        b"\"dtype\":\"F64\"",
        b"\"dtype\":\"BOOL\"",
        b"\"__metadata__\":{",
        b"[[[[[[[[[[[[[[[[",
        b"\\u0000",
    ];
    mutator.bytes(&mut input.bytes, words);
}

fn run(input: &Input, scratch: &Path) {
    let path = input.file(scratch);
    let header = read_header(&path);
    let Ok(artifact) = Artifact::read(&path) else {
        return;
    };
    let header = header.expect("what can be read whole has a header");
    assert_eq!(header.content, artifact.content());
    let again = Artifact::read_fresh(&path, &artifact.spec);
    assert!(again.is_some_and(|a| a.content() == artifact.content()));
    let _ = header.spec.fingerprint().short();
    let _ = artifact.part("part");
}

//! Weights of networks: pickles and safetensors.

use std::path::Path;

use tuwen::deep::Weights;

use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "weights",
    inputs: 400_000,
    seeds,
    mutate,
    run,
};

fn seeds() -> Vec<Input> {
    let files = ["legacy.pth", "lite0.safetensors"];
    files
        .map(|name| Input::committed(&format!("tests/golden/{name}")))
        .into()
}

/// Instructions of pickles, and what they are given.
const WORDS: &[&[u8]] = &[
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ctorch\nFloatStorage\n",
    b"ccollections\nOrderedDict\n",
    b"\x80\x02",
    b"(",
    b")",
    b"]",
    b"}",
    b"t",
    b"\x85",
    b"\x87",
    b"a",
    b"e",
    b"s",
    b"u",
    b"b",
    b"Q",
    b"R",
    b"q\0",
    b"h\0",
    b"M\xff\xff",
    b"J\xff\xff\xff\x7f",
    b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x3f",
    b".",
];

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    mutator.bytes(&mut input.bytes, WORDS);
}

fn run(input: &Input, _: &Path) {
    if let Ok(weights) = Weights::from_bytes(Path::new(&input.name), &input.bytes) {
        for name in weights.names() {
            let _ = weights.get(name, &[2, 3]);
        }
    }
}

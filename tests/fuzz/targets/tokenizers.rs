//! Tokenizers of networks for texts, as others wrote them.

use std::path::Path;

use tuwen::networks::Tokens;

use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "tokenizers",
    inputs: 20_000,
    seeds,
    mutate,
    run,
};

fn seeds() -> Vec<Input> {
    ["clip-tokenizer.json", "chinese-clip-tokenizer.json"]
        .map(|name| Input::committed(&format!("tests/golden/onnx/{name}")))
        .into()
}

/// Parts of such files.
const WORDS: &[&[u8]] = &[
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"\"\"",
    b"-1",
    b"4294967295",
    b"\"BPE\"",
    b"\"WordPiece\"",
    b"\"WordLevel\"",
    b"\"Unigram\"",
    b"\"Sequence\"",
    b"\"Replace\"",
    b"\"Split\"",
    b"\"Regex\"",
    b"\"(a*)*b\"",
    b"\"TemplateProcessing\"",
    b"\"max_length\"",
    b"\"stride\"",
];

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    mutator.bytes(&mut input.bytes, WORDS);
}

fn run(input: &Input, _: &Path) {
    if let Ok(tokens) = Tokens::read(&input.bytes) {
        let _ = tokens.ids("Dog 和 3 只猫!");
    }
}

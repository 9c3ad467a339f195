//! Result files, as `validate` and `score` read them.

use std::path::Path;

use tuwen::contest::{Answer, Format, Known, read, score, validate, write};
use tuwen::dataset::{Direction, ReadOptions};

use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "results",
    inputs: 100_000,
    seeds,
    mutate,
    run,
};

const QUERIES: usize = 3;

fn known() -> Known {
    let ids = |kind: &'static str, n: usize| (0..n).map(move |i| format!("{kind}-{i}"));
    Known {
        direction: Direction::TextToImage,
        queries: ids("text", QUERIES).collect(),
        gallery: ids("image", 7).collect(),
    }
}

fn seeds() -> Vec<Input> {
    let known = known();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("result1.csv");
    let answers = known.queries.iter().map(|query| Answer {
        query: query.clone(),
        results: known.gallery.iter().take(5).cloned().collect(),
    });
    let answers: Vec<Answer> = answers.collect();
    let mut seeds = Vec::new();
    for blank_continuation in [false, true] {
        for direction in [Direction::TextToImage, Direction::ImageToText] {
            let format = Format {
                blank_continuation,
                bom: blank_continuation,
            };
            write(&path, direction, &answers, format).expect("room for a table");
            let bytes = std::fs::read(&path).expect("it was just written");
            seeds.push(Input::new("result1.csv", bytes));
        }
    }
    let truth = "text_id,image_id\ntext-0,image-0\ntext-1,image-4\n\"text-2\",image-6\n";
    seeds.push(Input::new("truth.csv", truth));
    seeds
}

const WORDS: &[&[u8]] = &[
    b"\"",
    b",",
    b"\r\n",
    b"\n",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"text-0",
    b"image-0",
    b"1",
    b"5",
    b"\0",
];

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    mutator.text(&mut input.bytes, WORDS);
}

fn run(input: &Input, scratch: &Path) {
    let path = input.file(scratch);
    let [right, truth] = ["right.csv", "right-truth.csv"].map(|name| scratch.join(name));
    if !right.exists() {
        let seeds = seeds();
        std::fs::write(&right, &seeds[0].bytes).expect("room for a table");
        std::fs::write(&truth, &seeds[seeds.len() - 1].bytes).expect("room for a table");
    }
    if input.name == "truth.csv" {
        let _ = score(&right, &path, &ReadOptions::default());
        return;
    }
    let known = known();
    let violations = validate(&path, Some(&known)).expect("a file that can be read");
    let answers = read(&path);
    if violations.is_empty() {
        let (direction, answers) = answers.expect("what is valid can be read");
        assert_eq!(
            (direction, answers.len()),
            (Direction::TextToImage, QUERIES)
        );
    }
    let _ = score(&path, &truth, &ReadOptions::default());
}

//! A dataset, a recipe and a work folder to run the program on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::files::{Tree, edit, plant, tree};
use super::program::{Outcome, program};

/// Small enough for a run of a second; tests replace parts of it.
const RECIPE: &str = r#"
base = "card.toml"
name = "small"
shard = 8
max_bad_images = 100
picture = { min_side = 0 }
index = { factory = "Flat" }

[[image_views]]
name = "sift-vlad"
[image_views.local]
descriptor.sift = { features = 100 }
codebook = { size = 8, sample = 20000 }
encoding.vlad = { power = 0.5 }
[image_views.pca]
dim = 32
whiten = 1.0

[[text_views]]
name = "words"
tokens.words = {}
tfidf = { min_df = 2 }
lsa_dim = 32

[fusion.cca]
dims = [8, 16]
regularization = [0.1, 1.0]
"#;

pub const TRAINING_PAIRS: usize = 96;
pub const TEST_PAIRS: usize = 16;
/// Of 16 items, one of which is right.
pub const CHANCE_R1: f64 = 100.0 / 16.0;
pub const CHANCE_R5: f64 = 500.0 / 16.0;

/// The committed set of pairs.
fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/attachments")
}

/// One of the committed bad and odd pictures.
pub fn odd_picture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/pictures")
        .join(name)
}

pub struct Case {
    dir: TempDir,
    pub data: PathBuf,
}

impl Case {
    /// The committed set, nothing computed yet.
    pub fn new() -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        fs::write(dir.path().join("small.toml"), RECIPE).expect("a recipe");
        let data = fixture();
        Self { dir, data }
    }

    /// With a copy of the set, of the same name, for the test to change.
    pub fn copied(mut self) -> Self {
        let copied = self.path("data/attachments");
        plant(&tree(&self.data), &copied);
        self.data = copied;
        self
    }

    /// The committed set after a run of `results`, which all tests share.
    pub fn computed() -> Self {
        static COMPUTED: OnceLock<[Tree; 2]> = OnceLock::new();
        let [work, out] = COMPUTED.get_or_init(|| {
            let case = Self::new();
            case.results(&[]).ok();
            [tree(&case.work()), tree(&case.out())]
        });
        let case = Self::new();
        plant(work, &case.work());
        plant(out, &case.out());
        case
    }

    /// The recipe with `old` replaced.
    pub fn with(self, old: &str, new: &str) -> Self {
        edit(&self.path("small.toml"), |text| text.replace(old, new));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn work(&self) -> PathBuf {
        self.path("work")
    }

    pub fn out(&self) -> PathBuf {
        self.path("out")
    }

    pub fn attachment(&self, n: u8) -> PathBuf {
        self.data.join(format!("attachment{n}"))
    }

    /// A table of an attachment.
    pub fn table(&self, n: u8, name: &str) -> PathBuf {
        self.attachment(n).join(name)
    }

    pub fn picture(&self, n: u8, id: &str) -> PathBuf {
        self.attachment(n).join("ImageData").join(id)
    }

    pub fn command(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = program();
        command.arg(verb).arg("--data").arg(&self.data);
        command.arg("--recipe").arg(self.path("small.toml"));
        command.arg("--work").arg(self.work()).args(more);
        command
    }

    pub fn run(&self, verb: &str, more: &[&str]) -> Outcome {
        Outcome::of(&mut self.command(verb, more))
    }

    pub fn results(&self, more: &[&str]) -> Outcome {
        Outcome::of(self.command("results", more).arg("--out").arg(self.out()))
    }

    pub fn result_file(&self, n: u8) -> PathBuf {
        self.out().join(format!("result{n}.csv"))
    }

    pub fn result_bytes(&self) -> [Vec<u8>; 2] {
        [1, 2].map(|n| fs::read(self.result_file(n)).expect("a result file"))
    }

    /// The answers in a result file: each query with its results.
    pub fn answers(&self, n: u8) -> Vec<(String, Vec<String>)> {
        let mut answers: Vec<(String, Vec<String>)> = Vec::new();
        for [query, rank, result] in columns(&self.result_file(n)) {
            if rank == "1" {
                answers.push((query.clone(), vec![]));
            }
            let (last, results) = answers.last_mut().expect("the first rank is 1");
            assert_eq!(*last, query);
            results.push(result);
            assert_eq!(rank, results.len().to_string());
        }
        answers
    }

    /// The results of one query.
    #[track_caller]
    pub fn answer(&self, n: u8, query: &str) -> Vec<String> {
        let answers = self.answers(n).into_iter();
        let mut own = answers.filter(|(q, _)| q == query);
        own.next()
            .unwrap_or_else(|| panic!("{query} is not answered"))
            .1
    }

    /// `validate` of result file 1 or 2 with its attachment, 2 or 3.
    pub fn validate(&self, n: u8) -> Outcome {
        let option = format!("--attachment{}", n + 1);
        let mut command = program();
        command.arg("validate").arg(self.result_file(n)).arg(option);
        Outcome::of(command.arg(self.attachment(n + 1)))
    }

    /// Both result files are valid, and answer as many queries as the attachments have.
    #[track_caller]
    pub fn assert_valid(&self) {
        for n in [1, 2] {
            self.validate(n).ok().prints("valid");
        }
    }

    /// R@1 and R@5 of result file 1 or 2, by `score`.
    #[track_caller]
    pub fn score(&self, n: u8) -> [f64; 2] {
        let mut command = program();
        command.arg("score").arg(self.result_file(n)).arg("--truth");
        command.arg(self.table(n + 1, "truth.csv")).arg("--json");
        let json = Outcome::of(&mut command).ok().json();
        ["R@1", "R@5"].map(|key| json[key].as_f64().expect("a number"))
    }
}

/// The rows of a table of N columns, without its header.
pub fn columns<const N: usize>(path: &Path) -> Vec<[String; N]> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let records = reader.records().map(|r| r.expect("a row"));
    records
        .map(|r| std::array::from_fn(|i| r[i].to_owned()))
        .collect()
}

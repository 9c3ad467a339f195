//! A model, a folder of pictures that it never saw, and a gallery of them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use super::case::{Case, odd_picture};
use super::program::{Outcome, program};

/// Pictures on a shelf.
pub const PICTURES: usize = 32;

/// Bytes of the model of the committed pairs, which all tests share.
pub fn model(captions: bool) -> &'static [u8] {
    static MODELS: [OnceLock<Vec<u8>>; 2] = [OnceLock::new(), OnceLock::new()];
    MODELS[usize::from(captions)].get_or_init(|| {
        let case = Case::computed();
        let options: &[&str] = if captions { &[] } else { &["--no-captions"] };
        fitted(&case, options)
    })
}

/// The model that `fit` writes.
pub fn fitted(case: &Case, options: &[&str]) -> Vec<u8> {
    let path = case.path("fitted.tuwen");
    let file = ["--model", path.to_str().expect("a plain path")];
    case.run("fit", &[&file, options].concat()).ok();
    fs::read(path).expect("a model")
}

pub struct Shelf {
    dir: TempDir,
}

impl Shelf {
    /// With the model that keeps its captions; nothing is indexed yet. Sixteen pictures are in the folder itself,
    /// sixteen in `sub`.
    pub fn new() -> Self {
        Self::with_model(model(true))
    }

    pub fn with_model(model: &[u8]) -> Self {
        let shelf = Self {
            dir: TempDir::new().expect("a temporary folder"),
        };
        fs::write(shelf.path("m.tuwen"), model).expect("room for a model");
        let case = Case::new();
        for (n, folder) in [(2, ""), (3, "sub")] {
            let to = shelf.photos().join(folder);
            fs::create_dir_all(&to).expect("a new folder");
            let from = case.attachment(n).join("ImageData");
            for entry in fs::read_dir(from).expect("a committed folder") {
                let from = entry.expect("an entry").path();
                fs::copy(&from, to.join(from.file_name().expect("a file"))).expect("room");
            }
        }
        shelf
    }

    /// With a gallery of its pictures.
    pub fn indexed() -> Self {
        let shelf = Self::new();
        let outcome = shelf.create(&[]).ok();
        outcome.prints("32 added, 0 changed, 0 removed, 0 files as they were");
        shelf
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn photos(&self) -> PathBuf {
        self.path("photos")
    }

    pub fn photo(&self, id: &str) -> PathBuf {
        self.photos().join(id)
    }

    pub fn gallery(&self) -> PathBuf {
        self.path("g")
    }

    /// Puts one of the committed odd pictures among the others.
    pub fn add_odd(&self, name: &str) {
        fs::copy(odd_picture(name), self.photo(name)).expect("room for a picture");
    }

    /// Runs a verb on the gallery.
    pub fn run(&self, verb: &str, more: &[&str]) -> Outcome {
        let mut command = program();
        command.arg(verb).arg("--gallery").arg(self.gallery());
        Outcome::of(command.args(more))
    }

    /// `index` with the model of the shelf.
    pub fn create(&self, more: &[&str]) -> Outcome {
        let mut command = program();
        command.arg("index").arg(self.photos());
        command.arg("--gallery").arg(self.gallery());
        command.arg("--model").arg(self.path("m.tuwen"));
        Outcome::of(command.args(more))
    }

    /// `index` as it is run later.
    pub fn index(&self, more: &[&str]) -> Outcome {
        let photos = self.photos();
        let photos = photos.to_str().expect("a plain path");
        self.run("index", &[&[photos], more].concat())
    }

    /// What `gallery` prints.
    pub fn show(&self, more: &[&str]) -> Outcome {
        Outcome::of(program().arg("gallery").arg(self.gallery()).args(more))
    }

    /// The answer to a search, as JSON.
    #[track_caller]
    pub fn ask(&self, more: &[&str]) -> Value {
        self.run("search", &[&["--json"], more].concat())
            .ok()
            .json()
    }

    /// The ids that a search finds.
    #[track_caller]
    pub fn ids(&self, more: &[&str]) -> Vec<String> {
        ids(&self.ask(more))
    }

    /// A table beside the pictures.
    pub fn table(&self, name: &str, header: [&str; 2], rows: &[[&str; 2]]) -> String {
        let path = self.path(name);
        let mut table = csv::Writer::from_path(&path).expect("room for a table");
        table.write_record(header).expect("room for a table");
        for row in rows {
            table.write_record(row).expect("room for a table");
        }
        table.flush().expect("room for a table");
        path.to_str().expect("a plain path").to_owned()
    }
}

/// The ids of an answer, best first.
#[track_caller]
pub fn ids(answer: &Value) -> Vec<String> {
    let hits = answer["hits"].as_array().expect("a list of hits").iter();
    hits.map(|hit| hit["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Puts other contents in a file, and gives it a time of its own: a clock may be too coarse to tell.
pub fn rewrite(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("room for a picture");
    set_time(path, SystemTime::now() + Duration::from_secs(60));
}

pub fn set_time(path: &Path, time: SystemTime) {
    let file = File::options().append(true).open(path).expect("a file");
    file.set_modified(time).expect("a time that can be set");
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// Captions of some pictures, and tags of others.
pub fn tables(shelf: &Shelf) -> [String; 2] {
    let captions = [
        ["shape-0097.png", "海边的红色五角星"],
        ["shape-0097.png", "我的狗"],
        ["shape-0098.png", "红色的猫"],
        ["sub/shape-0113.png", "一只狗，白色底"],
    ];
    let tags = [
        ["shape-0099.png", "狗;户外"],
        ["sub/shape-0114.png", "室内, 猫"],
    ];
    [
        shelf.table("captions.csv", ["image", "caption"], &captions),
        shelf.table("tags.csv", ["filename", "tags"], &tags),
    ]
}

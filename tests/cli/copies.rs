//! `copies`: which pictures are copies of which.

use std::fs;
use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage, imageops};
use tempfile::TempDir;

use super::case::odd_picture;
use super::files::files;
use super::program::{Outcome, program};

/// Folders of originals and of queries, and a work folder.
struct Case {
    dir: TempDir,
}

/// A picture with something to see everywhere, another for each seed.
fn scene(seed: u32) -> RgbImage {
    let mut picture = RgbImage::from_pixel(240, 180, Rgb([200, 210, 220]));
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let mut draw = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    for _ in 0..120 {
        let (x, y) = (draw(230), draw(170));
        let (w, h) = (4 + draw(30), 4 + draw(30));
        let colour = Rgb([draw(256) as u8, draw(256) as u8, draw(256) as u8]);
        for j in y..(y + h).min(180) {
            for i in x..(x + w).min(240) {
                picture.put_pixel(i, j, colour);
            }
        }
    }
    picture
}

impl Case {
    fn new() -> Self {
        let case = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::create_dir_all(case.path("originals/below")).unwrap();
        fs::create_dir_all(case.path("queries")).unwrap();
        for seed in 0..12 {
            scene(seed)
                .save(case.path(&format!("originals/{seed}.png")))
                .unwrap();
        }
        scene(12).save(case.path("originals/below/12.png")).unwrap();
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn query(&self, name: &str, picture: &RgbImage) {
        picture.save(self.path("queries").join(name)).unwrap();
    }

    fn run(&self, more: &[&str]) -> Outcome {
        let mut command = program();
        command.arg("copies");
        for (option, name) in [
            ("gallery", "originals"),
            ("queries", "queries"),
            ("out", "out.csv"),
            ("work", "work"),
        ] {
            command.arg(format!("--{option}")).arg(self.path(name));
        }
        Outcome::of(command.args(more))
    }

    fn table(&self) -> String {
        fs::read_to_string(self.path("out.csv")).unwrap()
    }

    /// Files of the index with when they were written.
    fn index(&self) -> Vec<(String, std::time::SystemTime)> {
        let all = files(&self.path("work")).into_iter();
        all.map(|(name, path)| (name, fs::metadata(path).unwrap().modified().unwrap()))
            .collect()
    }
}

#[test]
fn copies_are_found_and_others_are_not() {
    let case = Case::new();
    let original = scene(3);
    case.query(
        "part.png",
        &imageops::crop_imm(&original, 60, 40, 140, 110).to_image(),
    );
    case.query("mirror.jpg", &imageops::flip_horizontal(&original));
    case.query("turned.png", &imageops::rotate90(&original));
    let small = imageops::resize(&original, 120, 90, imageops::FilterType::Triangle);
    case.query("small.png", &small);
    case.query("other.png", &scene(99));
    fs::copy(
        case.path("originals/below/12.png"),
        case.path("queries/same.png"),
    )
    .unwrap();
    fs::copy(odd_picture("flat.png"), case.path("queries/flat.png")).unwrap();
    fs::copy(
        odd_picture("truncated.jpg"),
        case.path("queries/broken.jpg"),
    )
    .unwrap();
    let outcome = case.run(&[]).ok().prints("5 of 8 queries have a match");
    outcome.says(&["cannot be used", "broken.jpg"]);
    let expected = "source,query\n3.png,mirror.jpg\n3.png,part.png\nbelow/12.png,same.png\n3.png,small.png\n3.png,turned.png\n";
    assert_eq!(case.table(), expected);
    case.run(&["--scores", "--threads", "1"]).ok();
    let with_scores = case.table();
    assert!(
        with_scores.starts_with("source,query,score,inliers\n3.png,mirror.jpg,"),
        "{with_scores}"
    );
    assert!(
        with_scores.contains("below/12.png,same.png,inf,\n"),
        "{with_scores}"
    );
    case.run(&["--scores", "--threads", "2"]).ok();
    assert_eq!(case.table(), with_scores);
}

#[test]
fn only_what_is_new_is_looked_at() {
    let case = Case::new();
    case.query(
        "part.png",
        &imageops::crop_imm(&scene(3), 60, 40, 140, 110).to_image(),
    );
    case.run(&["--words", "16"]).ok();
    let (before, table) = (case.index(), case.table());
    assert_eq!(before.len(), 2, "words, and what was seen: {before:?}");
    scene(50).save(case.path("originals/50.png")).unwrap();
    fs::rename(
        case.path("originals/3.png"),
        case.path("originals/renamed.png"),
    )
    .unwrap();
    case.run(&["--words", "16"]).ok();
    assert_eq!(case.table(), table.replace("3.png", "renamed.png"));
    let after = case.index();
    assert_eq!(after.len(), 3, "{after:?}");
    assert!(before.iter().all(|file| after.contains(file)));
    fs::remove_file(case.path("originals/renamed.png")).unwrap();
    case.run(&["--words", "16"]).ok();
    assert_eq!(case.table(), "source,query\n");
    assert_eq!(case.index(), after);
    // too few pictures for a thousand words: nothing is kept
    fs::remove_dir_all(case.path("work")).unwrap();
    case.run(&[]).ok();
    assert!(case.index().is_empty());
}

#[test]
fn small_galleries_and_none_at_all() {
    let case = Case::new();
    for (name, _) in files(&case.path("originals")) {
        if name != "3.png" {
            fs::remove_file(case.path("originals").join(name)).unwrap();
        }
    }
    let part = imageops::crop_imm(&scene(3), 60, 40, 150, 120).to_image();
    case.query("part.png", &part);
    case.query("other.png", &scene(99));
    case.run(&[]).ok();
    assert_eq!(case.table(), "source,query\n3.png,part.png\n");
    // nothing to learn words from
    fs::remove_file(case.path("originals/3.png")).unwrap();
    fs::copy(odd_picture("flat.png"), case.path("originals/flat.png")).unwrap();
    fs::copy(odd_picture("flat.png"), case.path("queries/flat.png")).unwrap();
    case.run(&[]).ok();
    assert_eq!(case.table(), "source,query\nflat.png,flat.png\n");
    fs::remove_file(case.path("originals/flat.png")).unwrap();
    case.run(&[]).fails().says(&["originals", "has no files"]);
    let mut command = program();
    command.args([
        "copies",
        "--gallery",
        "nowhere",
        "--queries",
        "nowhere",
        "--out",
        "x.csv",
    ]);
    Outcome::of(&mut command).fails().says(&["nowhere"]);
    assert!(!Path::new("x.csv").exists());
}

//! `copies`: which pictures are copies of which.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::{RgbImage, imageops};
use tempfile::TempDir;

use super::case::odd_picture;
use super::files::files;
use super::program::{Outcome, program};
use super::scenes::scene;

/// Folders of originals and of queries, and a work folder.
struct Case {
    dir: TempDir,
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

    /// A verb with originals, queries, an output and a work folder.
    fn command(&self, verb: &str, out: &str) -> Command {
        let mut command = program();
        command.arg(verb);
        for (option, name) in [
            ("gallery", "originals"),
            ("queries", "queries"),
            ("out", out),
            ("work", "work"),
        ] {
            command.arg(format!("--{option}")).arg(self.path(name));
        }
        command
    }

    fn run(&self, more: &[&str]) -> Outcome {
        Outcome::of(self.command("copies", "out.csv").args(more))
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
    let outcome = case
        .run(&[])
        .ok()
        .prints("5 of 8 queries have a match with a score of at least 3");
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
    case.run(&[])
        .fails()
        .says(&["originals", "has no pictures"]);
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

#[test]
fn small_pictures_are_found_by_keypoints_alone_and_by_words() {
    let case = Case::new();
    let small = imageops::resize(&scene(3), 150, 112, imageops::FilterType::Triangle);
    case.query("small.jpg", &imageops::rotate270(&small));
    case.query("mirror.png", &imageops::flip_horizontal(&small));
    case.query("other.png", &scene(99));
    for method in ["auto", "sift", "orb"] {
        case.run(&["--method", method]).ok();
        let expected = "source,query\n3.png,mirror.png\n3.png,small.jpg\n";
        assert_eq!(case.table(), expected, "{method}");
        let first = case.index();
        case.run(&["--method", method, "--threads", "1"]).ok();
        assert_eq!(case.table(), expected, "{method}");
        assert_eq!(case.index(), first, "what was seen is used again");
    }
}

#[test]
fn one_vector_a_picture_is_judged_by_unrelated_pictures() {
    let case = Case::new();
    let small = imageops::resize(&scene(3), 200, 150, imageops::FilterType::Triangle);
    case.query("small.jpg", &small);
    case.query("other.png", &scene(99));
    let background = case.path("background");
    fs::create_dir_all(&background).unwrap();
    let too_few = ["--method", "phash"];
    fs::copy(case.path("originals/3.png"), case.path("queries/same.png")).unwrap();
    case.run(&too_few)
        .ok()
        .says(&["only equal", "background", "50 needed, 13 found"]);
    assert_eq!(case.table(), "source,query\n3.png,same.png\n");
    fs::remove_file(case.path("queries/same.png")).unwrap();
    for seed in 100..180 {
        let name = format!("{seed}.png");
        scene(seed).save(background.join(name)).unwrap();
    }
    for seed in 200..235 {
        let name = format!("originals/{seed}.png");
        scene(seed).save(case.path(&name)).unwrap(); // to learn eight components from
    }
    let background = background.to_str().unwrap();
    for method in ["phash", "histogram", "bow", "vlad", "fisher"] {
        let whitened = ["--dim", "8", "--threshold", "1"]; // few numbers say little
        let options = ["--method", method, "--background", background];
        let options = [&options[..], &whitened].concat();
        case.run(&[&options[..], &["--scores"]].concat()).ok();
        let table = case.table();
        assert!(table.contains("3.png,small.jpg,"), "{method}: {table}");
        assert_eq!(table.lines().count(), 2, "{method}: {table}");
        case.run(&[&options[..], &["--scores", "--threads", "1"]].concat())
            .ok();
        assert_eq!(case.table(), table, "{method}");
    }
    for histogram in ["grey-cosine", "grey-chi2", "hsv-cosine"] {
        let options = ["--method", "histogram", "--histogram", histogram];
        case.run(&[&options[..], &["--background", background]].concat())
            .ok();
        assert!(case.table().contains("3.png,small.jpg"), "{histogram}");
    }
    let options = ["--method", "phash", "--background", background, "--scores"];
    let options = [&options[..], &["--threshold", "-9"]].concat();
    let page = |more: &[&str]| {
        let page = case.path("page.html");
        let options = [&options[..], &["--html", page.to_str().unwrap()], more].concat();
        case.run(&options).ok();
        assert!(case.table().contains("3.png,small.jpg"), "{more:?}");
        fs::read_to_string(page).unwrap()
    };
    let plain = page(&[]);
    assert!(page(&["--expand", "1"]) != plain, "other answers come next");
    assert!(page(&["--augment", "1"]) != plain, "scores are others");
    case.run(&["--expand", "2"])
        .fails()
        .says(&["--expand", "vlad"]);
}

#[test]
fn the_page_shows_what_was_found() {
    let case = Case::new();
    let part = imageops::crop_imm(&scene(3), 60, 40, 140, 110).to_image();
    case.query("part.png", &part);
    case.query("other.png", &scene(99));
    let page = case.path("page.html");
    case.run(&["--html", page.to_str().unwrap()]).ok();
    let page = fs::read_to_string(page).unwrap();
    let has = |what: &str| page.contains(what);
    assert!(has("part.png") && has("3.png") && has("inliers"));
    assert!(has("other.png</bdi> no match"));
    assert_eq!(page.matches("data:image/jpeg").count(), 3);
}

#[test]
fn other_files_are_counted_and_a_broken_index_is_made_again() {
    let case = Case::new();
    let part = imageops::crop_imm(&scene(3), 60, 40, 140, 110).to_image();
    case.query("a<b>.png", &part);
    fs::write(case.path("originals/film.mp4"), b"not a picture").unwrap();
    fs::write(case.path("originals/empty.jpg"), b"").unwrap();
    fs::rename(case.path("originals/3.png"), case.path("originals/no name")).unwrap();
    let pipe = std::ffi::CString::new(case.path("originals/pipe").to_str().unwrap()).unwrap();
    // SAFETY: the name ends with 0.
    assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
    let page = case.path("page.html");
    let options = ["--words", "16", "--html", page.to_str().unwrap()];
    let outcome = case.run(&options).ok();
    outcome
        .says(&["1 files are not pictures"])
        .says(&["empty.jpg", "the file is empty"]);
    assert_eq!(case.table(), "source,query\nno name,a<b>.png\n");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("a&#60;b&#62;.png") && !page.contains("a<b>"));
    for (name, path) in files(&case.path("work")) {
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, bytes).unwrap();
        case.run(&["--words", "16"]).ok().says(&["rebuilding it"]);
        assert_eq!(case.table(), "source,query\nno name,a<b>.png\n", "{name}");
    }
}

#[test]
fn compression_wants_many_pictures_and_copies_that_are_known() {
    let case = Case::new();
    case.query("part.png", &scene(3));
    let truth = case.path("truth.csv");
    fs::write(&truth, "source,query\n3.png,part.png\n").unwrap();
    let run = || {
        let mut command = case.command("compression", "page.md");
        Outcome::of(command.arg("--truth").arg(&truth))
    };
    run()
        .fails()
        .says(&["originals", "13 usable pictures", "513"]);
    fs::write(&truth, "image,query\n").unwrap();
    run().fails().says(&["truth.csv", "names no pair"]);
    assert!(!case.path("page.md").exists());
}

#[test]
fn timings_say_where_the_time_went() {
    let case = Case::new();
    case.query("part.png", &scene(3));
    let outcome = case.run(&["--timings"]).ok();
    for stage in [
        "decoding pictures",
        "keypoints",
        "matrix products",
        "waiting",
    ] {
        assert!(outcome.stderr.contains(stage), "{}", outcome.stderr);
    }
}

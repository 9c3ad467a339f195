//! `read`: what is written in pictures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::program::{MODELS, Outcome, program};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(more: &[&Path]) -> Command {
    let mut command = program();
    command.arg("read").args(more);
    command
}

fn texts(line: &str) -> Vec<String> {
    let picture: Value = serde_json::from_str(line).unwrap();
    let lines = picture["lines"].as_array().unwrap().iter();
    lines
        .map(|l| l["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_folder_is_read_in_order_and_other_files_are_counted() {
    let folder = path("tests/golden/ocr");
    let outcome = Outcome::of(&mut read(&[&folder])).ok();
    let outcome = outcome.says(&["files are not pictures (skipped)"]);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let names = ["banner", "column", "latin", "no_text", "poster", "slanted"];
    assert_eq!(lines.len(), names.len());
    for (line, name) in lines.iter().zip(names) {
        assert!(line.contains(&format!("{name}.png")), "{line}");
    }
    assert!(texts(lines[3]).is_empty());
    assert_eq!(texts(lines[4])[0], "秋季校园招聘");
}

#[test]
fn the_output_may_be_a_file_and_does_not_depend_on_the_threads() {
    let dir = tempfile::tempdir().unwrap();
    let pictures = ["poster", "column"].map(|n| path(&format!("tests/golden/ocr/{n}.png")));
    let out = |threads: &str| {
        let file = dir.path().join(threads);
        let mut command = read(&[&pictures[0], &pictures[1]]);
        Outcome::of(command.arg("--out").arg(&file).args(["--threads", threads])).ok();
        fs::read(file).unwrap()
    };
    let one = out("1");
    assert_eq!(one, out("2"));
    assert_eq!(String::from_utf8(one).unwrap().lines().count(), 2);
}

#[test]
fn without_the_networks_it_says_how_to_get_them() {
    let mut command = program();
    let picture = path("tests/golden/ocr/poster.png");
    let outcome = Outcome::of(
        command
            .arg("read")
            .arg(picture)
            .args(["--models", "nowhere"]),
    );
    outcome.fails().says(&["nowhere", "tuwen models"]);
}

/// A folder of models where the library is something else.
fn forged(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    for name in ["detection.onnx", "angle.onnx", "recognition.onnx"] {
        fs::copy(Path::new(MODELS).join("ocr").join(name), dir.join(name)).unwrap();
    }
    fs::write(
        dir.join("libonnxruntime.so"),
        "not what the program was made with",
    )
    .unwrap();
}

#[test]
fn nothing_is_loaded_from_the_folder_one_stands_in() {
    let dir = tempfile::tempdir().unwrap();
    forged(&dir.path().join("data/models/ocr"));
    // where a program lies that was installed, the user's data is the last place that is looked at
    let data = dir.path().join("share");
    fs::create_dir_all(data.join("tuwen")).unwrap();
    std::os::unix::fs::symlink(MODELS, data.join("tuwen/models")).unwrap();
    let mut command = read(&[&path("tests/golden/ocr/poster.png")]);
    command.current_dir(dir.path());
    command
        .env_remove("TUWEN_MODELS")
        .env("XDG_DATA_HOME", data);
    let outcome = Outcome::of(&mut command).ok();
    assert_eq!(texts(&outcome.stdout)[0], "秋季校园招聘");
}

#[test]
fn a_library_that_is_another_is_named_and_not_loaded() {
    let dir = tempfile::tempdir().unwrap();
    forged(dir.path());
    let mut command = read(&[&path("tests/golden/ocr/poster.png")]);
    let outcome = Outcome::of(command.arg("--models").arg(dir.path())).fails();
    outcome.says(&[
        "libonnxruntime.so",
        "SHA-256",
        "was not loaded",
        "tuwen models",
    ]);
    fs::copy(
        Path::new(MODELS).join("ocr/libonnxruntime.so"),
        dir.path().join("libonnxruntime.so"),
    )
    .unwrap();
    fs::write(dir.path().join("recognition.onnx"), "neither").unwrap();
    let mut command = read(&[&path("tests/golden/ocr/poster.png")]);
    let outcome = Outcome::of(command.env("TUWEN_MODELS", dir.path())).fails();
    outcome.says(&["recognition.onnx", "SHA-256", "was not loaded"]);
}

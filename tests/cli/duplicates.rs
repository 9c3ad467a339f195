//! `duplicates`: the groups of pictures of a folder that show the same.

use std::fs;
use std::path::PathBuf;

use image::{RgbImage, imageops};
use tempfile::TempDir;

use super::case::odd_picture;
use super::program::{Outcome, program};
use super::scenes::scene;

struct Case {
    dir: TempDir,
}

impl Case {
    fn new() -> Self {
        let case = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::create_dir_all(case.path("photos/below")).unwrap();
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn save(&self, name: &str, picture: &RgbImage) {
        picture.save(self.path("photos").join(name)).unwrap();
    }

    fn run(&self, more: &[&str]) -> Outcome {
        let mut command = program();
        command.arg("duplicates").arg(self.path("photos"));
        command.arg("--out").arg(self.path("groups.csv"));
        command.arg("--work").arg(self.path("work"));
        Outcome::of(command.args(more))
    }

    fn table(&self) -> String {
        fs::read_to_string(self.path("groups.csv")).unwrap()
    }

    /// Group, keep and file of each line.
    fn groups(&self) -> Vec<String> {
        let table = self.table();
        let line = |line: &str| line.split(',').take(3).collect::<Vec<_>>().join(",");
        table.lines().skip(1).map(line).collect()
    }
}

#[test]
fn copies_are_grouped_and_the_best_is_proposed() {
    let case = Case::new();
    for seed in 0..12 {
        case.save(&format!("{seed:02}.png"), &scene(seed));
    }
    let small = imageops::resize(&scene(3), 150, 112, imageops::FilterType::Triangle);
    case.save("below/small.jpg", &small);
    case.save("below/mirror.png", &imageops::flip_horizontal(&small));
    case.save("blurred.png", &imageops::blur(&scene(5), 1.0));
    for name in ["photos/same.png", "photos/below/same.png"] {
        fs::copy(case.path("photos/07.png"), case.path(name)).unwrap();
    }
    for name in ["photos/flat.png", "photos/below/flat.png"] {
        fs::copy(odd_picture("flat.png"), case.path(name)).unwrap();
    }
    for name in ["photos/broken.jpg", "photos/broken-too.jpg"] {
        fs::copy(odd_picture("truncated.jpg"), case.path(name)).unwrap();
    }
    let before = fs::read_dir(case.path("photos")).unwrap().count();
    let page = case.path("page.html");
    let outcome = case.run(&["--html", page.to_str().unwrap()]).ok();
    outcome
        .prints("4 groups with 6 pictures more than one each, of 21 pictures")
        .says(&["cannot be used", "broken.jpg"])
        .says(&["cannot be used", "broken-too.jpg"]);
    let table = case.table();
    let expected = [
        "1,1,03.png",
        "1,0,below/small.jpg", // its noise of JPEG counts as sharp
        "1,0,below/mirror.png",
        "2,1,05.png",
        "2,0,blurred.png",
        "3,1,07.png",
        "3,0,below/same.png",
        "3,0,same.png",
        "4,1,below/flat.png",
        "4,0,flat.png",
    ];
    assert_eq!(case.groups(), expected, "{table}");
    let same = table.lines().filter(|line| line.contains(",inf,"));
    assert_eq!(same.count(), 5, "{table}");
    assert_eq!(fs::read_dir(case.path("photos")).unwrap().count(), before);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("with 05.png") && page.contains("the same bytes as 07.png"));
    for threads in ["1", "2"] {
        case.run(&["--threads", threads]).ok();
        assert_eq!(case.table(), table, "{threads} threads");
    }
    case.run(&["--method", "sift"]).ok();
    assert_eq!(case.groups(), expected);
    case.run(&["--method", "orb", "--threads", "1"]).ok();
    let groups = case.groups();
    assert!(groups.contains(&"1,1,03.png".to_owned()), "{groups:?}");
}

/// What is linked to is no second picture, and goes by its own name.
#[test]
#[cfg(unix)]
fn links_are_no_duplicates() {
    let case = Case::new();
    fs::create_dir_all(case.path("photos/z")).unwrap();
    case.save("z/one.png", &scene(1));
    std::os::unix::fs::symlink("z", case.path("photos/a")).unwrap();
    std::os::unix::fs::symlink(".", case.path("photos/z/round")).unwrap();
    std::os::unix::fs::symlink("z/one.png", case.path("photos/link.png")).unwrap();
    case.run(&[])
        .ok()
        .prints("0 groups with 0 pictures more than one each, of 1 pictures");
    case.save("two.png", &scene(1));
    case.run(&[]).ok();
    assert_eq!(case.groups(), ["1,1,two.png", "1,0,z/one.png"]);
}

#[test]
fn folders_without_duplicates_and_without_pictures() {
    let case = Case::new();
    case.run(&[]).ok().prints("0 groups");
    assert_eq!(case.table().lines().count(), 1, "the header");
    case.save("one.png", &scene(1));
    case.run(&[]).ok().prints("0 groups");
    fs::remove_dir_all(case.path("photos")).unwrap();
    case.run(&[]).fails().says(&["photos"]);
}

//! `match`: whether two pictures show the same.

use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage, imageops};
use tempfile::TempDir;

use super::case::odd_picture;
use super::program::{Outcome, program};

fn photo() -> RgbImage {
    image::open(odd_picture("photo.png")).unwrap().to_rgb8()
}

fn compare(a: &Path, b: &Path, more: &[&str]) -> Outcome {
    let mut command = program();
    command.arg("match").arg(a).arg(b).args(more);
    Outcome::of(&mut command)
}

/// A folder, and a picture saved in it.
fn saved(picture: &RgbImage, name: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    picture.save(&path).unwrap();
    (dir, path)
}

fn json(a: &Path, b: &Path, more: &[&str]) -> serde_json::Value {
    compare(a, b, &[&["--json"], more].concat()).ok().json()
}

#[test]
fn parts_turned_and_mirrored_copies_match() {
    let photo = photo();
    let (w, h) = photo.dimensions();
    let original = odd_picture("photo.png");
    let part = imageops::crop_imm(&photo, w / 4, h / 4, w / 2, h / 2).to_image();
    for more in [
        &[][..],
        &["--method", "orb"],
        &["--method", "surf"],
        &["--neighbours", "flann"],
    ] {
        let (_dir, path) = saved(&part, "part.png");
        let found = json(&path, &original, more);
        assert_eq!(found["mirrored"], false);
        // moved by a quarter: to within a pixel
        let at = |row: usize| found["transform"][row][2].as_f64().unwrap();
        assert!((at(0) - f64::from(w / 4)).abs() < 1.5, "{more:?}: {found}");
        assert!((at(1) - f64::from(h / 4)).abs() < 1.5, "{more:?}: {found}");
        let (_dir, path) = saved(&imageops::rotate90(&photo), "turned.png");
        assert_eq!(json(&path, &original, more)["mirrored"], false);
        let (_dir, path) = saved(&imageops::flip_horizontal(&photo), "mirror.jpg");
        assert_eq!(json(&path, &original, more)["mirrored"], true);
        let alone = compare(&path, &original, &[more, &["--no-mirror"]].concat());
        assert_eq!(alone.code, Some(1));
    }
}

#[test]
fn other_pictures_do_not_match() {
    let mut state = 7_u32;
    let noise = RgbImage::from_fn(200, 200, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([(state >> 24) as u8; 3])
    });
    let (_dir, path) = saved(&noise, "noise.png");
    let outcome = compare(&odd_picture("photo.png"), &path, &[]);
    assert_eq!(outcome.code, Some(1));
    outcome.prints("no match");
}

#[test]
fn what_has_no_keypoints_cannot_be_compared() {
    let (photo, grey) = (odd_picture("photo.png"), odd_picture("flat.png"));
    for (a, b) in [(&photo, &grey), (&grey, &photo)] {
        compare(a, b, &[])
            .troubles()
            .says(&["flat.png", "no keypoints"]);
    }
}

#[test]
fn limits_can_be_set() {
    let photo = odd_picture("photo.png");
    compare(&photo, &photo, &["--max-pixels", "65535"])
        .troubles()
        .says(&["256x256", "max_pixels = 65535", "--max-pixels"]);
    compare(
        &photo,
        &photo,
        &["--max-pixels", "65536", "--max-memory", "1"],
    )
    .ok();
    let (_dir, path) = saved(&RgbImage::new(700, 700), "large.png");
    compare(&path, &photo, &["--max-memory", "1"])
        .troubles()
        .says(&["700x700", "max_memory = 1 MiB", "--max-memory"]);
}

#[test]
fn the_same_file_matches_even_without_a_keypoint() {
    let grey = odd_picture("flat.png");
    compare(&grey, &grey, &[]).ok().prints("byte for byte");
    let photo = odd_picture("photo.png");
    let found = json(&photo, &photo, &[]);
    assert_eq!(found["inliers"], found["keypoints"][0]);
}

#[test]
fn a_drawing_shows_both() {
    let photo = photo();
    let (dir, path) = saved(&imageops::flip_horizontal(&photo), "mirror.png");
    let out = dir.path().join("drawn.png");
    let more = ["--draw", out.to_str().unwrap()];
    compare(&path, &odd_picture("photo.png"), &more).ok();
    let drawn = image::open(&out).unwrap().to_rgb8();
    let (w, h) = photo.dimensions();
    assert!(drawn.width() > 2 * w && drawn.height() == h);
    let right = imageops::crop_imm(&drawn, drawn.width() - w, 0, w, h).to_image();
    let changed = right
        .pixels()
        .zip(photo.pixels())
        .filter(|(a, b)| a != b)
        .count();
    assert!(changed > 50, "no lines are drawn");
    assert!(changed < (w * h) as usize / 2, "the picture is hidden");
}

#[test]
fn what_cannot_be_compared_is_said() {
    let photo = odd_picture("photo.png");
    compare(&photo, Path::new("nowhere.jpg"), &[])
        .troubles()
        .says(&["nowhere.jpg"]);
    let bad = odd_picture("not_an_image.jpg");
    compare(&bad, &photo, &[])
        .troubles()
        .says(&["not_an_image.jpg", "cannot use"]);
}

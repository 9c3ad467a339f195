//! Galleries that are cut short or have a bit flipped.

use std::fs;
use std::path::{Path, PathBuf};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tuwen::gallery::*;

use super::galleries::*;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("segments")).unwrap();
    for name in segment_files(from) {
        fs::copy(
            from.join("segments").join(&name),
            to.join("segments").join(&name),
        )
        .unwrap();
    }
    fs::copy(from.join("gallery.sqlite"), to.join("gallery.sqlite")).unwrap();
}

/// Whether anybody says that something is wrong.
fn is_noticed(folder: &Path) -> bool {
    match Snapshot::open(folder) {
        Err(e) => !e.to_string().is_empty(),
        Ok(snapshot) => {
            exercise(&snapshot);
            snapshot.verify().map_or(true, |wrong| !wrong.is_empty())
        }
    }
}

fn damage(path: &Path, rng: &mut ChaCha8Rng) {
    let mut bytes = fs::read(path).unwrap();
    match rng.gen_bool(0.2) {
        true => bytes.truncate(rng.gen_range(0..bytes.len())),
        false => {
            let place = rng.gen_range(0..bytes.len());
            bytes[place] ^= 1 << rng.gen_range(0..8);
        }
    }
    fs::write(path, bytes).unwrap();
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    segment_files(folder)
        .iter()
        .map(|name| folder.join("segments").join(name))
        .collect()
}

#[test]
fn a_damaged_segment_is_noticed_and_nothing_panics() {
    let whole = tempfile::tempdir().unwrap();
    build(whole.path());
    assert!(!is_noticed(whole.path()));
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for case in 0..300 {
        let folder = tempfile::tempdir().unwrap();
        copy(whole.path(), folder.path());
        let files = files_of(folder.path());
        damage(&files[case % files.len()], &mut rng);
        assert!(is_noticed(folder.path()), "case {case}");
        if case % 5 == 0 {
            write_to(folder.path());
        }
    }
}

#[test]
fn a_missing_segment_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path());
    let file = files_of(folder.path()).remove(0);
    fs::remove_file(&file).unwrap();
    for error in [
        Snapshot::open(folder.path()).err(),
        Writer::open(folder.path(), &stamp()).err(),
    ] {
        let error = error.unwrap().to_string();
        assert!(
            error.starts_with(&format!("cannot read {}: ", file.display())),
            "{error}"
        );
    }
}

#[test]
fn a_damaged_segment_is_not_merged() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path());
    let file = files_of(folder.path()).remove(0);
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    let before = segment_files(folder.path());
    let error = Writer::open(folder.path(), &stamp())
        .unwrap()
        .compact()
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("its content does not match its checksum"),
        "{error}"
    );
    assert_eq!(segment_files(folder.path()), before);
}

#[test]
fn a_damaged_database_never_panics() {
    let whole = tempfile::tempdir().unwrap();
    build(whole.path());
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for case in 0..300 {
        let folder = tempfile::tempdir().unwrap();
        copy(whole.path(), folder.path());
        damage(&folder.path().join("gallery.sqlite"), &mut rng);
        is_noticed(folder.path());
        if case % 5 == 0 {
            write_to(folder.path());
        }
    }
}

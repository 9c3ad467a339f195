//! Writing: a regular file is replaced whole, anything else is written into, and nothing is left behind.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use tuwen::Error;
use tuwen::files::{check_writable, sweep, write};

use super::made_up::folder;

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_regular_file_is_replaced_and_keeps_its_mode() {
    let dir = folder();
    let path = dir.path().join("new/folder/out.csv");
    write(&path, b"one").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(&path).unwrap().ino();
    write(&path, b"two").unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(after.permissions().mode() & 0o777, 0o640);
    assert_ne!(after.ino(), before, "it was written into");
    assert_eq!(names(path.parent().unwrap()), ["out.csv"]);
}

#[test]
fn links_are_followed_also_where_they_lead_to_nothing_yet() {
    let dir = folder();
    let (link, target) = (dir.path().join("link"), dir.path().join("there/target"));
    symlink("there/target", &link).unwrap();
    for bytes in [b"one", b"two"] {
        check_writable(&link).unwrap();
        write(&link, bytes).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&target).unwrap(), bytes);
    }
    symlink("circle", dir.path().join("circle")).unwrap();
    let error = write(&dir.path().join("circle"), b"").unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_folder_in_memory_is_no_device() {
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = dir.path().join("new/out.csv");
    for bytes in [&b"longer"[..], b"short"] {
        check_writable(&path).unwrap();
        write(&path, bytes).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    assert_eq!(names(path.parent().unwrap()), ["out.csv"]);
}

#[test]
fn pipes_and_devices_are_written_into() {
    let dir = folder();
    let path = dir.path().join("pipe");
    pipe(&path);
    check_writable(Path::new("/dev/null")).unwrap();
    write(Path::new("/dev/null"), b"x").unwrap();
    let reader = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut all = String::new();
            File::open(path).unwrap().read_to_string(&mut all).unwrap();
            all
        }
    });
    write(&path, b"through the pipe").unwrap();
    assert_eq!(reader.join().unwrap(), "through the pipe");
    let error = write(Path::new("/dev/full"), b"x").unwrap_err().to_string();
    assert!(error.contains("No space left"), "{error}");
    assert!(!fs::metadata("/dev/full").unwrap().is_file());
}

#[test]
fn what_cannot_be_written_is_found_out_without_writing() {
    let dir = folder();
    let file = dir.path().join("file");
    fs::write(&file, "a file").unwrap();
    for path in [file.join("below"), dir.path().to_owned()] {
        let (early, late) = (check_writable(&path), write(&path, b"x"));
        assert!(early.is_err() && late.is_err(), "{}", path.display());
    }
    check_writable(&dir.path().join("a/b/c")).unwrap();
    assert_eq!(names(dir.path()), ["file"]);
}

#[test]
fn what_a_killed_run_left_is_swept_away_and_what_is_being_written_stays() {
    let dir = folder();
    let below = dir.path().join("below");
    fs::create_dir(&below).unwrap();
    let [left, held, other] =
        [".tuwen-left", ".tuwen-held", "tuwen-other"].map(|name| below.join(name));
    for path in [&left, &held, &other] {
        fs::write(path, "half").unwrap();
    }
    let lock = File::open(&held).unwrap();
    lock.lock().unwrap();
    sweep(dir.path());
    assert_eq!(names(&below), [".tuwen-held", "tuwen-other"]);
}

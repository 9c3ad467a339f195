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

    /// Older than what the test has saved; clocks of file systems may not tell which came first.
    fn make_old(&self, name: &str) {
        let path = self.path("photos").join(name);
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
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
        .prints("4 groups, 6 redundant pictures, 21 pictures in all")
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
        "3,0,same.png", // older
        "3,0,below/same.png",
        "4,1,flat.png",
        "4,0,below/flat.png",
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
        .prints("0 groups, 0 redundant pictures, 1 pictures in all");
    case.save("two.png", &scene(1));
    case.make_old("z/one.png");
    case.run(&[]).ok();
    assert_eq!(case.groups(), ["1,1,z/one.png", "1,0,two.png"]); // the older
    fs::hard_link(case.path("photos/two.png"), case.path("photos/three.png")).unwrap();
    fs::hard_link(case.path("photos/two.png"), case.path("photos/two (1).png")).unwrap();
    case.run(&[])
        .ok()
        .prints("2 pictures in all")
        .says(&["3 names are links"]); // with link.png
    assert_eq!(case.groups().len(), 2);
}

#[test]
fn what_systems_keep_for_themselves_is_left_out() {
    let case = Case::new();
    case.save("one.png", &scene(1));
    for place in [
        "$RECYCLE.BIN",
        ".Trash-1000/files",
        "below/@eaDir",
        ".thumbnails",
        "__MACOSX",
        "System Volume Information",
        "lost+found",
        "#recycle",
    ] {
        fs::create_dir_all(case.path("photos").join(place)).unwrap();
        case.save(&format!("{place}/two.png"), &scene(1));
    }
    case.save("._one.png", &scene(1));
    fs::write(case.path("photos/Thumbs.db"), "").unwrap();
    fs::write(case.path("photos/.DS_Store"), "").unwrap();
    case.run(&[])
        .ok()
        .prints("0 groups, 0 redundant pictures, 1 pictures in all")
        .says(&["11 hidden", "--hidden"])
        .does_not_say("WARN");
    case.run(&["--hidden"])
        .ok()
        .prints("1 groups, 9 redundant pictures, 10 pictures in all");
}

#[test]
#[cfg(unix)]
fn what_cannot_be_read_is_passed_over_and_said() {
    let case = Case::new();
    case.save("one.png", &scene(1));
    case.save("below/two.png", &scene(1));
    for name in ["nowhere.png", "round"] {
        std::os::unix::fs::symlink(name, case.path("photos").join(name)).unwrap();
    }
    case.run(&[])
        .ok()
        .says(&["WARN", "cannot be read (skipped)", "nowhere.png"])
        .says(&["WARN", "cannot be read (skipped)", "2 in all"]);
    assert_eq!(case.groups(), ["1,1,one.png", "1,0,below/two.png"]);
}

/// Two names never become one in a table that is there to delete by.
#[test]
#[cfg(unix)]
fn names_that_are_not_utf8_can_be_found_again() {
    use std::os::unix::ffi::OsStrExt as _;
    let case = Case::new();
    case.save("one.png", &scene(1));
    for name in [&b"\xff.png"[..], b"\xfe.png", b"\\xff.png", b"a\\b.png"] {
        let name = std::ffi::OsStr::from_bytes(name);
        fs::copy(case.path("photos/one.png"), case.path("photos").join(name)).unwrap();
    }
    case.run(&[]).ok();
    let mut names: Vec<String> = case.groups();
    names
        .iter_mut()
        .for_each(|line| *line = line[4..].to_owned());
    names.sort();
    let expected = [
        r"\\xff.png",
        r"\xfe.png",
        r"\xff.png",
        r"a\b.png",
        "one.png",
    ];
    assert_eq!(names, expected);
}

#[test]
fn the_name_of_a_copy_is_not_kept() {
    let names = [
        "IMG_0001 (1).png",
        "IMG_0001 - 副本.png",
        "IMG_0001 copy 2.png",
        "Copy of IMG_0001.png",
        "IMG_0001_1.png",
        "IMG_0001~2.png",
    ];
    for name in names {
        let case = Case::new();
        case.save(name, &scene(1)); // older
        case.save("below/IMG_0001.png", &scene(1));
        case.run(&["--method", "phash"]).ok();
        let expected = ["1,1,below/IMG_0001.png".to_owned(), format!("1,0,{name}")];
        assert_eq!(case.groups(), expected, "{name}");
    }
    // a number alone says nothing where there is no such name without it
    let case = Case::new();
    case.save("IMG_0002.png", &scene(1));
    case.save("a.png", &scene(1));
    case.make_old("IMG_0002.png");
    case.run(&["--method", "phash"]).ok();
    assert_eq!(case.groups(), ["1,1,IMG_0002.png", "1,0,a.png"]);
}

#[test]
fn tables_for_spreadsheets_hold_no_formulas() {
    let case = Case::new();
    case.save("=1+1.png", &scene(1));
    case.save("@b.png", &scene(1));
    case.run(&["--spreadsheet"]).ok();
    let table = case.table();
    assert!(table.starts_with("\u{feff}group,keep,file,"), "{table}");
    assert!(
        table.contains(",'=1+1.png,") && table.contains(",'@b.png,"),
        "{table}"
    );
    case.run(&[]).ok();
    assert!(case.table().contains(",=1+1.png,"));
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

#[test]
fn forms_with_other_contents_are_told_from_copies() {
    let case = Case::new();
    let form = |seed: u32| {
        let mut page = RgbImage::new(240, 360);
        imageops::replace(&mut page, &scene(1), 0, 0);
        imageops::replace(&mut page, &scene(seed), 0, 180);
        page
    };
    let (first, second) = (form(2), form(3));
    case.save("first.png", &first);
    case.save("second.png", &second);
    let small = imageops::resize(&first, 160, 240, imageops::FilterType::Triangle);
    case.save("copy of first.jpg", &small);
    case.run(&[])
        .ok()
        .says(&["WARN", "1 pictures", "forms with other contents"]);
    let table = case.table();
    let differs = |name: &str| -> f64 {
        let line = table.lines().find(|l| l.contains(name)).unwrap();
        line.rsplit(',').next().unwrap().parse().unwrap()
    };
    assert!(differs(",first.png") < 0.1, "{table}");
    assert!(differs("copy of first.jpg") < 0.1, "{table}");
    assert!(differs("second.png") > 0.3, "{table}");
}

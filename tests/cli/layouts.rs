//! Folders by either name, and archives in place of folders.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::case::{Case, odd_picture};
use super::files::files;
use super::program::tuwen;

/// Packs `ImageData` of an attachment, and further entries, and removes the folder.
fn pack(attachment: &Path, further: &[(&str, &[u8])]) {
    let folder = attachment.join("ImageData");
    let mut archive = ZipWriter::new(File::create(attachment.join("ImageData.zip")).unwrap());
    let mut add = |name: &str, bytes: &[u8]| {
        archive
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(bytes).unwrap();
    };
    further.iter().for_each(|(name, bytes)| add(name, bytes));
    for (name, path) in files(&folder) {
        add(&format!("ImageData/{name}"), &fs::read(path).unwrap());
    }
    archive.finish().unwrap();
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_archive_is_as_good_as_a_folder() {
    let plain = Case::computed();
    let case = Case::new().copied();
    for n in 1..=3 {
        pack(&case.attachment(n), &[]);
    }
    case.results(&[]).ok().does_not_say("WARN");
    assert_eq!(case.result_bytes(), plain.result_bytes());
    case.assert_valid();
}

#[test]
fn archive_entries_that_point_outside_are_left_out() {
    let plain = Case::computed();
    let case = Case::computed().copied();
    let photo = fs::read(odd_picture("photo.png")).unwrap();
    let gallery = case.attachment(2);
    pack(
        &gallery,
        &[
            ("../shape-0097.png", &photo),
            ("a/../../../shape-0098.png", &photo),
            ("__MACOSX/._shape-0099.png", b"what archivers leave behind"),
        ],
    );
    fs::remove_dir_all(case.out()).unwrap();
    case.results(&[])
        .ok()
        .says(&[
            "WARN",
            "points outside",
            "ImageData.zip",
            "../shape-0097.png",
        ])
        .says(&[
            "WARN",
            "points outside",
            "ImageData.zip",
            "../shape-0098.png",
        ])
        .says(&["WARN", "zip entry that points outside", "2 in all"])
        .does_not_say("MACOSX");
    assert_eq!(case.result_bytes(), plain.result_bytes());
    let outside = case.path("data/attachments").join("shape-0097.png");
    assert!(!outside.exists(), "something was unpacked");
}

#[test]
fn a_broken_archive_is_named() {
    let case = Case::new().copied();
    fs::remove_dir_all(case.attachment(2).join("ImageData")).unwrap();
    let archive = case.attachment(2).join("ImageData.zip");
    case.results(&[])
        .fails()
        .says(&["ERROR", "no folder ImageData and no ImageData.zip"]);
    fs::write(&archive, "no archive").unwrap();
    case.results(&[]).fails().says(&[
        "ERROR",
        archive.to_str().unwrap(),
        "not a usable zip archive",
    ]);
}

#[test]
fn a_damaged_archive_entry_is_one_bad_picture() {
    let case = Case::computed().copied();
    pack(&case.attachment(2), &[]);
    let archive = case.attachment(2).join("ImageData.zip");
    let mut bytes = fs::read(&archive).unwrap();
    let name = b"shape-0100.png";
    let data = bytes.windows(name.len()).position(|w| w == name).unwrap() + name.len();
    bytes[data + 100] ^= 0xff;
    fs::write(&archive, bytes).unwrap();
    case.results(&[])
        .ok()
        .says(&["WARN", "cannot be used", "ImageData.zip", "shape-0100.png"]);
    case.assert_valid();
}

#[test]
fn folders_may_have_their_chinese_names() {
    let plain = Case::computed();
    let case = Case::new().copied();
    for n in 1..=3 {
        fs::rename(case.attachment(n), case.data.join(format!("附件{n}"))).unwrap();
    }
    case.results(&[]).ok().does_not_say("WARN");
    assert_eq!(case.result_bytes(), plain.result_bytes());
    for n in [1, 2] {
        let option = format!("--attachment{}", n + 1);
        let folder = case.data.join(format!("附件{}", n + 1));
        let file = case.result_file(n);
        tuwen([
            "validate".as_ref(),
            file.as_os_str(),
            option.as_ref(),
            folder.as_os_str(),
        ])
        .ok();
    }
}

#[test]
fn attachments_that_are_not_there_are_not_answered() {
    let case = Case::new().copied();
    fs::remove_dir_all(case.attachment(3)).unwrap();
    case.results(&[]).ok();
    case.validate(1).ok();
    assert!(!case.result_file(2).exists());

    fs::remove_dir_all(case.attachment(2)).unwrap();
    case.results(&[])
        .fails()
        .says(&["nothing to answer", "attachment 2 or 3"]);

    let case = Case::new().copied();
    fs::remove_dir_all(case.attachment(1)).unwrap();
    case.results(&[])
        .fails()
        .says(&["no pairs to learn from", "attachment1"]);
}

#[test]
fn a_folder_that_is_no_dataset_is_answered_with_what_would_be() {
    let mut case = Case::new();
    case.data = case.path("empty");
    case.results(&[]).fails().says(&["empty", "no such folder"]);
    fs::create_dir(&case.data).unwrap();
    case.results(&[])
        .fails()
        .says(&["empty", "known", "attachment1/", "Flickr8k", "RSICD"]);
}

#[test]
fn a_recipe_with_an_unknown_key_is_refused_by_its_name() {
    let case = Case::new().with("shard = 8", "shrad = 8");
    let recipe = case.path("small.toml");
    case.results(&[])
        .fails()
        .says(&["ERROR", recipe.to_str().unwrap()]);
    let outcome = case.results(&[]);
    assert!(outcome.stderr.contains("shrad"), "{outcome:#?}");
    assert!(!case.work().exists() && !case.out().exists());
}

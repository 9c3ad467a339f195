//! `index`, `gallery`, `remove`: a gallery follows its folder, and says what is wrong with it.

use std::fs;

use super::case::odd_picture;
use super::files::files;
use super::program::tuwen;
use super::shelf::{PICTURES, Shelf, model, rewrite, set_time, tables, text};

#[test]
fn tables_that_come_or_change_later_count() {
    let shelf = Shelf::indexed();
    let [captions, tags] = tables(&shelf);
    let with = |filter: &str| shelf.ids(&["红色", "--where", filter]);
    let outcome = shelf.index(&["--captions", &captions]).ok();
    outcome
        .prints("0 added, 0 changed, 0 removed, 32 files as they were")
        .prints("3 pictures have other captions");
    assert_eq!(with("has captions").len(), 3);
    let outcome = shelf.index(&["--tags", &tags]).ok();
    outcome.prints("0 added, 2 changed, 0 removed, 30 files as they were");
    assert_eq!(with("has tags").len(), 2);
    assert_eq!(with("has captions").len(), 3, "captions stay");
    for more in [
        &["--captions", &captions[..], "--tags", &tags][..],
        &["--tags", &tags],
        &[],
    ] {
        shelf.index(more).ok().prints("nothing new: 32 files");
    }
    let other = shelf.table(
        "tags.csv",
        ["filename", "tags"],
        &[["shape-0099.png", "猫"]],
    );
    let outcome = shelf.index(&["--tags", &other]).ok();
    outcome.prints("0 added, 2 changed");
    assert_eq!(with("has tags"), ["shape-0099.png"]);
    assert_eq!(with("tag = 猫"), ["shape-0099.png"]);

    // a picture whose only caption goes is again one of which nothing is known
    let fewer = [["shape-0097.png", "我的狗"]];
    let fewer = shelf.table("captions.csv", ["image", "caption"], &fewer);
    shelf
        .index(&["--captions", &fewer])
        .ok()
        .prints("3 pictures have other captions");
    assert_eq!(with("has captions"), ["shape-0097.png"]);
    let must = shelf.ids(&["红色", "--must", "狗", "--top", "99"]);
    assert!(must.contains(&"shape-0098.png".into()), "{must:?}");
    assert!(!must.contains(&"shape-0099.png".into()), "{must:?}");
}

#[test]
fn captions_of_a_picture_that_was_only_touched_count() {
    let shelf = Shelf::indexed();
    let [captions, _] = tables(&shelf);
    let path = shelf.photo("shape-0097.png");
    rewrite(&path, &fs::read(&path).unwrap());
    let outcome = shelf.index(&["--captions", &captions]).ok();
    outcome.prints("3 pictures have other captions");
}

#[test]
fn a_removed_picture_is_found_again_after_index() {
    let shelf = Shelf::indexed();
    let image = shelf.photo("shape-0100.png");
    let alike = ["--image", text(&image)];
    assert_eq!(shelf.ids(&alike)[0], "shape-0100.png");
    let outcome = shelf.run("remove", &["shape-0100.png", "no.png"]).fails();
    outcome
        .prints("1 of 2 removed")
        .says(&["the others are not in the gallery"]);
    assert!(image.exists(), "its file stays");
    let all = [&alike[..], &["--top", "99"]].concat();
    let found = shelf.ids(&all);
    assert_eq!(found.len(), PICTURES - 1);
    assert!(!found.contains(&"shape-0100.png".into()));
    let outcome = shelf.index(&[]).ok();
    outcome.prints("1 added, 0 changed, 0 removed, 31 files as they were");
    assert_eq!(shelf.ids(&alike)[0], "shape-0100.png");
}

#[test]
fn a_gallery_follows_its_folder() {
    let shelf = Shelf::indexed();
    let (a, b) = (shelf.photo("shape-0100.png"), shelf.photo("shape-0107.png"));
    let other = fs::read(shelf.photo("sub/shape-0120.png")).unwrap();
    rewrite(&a, &other);
    fs::remove_file(&b).unwrap();
    fs::write(shelf.photo("sub/new.png"), &other).unwrap();
    let outcome = shelf.index(&[]).ok();
    outcome.prints("1 added, 1 changed, 1 removed, 30 files as they were");
    let found = shelf.ids(&["--image", text(&a), "--top", "99"]);
    let mut first: Vec<&str> = found[..3].iter().map(String::as_str).collect();
    first.sort();
    assert_eq!(
        first,
        ["shape-0100.png", "sub/new.png", "sub/shape-0120.png"]
    );
    assert!(!found.contains(&"shape-0107.png".into()));
    shelf.index(&[]).ok().prints("nothing new: 32 files");

    fs::remove_dir_all(shelf.photo("sub")).unwrap();
    shelf
        .index(&[])
        .ok()
        .prints("0 added, 0 changed, 17 removed");
    shelf.show(&[]).ok().prints("pictures   15");
}

#[test]
fn a_file_of_the_same_size_and_time_is_not_opened() {
    let shelf = Shelf::indexed();
    let path = shelf.photo("shape-0100.png");
    let before = shelf.ask(&["红色的五角星", "--top", "99"]);
    let metadata = path.metadata().unwrap();
    let time = metadata.modified().unwrap();
    fs::write(&path, vec![0; metadata.len() as usize]).unwrap();
    set_time(&path, time);
    shelf
        .index(&[])
        .ok()
        .prints("nothing new: 32 files are as they were");
    assert_eq!(shelf.ask(&["红色的五角星", "--top", "99"]), before);
    set_time(&path, time + std::time::Duration::from_nanos(1000));
    let outcome = shelf.index(&[]).ok();
    outcome
        .prints("0 added, 0 changed, 0 removed, 31 files as they were")
        .prints("1 pictures cannot be used");
}

#[test]
fn what_is_no_picture_is_counted_and_what_is_damaged_listed() {
    let shelf = Shelf::new();
    fs::write(shelf.photo("notes.txt"), "not a picture").unwrap();
    fs::write(shelf.photo("sub/list.csv"), "a,b\n").unwrap();
    for name in ["truncated.jpg", "empty.jpg", "not_an_image.jpg"] {
        shelf.add_odd(name);
    }
    let outcome = shelf.create(&[]).ok();
    outcome
        .prints("32 added, 0 changed, 0 removed, 0 files as they were")
        .prints("3 pictures cannot be used; `tuwen gallery` says why");
    let shown = shelf.show(&[]).ok();
    shown.prints_line("other files that are not pictures:", " 2");
    shown.prints_line("pictures that cannot be used:", " 3");
    shown.prints_line("  ", "truncated.jpg: truncated JPEG");
    shown.prints_line("  ", "empty.jpg: the file is empty");
    shown.prints_line("  ", "not_an_image.jpg: not a picture in a known format");
    let json = shelf.show(&["--json", "--check"]).ok().json();
    assert_eq!(
        (&json["pictures"], &json["not_pictures"]),
        (&PICTURES.into(), &2.into())
    );
    let unusable = json["unusable"].as_array().unwrap();
    assert!(unusable.iter().any(|u| {
        let [path, reason] = [&u[0], &u[1]].map(|v| v.as_str().unwrap());
        path.ends_with("truncated.jpg") && reason == "truncated JPEG"
    }));
    assert_eq!(json["damage"].as_array().map(Vec::len), Some(0));
    shelf.index(&[]).ok().prints("nothing new: 37 files");

    fs::copy(odd_picture("photo.png"), shelf.photo("empty.jpg")).unwrap();
    let outcome = shelf.index(&[]).ok();
    outcome.prints("0 added, 1 changed, 0 removed, 36 files as they were");
    shelf
        .show(&[])
        .ok()
        .prints("pictures that cannot be used: 2");
}

#[test]
fn a_flipped_byte_is_found_by_check() {
    let shelf = Shelf::indexed();
    let whole = shelf.show(&["--check"]).ok();
    whole.prints("everything was read and is whole");
    let segments = files(&shelf.gallery().join("segments"));
    let segment = segments.values().next().unwrap();
    let right = fs::read(segment).unwrap();
    let mut bytes = right.clone();
    let place = bytes.len() - 100;
    bytes[place] ^= 1;
    fs::write(segment, bytes).unwrap();
    shelf.show(&[]).ok();
    let outcome = shelf.show(&["--check"]);
    assert_eq!(outcome.code, Some(1));
    outcome.prints_line("damaged: ", "its content does not match its checksum");
    fs::write(segment, right).unwrap();

    let model = shelf.gallery().join("model.tuwen");
    let mut bytes = fs::read(&model).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&model, bytes).unwrap();
    let outcome = shelf.show(&["--check"]);
    assert_eq!(outcome.code, Some(1));
    outcome.prints_line("damaged: ", "does not match its checksum");
}

#[test]
fn a_gallery_of_another_model_is_refused() {
    let shelf = Shelf::indexed();
    let fingerprint = |path: &std::path::Path| {
        let line = tuwen(["inspect", text(path)]).ok().stdout;
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    let own = fingerprint(&shelf.path("m.tuwen"));
    assert_eq!(own, fingerprint(&shelf.gallery().join("model.tuwen")));
    fs::write(shelf.path("m.tuwen"), model(false)).unwrap();
    let other = fingerprint(&shelf.path("m.tuwen"));
    assert_ne!(own, other);
    shelf
        .create(&[])
        .fails()
        .says(&["the gallery", &own, &other]);
    shelf.show(&["--check"]).ok().prints("everything was read");
    fs::copy(shelf.path("m.tuwen"), shelf.gallery().join("model.tuwen")).unwrap();
    shelf
        .run("search", &["红色"])
        .fails()
        .says(&["the gallery", &own, &other]);
}

#[test]
fn a_folder_that_is_no_gallery_is_told_from_one() {
    let shelf = Shelf::new();
    let photos = shelf.photos();
    let nowhere = shelf.path("nowhere");
    for folder in [&photos, &nowhere] {
        let folder = text(folder);
        for command in [
            &["search", "红色", "--gallery", folder][..],
            &["gallery", folder],
            &["remove", "a.png", "--gallery", folder],
            &["export", folder, "--items", "-"],
        ] {
            tuwen(command)
                .fails()
                .says(&[folder, "not a gallery", "`tuwen index` makes"]);
        }
    }
    let model = shelf.path("m.tuwen");
    let into_photos = ["index", text(&photos), "--gallery", text(&photos)];
    tuwen(into_photos.iter().copied().chain(["--model", text(&model)]))
        .fails()
        .says(&["neither empty nor a gallery", "another folder"]);
    assert_eq!(files(&photos).len(), PICTURES, "nothing was written");
    let not_a_model = shelf.photo("shape-0100.png");
    let wrong = [
        "index",
        text(&photos),
        "--gallery",
        text(&nowhere),
        "--model",
    ];
    tuwen(wrong.iter().copied().chain([text(&not_a_model)]))
        .fails()
        .says(&["shape-0100.png"]);
    assert!(!nowhere.exists());
}

#[test]
fn a_gallery_is_of_one_folder() {
    let shelf = Shelf::indexed();
    let sub = shelf.photo("sub");
    let outcome = shelf.run("index", &[text(&sub)]).fails();
    outcome.says(&["is of the folder", "photos/sub", "folder.txt"]);
    shelf.show(&[]).ok().prints("pictures   32");
}

#[test]
fn there_is_one_writer_and_readers_do_not_wait() {
    let shelf = Shelf::indexed();
    let model = tuwen::model::Model::open(&shelf.path("m.tuwen")).unwrap();
    let stamp = tuwen::indexing::stamp(&model).unwrap();
    let writer = tuwen::gallery::Writer::open(&shelf.gallery(), &stamp).unwrap();
    let who = format!("process {} on ", std::process::id());
    for outcome in [shelf.index(&[]), shelf.run("remove", &["shape-0100.png"])] {
        outcome
            .fails()
            .says(&["another tuwen", &who, "is changing this gallery"]);
    }
    assert_eq!(shelf.ids(&["红色", "--top", "99"]).len(), PICTURES);
    drop(writer);
    shelf.index(&[]).ok().prints("nothing new");
}

#[test]
fn a_folder_that_has_moved_is_found_where_it_is() {
    let shelf = Shelf::indexed();
    let moved = shelf.path("elsewhere");
    fs::rename(shelf.photos(), &moved).unwrap();
    let outcome = shelf.run("index", &[text(&moved)]).fails();
    outcome.says(&["folder.txt"]);
    fs::remove_file(shelf.gallery().join("folder.txt")).unwrap();
    let outcome = shelf.run("index", &[text(&moved)]).ok();
    outcome.prints("nothing new: 32 files");
    let found = shelf.ask(&["红色", "--top", "1"]);
    let path = found["hits"][0]["path"].as_str().unwrap();
    assert!(path.starts_with(text(&moved)), "{path}");
    shelf.run("index", &[text(&moved)]).ok();
}

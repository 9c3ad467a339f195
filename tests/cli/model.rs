//! `fit --model`: what a model holds.

use std::fs;

use super::case::{Case, columns};
use super::files::files;
use super::program::tuwen;
use super::shelf::{Shelf, fitted, model, text};

#[test]
fn a_model_is_the_same_bytes_each_time() {
    let [one, two] = ["1", "2"].map(|threads| {
        let case = Case::new();
        fitted(&case, &["--threads", threads])
    });
    assert!(one == two, "not the same bytes");
    assert!(one == model(true), "not the same bytes after other verbs");
}

/// Whether bytes hold a text, as it is or as JSON within JSON has it.
fn holds(bytes: &[u8], text: &str) -> bool {
    let escaped: String = text
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect();
    let is_there = |text: &&str| memchr::memmem::find(bytes, text.as_bytes()).is_some();
    [text, &escaped].iter().any(is_there)
}

#[test]
fn a_model_and_a_gallery_hold_no_path_and_no_caption_of_the_training_data() {
    let case = Case::new().copied();
    let bare = fitted(&case, &["--no-captions"]);
    let rows = columns::<2>(&case.table(1, "ImageWordData.csv"));
    let folder = text(&case.data).to_owned();
    let shelf = Shelf::with_model(&bare);
    shelf.create(&[]).ok();
    let mut all = vec![bare];
    let gallery = files(&shelf.gallery());
    assert!(gallery.contains_key("gallery.sqlite") && gallery.contains_key("model.tuwen"));
    all.extend(gallery.values().map(|path| fs::read(path).unwrap()));
    for bytes in &all {
        assert!(!holds(bytes, &folder) && !holds(bytes, "attachment1"));
        for [name, caption] in &rows {
            assert!(!holds(bytes, name), "{name}");
            assert!(!holds(bytes, caption), "{caption}");
        }
    }
    assert!(
        holds(&all[0], "五角星"),
        "the vocabulary is written as it is looked for"
    );
    let full = fitted(&case, &[]);
    let [name, caption] = &rows[0];
    assert!(
        holds(&full, caption),
        "captions are kept unless they are left out"
    );
    assert!(!holds(&full, name) && !holds(&full, &folder));
    fs::write(shelf.path("full.tuwen"), full).unwrap();
    for (file, holds) in [
        ("m.tuwen", "no caption, no picture"),
        ("full.tuwen", "96 training captions"),
    ] {
        tuwen(["inspect", text(&shelf.path(file))])
            .ok()
            .prints(holds);
    }
}

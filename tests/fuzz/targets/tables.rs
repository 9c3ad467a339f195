//! Datasets of which one table or list is damaged.

use std::fs;
use std::path::{Path, PathBuf};

use tuwen::contest::Known;
use tuwen::dataset::{Dataset, Direction, ReadOptions, Split};

use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "tables",
    inputs: 60_000,
    seeds,
    mutate,
    run,
};

/// Path below the dataset's folder, `-` between its parts, and what is there: three layouts.
const FILES: &[(&str, &str)] = &[
    (
        "contest-attachment1-ImageWordData.csv",
        "image_id,caption\na.png,五条黑色锯齿线\nb.png,\"六乘六紫色棋盘格,简洁\"\nc.png,\"标题为\"\"两个圆点\"\"\"\n",
    ),
    (
        "contest-attachment2-word_test.csv",
        "text_id,caption\nWord-1,五条黑色锯齿线\nWord-2,\"两个,圆点\"\n",
    ),
    (
        "contest-attachment2-image_data.csv",
        "image_id\nd.png\ne.png\n",
    ),
    (
        "contest-attachment3-word_data.csv",
        "text_id,caption\nWord-3,一只狗\nWord-4,一只猫\n",
    ),
    (
        "contest-attachment3-image_test.csv",
        "image_id\nf.png\ng.png\n",
    ),
    (
        "flickr-captions-flickr8kzhc.caption.txt",
        "a.jpg#zhc#0 一只 狗\na.jpg#zhc#1 狗\nb.jpg#zhc#0 一只猫\n",
    ),
    ("flickr-captions-train.txt", "a.jpg\n"),
    ("flickr-captions-test.txt", "b.jpg\n"),
    ("amfmn-train_caps.txt", "Many dots .\nSome dots .\n"),
    ("amfmn-train_filename.txt", "a.tif\na.tif\n"),
    ("amfmn-test_caps.txt", "A ring .\nOne ring .\n"),
    ("amfmn-test_filename.txt", "b.tif\nb.tif\n"),
];

/// Empty files: nothing is decoded.
const PICTURES: &[(&str, &[&str])] = &[
    (
        "contest/attachment1/ImageData",
        &["a.png", "b.png", "c.png"],
    ),
    ("contest/attachment2/ImageData", &["d.png", "e.png"]),
    ("contest/attachment3/ImageData", &["f.png", "g.png"]),
    ("flickr/images", &["a.jpg", "b.jpg"]),
    ("amfmn/images", &["a.tif", "b.tif"]),
];

fn seeds() -> Vec<Input> {
    FILES
        .iter()
        .map(|&(name, text)| Input::new(name, text))
        .collect()
}

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    const WORDS: &[&[u8]] = &[
        b"\"",
        b",",
        b";",
        b"\t",
        b"\r\n",
        b"\n\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\0",
        b"\xb9\xb7",
        b"\xa4\xa4",
        b"sep=;\n",
        b"image_id",
        b"text_id",
        b"caption",
        b"#zhc#",
        b"../",
        b"a.png",
        "\u{202e}".as_bytes(),
    ];
    mutator.text(&mut input.bytes, WORDS);
    if mutator.one_in(16) {
        let text = String::from_utf8_lossy(&input.bytes);
        let wide = text.encode_utf16().flat_map(u16::to_le_bytes);
        input.bytes = [0xff, 0xfe].into_iter().chain(wide).collect();
    }
}

fn place(scratch: &Path, name: &str) -> PathBuf {
    scratch.join(name.replace('-', "/"))
}

fn plant(scratch: &Path) {
    for (folder, names) in PICTURES {
        let folder = scratch.join(folder);
        fs::create_dir_all(&folder).expect("room for a folder");
        for name in *names {
            fs::write(folder.join(name), "").expect("room for a file");
        }
    }
    for (name, text) in FILES {
        let path = place(scratch, name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("room for a folder");
        fs::write(path, text).expect("room for a table");
    }
}

fn run(input: &Input, scratch: &Path) {
    if !scratch.join("contest").exists() {
        plant(scratch);
    }
    let path = place(scratch, &input.name);
    fs::write(&path, &input.bytes).expect("room for a table");
    let set = input.name.split('-').next().expect("a first part");
    let root = scratch.join(set);
    if let Ok(dataset) = Dataset::open(&root, &ReadOptions::default()) {
        for c in &dataset.collections {
            assert!(
                c.pairs
                    .iter()
                    .all(|p| p.image < c.images.len() && p.text < c.texts.len())
            );
            assert_eq!(c.captions().len(), c.texts.len());
            c.filter("half", Split::Test, |i| i % 2 == 0);
        }
    }
    if set == "contest" {
        let _ = Known::from_attachment(
            &root.join("attachment2"),
            Direction::TextToImage,
            &ReadOptions::default(),
        );
        let _ = Known::from_attachment(
            &root.join("attachment3"),
            Direction::ImageToText,
            &ReadOptions::default(),
        );
    }
    let right = FILES.iter().find(|(name, _)| *name == input.name);
    if let Some((_, text)) = right {
        fs::write(path, text).expect("room for a table");
    }
}

//! Layouts of data sets, made up small: which pictures and captions belong together, and what is said about the rest.
//! No picture is decoded, so that a few bytes are one.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tuwen::dataset::{Collection, Dataset, ReadOptions, Split};

/// A folder with files of these texts.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = super::made_up::folder();
    for (name, text) in files {
        write(folder.path(), name, text.as_bytes());
    }
    folder
}

pub fn write(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

pub fn pictures(root: &Path, names: &[&str]) {
    names
        .iter()
        .for_each(|name| write(root, name, b"\x89PNG\r\n\x1a\n"));
}

#[track_caller]
pub fn open(root: &Path) -> Dataset {
    Dataset::open(root, &ReadOptions::default()).unwrap()
}

#[track_caller]
pub fn refusal(root: &Path, options: &ReadOptions) -> String {
    Dataset::open(root, options).unwrap_err().to_string()
}

/// Each caption with its picture's file, `-` where there is none.
pub fn pairs(root: &Path, c: &Collection) -> Vec<(String, String)> {
    let file = |image: usize| {
        let source = &c.images[image].source;
        let path = source.describe();
        let name = path
            .strip_prefix(root.to_str().unwrap())
            .unwrap()
            .trim_start_matches(['/', ':']);
        if source.is_missing() {
            "-".into()
        } else {
            name.to_owned()
        }
    };
    c.pairs
        .iter()
        .map(|p| (file(p.image), c.texts[p.text].caption.clone()))
        .collect()
}

/// The split, and its captions with their files.
type Expected<'a> = (Split, &'a [(&'a str, &'a str)]);

#[track_caller]
fn assert_reads(root: &Path, expected: &[Expected], warned: &[(&str, &str)]) -> Dataset {
    let dataset = open(root);
    assert_eq!(
        dataset.collections.len(),
        expected.len(),
        "{:?}",
        dataset.collections
    );
    for (collection, (split, expected)) in dataset.collections.iter().zip(expected) {
        assert_eq!(collection.split, *split);
        let found = pairs(root, collection);
        let found: Vec<_> = found
            .iter()
            .map(|(f, c)| (f.as_str(), c.as_str()))
            .collect();
        assert_eq!(found, *expected);
    }
    for (kind, message) in warned {
        let said = dataset
            .warnings
            .iter()
            .any(|w| w.kind.contains(kind) && w.message.contains(message));
        assert!(said, "{kind}: {message} is not in {:?}", dataset.warnings);
    }
    assert_eq!(
        dataset.warnings.len(),
        warned.len(),
        "{:?}",
        dataset.warnings
    );
    dataset
}

#[test]
fn flickr8k_of_kaggle_is_there_to_learn_from() {
    let set = folder(&[(
        "captions.txt",
        "image,caption\na.jpg,\"A dog , running .\"\na.jpg,Two dogs .\nb.jpg,A cat .\n",
    )]);
    pictures(
        set.path(),
        &["Images/a.jpg", "Images/b.jpg", "Images/c.jpg"],
    );
    let train = [
        ("Images/a.jpg", "A dog , running ."),
        ("Images/a.jpg", "Two dogs ."),
        ("Images/b.jpg", "A cat ."),
    ];
    let warned = [("picture without a caption", "c.jpg")];
    let dataset = assert_reads(set.path(), &[(Split::Train, &train)], &warned);
    assert_eq!(dataset.collections[0].texts[1].id.0, "a.jpg#1");
}

#[test]
fn flickr30k_of_kaggle_is_read_with_its_own_separators() {
    let table = "image_name| comment_number| comment\na.jpg| 0| A \"big\" dog , running .\nb.jpg| 0| A cat .\nb.jpg| 4   Two cats .\n";
    let set = folder(&[("results.csv", table)]);
    pictures(
        set.path(),
        &["flickr30k_images/a.jpg", "flickr30k_images/b.jpg"],
    );
    let train = [
        ("flickr30k_images/a.jpg", "A \"big\" dog , running ."),
        ("flickr30k_images/b.jpg", "A cat ."),
    ];
    assert_reads(
        set.path(),
        &[(Split::Train, &train)],
        &[
            ("wrong number of fields", "line 4"),
            ("empty caption", "line 4"),
        ],
    );
}

#[test]
fn a_column_of_splits_divides_a_table() {
    let set = folder(&[(
        "data.csv",
        "filename,split,caption\na.jpg,train,狗\nb.jpg,test,猫\nc.jpg,sometimes,鸟\n",
    )]);
    pictures(set.path(), &["a.jpg", "b.jpg", "c.jpg"]);
    let (train, test) = ([("a.jpg", "狗")], [("b.jpg", "猫")]);
    let warned = [
        ("unknown split", "line 4: c.jpg"),
        ("picture in no split list", "c.jpg"),
    ];
    assert_reads(
        set.path(),
        &[(Split::Train, &train), (Split::Test, &test)],
        &warned,
    );
}

const TOKENS: &str = "a.jpg#0\tA dog .\na.jpg#1\tTwo dogs .\nb.jpg#0\tA cat .\nc.jpg#0\tA bird .\n";

fn original(lists: &[(&str, &str)]) -> TempDir {
    let mut files = vec![
        ("Flickr8k_text/Flickr8k.token.txt", TOKENS),
        (
            "Flickr8k_text/Flickr8k.lemma.token.txt",
            "a.jpg#0\ta dog be .\n",
        ),
        (
            "Flickr8k_text/CrowdFlowerAnnotations.txt",
            "a.jpg\ta.jpg#0\t1.0\t3\t0\n",
        ),
        (
            "Flickr8k_text/ExpertAnnotations.txt",
            "a.jpg\ta.jpg#0\t1\t2\t1\n",
        ),
        (
            "Flickr8k_text/readme.txt",
            "If you use this corpus #1, training and testing splits are given.\n",
        ),
    ];
    files.extend(lists);
    let set = folder(&files);
    pictures(
        set.path(),
        &[
            "Flickr8k_Dataset/Flicker8k_Dataset/a.jpg",
            "Flickr8k_Dataset/Flicker8k_Dataset/b.jpg",
        ],
    );
    pictures(
        set.path(),
        &[
            "Flickr8k_Dataset/Flicker8k_Dataset/c.jpg",
            "Flickr8k_Dataset/__MACOSX/._c.jpg",
        ],
    );
    set
}

#[test]
fn the_two_archives_of_flickr8k_are_one_set() {
    let set = original(&[
        ("Flickr8k_text/Flickr_8k.trainImages.txt", "a.jpg\n"),
        ("Flickr8k_text/Flickr_8k.devImages.txt", "b.jpg\r\n"),
        ("Flickr8k_text/Flickr_8k.testImages.txt", "c.jpg"),
    ]);
    let file = |name| format!("Flickr8k_Dataset/Flicker8k_Dataset/{name}.jpg");
    let [a, b, c] = ["a", "b", "c"].map(file);
    let train = [(a.as_str(), "A dog ."), (&a, "Two dogs .")];
    let (val, test) = ([(b.as_str(), "A cat .")], [(c.as_str(), "A bird .")]);
    assert_reads(
        set.path(),
        &[
            (Split::Train, &train),
            (Split::Val, &val),
            (Split::Test, &test),
        ],
        &[],
    );
}

#[test]
fn captions_without_lists_are_there_to_learn_from() {
    let set = folder(&[("results_20130124.token", TOKENS)]);
    pictures(
        set.path(),
        &[
            "flickr30k-images/a.jpg",
            "flickr30k-images/b.jpg",
            "flickr30k-images/c.jpg",
        ],
    );
    let dataset = open(set.path());
    assert_eq!(
        (dataset.collections.len(), dataset.collections[0].split),
        (1, Split::Train)
    );
    assert_eq!(
        (dataset.collections[0].pairs.len(), dataset.warnings.len()),
        (4, 0)
    );
}

#[test]
fn a_list_holds_names_of_pictures() {
    let captions = "a.jpg#zhc#0 狗\nb.jpg#zhc#0 猫\nc.jpg#zhc#0 鸟\n";
    let set = folder(&[
        ("captions/flickr8kzhc.caption.txt", captions),
        (
            "captions/evaluation_notes.txt",
            "the images were evaluated twice\n",
        ),
        ("captions/flickr8kval.txt", "b\n"),
        (
            "captions/my_training_pictures.txt",
            "images/a.jpg\n./images/a.jpg\n",
        ),
        ("captions/flickr8ktest.txt", "C.JPG\nd.jpg\n"),
        ("captions/test_copy.txt", "a.jpg\n"),
    ]);
    pictures(
        set.path(),
        &["images/a.jpg", "images/b.jpg", "images/c.jpg"],
    );
    let (train, val, test) = (
        [("images/a.jpg", "狗")],
        [("images/b.jpg", "猫")],
        [("images/c.jpg", "鸟")],
    );
    let dataset = open(set.path());
    let said = |kind: &str, name: &str| {
        dataset
            .warnings
            .iter()
            .any(|w| w.kind.contains(kind) && w.message.contains(name))
    };
    assert!(
        said(
            "called like a split list and is none",
            "evaluation_notes.txt"
        ),
        "{:?}",
        dataset.warnings
    );
    assert!(
        said("second list of a split", "test_copy.txt"),
        "{:?}",
        dataset.warnings
    );
    assert!(
        said("picture without a caption", "d.jpg"),
        "{:?}",
        dataset.warnings
    );
    let found: Vec<_> = dataset
        .collections
        .iter()
        .map(|c| (c.split, pairs(set.path(), c)))
        .collect();
    let own = |pairs: [(&str, &str); 1]| pairs.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec();
    assert_eq!(
        found,
        [
            (Split::Train, own(train)),
            (Split::Val, own(val)),
            (Split::Test, own(test))
        ]
    );
    assert!(
        said("picture listed twice", "./images/a.jpg"),
        "{:?}",
        dataset.warnings
    );
}

#[test]
fn names_may_be_listed_without_extension_or_in_another_case() {
    let captions = "a.JPG#zhc#0 狗\nb.JPG#zhc#0 猫\n";
    let set = folder(&[
        ("captions/x.caption.txt", captions),
        ("captions/train.txt", "a\n"),
        ("captions/test.txt", "b.jpg\n"),
    ]);
    pictures(set.path(), &["images/a.JPG", "images/b.png"]);
    let (train, test) = ([("images/a.JPG", "狗")], [("images/b.png", "猫")]);
    let dataset = assert_reads(
        set.path(),
        &[(Split::Train, &train), (Split::Test, &test)],
        &[],
    );
    assert_eq!(dataset.collections[0].images[0].id.0, "a.JPG");
}

#[test]
fn karpathys_json_is_read_with_its_splits() {
    let json = r#"{"dataset": "rsitmd", "images": [
        {"filename": "a.tif", "split": "train", "sentids": [0], "imgid": 0, "sentences": [{"raw": "A port .", "tokens": ["a", "port"]}, {"raw": "Ships ."}]},
        {"filename": "b.tif", "split": "restval", "sentences": [{"tokens": ["a", "farm"], "raw": ""}]},
        {"filename": "c.tif", "filepath": "val2014", "split": "val", "sentences": [{"raw": "A road ."}]},
        {"filename": "d.tif", "split": "test", "sentences": [{"raw": "A field ."}]},
        {"filename": "e.tif", "split": "spare", "sentences": [{"raw": "A lake ."}]},
        {"filename": "f.tif", "split": "test", "sentences": []}]}"#;
    let set = folder(&[
        ("dataset_RSITMD.json", json),
        ("unrelated.json", "{\"images\": 3}"),
    ]);
    pictures(
        set.path(),
        &[
            "RSITMD_images/a.tif",
            "RSITMD_images/b.tif",
            "RSITMD_images/val2014/c.tif",
            "RSITMD_images/d.TIF",
        ],
    );
    let train = [
        ("RSITMD_images/a.tif", "A port ."),
        ("RSITMD_images/a.tif", "Ships ."),
        ("RSITMD_images/b.tif", "a farm"),
    ];
    let (val, test) = (
        [("RSITMD_images/val2014/c.tif", "A road .")],
        [("RSITMD_images/d.TIF", "A field .")],
    );
    let warned = [
        ("unknown split", "e.tif"),
        ("picture without a caption", "f.tif"),
    ];
    assert_reads(
        set.path(),
        &[
            (Split::Train, &train),
            (Split::Val, &val),
            (Split::Test, &test),
        ],
        &warned,
    );
    write(set.path(), "dataset_RSITMD.json", &json.as_bytes()[..600]);
    assert!(refusal(set.path(), &ReadOptions::default()).contains("dataset_RSITMD.json, line "));
}

#[test]
fn the_validation_lists_of_amfmns_tools_count_where_there_are_no_others() {
    let files = [
        ("train_caps.txt", "one\ntwo\n"),
        ("train_filename.txt", "a.tif\nb.tif\n"),
        ("train_caps_verify.txt", "one\n"),
        ("train_filename_verify.txt", "a.tif\n"),
        ("val_caps_verify.txt", "two\n"),
        ("val_filename_verify.txt", "b.tif\n"),
        ("test_caps.txt", "three\n"),
        ("test_filename.txt", "c.tif\n"),
    ];
    let set = folder(&files);
    pictures(
        set.path(),
        &["images/a.tif", "images/b.tif", "images/c.tif"],
    );
    let [a, b, c] = [
        ("images/a.tif", "one"),
        ("images/b.tif", "two"),
        ("images/c.tif", "three"),
    ];
    assert_reads(
        set.path(),
        &[
            (Split::Train, &[a]),
            (Split::Val, &[b]),
            (Split::Test, &[c]),
        ],
        &[],
    );
    write(set.path(), "val_caps.txt", b"four\n");
    write(set.path(), "val_filename.txt", b"c.tif\n");
    let warned = [("picture in two splits", "c.tif")];
    assert_reads(
        set.path(),
        &[
            (Split::Train, &[a, b]),
            (Split::Val, &[("images/c.tif", "four")]),
            (Split::Test, &[c]),
        ],
        &warned,
    );
}

#[test]
fn vectors_of_scan_are_named_for_what_they_are() {
    let set = folder(&[
        ("train_caps.txt", "one\ntwo\n"),
        ("train_ids.txt", "10\n11\n"),
        ("train_ims.npy", ""),
    ]);
    for _ in 0..2 {
        let said = refusal(set.path(), &ReadOptions::default());
        let parts = [
            "VSE++ and SCAN",
            "train_ids.txt",
            "train_filename.txt",
            "it holds ",
        ];
        assert!(parts.iter().all(|p| said.contains(p)), "{said}");
        pictures(set.path(), &["images/x.jpg"]); // of another name
    }
    pictures(set.path(), &["images/10.jpg", "images/11.jpg"]);
    let dataset = open(set.path());
    assert_eq!(
        pairs(set.path(), &dataset.collections[0])[1],
        ("images/11.jpg".into(), "two".into())
    );
}

#[test]
fn a_folder_of_no_layout_is_answered_with_what_it_holds() {
    let set = folder(&[("notes.md", ""), ("sub/x.txt", "")]);
    let said = refusal(set.path(), &ReadOptions::default());
    for part in [
        "it holds notes.md, sub/",
        "attachment1/",
        "Flickr8k",
        "RSICD",
        "Karpathy",
        "captions.txt",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

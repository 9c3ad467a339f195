//! The three attachments of the contest: how their ids and names are written, and what is said of what is missing.

use std::fs;

use tempfile::TempDir;
use tuwen::dataset::ReadOptions;
use tuwen::dataset::check::Report;

use super::layouts::{folder, open, pictures, refusal, write};

pub fn attachments(image_ids: &[&str]) -> TempDir {
    let rows: String = image_ids.iter().map(|id| format!("{id}\n")).collect();
    let pairs: String = image_ids.iter().map(|id| format!("{id},狗\n")).collect();
    folder(&[
        (
            "attachment1/ImageWordData.csv",
            &format!("image_id,caption\n{pairs}"),
        ),
        ("attachment2/image_data.csv", &format!("image_id\n{rows}")),
        (
            "attachment2/word_test.csv",
            "text_id,caption\n1,一只狗在公园里\n",
        ),
    ])
}

#[test]
fn captions_cannot_be_chosen_where_there_is_one_table() {
    let set = attachments(&["a.png"]);
    pictures(
        set.path(),
        &["attachment1/ImageData/a.png", "attachment2/ImageData/a.png"],
    );
    let options = ReadOptions {
        captions: Some("flickr8kenc".into()),
        ..Default::default()
    };
    let said = refusal(set.path(), &options);
    assert!(
        said.contains("--captions flickr8kenc chooses nothing") && said.contains("attachments"),
        "{said}"
    );
}

#[test]
fn ids_mean_pictures_however_they_are_written() {
    let set = attachments(&[
        "ImageData/a.png",
        "b",
        ".\\c.PNG",
        "x/d.png",
        "d.png",
        "e.png",
    ]);
    for n in 1..=2 {
        let root = set.path().join(format!("attachment{n}/ImageData"));
        pictures(
            &root,
            &[
                "a.png", "b.jpg", "c.png", "x/d.png", "y/d.png", "E.png", "E.PNG",
            ],
        );
    }
    let dataset = open(set.path());
    for c in &dataset.collections {
        let missing: Vec<&str> = c
            .images
            .iter()
            .filter(|i| i.source.is_missing())
            .map(|i| i.id.0.as_str())
            .collect();
        assert_eq!(missing, ["d.png", "e.png"]);
        assert!(c.images[3].source.describe().ends_with("ImageData/x/d.png"));
    }
    let several = dataset
        .warnings
        .iter()
        .filter(|w| w.kind.contains("several could be meant"));
    let messages: Vec<&str> = several.map(|w| w.message.as_str()).collect();
    assert_eq!(messages.len(), 4);
    assert!(
        messages[0].contains("x/d.png or ") && messages[0].contains("y/d.png"),
        "{messages:?}"
    );
}

#[test]
fn the_truth_may_write_names_in_another_way() {
    let set = attachments(&["a", "b"]);
    for n in 1..=2 {
        pictures(
            set.path(),
            &[
                &format!("attachment{n}/ImageData/a.png"),
                &format!("attachment{n}/ImageData/b.png"),
            ],
        );
    }
    write(
        set.path(),
        "attachment2/truth.csv",
        b"text_id,image_id\n1,b.png\n1,c.png\n",
    );
    let dataset = open(set.path());
    let [pair] = &dataset.collections[1].pairs[..] else {
        panic!("{dataset:?}")
    };
    assert_eq!((pair.text, pair.image), (0, 1));
    assert!(
        dataset
            .warnings
            .iter()
            .any(|w| w.kind.contains("true pair of unknown ids") && w.message.ends_with("line 3"))
    );
}

#[test]
fn a_report_says_what_is_used_and_what_is_not() {
    let set = attachments(&["a.png", "b.png", "c.png", "d.png"]);
    let train = set.path().join("attachment1/ImageData");
    pictures(&train, &["a.png", "stray.png"]);
    write(&train, "b.png", b"");
    write(&train, "c.png", b"a web page");
    pictures(set.path(), &["attachment2/ImageData/z.png"]);
    let report = Report::of(&open(set.path()), 100);
    let [train, test] = &report.collections[..] else {
        panic!("{report:?}")
    };
    assert_eq!(
        (
            train.images,
            train.images_with_a_picture,
            train.pairs,
            train.pairs_with_a_picture
        ),
        (4, 1, 4, 1)
    );
    assert_eq!(
        (test.images, test.images_with_a_picture, test.texts),
        (4, 0, 1)
    );
    let reasons: Vec<(&str, usize)> = report
        .left_out
        .iter()
        .map(|l| (l.reason.as_str(), l.count))
        .collect();
    let expected = [
        ("id without a picture", 5),
        ("picture without an id (not used)", 2),
        ("file that is not a picture that can be read", 1),
        ("picture of no bytes", 1),
    ];
    assert_eq!(reasons, expected);
    let [failure] = &report.failures[..] else {
        panic!("{report:?}")
    };
    assert!(
        failure.contains("nothing of attachment2 can be answered"),
        "{failure}"
    );
    assert_eq!(report.left_out[0].first.len(), 3);

    fs::remove_file(set.path().join("attachment1/ImageData/a.png")).unwrap();
    let report = Report::of(&open(set.path()), 100);
    assert!(
        report.failures[0].contains("nothing can be learned: attachment1 has 4 pairs"),
        "{report:?}"
    );
}

//! RSICD's and RSITMD's layout: a made-up set of fixture pictures with English captions.

use std::fs;

use super::case::{CHANCE_R5, Case, columns};
use super::files::edit;

const TRAINING: usize = 80;
const TEST: usize = 16;
const CAPTIONS: usize = 5;

/// What a Chinese caption is about, in the singular and the plural.
fn shape(caption: &str) -> [&'static str; 2] {
    const SHAPES: [(&[&str], [&str; 2]); 8] = [
        (&["三角"], ["triangle", "triangles"]),
        (&["星"], ["star", "stars"]),
        (&["十字", "加号"], ["cross", "crosses"]),
        (&["点"], ["dot", "dots"]),
        (&["圆环", "圆圈"], ["ring", "rings"]),
        (&["条纹"], ["stripe", "stripes"]),
        (&["棋盘", "方格"], ["square", "squares"]),
        (&["锯齿", "折线"], ["zigzag", "zigzags"]),
    ];
    let named = |words: &[&str]| words.iter().any(|w| caption.contains(w));
    let of = SHAPES.iter().find(|(words, _)| named(words));
    of.unwrap_or_else(|| panic!("{caption}: which shape?")).1
}

/// 80 pictures to learn from and 16 to test on, no val. Training captions have plurals, test captions
/// singulars: they meet only where words are stemmed. The lists write `.tif`, the files `.TIF`.
fn precomp() -> Case {
    let mut case = Case::new();
    let root = case.path("tiny_precomp");
    fs::create_dir_all(root.join("images")).unwrap();
    let mut lists = [const { [const { String::new() }; 2] }; 2];
    let rows = columns::<2>(&case.table(1, "ImageWordData.csv"));
    for (i, [id, caption]) in rows.iter().enumerate() {
        let picture = root.join("images").join(format!("scene_{i}.TIF"));
        fs::copy(case.picture(1, id), picture).unwrap();
        let [one, many] = shape(caption);
        let test = i >= TRAINING;
        let captions = match test {
            false => {
                ["Many", "Some", "Several", "These", "Painted"].map(|w| format!("{w} {many} ."))
            }
            true => ["A", "One", "The", "This", "Every"].map(|w| format!("{w} {one} .")),
        };
        let [caps, names] = &mut lists[usize::from(test)];
        for caption in captions {
            *caps += &format!("{caption}\n");
            *names += &format!("scene_{i}.tif\n");
        }
    }
    for (word, [caps, names]) in ["train", "test"].iter().zip(lists) {
        fs::write(root.join(format!("{word}_caps.txt")), caps).unwrap();
        fs::write(root.join(format!("{word}_filename.txt")), names).unwrap();
    }
    case.data = root;
    case
}

/// Leaves one name for each picture.
fn one_name_a_picture(case: &Case, word: &str) {
    edit(&case.data.join(format!("{word}_filename.txt")), |text| {
        let firsts = text.lines().step_by(CAPTIONS);
        firsts.map(|l| format!("{l}\n")).collect()
    });
}

#[test]
fn a_precomp_folder_is_evaluated_with_its_words_stemmed() {
    let case = precomp();
    let outcome = case.run("evaluate", &["--json"]).ok();
    let sizes = format!("{TRAINING} images, {} texts", TRAINING * CAPTIONS);
    let json = outcome.says(&["train", &sizes]).does_not_say("WARN").json();
    assert_eq!(json["dataset"], "tiny_precomp");
    let [t2i, i2t] = [&json["t2i"], &json["i2t"]];
    assert_eq!(t2i["queries"], TEST * CAPTIONS);
    assert_eq!(i2t["queries"], TEST);
    assert_eq!(i2t["gallery"], (TEST * CAPTIONS) as f64);
    let recall = t2i["R@5"].as_f64().unwrap();
    assert!(recall > 1.4 * CHANCE_R5, "{t2i}");
}

#[test]
fn names_for_each_caption_or_each_picture_are_the_same_set() {
    let case = precomp();
    let each = case.run("evaluate", &["--json"]).ok().stdout;
    for word in ["train", "test"] {
        one_name_a_picture(&case, word);
    }
    // Empty lines at the end of a file are nobody's captions.
    edit(&case.data.join("train_caps.txt"), |text| {
        format!("{text}\n\n")
    });
    let outcome = case.run("evaluate", &["--json"]).ok();
    let outcome = outcome.says(&["fusion", "up to date"]);
    assert_eq!(outcome.stdout, each);
}

#[test]
fn pictures_may_be_in_a_folder_of_the_sets_name() {
    let case = precomp();
    let renamed = case.data.join("RSICD_images");
    fs::rename(case.data.join("images"), &renamed).unwrap();
    let text = format!("train: {TRAINING} of {TRAINING} images");
    case.run("features", &[])
        .ok()
        .does_not_say("WARN")
        .prints(&text);
    fs::remove_dir_all(renamed).unwrap();
    case.run("features", &[])
        .fails()
        .says(&["tiny_precomp", "no pictures", "images/"]);
}

#[test]
fn lists_of_different_lengths_are_refused_with_both() {
    let case = precomp();
    edit(&case.data.join("test_filename.txt"), |text| {
        text.lines().take(17).map(|l| format!("{l}\n")).collect()
    });
    case.run("features", &[]).fails().says(&[
        "test_filename.txt",
        "17 names",
        "80 captions",
        "test_caps.txt",
    ]);
}

#[test]
fn what_does_not_fit_in_a_precomp_folder_is_said() {
    let case = precomp();
    let images = case.data.join("images");
    fs::remove_file(images.join("scene_0.TIF")).unwrap();
    fs::copy(images.join("scene_1.TIF"), images.join("stray.png")).unwrap();
    // Two pictures that a name could mean are no picture of that name.
    fs::rename(images.join("scene_2.TIF"), images.join("scene_2.jpg")).unwrap();
    fs::copy(images.join("scene_2.jpg"), images.join("scene_2.png")).unwrap();
    edit(&case.data.join("train_caps.txt"), |text| {
        text.lines()
            .enumerate()
            .map(|(i, l)| {
                if i == 7 {
                    "\n".into()
                } else {
                    format!("{l}\n")
                }
            })
            .collect()
    });
    let sizes = format!("{TRAINING} images, {} texts", TRAINING * CAPTIONS - 1);
    case.run("evaluate", &[])
        .ok()
        .says(&["train", &sizes])
        .says(&["WARN", "id without a picture", "scene_0.tif"])
        .says(&["WARN", "id without a picture", "scene_2.tif"])
        .says(&[
            "WARN",
            "empty caption",
            "train_caps.txt, line 8",
            "scene_1.tif",
        ])
        .says(&["WARN", "picture in no split list", "stray.png"]);
}

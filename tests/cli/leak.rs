//! Nothing of the test data reaches anything that is learned.

use std::fs;

use super::case::{Case, columns, odd_picture};
use super::files::{Tree, assert_same, edit, tree};
use super::shelf::{fitted, model};

/// Codebook, PCA, vocabulary with its weights and LSA, fusion.
fn learned(case: &Case) -> Tree {
    let mut learned = tree(&case.work());
    learned.retain(|name, _| name.starts_with("vocab/") || name.contains("/fusion-"));
    let kinds = ["/sift-vlad-", "/sift-vlad-pca-", "/words-", "/fusion-"];
    assert!(
        kinds
            .iter()
            .all(|kind| learned.keys().any(|name| name.contains(kind)))
    );
    assert_eq!(learned.len(), kinds.len(), "{:?}", learned.keys());
    learned
}

/// The model file is the one that the unchanged data gives.
#[track_caller]
fn assert_models_the_same(case: &Case) {
    assert!(fitted(case, &[]) == model(true), "another model");
}

/// What is learned after a change to the test data: the same as before it.
fn assert_learns_the_same(change: impl FnOnce(&Case)) {
    let plain = Case::computed();
    let case = Case::new().copied();
    change(&case);
    case.results(&[]).ok();
    assert_same(&learned(&case), &learned(&plain));
    assert_ne!(
        case.result_bytes(),
        plain.result_bytes(),
        "the change changes nothing"
    );
    assert_models_the_same(&case);
}

/// Each row gets the next row's second column.
fn rotate(case: &Case, attachment: u8, table: &str) {
    let path = case.table(attachment, table);
    let header = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    let rows = columns::<2>(&path);
    let mut table = csv::Writer::from_path(&path).unwrap();
    table.write_record(header.split(',')).unwrap();
    for ([id, _], [_, next]) in rows.iter().zip(rows.iter().cycle().skip(1)) {
        table.write_record([id, next]).unwrap();
    }
}

#[test]
fn other_test_captions() {
    assert_learns_the_same(|case| {
        rotate(case, 2, "word_test.csv");
        edit(&case.table(3, "word_data.csv"), |text| {
            text.replace("色", "色的新词汇")
        });
    });
}

#[test]
fn another_pairing_of_the_test_data() {
    let plain = Case::computed();
    let case = Case::new().copied();
    for n in [2, 3] {
        rotate(&case, n, "truth.csv");
    }
    case.results(&[]).ok();
    assert_same(&learned(&case), &learned(&plain));
    assert_eq!(
        case.result_bytes(),
        plain.result_bytes(),
        "the truth is for scoring alone"
    );
    assert!(
        case.score(1)[0] < plain.score(1)[0],
        "the change changes nothing"
    );
    assert_models_the_same(&case);
}

#[test]
fn other_test_pictures() {
    assert_learns_the_same(|case| {
        let ids = |n: u8, table: &str| columns::<1>(&case.table(n, table));
        for [id] in &ids(2, "image_data.csv")[..8] {
            fs::copy(odd_picture("photo.png"), case.picture(2, id)).unwrap();
        }
        for [id] in &ids(3, "image_test.csv")[..8] {
            fs::copy(odd_picture("exif_rotated.jpg"), case.picture(3, id)).unwrap();
        }
    });
}

#[test]
fn fewer_test_pictures_and_captions() {
    assert_learns_the_same(|case| {
        for (n, table) in [
            (2, "image_data.csv"),
            (3, "image_test.csv"),
            (3, "word_data.csv"),
        ] {
            edit(&case.table(n, table), |text| {
                text.lines().take(7).map(|l| format!("{l}\n")).collect()
            });
        }
    });
}

#[test]
fn no_test_data_at_all() {
    let case = Case::new().copied();
    for n in [2, 3] {
        fs::remove_dir_all(case.attachment(n)).unwrap();
    }
    case.run("fit", &[]).ok();
    assert_same(&learned(&case), &learned(&Case::computed()));
    assert_models_the_same(&case);
}

/// Names without the fingerprints: what differs is what was learned, not what it is called.
fn contents(case: &Case) -> Vec<Vec<u8>> {
    learned(case).into_values().collect()
}

#[test]
fn the_training_data_does_reach_what_is_learned() {
    let plain = contents(&Case::computed());
    let words = Case::new().copied();
    edit(&words.table(1, "ImageWordData.csv"), |text| {
        text.replacen("黑色", "白色", 1)
    });
    words.run("fit", &[]).ok();
    let differing = |case: &Case| {
        contents(case)
            .iter()
            .zip(&plain)
            .filter(|(a, b)| a != b)
            .count()
    };
    assert_eq!(differing(&words), 2, "vocabulary and fusion");
    assert!(fitted(&words, &[]) != model(true));

    let pictures = Case::new().copied();
    fs::copy(
        odd_picture("photo.png"),
        pictures.picture(1, "shape-0001.png"),
    )
    .unwrap();
    pictures.run("fit", &[]).ok();
    assert_eq!(differing(&pictures), 3, "codebook, PCA and fusion");
    assert!(fitted(&pictures, &[]) != model(true));
}

/// Every kind of view, map and fusion, small.
const EVERYTHING: &str = r#"
base = "card.toml"
name = "everything"
shard = 8
mirror = true
use.image_views = ["grid", "colour", "opponent", "strips", "hsv", "hog", "gist", "lbp", "centrist"]
use.text_views = ["words", "vectors", "bigrams"]

[[image_views]]
name = "grid"
map.nystroem = { landmarks = 16 }
pca = { dim = 8, whiten = 0.0 }
local.descriptor.dense-sift = { step = 8, cells = [4] }
local.reduce = 8
local.place = 0.5
local.codebook = { size = 4, sample = 2000 }
local.encoding.fisher = { rounds = 3 }

[[image_views]]
name = "colour"
pca = { dim = 8, whiten = 0.0 }
local.descriptor.colour = { step = 8, cells = [4] }
local.reduce = 8
local.codebook = { size = 4, sample = 2000 }
local.encoding.fisher = { rounds = 3 }

[[image_views]]
name = "opponent"
pca = { dim = 8, whiten = 0.0 }
local.descriptor.dense-sift = { step = 8, cells = [4], channels = "opponent" }
local.reduce = 8
local.codebook = { size = 4, sample = 2000 }
local.encoding.bow = {}

[[image_views]]
name = "strips"
pca = { dim = 8, whiten = 0.0 }
local.descriptor.orb = { features = 50 }
local.regions = [[1, 1], [1, 3]]
local.codebook = { size = 4, sample = 2000 }
local.encoding.vlad = { intra = true, residual = true }

[[image_views]]
name = "hsv"
map = "chi2"
pca = { dim = 8, whiten = 0.0 }
appearance.histogram = { space = "hsv", bins = [4, 2, 2], grid = [2, 2], power = 1.0 }

[[image_views]]
name = "hog"
map = "hellinger"
pca = { dim = 8, whiten = 0.0 }
appearance.hog = { cell = 16, orientations = 8, block = 2, side = 64 }

[[image_views]]
name = "gist"
pca = { dim = 8, whiten = 0.0 }
appearance.gist = { side = 64, scales = 2, orientations = 4, blocks = 2 }

[[image_views]]
name = "lbp"
pca = { dim = 8, whiten = 0.0 }
appearance.lbp = { points = 8, radius = 1, uniform = true, grid = [2, 2] }

[[image_views]]
name = "centrist"
pca = { dim = 8, whiten = 0.0 }
appearance.centrist = { regions = [[1, 1]] }

[[text_views]]
name = "vectors"
tokens.words = {}
tfidf.weighting.bm25 = { k1 = 1.2, b = 0.75 }
lsa_dim = 8
projection = "word-vectors"

[[text_views]]
name = "bigrams"
tokens.characters = { min = 1, max = 2 }
lsa_dim = 16

[hubness]

[[fusion.ensemble.members]]
image_views = ["grid", "hsv"]
fusion.cca = { dims = [8], regularization = [0.1], pooled = true }

[[fusion.ensemble.members]]
[fusion.ensemble.members.fusion.transfer]
weight = [0.2]
[fusion.ensemble.members.fusion.transfer.of.mlp]
start = { dims = [8], regularization = [0.1] }
image.hidden = 8
text.hidden = 8
batch = 48
epochs = 4
checkpoint = 2
loss.dynamic-triplet = { margin = 0.2 }
"#;

#[test]
fn every_view_and_fusion() {
    let learned = |without_test_data: bool| {
        let case = Case::new().copied();
        fs::write(case.path("small.toml"), EVERYTHING).unwrap();
        if without_test_data {
            for n in [2, 3] {
                fs::remove_dir_all(case.attachment(n)).unwrap();
            }
        }
        let model = fitted(&case, &[]);
        let mut learned = tree(&case.work());
        learned.retain(|name, _| name.starts_with("vocab/") || name.contains("/fusion-"));
        (learned, model)
    };
    let (plain, model) = learned(false);
    let (views, projections, texts, fusions) = (9, 9, 3, 3); // the ensemble and its members
    let for_galleries = 2; // visual words of copies, and probabilities
    assert_eq!(
        plain.len(),
        views + projections + texts + fusions + for_galleries
    );
    let (without, its_model) = learned(true);
    assert_same(&plain, &without);
    assert!(model == its_model, "another model");
}

//! Damaged artifacts are noticed, said and made again; `inspect` tells what a file is.

use std::fs;
use std::path::{Path, PathBuf};

use super::case::Case;
use super::files::{assert_same, files, the_file, tree};
use super::program::{Outcome, tuwen};

/// Every kind of artifact: how its path in the work folder begins and ends.
const ARTIFACTS: [(&str, &str); 6] = [
    ("vocab/attachments/sift-vlad-pca-", ".safetensors"),
    ("vocab/attachments/words-", ".safetensors"),
    (
        "features/attachments/sift-vlad/raw-",
        "attachment1-00003.safetensors",
    ),
    (
        "features/attachments/sift-vlad/rows-",
        "attachment1-00003.safetensors",
    ),
    (
        "features/attachments/sift-vlad/attachment2-",
        ".safetensors",
    ),
    ("features/attachments/fusion-", ".safetensors"),
];

/// A safetensors file that another program wrote: one number, no metadata.
fn foreign() -> Vec<u8> {
    let header = br#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    [&(header.len() as u64).to_le_bytes()[..], header, &[0; 4]].concat()
}

fn cut(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() * 2 / 3].to_vec()
}

/// A bit of the last number is another one.
fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 0x40;
    bytes
}

/// The codebook: beside it lies its PCA, whose name begins the same.
fn codebook(case: &Case) -> PathBuf {
    let mut found = files(&case.work().join("vocab/attachments"));
    found.retain(|name, _| name.starts_with("sift-vlad-") && !name.contains("pca"));
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_values().next().unwrap()
}

/// Damages one artifact and takes away what would spare the next run a look at it; that run says so and
/// makes the same file again.
fn assert_made_again(case: &Case, path: &Path, damage: impl Fn(&[u8]) -> Vec<u8>) {
    let (work, results) = (tree(&case.work()), case.result_bytes());
    fs::write(path, damage(&fs::read(path).unwrap())).unwrap();
    // what the shards came to, and what raw vectors came to
    let mut later = vec!["features/attachments/sift-vlad/attachment"];
    if path.to_str().unwrap().contains("/raw-") {
        later.extend([
            "vocab/attachments/sift-vlad-pca-",
            "features/attachments/sift-vlad/rows-",
        ]);
    }
    for (name, other) in files(&case.work()) {
        if later.iter().any(|begins| name.starts_with(begins)) && other != path {
            fs::remove_file(other).unwrap();
        }
    }
    fs::remove_file(case.out().join("run.json")).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    case.results(&[])
        .ok()
        .says(&["WARN", name, "rebuilding it"]);
    assert_same(&tree(&case.work()), &work);
    assert_eq!(case.result_bytes(), results);
}

fn assert_all_made_again(damage: impl Fn(&[u8]) -> Vec<u8>) {
    let case = Case::computed();
    assert_made_again(&case, &codebook(&case), &damage);
    for (begins, ends) in ARTIFACTS {
        assert_made_again(&case, &the_file(&case.work(), begins, ends), &damage);
    }
}

#[test]
fn a_file_that_breaks_off_is_made_again() {
    assert_all_made_again(cut);
}

#[test]
fn a_file_with_a_flipped_bit_is_made_again() {
    assert_all_made_again(flipped);
}

#[test]
fn a_file_that_is_no_artifact_is_made_again() {
    let case = Case::computed();
    let find = |begins: &str, ends: &str| the_file(&case.work(), begins, ends);
    for path in [
        codebook(&case),
        find("features/attachments/fusion-", ".safetensors"),
    ] {
        assert_made_again(&case, &path, |_| foreign());
        assert_made_again(&case, &path, |_| vec![]);
    }
}

#[test]
fn a_damaged_fusion_is_not_called_up_to_date() {
    let case = Case::computed();
    let fusion = the_file(&case.work(), "features/attachments/fusion-", ".safetensors");
    fs::write(fusion, foreign()).unwrap();
    case.run("fit", &[]).ok().does_not_say("fusion: up to date");
    case.run("fit", &[]).ok().says(&["fusion: up to date"]);
}

#[test]
fn a_damaged_result_file_is_written_again() {
    let case = Case::computed();
    let out = tree(&case.out());
    fs::write(
        case.result_file(2),
        "image_id,similarity_ranking,result_text_id\n",
    )
    .unwrap();
    case.results(&[]).ok().does_not_say("results: up to date");
    assert_same(&tree(&case.out()), &out);
}

#[test]
fn a_search_makes_a_damaged_model_again() {
    let case = Case::computed();
    let work = tree(&case.work());
    let search = |case: &Case| case.run("search", &["红色的五角星"]).ok();
    let before = search(&case);
    let pca = the_file(
        &case.work(),
        "vocab/attachments/sift-vlad-pca-",
        ".safetensors",
    );
    for path in [pca, codebook(&case)] {
        fs::write(&path, cut(&fs::read(&path).unwrap())).unwrap();
        let model = the_file(&case.work(), "features/attachments/model-", ".tuwen");
        fs::remove_file(model).unwrap(); // it has all that was learned
        let name = path.file_name().unwrap().to_str().unwrap();
        let after = search(&case).says(&["WARN", name, "rebuilding it"]);
        assert_eq!(after.stdout, before.stdout);
        let mut now = tree(&case.work());
        now.retain(|name, _| work.contains_key(name));
        assert_same(&now, &work);
    }
}

#[test]
fn a_search_makes_a_lost_model_again_though_its_shards_are_gone_too() {
    let case = Case::computed();
    let before = case.run("search", &["红色的五角星"]).ok().stdout;
    let shards = |name: &str| name.contains("/raw-") || name.contains("-pca-");
    for (_, path) in files(&case.work())
        .into_iter()
        .filter(|(name, _)| shards(name))
    {
        fs::remove_file(path).unwrap();
    }
    let after = case.run("search", &["红色的五角星"]).ok().stdout;
    assert_eq!(after, before);
}

fn inspect(path: &Path) -> Outcome {
    tuwen([Path::new("inspect"), path])
}

#[test]
fn inspect_names_stage_inputs_and_tensors() {
    let case = Case::computed();
    inspect(&codebook(&case))
        .ok()
        .prints("stage        image-view")
        .prints("made from    training pictures ")
        .prints("tensor ")
        .prints("[8, 128]")
        .prints("seed 2024")
        .prints("verified");
    let words = the_file(&case.work(), "vocab/attachments/words-", ".safetensors");
    inspect(&words)
        .ok()
        .prints("made from    training captions ")
        .prints("棋盘");
    let json = tuwen([Path::new("inspect"), Path::new("--json"), &words])
        .ok()
        .json();
    assert_eq!(json["spec"]["stage"], "text-view");
    let inputs = json["spec"]["inputs"].as_object().unwrap();
    assert!(inputs.contains_key("training captions"), "{inputs:?}");
    for (begins, ends) in ARTIFACTS {
        inspect(&the_file(&case.work(), begins, ends))
            .ok()
            .prints("stage        ")
            .prints("made from    ")
            .prints("tensor ")
            .prints("verified");
    }
}

#[test]
fn inspect_says_what_is_wrong_with_a_file() {
    let case = Case::computed();
    let good = fs::read(codebook(&case)).unwrap();
    for (name, bytes, reason) in [
        ("flipped", flipped(&good), "does not match its checksum"),
        ("cut", cut(&good), "is not a usable artifact"),
        ("cut-in-header", good[..100].to_vec(), "is cut short"),
        ("foreign", foreign(), "was not made by this program"),
        (
            "text",
            "一段文字，不是矩阵".into(),
            "not a safetensors file",
        ),
        ("empty", vec![], "is shorter than"),
        (
            "schema",
            with_schema_9(&good),
            "it has schema 9, this program 1",
        ),
    ] {
        let path = case.path(&format!("{name}.safetensors"));
        fs::write(&path, bytes).unwrap();
        let name = path.to_str().unwrap();
        let outcome = inspect(&path).fails().says(&["ERROR", name, reason]);
        assert_eq!(outcome.stdout, "", "it says that it is nothing");
    }
    inspect(&case.path("nothing"))
        .fails()
        .says(&["cannot read", "nothing"]);
    let folder = case.work();
    inspect(&folder).fails().says(&[folder.to_str().unwrap()]);
}

/// The artifact as a later program would write it.
fn with_schema_9(bytes: &[u8]) -> Vec<u8> {
    let (old, new) = (br#"\"schema\":1"#, br#"\"schema\":9"#);
    let place = bytes
        .windows(old.len())
        .position(|w| w == old)
        .expect("a schema");
    let mut bytes = bytes.to_vec();
    bytes[place..place + new.len()].copy_from_slice(new);
    bytes
}

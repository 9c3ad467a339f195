//! Files that an earlier version of the program wrote.

use std::fs;
use std::path::Path;

use super::case::Case;
use super::files::{Tree, plant, tree};
use super::program::tuwen;

/// Written by version 0.1.0 before stages had revisions.
fn earlier() -> Tree {
    tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/earlier"))
}

#[test]
fn what_an_earlier_version_learned_is_used_as_it_is() {
    let case = Case::new();
    plant(&earlier(), &case.work());
    fs::copy(case.work().join("recipe.toml"), case.path("small.toml")).unwrap();
    case.run("fit", &[]).ok().prints("<- chosen");
    let after = tree(&case.work());
    for (name, bytes) in &earlier() {
        assert_eq!(after.get(name), Some(bytes), "{name:?} was made again");
    }
    for begins in ["words-", "hsv-pca-", "fusion-"] {
        let named = |path: &&String| path.rsplit('/').next().unwrap().starts_with(begins);
        assert_eq!(after.keys().filter(named).count(), 1, "{begins}");
    }
}

#[test]
fn inspect_reads_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/earlier");
    let files = earlier().into_keys();
    let files: Vec<_> = files.filter(|path| path.ends_with(".safetensors")).collect();
    assert!(files.len() >= 4);
    for file in files {
        tuwen([Path::new("inspect"), &folder.join(file)]).ok().prints("verified");
    }
}

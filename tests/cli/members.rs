//! Ensembles: their members are learned once.

use std::collections::BTreeSet;
use std::fs;

use super::case::Case;
use super::files::{assert_same, tree};

const MEMBERS: &str = r#"
[[fusion.ensemble.members]]
fusion.cca = { dims = [8], regularization = [0.1] }

[[fusion.ensemble.members]]
weight = [0.5, 1.0]
[fusion.ensemble.members.fusion.mlp]
start = { dims = [8], regularization = [0.1] }
image.hidden = 8
text.hidden = 8
epochs = 2
checkpoint = 1
"#;

/// The case's recipe with these members in place of its CCA.
fn with_members(members: &str) -> Case {
    let case = Case::new();
    let recipe = case.path("small.toml");
    let text = fs::read_to_string(&recipe).unwrap();
    let (before, _) = text.split_once("[fusion.cca]").unwrap();
    fs::write(&recipe, format!("{before}{members}")).unwrap();
    case
}

fn fusions(case: &Case) -> BTreeSet<String> {
    let names = tree(&case.work()).into_keys();
    names.filter(|name| name.contains("/fusion-")).collect()
}

#[test]
fn members_are_shared_between_recipes() {
    let case = with_members(MEMBERS);
    case.run("fit", &[]).ok();
    let first = fusions(&case);
    assert_eq!(first.len(), 3, "an ensemble and two members: {first:?}");
    let case = case.with("weight = [0.5, 1.0]", "weight = [2.0]");
    case.run("fit", &[]).ok();
    let second = fusions(&case);
    assert_eq!(second.len(), 4, "one more ensemble: {second:?}");

    // and are what a recipe learns that is alone
    let alone = with_members(&MEMBERS.replace("weight = [0.5, 1.0]", "weight = [2.0]"));
    alone.run("fit", &[]).ok();
    let mut shared = tree(&case.work());
    let alone = tree(&alone.work());
    shared.retain(|name, _| alone.contains_key(name));
    assert_same(&shared, &alone);
}

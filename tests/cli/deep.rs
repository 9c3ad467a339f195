//! Image views of networks whose weights are not there.

use super::case::Case;

fn with_network(network: &str) -> Case {
    let case = Case::new();
    let weights = case.path("no/weights.safetensors").display().to_string();
    let local = "[image_views.local]\ndescriptor.sift = { features = 100 }\n\
                 codebook = { size = 8, sample = 20000 }\nencoding.vlad = { power = 0.5 }\n";
    let deep = format!("[image_views.deep]\n{network} = {{ weights = \"{weights}\" }}\n");
    case.with(local, &deep)
}

#[test]
fn weights_that_are_not_there_are_named_and_where_they_come_from() {
    let case = with_network("efficientnet-lite0");
    let parts = ["no/weights.safetensors", "it is not there", "make models"];
    case.run("features", &[]).fails().says(&parts);
    assert!(!case.work().exists(), "something was computed");
}

#[test]
fn clip_says_what_it_needs() {
    for network in ["clip", "chinese-clip"] {
        let outcome = with_network(network).run("features", &[]).fails();
        if cfg!(feature = "deep") {
            outcome.says(&["no/weights.safetensors", "it is not there"]);
        } else {
            outcome.says(&["without the feature `deep`", "--features deep"]);
        }
    }
}

#[test]
fn a_network_that_nobody_knows_is_refused() {
    with_network("resnet")
        .run("features", &[])
        .fails()
        .says(&["resnet", "efficientnet-lite0"]);
}

//! Image views other than local descriptors, and kernels, from the recipe to the figures.

use std::fs;

use super::case::{CHANCE_R5, Case};

/// The recipe of the case with other image views.
fn with_views(views: &str) -> Case {
    let case = Case::new();
    let recipe = case.path("small.toml");
    let text = fs::read_to_string(&recipe).unwrap();
    let (before, rest) = text.split_once("[[image_views]]").unwrap();
    let (_, after) = rest.split_once("[[text_views]]").unwrap();
    fs::write(&recipe, format!("{before}{views}\n[[text_views]]{after}")).unwrap();
    case
}

fn view(name: &str, feature: &str, map: &str) -> String {
    format!(
        "[[image_views]]\nname = \"{name}\"\nappearance.{feature}\nmap = {map}\n\
         pca = {{ dim = 24, whiten = 0.0 }}\n"
    )
}

#[test]
fn whole_picture_features_are_views_with_kernels() {
    let views = [
        view(
            "hsv",
            "histogram = { bins = [8, 3, 3], power = 1.0 }",
            r#""chi2""#,
        ),
        view(
            "lab",
            r#"histogram = { space = "lab", grid = [2, 2] }"#,
            r#""linear""#,
        ),
        view(
            "hog",
            "hog = { cell = 32 }",
            "{ nystroem = { landmarks = 40 } }",
        ),
        view("gist", "gist = { side = 64 }", r#""linear""#),
        view(
            "lbp",
            "lbp = { grid = [1, 1], power = 1.0 }",
            r#""hellinger""#,
        ),
        view(
            "centrist",
            "centrist = { regions = [[1, 1]] }",
            r#""linear""#,
        ),
    ];
    let case = with_views(&views.concat());
    let first = case.run("evaluate", &["--json"]).ok();
    for direction in ["t2i", "i2t"] {
        let recall = first.json()[direction]["R@5"].as_f64().unwrap();
        assert!(recall > 1.4 * CHANCE_R5, "{direction}: {recall}");
    }
    case.results(&[])
        .ok()
        .says(&["image features", "up to date"]);
    case.assert_valid();
    // A picture from outside goes the same way as those of the set.
    let id = "shape-0113.png";
    let found = case.run(
        "search",
        &["--image", case.picture(3, id).to_str().unwrap()],
    );
    let found = found.ok().stdout;
    let ids = found.lines().map(|line| line.split('\t').nth(2).unwrap());
    assert!(ids.eq(case.answer(2, id)), "{found}");
}

#[test]
fn another_kernel_keeps_the_raw_vectors_and_changes_the_rest() {
    let feature = "histogram = { power = 1.0 }";
    let case = with_views(&view("hsv", feature, r#""linear""#));
    let linear = case.run("evaluate", &["--json"]).ok().stdout;
    let raw = |case: &Case| {
        let mut all = super::files::times(&case.work());
        all.retain(|name, _| name.contains("raw-"));
        all
    };
    let before = raw(&case);
    assert!(!before.is_empty());
    let case = case.with(r#"map = "linear""#, r#"map = "chi2""#);
    let chi2 = case.run("evaluate", &["--json"]).ok().stdout;
    assert_ne!(linear, chi2);
    assert_eq!(raw(&case), before);
}

#[test]
fn settings_of_a_view_that_cannot_be_are_refused() {
    for (feature, map, parts) in [
        ("hog = { cel = 8 }", r#""linear""#, vec!["cel"]),
        ("hog = { side = 8 }", r#""linear""#, vec!["HOG", "side"]),
        (
            "histogram = { bins = [0, 1, 1] }",
            r#""linear""#,
            vec!["histogram", "bins"],
        ),
        (
            "histogram = { space = \"cmyk\" }",
            r#""linear""#,
            vec!["cmyk"],
        ),
        ("gist = {}", r#""chi3""#, vec!["chi3"]),
        ("lbp = {}", "{ nystroem = { width = 0.0 } }", vec!["width"]),
    ] {
        let case = with_views(&view("view", feature, map));
        let outcome = case.run("features", &[]).fails();
        for part in parts {
            assert!(outcome.stderr.contains(part), "{part}: {outcome:#?}");
        }
    }
}

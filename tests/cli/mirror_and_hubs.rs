//! Mirrored training pictures, and charges on hubs.

use std::collections::BTreeSet;
use std::fs;

use super::case::{CHANCE_R1, Case, TRAINING_PAIRS};

/// The small recipe with lines put before its first view.
fn with(lines: &str) -> Case {
    let name = "name = \"small\"\n";
    Case::new().with(name, &format!("{name}{lines}\n"))
}

#[test]
fn mirrored_pictures_teach_and_are_never_found() {
    let case = with("mirror = true").copied();
    for n in [2, 3] {
        fs::remove_dir_all(case.attachment(n)).unwrap();
    }
    let fit = case.run("fit", &[]).ok();
    let learned = format!("{} pairs learned from", 2 * TRAINING_PAIRS);
    assert!(fit.stdout.contains(&learned), "{}", fit.stdout);
    let found = case.run("search", &["红色的图案", "--top", "1000"]).ok();
    let paths: Vec<&str> = found
        .stdout
        .lines()
        .filter_map(|l| l.split('\t').nth(2))
        .collect();
    assert_eq!(paths.len(), TRAINING_PAIRS);
    assert_eq!(paths.iter().collect::<BTreeSet<_>>().len(), TRAINING_PAIRS);
    assert!(paths.iter().all(|path| !path.contains("mirrored")));
}

#[test]
fn a_bank_charges_what_is_searched_and_what_is_evaluated() {
    let case = with("hubness.texts = 50");
    case.results(&[]).ok();
    case.assert_valid();
    assert_ne!(case.result_bytes(), Case::computed().result_bytes());
    let report = case.run("evaluate", &["--json"]).ok().json();
    for (n, direction) in [(1, "t2i"), (2, "i2t")] {
        let r1 = report[direction]["R@1"].as_f64().unwrap();
        assert!(r1 > 2.0 * CHANCE_R1, "{direction}: {r1}");
        assert_eq!(
            r1,
            case.score(n)[0],
            "{direction}: the index answers otherwise"
        );
    }
}

#[test]
fn what_needs_all_queries_is_evaluated_and_not_searched() {
    let case = with("hubness.bank = \"queries\"");
    case.run("evaluate", &[]).ok();
    let said = ["hubness.bank", "can be evaluated, not searched"];
    case.results(&[]).fails().says(&said);
    case.run("search", &["红色"]).fails().says(&said);
}

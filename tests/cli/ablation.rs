//! `ablation`: run files, the page and its plots, what is run again, and expected scores.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::case::{CHANCE_R1, Case, TEST_PAIRS};
use super::files::{edit, files, the_file, times, tree};
use super::program::{Outcome, program};

const PLAN: &str = r#"
dataset = "attachments"

[[ladder]]
name = "power"
title = "Signs & <sums>"
rows = ["first.toml", "deeper/second.toml"]

[[published]]
ladder = "power"
dataset = "attachments"
name = "A paper's"
source = "nobody 1999"
i2t = [50.0, 60.0, 70.0]
t2i = [40.0, 50.0, 60.0]

[[published]]
ladder = "power"
dataset = "elsewhere"
name = "Not for this page"
source = "nobody 1999"
i2t = [1.0, 2.0, 3.0]
t2i = [1.0, 2.0, 3.0]
"#;

const FIRST: &str = "\
base = \"../small.toml\"
name = \"first\"
about = \"the | first\"
fusion.cca.power = [0.0]
";

const SECOND: &str = "\
base = \"../first.toml\" # what it differs from
name = \"second\"
fusion.cca.power = [1.0]
hubness.bank = \"queries\"
";

/// A plan of two rows in `experiments/`, and a recipe that no ladder names.
struct Plan {
    case: Case,
}

impl Plan {
    fn new() -> Self {
        let case = Case::new();
        let plan = Self { case };
        fs::create_dir_all(plan.path("deeper")).unwrap();
        for (name, text) in [
            ("ablation.toml", PLAN),
            ("first.toml", FIRST),
            ("deeper/second.toml", SECOND),
            ("other.toml", "base = \"../small.toml\"\nname = \"other\"\n"),
        ] {
            fs::write(plan.path(name), text).unwrap();
        }
        plan
    }

    fn path(&self, name: &str) -> PathBuf {
        self.case.path("experiments").join(name)
    }

    fn run(&self, more: &[&str]) -> Outcome {
        let mut command = program();
        command.arg("ablation").arg("--data").arg(&self.case.data);
        command.arg("--plan").arg(self.path("ablation.toml"));
        command.arg("--work").arg(self.case.work()).args(more);
        Outcome::of(&mut command)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn run_file(&self, recipe: &str) -> Value {
        let text = self.text(&format!("runs/attachments/{recipe}.json"));
        serde_json::from_str(&text).unwrap()
    }

    /// The cells of the row of a table that begins so.
    #[track_caller]
    fn row(&self, begins: &str) -> Vec<String> {
        let page = self.text("RESULTS.md");
        let mut lines = page
            .lines()
            .filter(|l| l.starts_with(&format!("| {begins}")));
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("no row {begins}:\n{page}"));
        assert_eq!(lines.next(), None, "{begins} has two rows");
        let line = line.strip_prefix("| ").unwrap().strip_suffix(" |").unwrap();
        let line = line.replace("\\|", "\u{1}");
        line.split('|').map(|c| c.trim().to_owned()).collect()
    }
}

/// Where the cells of a row are.
const I2T_R1: usize = 1;
const MEAN_RECALL: usize = 9;
const VALIDATION: usize = 10;
const TO_THE_ROW_BEFORE: usize = 11;
const MS_PER_PICTURE: usize = 12;
const COLUMNS: usize = 15;

#[test]
fn a_plan_gives_run_files_a_page_and_plots() {
    let plan = Plan::new();
    let outcome = plan.run(&[]).ok().does_not_say("WARN");
    for recipe in ["first", "second", "other"] {
        outcome.prints_line(&format!("{recipe}: mR "), "no expected score (bless)");
        let run = plan.run_file(recipe);
        let report = &run["report"];
        assert_eq!(report["recipe"], recipe);
        assert_eq!(report["i2t"]["queries"], TEST_PAIRS);
        assert_eq!(run["chance"]["i2t"][0], CHANCE_R1);
        assert_eq!(run["seed"], 2024);
        assert_eq!(run["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(
            run["commit"],
            Value::Null,
            "a temporary folder is no repository"
        );
        assert_eq!(run["machine"]["arch"], std::env::consts::ARCH);
        assert!(run["cost"]["ms_per_caption"].is_number(), "{run}");
        let dims = run["chosen"][0]["setting"]["cca"]["dims"][0]
            .as_u64()
            .unwrap();
        assert_eq!(run["cost"]["bytes_per_item"], 4 * dims);
    }
    // What the first recipe computed, the second found there.
    let seconds = |recipe, stage: &str| plan.run_file(recipe)["seconds"][stage].as_f64();
    let measured = |recipe, stage| seconds(recipe, stage).is_some();
    assert!(measured("first", "image_views") && measured("first", "fusion"));
    assert!(!measured("second", "image_views") && measured("second", "fusion"));

    let figures = plan.row("[first](runs/attachments/first.json)");
    assert_eq!(figures.len(), COLUMNS);
    let r1 = plan.run_file("first")["report"]["i2t"]["R@1"]
        .as_f64()
        .unwrap();
    assert_eq!(figures[I2T_R1], format!("{r1:.1}"));
    let run = plan.run_file("first");
    let val = run["chosen"][0]["mR"].as_f64().unwrap();
    assert_eq!(figures[VALIDATION], format!("{val:.2}"));
    let ms = run["cost"]["ms_per_picture"].as_f64().unwrap();
    assert_eq!(figures[MS_PER_PICTURE], format!("{ms:.1}"));
    assert_eq!(figures[TO_THE_ROW_BEFORE], "");
    assert_eq!(figures[COLUMNS - 1], "the \u{1} first");
    let second = plan.row("[second](runs/attachments/second.json), *transductive*");
    let mean = |recipe| plan.run_file(recipe)["report"]["mR"].as_f64().unwrap();
    let difference = format!("{:+.2} [", mean("second") - mean("first"));
    assert!(
        second[TO_THE_ROW_BEFORE].starts_with(&difference),
        "{second:?}"
    );
    assert!(second[TO_THE_ROW_BEFORE].contains("p "), "{second:?}");
    assert_eq!(second[COLUMNS - 1], "", "`about` is not the base's");
    assert_eq!(plan.row("A paper's, *published*")[MEAN_RECALL], "55.00");
    let page = plan.text("RESULTS.md");
    assert!(page.contains("## Recipes by name") && page.contains("16 queries, gallery of 16"));
    assert!(!page.contains("Not for this page"));

    let svg = plan.text("plots/power.svg");
    assert!(page.contains("](plots/power.svg)") && plan.path("plots/named.svg").exists());
    assert!(svg.contains("Signs &amp; &lt;sums&gt; · attachments · test"));
    let classes = ["b", "q", "p"].map(|c| svg.matches(&format!("<rect class=\"{c}\"")).count());
    assert_eq!(
        classes,
        [1, 1, 1],
        "measured, transductive and published bars"
    );
}

#[test]
fn what_is_up_to_date_is_not_run_again() {
    let plan = Plan::new();
    plan.run(&["--only", "first"]).ok();
    assert!(plan.row("second, *transductive*")[COLUMNS - 1].contains("not asked for"));
    assert!(!plan.path("runs/attachments/second.json").exists());
    plan.run(&[])
        .ok()
        .says(&["first", "up to date"])
        .says(&["second", "running"]);
    let (before, work) = (tree(&plan.path("")), times(&plan.case.work()));
    let outcome = plan.run(&[]).ok().does_not_say("running");
    outcome
        .says(&["1 of 3", "first", "up to date"])
        .says(&["other", "up to date"]);
    assert!(tree(&plan.path("")) == before && times(&plan.case.work()) == work);
    // Another setting is another run; what an expected score or a comment says is not.
    edit(&plan.path("first.toml"), |t| {
        format!("# note\n{t}").replace("the |", "our |")
    });
    plan.run(&[]).ok().does_not_say("running");
    assert!(plan.row("[first]")[COLUMNS - 1].starts_with("our"));
    edit(&plan.path("deeper/second.toml"), |t| {
        t.replace("1.0", "0.5")
    });
    let outcome = plan.run(&[]).ok().says(&["second", "running"]);
    outcome
        .does_not_say("first: running")
        .does_not_say("other: running");
    // A figure that does not come of the ranks, typed by hand or of other ranks.
    edit(&plan.path("runs/attachments/first.json"), |t| {
        t.replacen("\"R@1\": ", "\"R@1\": 1", 1)
    });
    let outcome = plan.run(&[]).ok().says(&["first", "running"]);
    outcome.does_not_say("second: running");
    // Without the ranks nothing can be compared.
    let ranks = files(&plan.case.work().join("features"));
    let ranks: Vec<_> = ranks
        .into_iter()
        .filter(|(n, _)| n.contains("ranks-"))
        .collect();
    assert!(ranks.len() >= 3);
    ranks
        .iter()
        .for_each(|(_, path)| fs::remove_file(path).unwrap());
    let seconds = plan.run_file("first")["seconds"].clone();
    plan.run(&[]).ok().says(&["first", "running"]);
    assert_eq!(
        plan.run_file("first")["seconds"],
        seconds,
        "nothing was learned anew"
    );
}

#[test]
fn a_score_that_moved_ends_with_an_error_that_names_it() {
    let plan = Plan::new();
    plan.run(&["--bless"])
        .ok()
        .prints("second: mR ")
        .prints("blessed");
    let mean = plan.run_file("second")["report"]["mR"].as_f64().unwrap();
    let blessed = plan.text("deeper/second.toml");
    assert!(blessed.starts_with(SECOND), "{blessed}");
    assert!(
        blessed.contains("[expected.attachments]\nmR = "),
        "{blessed}"
    );
    plan.run(&[])
        .ok()
        .prints("second: mR ")
        .prints("as expected");
    for off in [mean + 1.5, mean - 1.5] {
        edit(&plan.path("deeper/second.toml"), |t| {
            let at = t.find("mR = ").unwrap();
            let end = at + t[at..].find('\n').unwrap();
            format!("{}mR = {off:.2} # by hand{}", &t[..at], &t[end..])
        });
        let outcome = plan.run(&[]).fails();
        let outcome = outcome.says(&["ERROR", "second", &format!("{mean:.2}")]);
        assert!(outcome.stdout.contains("MOVED"), "{outcome:#?}");
        assert!(!outcome.stderr.contains("first (mR"), "{outcome:#?}");
        plan.run(&["--only", "first"]).ok();
    }
    plan.run(&["--bless", "--only", "second"]).ok();
    plan.run(&[]).ok();
}

#[test]
fn the_rows_do_not_depend_on_the_threads() {
    let rows = |threads| {
        let plan = Plan::new();
        plan.run(&["--threads", threads]).ok();
        let mut rows = [
            plan.row("[first]"),
            plan.row("[second]"),
            plan.row("[other]"),
        ];
        for row in &mut rows {
            row.remove(MS_PER_PICTURE);
        }
        let mut ranks = tree(&plan.case.work());
        ranks.retain(|name, _| name.contains("ranks-"));
        assert_eq!(ranks.len(), 3);
        (rows, plan.text("plots/power.svg"), ranks)
    };
    assert!(rows("1") == rows("2"));
}

#[test]
fn without_truth_it_is_folds() {
    let mut plan = Plan::new();
    plan.case = plan.case.copied();
    for n in [2, 3] {
        fs::remove_file(plan.case.table(n, "truth.csv")).unwrap();
    }
    plan.run(&["--only", "other"])
        .ok()
        .says(&["5 folds", "fold4"]);
    let run = plan.run_file("other");
    assert_eq!(run["report"]["split"], "5 folds");
    assert_eq!(run["chosen"].as_array().unwrap().len(), 5);
    let evaluated = plan
        .case
        .run("evaluate", &["--folds", "5", "--json"])
        .ok()
        .json();
    assert_eq!(run["report"]["ci95"], evaluated["ci95"]);
    assert_eq!(run["report"]["mR"], evaluated["mR"]);
    plan.run(&["--only", "other"])
        .ok()
        .says(&["other", "up to date"]);
}

#[test]
fn another_dataset_and_another_page() {
    let plan = Plan::new();
    edit(&plan.path("ablation.toml"), |t| {
        t.replacen("\"attachments\"", "\"flickr8k-cn\"", 1)
    });
    plan.run(&["--only", "first"])
        .ok()
        .prints("RESULTS-attachments.md");
    assert!(plan.path("plots/attachments/power.svg").exists());
    assert!(!plan.path("RESULTS.md").exists());
    let page = plan.case.path("pages/page.md");
    plan.run(&["--only", "first", "--out", page.to_str().unwrap()])
        .ok();
    assert!(page.exists() && plan.case.path("pages/plots/attachments/power.svg").exists());
}

#[test]
fn what_is_wrong_is_named() {
    let plan = Plan::new();
    plan.run(&["--only", "thrid"])
        .fails()
        .says(&["thrid", "first, second, other"]);
    edit(&plan.path("first.toml"), |t| format!("sede = 1\n{t}"));
    plan.run(&[]).fails().says(&["first.toml", "sede"]);
    let plan = Plan::new();
    edit(&plan.path("other.toml"), |t| {
        t.replace("\"other\"", "\"first\"")
    });
    plan.run(&[])
        .fails()
        .says(&["other.toml", "first.toml", "called `first`"]);
    let plan = Plan::new();
    edit(&plan.path("ablation.toml"), |t| {
        t.replacen("\"first.toml", "\"gone.toml", 1)
    });
    plan.run(&[]).fails().says(&["gone.toml", "no such file"]);
    edit(&plan.path("ablation.toml"), |t| t.replace("title", "titel"));
    plan.run(&[]).fails().says(&["ablation.toml"]);
    // One that cannot be run does not keep the others from it.
    let plan = Plan::new();
    edit(&plan.path("first.toml"), |t| {
        format!("max_bad_images = 0\n{t}")
    });
    edit(&plan.path("deeper/second.toml"), |t| {
        format!("max_bad_images = 100\n{t}")
    });
    let mut plan = plan;
    plan.case = plan.case.copied();
    fs::write(
        the_file(&plan.case.attachment(1), "ImageData/", "shape-0001.png"),
        "no picture",
    )
    .unwrap();
    plan.run(&[])
        .fails()
        .says(&["ERROR", "first", "max_bad_images"]);
    assert!(plan.row("first")[COLUMNS - 1].contains("failed"));
    assert!(plan.row("[second]")[MEAN_RECALL].starts_with("**"));
}

/// A recipe whose dictionary is not there is shown without figures, which is no failure.
#[test]
fn what_needs_a_file_that_is_not_there_is_not_run() {
    let plan = Plan::new();
    edit(&plan.path("other.toml"), |t| {
        format!(
            "{t}[[text_views]]\nname = \"words\"\ntokens.words = {{ user_dictionary = \"gone.txt\" }}\nlsa_dim = 8\n"
        )
    });
    plan.run(&[])
        .ok()
        .says(&["WARN", "other", "not run", "gone.txt"])
        .prints("other: not run");
    assert!(plan.row("other")[COLUMNS - 1].contains("not run: cannot read"));
    assert!(plan.text("plots/named.svg").contains(">not run<"));
}

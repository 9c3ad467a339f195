//! RESULTS.md: every ladder as a table, with the protocol that the figures depend on.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::plan::{Ladder, Published};
use super::run::{Measured, RunFile};
use super::{Bench, Plan, Row};
use crate::reliability::BINS;
use tuwen::evaluation::{Difference, DirectionReport, difference};

/// The folders of the page and of its plots.
pub struct Place<'a> {
    /// Folder of the page.
    pub folder: &'a Path,
    /// Folder of the plots, relative to the page, with forward slashes.
    pub plots: &'a str,
}

impl Place<'_> {
    /// The path of a ladder's plot as the page refers to it.
    pub fn plot(&self, ladder: &Ladder) -> String {
        format!("{}/{}.svg", self.plots, ladder.name)
    }

    /// The path of the reliability diagram of a direction.
    pub fn reliability(&self, direction: &str) -> String {
        format!("{}/reliability-{direction}.svg", self.plots)
    }
}

const HEADING: &str = "\
| recipe | i2t R@1 | R@5 | R@10 | medR | t2i R@1 | R@5 | R@10 | medR | mR [95 %] | val mR | \
to the row before [95 %] | ms/picture | bytes/item | about |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|
";
/// Columns between the name and `about`.
const COLUMNS: usize = 13;

/// The mR of a random order, if both directions were evaluated.
fn chance(run: &RunFile) -> Option<f64> {
    let (t2i, i2t) = run.chance.t2i.zip(run.chance.i2t)?;
    Some(t2i.iter().chain(&i2t).sum::<f64>() / 6.0)
}

/// The rows of one ladder and the published rows beside them.
pub struct Shown<'a> {
    /// Rows of the ladder, in its order.
    pub rows: Vec<&'a Row<'a>>,
    /// Published rows that belong to the ladder and the dataset.
    pub published: Vec<&'a Published>,
}

impl<'a> Shown<'a> {
    /// Collects what a ladder shows on the page of `dataset`. A recipe without a row in `rows` is skipped.
    pub fn of(plan: &'a Plan, ladder: &Ladder, rows: &'a [Row<'a>], dataset: &str) -> Self {
        let row = |file: &String| rows.iter().find(|r| r.entry.file == *file);
        let on_it = |p: &&Published| p.ladder == ladder.name && p.is_shown(dataset);
        Self {
            rows: ladder.rows.iter().filter_map(row).collect(),
            published: plan.published.iter().filter(on_it).collect(),
        }
    }

    /// The mR of a random order in per cent, from the first measured row; `None` if no row is measured or a
    /// direction was not evaluated.
    pub fn chance(&self) -> Option<f64> {
        let mut runs = self.rows.iter().filter_map(|r| r.measured());
        chance(&runs.next()?.run)
    }
}

/// Writes the whole page as Markdown.
pub fn page(plan: &Plan, bench: &Bench, rows: &[Row], place: &Place) -> String {
    let dataset = &bench.dataset.name;
    let mut out = format!(
        "# Results on {dataset}\n\nWritten by `tuwen ablation` from its run files; not to be edited.\n\n"
    );
    out += &protocol(bench, rows);
    out += &believed(rows, place);
    for ladder in &plan.ladders {
        let shown = Shown::of(plan, ladder, rows, dataset);
        out += &section(ladder, &shown, bench, place);
    }
    out
}

/// The best recipe whose probabilities were checked: its diagrams are shown.
pub fn most_believed<'a>(rows: &'a [Row]) -> Option<(&'a str, &'a RunFile)> {
    let checked = rows.iter().filter_map(|r| {
        let run = &r.measured()?.run;
        run.believed
            .is_known()
            .then_some((&*r.entry.recipe.name, run))
    });
    let mean = |run: &RunFile| run.report.mean_recall.unwrap_or_default();
    checked.max_by(|(_, a), (_, b)| mean(a).total_cmp(&mean(b)))
}

/// How far probabilities are to be believed.
fn believed(rows: &[Row], place: &Place) -> String {
    let Some((best, run)) = most_believed(rows) else {
        return String::new();
    };
    let mut out = format!(
        "\n## How far probabilities are to be believed\n\nThe share of hits that is right against the probability that was \
         said, for the five best hits of each query, {BINS} parts: {best}. The error is the mean distance (ECE, Guo et al., \
         ICML 2017).\n\n"
    );
    for (direction, _) in run.believed.each().iter().filter(|(_, r)| r.is_some()) {
        let _ = writeln!(out, "![{direction}]({})", place.reliability(direction));
    }
    out += "\n| recipe | t2i error | i2t error |\n|---|--:|--:|\n";
    for row in rows {
        let Some(run) = row
            .measured()
            .map(|m| &m.run)
            .filter(|r| r.believed.is_known())
        else {
            continue;
        };
        let errors = run.believed.each().map(|(_, r)| match r {
            Some(r) => format!("{:.3}", r.ece()),
            None => String::new(),
        });
        let _ = writeln!(
            out,
            "| {} | {} |",
            row.entry.recipe.name,
            errors.join(" | ")
        );
    }
    out
}

/// The distinct values over all runs, joined by `; `.
fn distinct(rows: &[Row], of: impl Fn(&RunFile) -> String) -> String {
    let values = rows.iter().filter_map(|r| Some(of(&r.measured()?.run)));
    let values: BTreeSet<String> = values.collect();
    values.into_iter().collect::<Vec<_>>().join("; ")
}

fn protocol(bench: &Bench, rows: &[Row]) -> String {
    let direction = |d: &Option<DirectionReport>| {
        let d = d.as_ref()?;
        let (queries, gallery) = (d.queries, d.gallery);
        Some(format!("{queries} queries, gallery of {gallery:.0}"))
    };
    let unknown = || "not asked".to_owned();
    let t2i = distinct(rows, |r| direction(&r.report.t2i).unwrap_or_else(unknown));
    let i2t = distinct(rows, |r| direction(&r.report.i2t).unwrap_or_else(unknown));
    let validation = |r: &RunFile| {
        let of: BTreeSet<&str> = r.chosen.iter().map(|c| c.validation.as_str()).collect();
        of.into_iter().collect::<Vec<_>>().join(" / ")
    };
    let commit = |r: &RunFile| {
        let commit = r.commit.as_ref();
        commit.map_or("outside a repository".into(), ToString::to_string)
    };
    let mut out = String::new();
    for (name, value) in [
        ("Split", bench.protocol.to_string()),
        ("Image to text (i2t)", i2t),
        ("Text to image (t2i)", t2i),
        ("Settings chosen on", distinct(rows, validation)),
        ("Machine", distinct(rows, |r| r.machine.to_string())),
        ("Version", distinct(rows, |r| r.version.clone())),
        ("Commit", distinct(rows, commit)),
    ] {
        let value = if value.is_empty() { "none yet" } else { &value };
        let _ = writeln!(out, "- {name}: {value}."); // writing to memory does not fail
    }
    out + "
Recalls are in per cent and mR is the mean of the six; medR is the median rank; ties count at mid-rank. Of
several right answers the best counts. Intervals are 95 % bootstrap intervals over images, each drawn with all
its captions. A difference is to the last measured row above, by a paired bootstrap with the same draws for
both rows; p is two-sided and not corrected for the number of rows. Times are of one core, for a picture that
is in memory. Bytes are of a point of the shared space, not compressed. *Transductive* rows look at the whole
query set or gallery; *published* rows are copied from their source and were not measured here.
"
}

fn section(ladder: &Ladder, shown: &Shown, bench: &Bench, place: &Place) -> String {
    let mut out = format!(
        "\n## {}\n\n![mR by recipe]({})\n\n{HEADING}",
        ladder.title,
        place.plot(ladder)
    );
    let mut before: Option<&Measured> = None;
    for row in &shown.rows {
        let about = cell(&row.entry.recipe.about);
        let mut name = linked(row, bench, place);
        if row.entry.recipe.transductive() {
            name.push_str(", *transductive*");
        }
        match (row.measured(), row.without_figures()) {
            (Some(m), _) => {
                let against = before.filter(|_| ladder.name != super::NAMED);
                let cells = figures(m, against);
                before = Some(m);
                let _ = writeln!(out, "| {name} | {} | {about} |", cells.join(" | "));
            }
            (None, reason) => {
                let reason = cell(&reason.unwrap_or_default());
                let blank = " |".repeat(COLUMNS);
                let _ = writeln!(out, "| {name} |{blank} *{reason}* |");
            }
        }
    }
    let mut measured = shown.rows.iter().filter_map(|r| r.measured());
    if let Some(m) = measured.next() {
        let recalls = |r: &Option<[f64; 3]>| match r {
            Some(r) => r.map(|v| format!("{v:.2}")).join(" | "),
            None => "| |".into(),
        };
        let mean = chance(&m.run).map_or(String::new(), |c| format!("{c:.2}"));
        let _ = writeln!(
            out,
            "| *chance* | {} | | {} | | {mean} | | | | | a random order |",
            recalls(&m.run.chance.i2t),
            recalls(&m.run.chance.t2i)
        );
    }
    for p in &shown.published {
        let recalls = |r: [f64; 3]| r.map(|v| format!("{v:.1}")).join(" | ");
        let _ = writeln!(
            out,
            "| {}, *published* | {} | | {} | | {:.2} | | | | | {}; on {} |",
            cell(&p.name),
            recalls(p.i2t),
            recalls(p.t2i),
            p.mean_recall(),
            cell(&p.source),
            cell(&p.dataset)
        );
    }
    out
}

/// Escapes text so that it does not end a table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The name of a recipe, linked to its run file if that lies below the page.
fn linked(row: &Row, bench: &Bench, place: &Place) -> String {
    let name = &row.entry.recipe.name;
    let path = bench.run_path(&row.entry.recipe);
    match path.strip_prefix(place.folder) {
        Ok(below) if row.measured().is_some() => {
            let parts = below.components().map(|c| c.as_os_str().to_string_lossy());
            format!("[{name}]({})", parts.collect::<Vec<_>>().join("/"))
        }
        _ => name.clone(),
    }
}

fn figures(m: &Measured, before: Option<&Measured>) -> Vec<String> {
    let run = &m.run;
    let mut cells = Vec::with_capacity(COLUMNS);
    for direction in [&run.report.i2t, &run.report.t2i] {
        match direction {
            Some(d) => {
                cells.extend([d.r1, d.r5, d.r10].map(|r| format!("{r:.1}")));
                cells.push(d.median_rank.to_string());
            }
            None => cells.extend([const { String::new() }; 4]),
        }
    }
    cells.push(
        match (run.report.mean_recall, run.report.ci95.mean_recall) {
            (Some(mean), Some([low, high])) => format!("**{mean:.2}** [{low:.1}, {high:.1}]"),
            _ => String::new(),
        },
    );
    cells.push(match validation(run) {
        Some(mean) => format!("{mean:.2}"),
        None => String::new(),
    });
    let compared = before.and_then(|b| difference(&m.asked(), &b.asked(), run.seed));
    cells.push(compared.map_or(String::new(), |d| compared_cell(&d)));
    let time = run.cost.ms_per_picture;
    cells.push(time.map_or(String::new(), |t| format!("{t:.1}")));
    cells.push(run.cost.bytes_per_item.to_string());
    cells
}

/// The mR of the chosen settings on validation data, averaged over folds.
fn validation(run: &RunFile) -> Option<f64> {
    let scores: Option<Vec<f64>> = run.chosen.iter().map(|c| c.mean_recall).collect();
    let scores = scores.filter(|s| !s.is_empty())?;
    Some(scores.iter().sum::<f64>() / scores.len() as f64)
}

fn compared_cell(d: &Difference) -> String {
    let [low, high] = d.ci95;
    let p = match d.p {
        p if p < 0.001 => "p < 0.001".to_owned(),
        p => format!("p = {p:.3}"),
    };
    format!("{:+.2} [{low:+.1}, {high:+.1}], {p}", d.mean_recall)
}

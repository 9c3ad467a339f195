//! Runs that are kept, and a page of them.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tuwen::captions::metrics::Scores;
use tuwen::files;

/// What was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    pub dataset: String,
    pub recipe: String,
    pub about: String,
    pub split: String,
    pub method: String,
    /// The part of the words that a network predicts from those before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_accuracy: Option<f64>,
    /// How captions were cut into words before they were compared.
    pub words: String,
    pub pictures: usize,
    /// Seconds that the run took, with what it learned anew.
    pub seconds: f64,
    #[serde(flatten)]
    pub scores: Scores,
}

/// Rows of papers, beside the run files.
const PUBLISHED: &str = "published.json";

/// A row of a paper; figures that it does not state are left out.
#[derive(Deserialize)]
struct Published {
    dataset: String,
    name: String,
    source: String,
    #[serde(default)]
    bleu1: Option<f64>,
    #[serde(default)]
    bleu4: Option<f64>,
    #[serde(default)]
    cider: Option<f64>,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, two, three, four] = self.scores.bleu.map(|b| 100.0 * b);
        writeln!(
            f,
            "{} {}, {}: {} pictures, words by {}",
            self.dataset, self.split, self.recipe, self.pictures, self.words
        )?;
        writeln!(
            f,
            "BLEU-1 {one:.1}  BLEU-2 {two:.1}  BLEU-3 {three:.1}  BLEU-4 {four:.1}"
        )?;
        let Scores { rouge_l, cider, .. } = &self.scores;
        write!(
            f,
            "ROUGE-L {:.1}  CIDEr-D {:.1}",
            100.0 * rouge_l,
            100.0 * cider
        )?;
        match self.token_accuracy {
            Some(a) => write!(f, "\nWords predicted from those before: {:.1} %", 100.0 * a),
            None => Ok(()),
        }
    }
}

/// Writes the run file, and the page of all runs in the folder.
pub fn keep(folder: &Path, run: &Run) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let name = format!(
        "{}-{}-{}-{}.json",
        run.dataset, run.split, run.recipe, run.method
    );
    let mut json = serde_json::to_vec_pretty(run)?;
    json.push(b'\n');
    files::write(&folder.join(name), &json)?;
    let mut runs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_run = path.file_name().is_some_and(|name| name != PUBLISHED);
        if is_run && path.extension().is_some_and(|e| e == "json") {
            match serde_json::from_slice::<Run>(&fs::read(&path)?) {
                Ok(run) => runs.push(run),
                Err(e) => tracing::warn!("{}: no run of captions: {e}", path.display()),
            }
        }
    }
    let key = |r: &Run| {
        (
            r.dataset.clone(),
            r.split.clone(),
            r.recipe.clone(),
            r.method.clone(),
        )
    };
    runs.sort_by_key(key);
    let published: Vec<Published> = match fs::read(folder.join(PUBLISHED)) {
        Ok(json) => serde_json::from_slice(&json)?,
        Err(_) => vec![],
    };
    files::write(
        &folder.join("RESULTS.md"),
        page(&runs, &published).as_bytes(),
    )?;
    Ok(())
}

fn page(runs: &[Run], published: &[Published]) -> String {
    let mut page = String::from(
        "# Captions\n\nMade by `tuwen caption --data DIR --recipe FILE --runs experiments/captions`; each row has a run file here. \
         BLEU, ROUGE-L and CIDEr-D as pycocoevalcap 1.2 counts them, in per cent, over words cut as the column says. `accuracy` \
         is the part of the words that a network predicts from those before. Published rows are other people's, with their own \
         cutting of words: they do not compare to a tenth of a point.\n",
    );
    let of = |value: f64| format!("{:.1}", 100.0 * value);
    let mut datasets: Vec<(&str, &str)> = runs.iter().map(|r| (&*r.dataset, &*r.split)).collect();
    datasets.dedup();
    for (dataset, split) in datasets {
        page += &format!(
            "\n## {dataset}, {split}\n\n| recipe | method | words | BLEU-1 | BLEU-2 | BLEU-3 | BLEU-4 | ROUGE-L | CIDEr-D | accuracy |\n\
             |---|---|---|---|---|---|---|---|---|---|\n"
        );
        for run in runs
            .iter()
            .filter(|r| (&*r.dataset, &*r.split) == (dataset, split))
        {
            let bleu = run.scores.bleu.map(of).join(" | ");
            let accuracy = run.token_accuracy.map_or(String::new(), of);
            page += &format!(
                "| {} | {} | {} | {bleu} | {} | {} | {accuracy} |\n",
                run.recipe,
                run.method,
                run.words,
                of(run.scores.rouge_l),
                of(run.scores.cider)
            );
        }
        for row in published
            .iter()
            .filter(|r| r.dataset == dataset && split == "test")
        {
            let of = |value: Option<f64>| value.map_or(String::new(), |v| format!("{v:.1}"));
            page += &format!(
                "| {} ({}) | published | | {} | | | {} | | {} | |\n",
                row.name,
                row.source,
                of(row.bleu1),
                of(row.bleu4),
                of(row.cider)
            );
        }
    }
    page
}

//! Whole runs: learning, measuring, finding copies.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::prelude::*;
use tuwen::copies::{MethodParams, WordsParams};
use tuwen::dataset::{Dataset, ReadOptions};
use tuwen::files;
use tuwen::recipe::Recipe;
use tuwen::training::{Keep, Protocol, Training};

use crate::gallery::plain;
use crate::model::Model;
use crate::work;

/// A recipe by its path or built-in name, and a data set.
fn given(recipe: &Path, data: &Path) -> tuwen::Result<(Recipe, Dataset)> {
    Ok((
        Recipe::load(recipe)?,
        Dataset::open(data, &ReadOptions::default())?,
    ))
}

/// Learns a model from a folder of pictures with captions, as `tuwen fit` does.
///
/// `recipe` is a path or the name of a built-in recipe ("card.toml", "main.toml"); `work` is a folder that keeps what was
/// computed, so that another run goes on where this one stopped.
#[pyfunction]
#[pyo3(signature = (recipe, data, *, work=PathBuf::from("."), captions=true, progress=true))]
pub fn fit(
    py: Python,
    recipe: PathBuf,
    data: PathBuf,
    work: PathBuf,
    captions: bool,
    progress: bool,
) -> PyResult<Model> {
    let model = work::run(py, progress, |bars| {
        let (recipe, dataset) = given(&recipe, &data)?;
        Training::new(&recipe, &dataset, &work, bars).run(Keep { captions })
    })?;
    Ok(Model(Arc::new(model)))
}

/// Measures a recipe on the test pairs of a data set, or on folds of its training pairs where it has none; returns recalls,
/// median ranks and 95 % intervals, as `tuwen evaluate --json` prints them.
#[pyfunction]
#[pyo3(signature = (recipe, data, *, folds=None, work=PathBuf::from("."), progress=true))]
pub fn evaluate<'py>(
    py: Python<'py>,
    recipe: PathBuf,
    data: PathBuf,
    folds: Option<u64>,
    work: PathBuf,
    progress: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let report = work::run(py, progress, |bars| {
        let (recipe, dataset) = given(&recipe, &data)?;
        let protocol = match folds {
            Some(n) => Protocol::Folds { n, whole: false },
            None => Protocol::of(&dataset),
        };
        protocol.measure(&recipe, &dataset, &work, bars, |_, _, _| Ok(()))
    })?;
    plain(py, &report)
}

/// Finds for each picture below `queries` the picture below `gallery` that it is a copy of; a list of (query, source, score).
///
/// The score is −log10 of the number of equally similar pictures that are expected by chance. Files that are no pictures are
/// counted in a warning.
#[pyfunction]
#[pyo3(signature = (gallery, queries, *, threshold=WordsParams::THRESHOLD, work=PathBuf::from("."), progress=true))]
pub fn copies(
    py: Python,
    gallery: PathBuf,
    queries: PathBuf,
    threshold: f64,
    work: PathBuf,
    progress: bool,
) -> PyResult<Vec<(String, String, f64)>> {
    work::run(py, progress, |bars| {
        let below = |folder: &Path| -> tuwen::Result<Vec<PathBuf>> {
            let found = files::walk(folder, false)?;
            for unreadable in &found.unreadable {
                tracing::warn!("{unreadable}");
            }
            Ok(found.files)
        };
        let (gallery, queries) = (below(&gallery)?, below(&queries)?);
        let method = MethodParams::Words(WordsParams::default());
        let folder = work.join("features/copies/auto");
        let mut bad = Vec::new();
        let index = method.index(&gallery, &[], &folder, bars, &mut bad)?;
        let mut copies = Vec::new();
        for (query, found) in queries
            .iter()
            .zip(index.search_files(&queries, threshold, bars))
        {
            match found.map(|found| found.into_iter().next()) {
                Ok(Some(best)) => {
                    let source = files::written(&index.files(best.picture)[0]);
                    copies.push((files::written(query), source, best.score));
                }
                Ok(None) => {}
                Err(e) => bad.push(format!("{}: {e}", files::printable(query))),
            }
        }
        if let Some(first) = bad.first() {
            tracing::warn!(
                "{} of the pictures cannot be used, the first: {first}",
                bad.len()
            );
        }
        Ok(copies)
    })
}

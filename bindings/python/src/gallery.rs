//! A gallery: a folder that is searched and grows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tuwen::engine::{Engine, Find, Query, Weights};
use tuwen::gallery::Snapshot;
use tuwen::gallery::filter::Filter;
use tuwen::indexing::{Indexer, Source, Synced};

use crate::model::Model;
use crate::pictures::bytes_of;
use crate::{raised, work};

/// Pictures and texts that are searched, in a folder that grows.
///
/// >>> g = tuwen.Gallery.create("g", tuwen.Model.open("demo.tuwen"))      # doctest: +SKIP
/// >>> g.sync("photos")["added"]                                          # doctest: +SKIP
/// 1300
/// >>> g.search("海边", k=3)                                              # doctest: +SKIP
/// [<Hit beach.jpg 0.731>, <Hit harbour.jpg 0.402>, <Hit 2019/sea.jpg 0.377>]
#[pyclass(frozen, module = "tuwen")]
pub struct Gallery {
    folder: PathBuf,
    engine: Engine,
}

/// A picture or a text that was found.
#[pyclass(frozen, module = "tuwen")]
pub struct Hit(tuwen::engine::Hit);

#[pymethods]
impl Hit {
    /// Path of the picture below its folder, or the id of the text.
    #[getter]
    fn id(&self) -> &str {
        &self.0.id
    }

    /// Where the picture's file was, or None.
    #[getter]
    fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }

    /// The text that was found, or None.
    #[getter]
    fn text(&self) -> Option<&str> {
        self.0.text.as_deref()
    }

    /// The number that hits are ordered by; it can be compared only within one answer.
    #[getter]
    fn score(&self) -> f32 {
        self.0.score
    }

    /// The probability that the hit is right, or None where the model cannot tell.
    #[getter]
    fn probability(&self) -> Option<f32> {
        self.0.probability
    }

    /// What the score consists of, as a dictionary; None where neither `explain` nor copies were asked for.
    #[getter]
    fn why<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.why.as_ref().map(|w| plain(py, w)).transpose()
    }

    fn __repr__(&self) -> String {
        let number = self.0.probability.unwrap_or(self.0.score);
        format!("<Hit {} {number:.3}>", self.0.id)
    }
}

/// What serde can write, as dictionaries and lists.
pub fn plain<'py>(py: Python<'py>, value: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    let json = serde_json::to_string(value).map_err(raised)?;
    py.import("json")?.call_method1("loads", (json,))
}

#[pymethods]
impl Gallery {
    /// Opens a gallery.
    #[staticmethod]
    fn open(py: Python, path: PathBuf) -> PyResult<Self> {
        let engine = work::brief(py, || Engine::open(&path))?;
        Ok(Self {
            folder: path,
            engine,
        })
    }

    /// Opens a gallery of a model, and creates it where there is none.
    #[staticmethod]
    fn create(py: Python, path: PathBuf, model: &Model) -> PyResult<Self> {
        let model = &model.0;
        let engine = work::brief(py, || {
            Indexer::open(&path, model, &tuwen::progress::Silent)?;
            Engine::with(Arc::clone(model), &path)
        })?;
        Ok(Self {
            folder: path,
            engine,
        })
    }

    /// Searches for a text, a picture, or both; `find` is "pictures", "texts" or "copies". Best first.
    ///
    /// `must` and `without` are words that have to be there, and that must not be; `where` has conditions as on the command
    /// line: "width > 200 and format = webp". `weights` says how much text and picture count.
    #[pyo3(signature = (text=None, *, picture=None, k=10, find="pictures", must=vec![], without=vec![], r#where=None,
        weights=(0.5, 0.5), dedupe=false, explain=false))]
    #[expect(
        clippy::too_many_arguments,
        reason = "all but the first are named where they are given"
    )]
    fn search(
        &self,
        py: Python,
        text: Option<String>,
        picture: Option<&Bound<'_, PyAny>>,
        k: usize,
        find: &str,
        must: Vec<String>,
        without: Vec<String>,
        r#where: Option<&str>,
        weights: (f32, f32),
        dedupe: bool,
        explain: bool,
    ) -> PyResult<Vec<Hit>> {
        let find = match find {
            "pictures" => Find::Pictures,
            "texts" => Find::Texts,
            "copies" => Find::Copies,
            other => {
                let reason = format!("find is pictures, texts or copies, not {other}");
                return Err(PyValueError::new_err(reason));
            }
        };
        let filter = r#where.map(Filter::parse).transpose().map_err(raised)?;
        let pictures = picture.map(bytes_of).transpose()?;
        let query = Query {
            text,
            must,
            not: without,
            pictures: pictures.into_iter().collect(),
            weights: Weights {
                text: weights.0,
                image: weights.1,
            },
            filter,
            find,
            top: k,
            dedupe,
            explain,
            ..Query::default()
        };
        let answer = work::brief(py, || self.engine.ask(&query))?;
        Ok(answer.hits.into_iter().map(Hit).collect())
    }

    /// Brings the gallery in step with a folder of pictures; returns how many were added, changed, removed, unchanged and bad.
    #[pyo3(signature = (folder, *, progress=true))]
    fn sync<'py>(
        &self,
        py: Python<'py>,
        folder: PathBuf,
        progress: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let synced = work::run(py, progress, |bars| {
            let mut indexer = Indexer::open(&self.folder, self.engine.model(), bars)?;
            indexer.sync(&folder, &Source::default())
        })?;
        told(py, &synced)
    }

    /// Adds picture files from anywhere, each by its whole path, which is its id; `captions` maps paths to lists of captions.
    #[pyo3(signature = (paths, *, captions=None, progress=true))]
    fn add<'py>(
        &self,
        py: Python<'py>,
        paths: Vec<PathBuf>,
        captions: Option<BTreeMap<PathBuf, Vec<String>>>,
        progress: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let id = |path: &Path| -> PyResult<(String, PathBuf)> {
            let whole = path
                .canonicalize()
                .map_err(|e| raised(format!("{}: {e}", path.display())))?;
            Ok((tuwen::files::written(&whole), whole))
        };
        let files: BTreeMap<String, PathBuf> =
            paths.iter().map(|p| id(p)).collect::<PyResult<_>>()?;
        let captions = captions
            .map(|captions| {
                let named = captions.into_iter().map(|(p, c)| Ok((id(&p)?.0, c)));
                named.collect::<PyResult<Vec<_>>>()
            })
            .transpose()?;
        let source = Source {
            captions: captions.map(|c| c.into_iter().collect()),
            ..Source::default()
        };
        let synced = work::run(py, progress, |bars| {
            Indexer::open(&self.folder, self.engine.model(), bars)?.put(&files, &source)
        })?;
        told(py, &synced)
    }

    /// Removes pictures by their ids and returns how many there were; their files stay.
    fn remove(&self, py: Python, ids: Vec<String>) -> PyResult<usize> {
        work::run(py, false, |bars| {
            Indexer::open(&self.folder, self.engine.model(), bars)?.remove(&ids)
        })
    }

    /// The model that describes its pictures.
    #[getter]
    fn model(&self) -> Model {
        Model(Arc::clone(self.engine.model()))
    }

    fn __len__(&self) -> PyResult<usize> {
        let snapshot = Snapshot::open(&self.folder).map_err(raised)?;
        Ok(snapshot.counts().pictures)
    }

    fn __repr__(&self) -> PyResult<String> {
        let folder = tuwen::files::printable(&self.folder);
        Ok(format!(
            "<tuwen.Gallery {folder}: {} pictures>",
            self.__len__()?
        ))
    }
}

fn told<'py>(py: Python<'py>, synced: &Synced) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, count) in [
        ("added", synced.added),
        ("changed", synced.changed),
        ("removed", synced.removed),
        ("captioned", synced.captioned),
        ("unchanged", synced.unchanged),
        ("bad", synced.bad),
    ] {
        dict.set_item(name, count)?;
    }
    dict.set_item("unreadable", &synced.unreadable)?;
    Ok(dict)
}

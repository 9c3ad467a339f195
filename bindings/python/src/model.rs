//! A model: what was learned, in one file.

use std::path::PathBuf;
use std::sync::Arc;

use ndarray::{Array1, Array2};
use numpy::{PyArray2, ToPyArray};
use pyo3::prelude::*;
use rayon::prelude::*;

use crate::pictures::{Given, bytes_of};
use crate::{raised, work};

/// What was learned from pictures with captions, in one file.
///
/// >>> m = tuwen.Model.open("demo.tuwen")                       # doctest: +SKIP
/// >>> m.embed_texts(["红色的心", "笑脸"]).shape                  # doctest: +SKIP
/// (2, 384)
#[pyclass(frozen, module = "tuwen")]
pub struct Model(pub Arc<tuwen::model::Model>);

#[pymethods]
impl Model {
    /// Opens a model file, as `tuwen fit --model` or `tuwen.fit` writes it.
    #[staticmethod]
    fn open(py: Python, path: PathBuf) -> PyResult<Self> {
        let model = work::brief(py, || tuwen::model::Model::open(&path))?;
        Ok(Self(Arc::new(model)))
    }

    /// Writes the model, whole or not at all.
    fn save(&self, py: Python, path: PathBuf) -> PyResult<()> {
        work::brief(py, || self.0.save(&path))
    }

    /// Width of the shared space, s.
    #[getter]
    fn dim(&self) -> usize {
        self.0.dim()
    }

    /// The recipe that it was made by, as TOML.
    #[getter]
    fn recipe(&self) -> String {
        self.0.recipe().to_toml()
    }

    /// Texts as points of the shared space: an array of float32 (n, s), unit rows; zero where no word is known.
    fn embed_texts<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<String>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let points = work::brief(py, || self.0.embed_texts(&texts))?;
        Ok(points.x.to_pyarray(py))
    }

    /// Pictures as points of the shared space: an array of float32 (n, s), unit rows; zero where nothing is found in a picture.
    ///
    /// `pictures` is a list. A picture is a path, the bytes of a file, a picture of Pillow, or an array of uint8 (height, width, 3).
    /// The first one that cannot be read is an error that names it.
    #[pyo3(signature = (pictures, *, progress=true))]
    fn embed_pictures<'py>(
        &self,
        py: Python<'py>,
        pictures: &Bound<'py, PyAny>,
        progress: bool,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let given = Given::all(pictures)?;
        let model = &self.0;
        let points = work::run(py, progress, |bars| {
            use tuwen::progress::Progress;
            model.picture_side()?; // loaded once, before the threads ask for it
            bars.start("pictures", given.len() as u64);
            let point = |(i, picture): (usize, &Given)| {
                bars.leave_if_stopped();
                let described = picture.bytes().and_then(|b| model.describe_file(&b));
                bars.step(1);
                described
                    .map(|d| d.point)
                    .map_err(|e| format!("{}: {e}", picture.name(i)))
            };
            let points: Vec<Result<Array1<f32>, String>> =
                given.par_iter().enumerate().map(point).collect();
            bars.finish();
            Ok(points)
        })?;
        let mut x = Array2::zeros((given.len(), self.0.dim()));
        for (mut row, point) in x.outer_iter_mut().zip(points) {
            row.assign(&point.map_err(raised)?);
        }
        Ok(x.to_pyarray(py))
    }

    /// The words that fit a picture best, each with the probability that a caption of it would have the word, or None.
    #[pyo3(signature = (picture, top=10))]
    fn keywords(
        &self,
        py: Python,
        picture: &Bound<'_, PyAny>,
        top: usize,
    ) -> PyResult<Vec<(String, Option<f32>)>> {
        let bytes = bytes_of(picture)?;
        let words = work::brief(py, || self.0.keywords(&bytes, top))?;
        Ok(words.into_iter().map(|k| (k.word, k.probability)).collect())
    }

    fn __repr__(&self) -> String {
        let about = self.0.about();
        format!(
            "<tuwen.Model {}: {} training pairs, {} dimensions>",
            about.recipe.name,
            about.training_pairs,
            self.0.dim()
        )
    }
}

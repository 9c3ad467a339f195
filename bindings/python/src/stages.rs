//! Single stages, in scikit-learn's manner.

use ndarray::{Array2, Axis, concatenate};
use numpy::{PyArray1, PyArray2, PyReadonlyArray2, ToPyArray};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rayon::prelude::*;
use tuwen::artifact::{Artifact, Spec};
use tuwen::codebook::KMeansParams;
use tuwen::dataset::Pair;
use tuwen::descriptor::{DescriptorKind, DescriptorParams, OrbParams, SiftParams};
use tuwen::encoding::{Encoder, EncodingParams, FisherParams, VladParams};
use tuwen::fusion::{CcaParams, Pairs, Projector, Side};
use tuwen::picture::{Picture, PictureParams};

use crate::pictures::bytes_of;
use crate::raised;

type Matrix<'py> = Bound<'py, PyArray2<f32>>;

/// Descriptors (n, d) and places (n, 2), from −0.5 to 0.5 of the picture's width and height.
type Described<'py> = (Matrix<'py>, Matrix<'py>);

fn described<'py>(
    py: Python<'py>,
    picture: &Bound<'py, PyAny>,
    by: DescriptorParams,
) -> PyResult<Described<'py>> {
    let bytes = bytes_of(picture)?;
    let found = py.detach(|| {
        let picture = Picture::decode(&bytes, &PictureParams::default())?;
        by.extractor().extract(&picture)
    });
    let found = found.map_err(raised)?;
    Ok((found.values.to_pyarray(py), found.places.to_pyarray(py)))
}

/// SIFT of a picture, its longer side at most 512 pixels (Lowe 2004): float32 (n, 128) and the places (n, 2), from −0.5 to
/// 0.5 of width and height. `root` gives RootSIFT.
///
/// >>> import numpy as np
/// >>> noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
/// >>> descriptors, places = tuwen.sift(noise, features=50)
/// >>> descriptors.shape[1], places.shape[1]
/// (128, 2)
#[pyfunction]
#[pyo3(signature = (picture, features=500, *, contrast_threshold=0.04, root=true))]
pub fn sift<'py>(
    py: Python<'py>,
    picture: &Bound<'py, PyAny>,
    features: i32,
    contrast_threshold: f64,
    root: bool,
) -> PyResult<Described<'py>> {
    let params = SiftParams {
        features,
        contrast_threshold,
        root,
        ..SiftParams::default()
    };
    described(py, picture, DescriptorParams::Sift(params))
}

/// ORB of a picture (Rublee et al. 2011): its 256 bits as float32 (n, 256), and the places (n, 2).
#[pyfunction]
#[pyo3(signature = (picture, features=500))]
pub fn orb<'py>(
    py: Python<'py>,
    picture: &Bound<'py, PyAny>,
    features: i32,
) -> PyResult<Described<'py>> {
    let params = OrbParams {
        features,
        ..OrbParams::default()
    };
    described(py, picture, DescriptorParams::Orb(params))
}

/// An encoding that learns its words or its mixture from descriptors.
struct Encoding {
    params: EncodingParams,
    words: KMeansParams,
    seed: u64,
    fitted: Option<Box<dyn Encoder>>,
}

impl Encoding {
    fn new(params: EncodingParams, words: usize, seed: u64) -> Self {
        Self {
            params,
            words: KMeansParams {
                size: words,
                ..KMeansParams::default()
            },
            seed,
            fitted: None,
        }
    }

    fn fit(&mut self, py: Python, descriptors: &[PyReadonlyArray2<f32>]) -> PyResult<()> {
        let views: Vec<_> = descriptors.iter().map(|d| d.as_array()).collect();
        let all = concatenate(Axis(0), &views).map_err(|_| {
            PyValueError::new_err("descriptors are a list of arrays of float32 (n, d), of one d")
        })?;
        let kind = DescriptorKind {
            name: "numpy".into(),
            dim: all.ncols(),
        };
        let (params, words, seed) = (&self.params, &self.words, self.seed);
        let fitted = py.detach(|| {
            let spec = Spec::new("codebook", params, seed);
            let artifact =
                params.fit(words, kind.clone(), all.view(), seed, Artifact::new(spec))?;
            params.load(&kind, &artifact)
        });
        self.fitted = Some(fitted.map_err(raised)?);
        Ok(())
    }

    fn transform<'py>(
        &self,
        py: Python<'py>,
        descriptors: &[PyReadonlyArray2<f32>],
    ) -> PyResult<Matrix<'py>> {
        let encoder = self.fitted.as_ref().ok_or_else(not_fitted)?;
        let views: Vec<_> = descriptors.iter().map(|d| d.as_array()).collect();
        let x = py.detach(|| -> tuwen::Result<Array2<f32>> {
            let rows: tuwen::Result<Vec<_>> =
                views.par_iter().map(|v| encoder.encode(*v)).collect();
            let mut x = Array2::zeros((views.len(), encoder.dim()));
            for (mut to, row) in x.outer_iter_mut().zip(rows?) {
                to.assign(&row);
            }
            Ok(x)
        });
        Ok(x.map_err(raised)?.to_pyarray(py))
    }
}

fn not_fitted() -> PyErr {
    raised("nothing has been learned yet: call fit first")
}

/// VLAD over `words` visual words (Jégou et al. 2010): each picture's descriptors become words·d numbers.
///
/// >>> import numpy as np
/// >>> rng = np.random.default_rng(0)
/// >>> pictures = [rng.normal(size=(50, 8)).astype(np.float32) for _ in range(4)]
/// >>> tuwen.Vlad(words=4).fit(pictures).transform(pictures).shape
/// (4, 32)
#[pyclass(module = "tuwen")]
pub struct Vlad(Encoding);

#[pymethods]
impl Vlad {
    #[new]
    #[pyo3(signature = (words=64, *, power=0.5, seed=0))]
    fn new(words: usize, power: f32, seed: u64) -> Self {
        let params = VladParams {
            power,
            ..VladParams::default()
        };
        Self(Encoding::new(EncodingParams::Vlad(params), words, seed))
    }

    /// Learns the words from a list of arrays of float32 (n, d), one for each picture.
    fn fit<'py>(
        mut slf: PyRefMut<'py, Self>,
        py: Python,
        descriptors: Vec<PyReadonlyArray2<'py, f32>>,
    ) -> PyResult<PyRefMut<'py, Self>> {
        slf.0.fit(py, &descriptors)?;
        Ok(slf)
    }

    /// An array of float32 (pictures, words·d), unit rows; zero for a picture without descriptors.
    fn transform<'py>(
        &self,
        py: Python<'py>,
        descriptors: Vec<PyReadonlyArray2<'py, f32>>,
    ) -> PyResult<Matrix<'py>> {
        self.0.transform(py, &descriptors)
    }
}

/// Fisher vectors over a mixture of `words` Gaussians (Perronnin et al. 2010): 2·words·d numbers for each picture.
///
/// >>> import numpy as np
/// >>> rng = np.random.default_rng(0)
/// >>> pictures = [rng.normal(size=(50, 8)).astype(np.float32) for _ in range(4)]
/// >>> tuwen.Fisher(words=4).fit(pictures).transform(pictures).shape
/// (4, 64)
#[pyclass(module = "tuwen")]
pub struct Fisher(Encoding);

#[pymethods]
impl Fisher {
    #[new]
    #[pyo3(signature = (words=64, *, power=0.5, seed=0))]
    fn new(words: usize, power: f32, seed: u64) -> Self {
        let params = FisherParams {
            power,
            ..FisherParams::default()
        };
        Self(Encoding::new(EncodingParams::Fisher(params), words, seed))
    }

    /// Learns the mixture from a list of arrays of float32 (n, d), one for each picture.
    fn fit<'py>(
        mut slf: PyRefMut<'py, Self>,
        py: Python,
        descriptors: Vec<PyReadonlyArray2<'py, f32>>,
    ) -> PyResult<PyRefMut<'py, Self>> {
        slf.0.fit(py, &descriptors)?;
        Ok(slf)
    }

    /// An array of float32 (pictures, 2·words·d), unit rows; zero for a picture without descriptors.
    fn transform<'py>(
        &self,
        py: Python<'py>,
        descriptors: Vec<PyReadonlyArray2<'py, f32>>,
    ) -> PyResult<Matrix<'py>> {
        self.0.transform(py, &descriptors)
    }
}

/// Regularised canonical correlation analysis: rows of X and Y that belong together come near each other in one space.
///
/// >>> import numpy as np
/// >>> rng = np.random.default_rng(0)
/// >>> latent = rng.normal(size=(200, 2))
/// >>> X = (latent @ rng.normal(size=(2, 6))).astype(np.float32)
/// >>> Y = (latent @ rng.normal(size=(2, 5))).astype(np.float32)
/// >>> cca = tuwen.Cca(dim=2, regularization=1e-3).fit(X, Y)
/// >>> x, y = cca.transform(X, Y)
/// >>> bool((x * y).sum(axis=1).mean() > 0.99)      # cosines: the rows are unit vectors
/// True
#[pyclass(module = "tuwen")]
pub struct Cca {
    params: CcaParams,
    fitted: Option<tuwen::fusion::Cca>,
}

impl Cca {
    fn fitted(&self) -> PyResult<&tuwen::fusion::Cca> {
        self.fitted.as_ref().ok_or_else(not_fitted)
    }
}

#[pymethods]
impl Cca {
    #[new]
    #[pyo3(signature = (dim=128, *, regularization=0.1, power=1.0))]
    fn new(dim: usize, regularization: f64, power: f64) -> Self {
        Self {
            params: CcaParams {
                dims: vec![dim],
                regularization: vec![regularization],
                power: vec![power],
                ..CcaParams::default()
            },
            fitted: None,
        }
    }

    /// Learns from arrays of float32 (n, d) and (n, e) whose rows belong together.
    #[expect(non_snake_case, reason = "the names that scikit-learn uses")]
    fn fit<'py>(
        mut slf: PyRefMut<'py, Self>,
        py: Python,
        X: PyReadonlyArray2<'py, f32>,
        Y: PyReadonlyArray2<'py, f32>,
    ) -> PyResult<PyRefMut<'py, Self>> {
        let (x, y) = (X.as_array(), Y.as_array());
        if x.nrows() != y.nrows() {
            let reason = format!(
                "X has {} rows and Y {}: each row of X belongs to one of Y",
                x.nrows(),
                y.nrows()
            );
            return Err(PyValueError::new_err(reason));
        }
        let pairs: Vec<Pair> = (0..x.nrows()).map(|i| Pair { image: i, text: i }).collect();
        let params = slf.params.clone();
        let fitted = py.detach(|| params.fit(Pairs::new(x, y, &pairs)));
        slf.fitted = Some(fitted.map_err(raised)?);
        Ok(slf)
    }

    /// X, or X and Y, in the shared space: arrays of float32 (n, s), unit rows.
    #[pyo3(signature = (X=None, Y=None))]
    #[expect(non_snake_case, reason = "the names that scikit-learn uses")]
    fn transform<'py>(
        &self,
        py: Python<'py>,
        X: Option<PyReadonlyArray2<'py, f32>>,
        Y: Option<PyReadonlyArray2<'py, f32>>,
    ) -> PyResult<(Option<Matrix<'py>>, Option<Matrix<'py>>)> {
        let cca = self.fitted()?;
        let project = |side, rows: Option<PyReadonlyArray2<'py, f32>>| {
            rows.map(|rows| {
                let rows = rows.as_array();
                let points = py.detach(|| cca.project(side, rows)).map_err(raised)?;
                PyResult::Ok(points.to_pyarray(py))
            })
            .transpose()
        };
        Ok((project(Side::Image, X)?, project(Side::Text, Y)?))
    }

    /// Canonical correlations of the regularised problem, falling.
    #[getter]
    fn correlations_<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        Ok(self.fitted()?.correlations().to_pyarray(py))
    }
}

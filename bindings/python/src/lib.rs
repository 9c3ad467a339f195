//! tuwen for Python. Arguments are turned into the library's types and answers into NumPy's; nothing is decided here.

mod gallery;
mod model;
mod pictures;
mod runs;
mod stages;
mod warnings;
mod work;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

pyo3::create_exception!(
    tuwen,
    Error,
    PyRuntimeError,
    "What went wrong, in the words of the command line."
);

fn raised(error: impl std::fmt::Display) -> PyErr {
    Error::new_err(error.to_string())
}

#[pymodule]
fn _tuwen(m: &Bound<'_, PyModule>) -> PyResult<()> {
    warnings::listen();
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add("Error", m.py().get_type::<Error>())?;
    m.add_class::<model::Model>()?;
    m.add_class::<gallery::Gallery>()?;
    m.add_class::<gallery::Hit>()?;
    m.add_class::<stages::Cca>()?;
    m.add_class::<stages::Vlad>()?;
    m.add_class::<stages::Fisher>()?;
    m.add_function(wrap_pyfunction!(stages::sift, m)?)?;
    m.add_function(wrap_pyfunction!(stages::orb, m)?)?;
    m.add_function(wrap_pyfunction!(runs::fit, m)?)?;
    m.add_function(wrap_pyfunction!(runs::evaluate, m)?)?;
    m.add_function(wrap_pyfunction!(runs::copies, m)?)
}

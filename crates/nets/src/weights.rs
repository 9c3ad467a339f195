//! A network's tensors by name.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use crate::error::{Error, Result};

/// The values of the tensors of a network, by their path in it.
pub type Weights = BTreeMap<String, Vec<f32>>;

#[derive(Default)]
struct Reader {
    path: Vec<String>,
    weights: Weights,
}

impl ModuleVisitor for Reader {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values = param.val().into_data().iter::<f32>().collect();
        self.weights.insert(self.path.join("."), values);
    }
}

/// Copies the tensors of a network.
pub fn of(net: &impl Module) -> Weights {
    let mut reader = Reader::default();
    net.visit(&mut reader);
    reader.weights
}

struct Writer {
    path: Vec<String>,
    weights: Weights,
    wrong: Option<String>,
}

impl ModuleMapper for Writer {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.join(".");
        let shape = param.shape();
        let wanted = shape.num_elements();
        match self.weights.remove(&path) {
            Some(values) if values.len() == wanted => {
                param.map(|old| Tensor::from_data(TensorData::new(values, shape), &old.device()))
            }
            found => {
                let found = found.map_or(0, |values| values.len());
                self.wrong = Some(format!("{path} has {found} numbers, wanted are {wanted}"));
                param
            }
        }
    }
}

/// Sets the tensors of a network.
///
/// # Errors
/// [`Error::Weights`] if one is missing, left over or of another size.
pub fn set<M: Module>(net: M, weights: Weights) -> Result<M> {
    let mut writer = Writer {
        path: vec![],
        weights,
        wrong: None,
    };
    let net = net.map(&mut writer);
    if let Some(wrong) = writer.wrong {
        return Err(Error::Weights(wrong));
    }
    match writer.weights.keys().next() {
        Some(path) => Err(Error::Weights(format!("{path} is not part of it"))),
        None => Ok(net),
    }
}

//! Artifacts that are whole and whose checksum is right, and which no stage has written: what somebody could make
//! who knows the format.

use std::fs;
use std::path::Path;

use half::f16;
use ndarray::Array2;
use rand::Rng;
use serde_json::Value;
use tuwen::artifact::{Artifact, Element};

use super::mutator::Mutator;
use super::target::Input;

/// An artifact as a file, written and read by the program itself.
pub fn stored(name: &str, artifact: &Artifact) -> Input {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("one.safetensors");
    artifact.write(&path).expect("room for an artifact");
    Input::new(name, fs::read(&path).expect("it was just written"))
}

/// What a file holds, if it is an artifact.
pub fn read(input: &Input, scratch: &Path) -> Option<Artifact> {
    Artifact::read(&input.file(scratch)).ok()
}

/// A tensor's numbers, wide enough for all types; vectors are of one row.
struct Tensor {
    name: String,
    dtype: &'static str,
    is_vector: bool,
    values: Array2<f64>,
}

/// Changes tensors, notes and stage, and writes the artifact anew.
pub fn forge(mutator: &mut Mutator, input: &mut Input) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some(old) = read(input, folder.path()) else {
        return;
    };
    let (mut spec, mut notes) = (old.spec.clone(), old.notes.clone());
    let mut tensors = tensors(&old);
    for _ in 0..mutator.rounds() {
        match mutator.rng.gen_range(0..8) {
            0 => change_value(mutator, &mut notes),
            1 if mutator.one_in(4) => {
                let other = mutator.seed();
                if let Some(other) = read(&other, folder.path()) {
                    spec.stage = other.spec.stage;
                }
            }
            _ => change_tensors(mutator, &mut tensors),
        }
    }
    let new = Artifact::new(spec).with_notes(&notes);
    *input = stored(&input.name, &tensors.iter().fold(new, with));
}

fn tensors(artifact: &Artifact) -> Vec<Tensor> {
    let all = artifact.tensors().map(|(name, dtype, shape)| {
        let is_vector = shape.len() == 1;
        let (dtype, values) = match dtype.as_str() {
            "U8" => ("U8", numbers(artifact, name, is_vector, |v: u8| v.into())),
            "U32" => ("U32", numbers(artifact, name, is_vector, |v: u32| v.into())),
            "U64" => ("U64", numbers(artifact, name, is_vector, |v: u64| v as f64)),
            "F16" => ("F16", numbers(artifact, name, is_vector, |v: f16| v.into())),
            "F64" => ("F64", numbers(artifact, name, is_vector, |v: f64| v)),
            _ => ("F32", numbers(artifact, name, is_vector, |v: f32| v.into())),
        };
        Tensor {
            name: name.to_owned(),
            dtype,
            is_vector,
            values,
        }
    });
    all.collect()
}

fn numbers<T: Element>(
    artifact: &Artifact,
    name: &str,
    vector: bool,
    wide: fn(T) -> f64,
) -> Array2<f64> {
    let values = match vector {
        true => artifact
            .vector::<T>(name)
            .map(|v| v.insert_axis(ndarray::Axis(0))),
        false => artifact.matrix::<T>(name),
    };
    values.expect("a tensor that is there").mapv(wide)
}

fn with(artifact: Artifact, tensor: &Tensor) -> Artifact {
    fn add<T: Element>(artifact: Artifact, tensor: &Tensor, as_: fn(f64) -> T) -> Artifact {
        let values = tensor.values.mapv(as_);
        match tensor.is_vector {
            true => artifact.with_vector(&tensor.name, values.flatten().view()),
            false => artifact.with_matrix(&tensor.name, values.view()),
        }
    }
    match tensor.dtype {
        "U8" => add(artifact, tensor, |v| v as u8),
        "U32" => add(artifact, tensor, |v| v as u32),
        "U64" => add(artifact, tensor, |v| v as u64),
        "F16" => add(artifact, tensor, f16::from_f64),
        "F64" => add(artifact, tensor, |v| v),
        _ => add(artifact, tensor, |v| v as f32),
    }
}

fn change_tensors(mutator: &mut Mutator, tensors: &mut Vec<Tensor>) {
    const TYPES: [&str; 6] = ["U8", "U32", "U64", "F16", "F32", "F64"];
    if tensors.is_empty() {
        return;
    }
    let i = mutator.rng.gen_range(0..tensors.len());
    let j = mutator.rng.gen_range(0..tensors.len());
    let (rows, columns) = tensors[i].values.dim();
    match mutator.rng.gen_range(0..8) {
        0 if mutator.one_in(3) => drop(tensors.remove(i)),
        1 if mutator.one_in(3) => tensors[i].dtype = *mutator.choice(&TYPES),
        2 if mutator.one_in(3) => tensors[i].is_vector = !tensors[i].is_vector,
        3 => {
            let values = tensors[j].values.clone();
            tensors[i].values = values;
        }
        4 => tensors[i].values = tensors[i].values.t().to_owned(),
        5 | 6 => {
            let near = |rng: &mut rand_chacha::ChaCha8Rng, n: usize| match rng.gen_range(0..6) {
                0 => 0,
                1 => n + 1,
                2 => n.saturating_sub(1),
                3 => n / 2,
                _ => n,
            };
            let dim = (
                near(&mut mutator.rng, rows),
                near(&mut mutator.rng, columns),
            );
            let old = &tensors[i].values;
            let cell = |(r, c)| old.get([r, c]).copied().unwrap_or(1.0);
            tensors[i].values = Array2::from_shape_fn(dim, cell);
        }
        _ => {
            let number = number(mutator);
            let values = &mut tensors[i].values;
            if mutator.one_in(4) {
                values.fill(number);
            } else if !values.is_empty() {
                let place = mutator.rng.gen_range(0..values.len());
                values.iter_mut().nth(place).map(|v| *v = number).unwrap();
            }
        }
    }
}

fn number(mutator: &mut Mutator) -> f64 {
    let number = *mutator.choice(&super::mutator::NUMBERS);
    number.parse().expect("all are numbers")
}

/// Changes something inside a JSON value.
fn change_value(mutator: &mut Mutator, value: &mut Value) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            let i = mutator.rng.gen_range(0..items.len());
            match mutator.rng.gen_range(0..4) {
                0 => drop(items.remove(i)),
                1 => items.push(items[i].clone()),
                _ => change_value(mutator, &mut items[i]),
            }
        }
        Value::Object(entries) if !entries.is_empty() => {
            let keys: Vec<String> = entries.keys().cloned().collect();
            let key = mutator.choice(&keys);
            if mutator.one_in(8) {
                entries.remove(key);
            } else {
                change_value(mutator, &mut entries[key]);
            }
        }
        Value::Number(_) if !mutator.one_in(8) => {
            let number = *mutator.choice(&super::mutator::NUMBERS);
            *value = serde_json::from_str(number).unwrap_or_default();
        }
        Value::String(text) if mutator.one_in(2) => {
            text.truncate(text.char_indices().nth(1).map_or(0, |(i, _)| i));
        }
        _ => {
            let others = [
                Value::Null,
                true.into(),
                "".into(),
                "狗".into(),
                (-1).into(),
                vec![0; 3].into(),
            ];
            *value = mutator.choice(&others).clone();
        }
    }
}

//! Vectors of other programs: read as they were written, and refused where they are not what they should be.

use std::fs;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use image::RgbImage;
use ndarray::Array2;
use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView, serialize};
use tempfile::TempDir;
use tuwen::artifact::Artifact;
use tuwen::picture::Picture;
use tuwen::views::{FeatureParams, ImageView, ImportedParams, Shown};

use super::cases::config;
use super::made_up::{folder, spec, whole_numbers};

/// The header as NumPy 2 writes it, less the padding.
fn npy(version: u8, descr: &str, fortran: bool, (n, d): (usize, usize), data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let dict = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({n}, {d}), }}\n");
    let length = match version {
        1 => (dict.len() as u16).to_le_bytes().to_vec(),
        _ => (dict.len() as u32).to_le_bytes().to_vec(),
    };
    [
        b"\x93NUMPY",
        &[version, 0][..],
        &length,
        dict.as_bytes(),
        data,
    ]
    .concat()
}

fn bytes(x: &Array2<f32>, fortran: bool, number: impl Fn(f32) -> Vec<u8>) -> Vec<u8> {
    let order: Vec<f32> = if fortran {
        x.t().iter().copied().collect()
    } else {
        x.iter().copied().collect()
    };
    order.into_iter().flat_map(number).collect()
}

fn tensor(x: &Array2<f32>, dtype: Dtype, number: impl Fn(f32) -> Vec<u8>) -> Vec<u8> {
    let data = bytes(x, false, number);
    let view = TensorView::new(dtype, x.shape().to_vec(), &data).unwrap();
    serialize([("vectors", view)], None).unwrap()
}

fn jsonl(x: &Array2<f32>, keys: [&str; 2]) -> Vec<u8> {
    let line = |(i, row): (usize, ndarray::ArrayView1<f32>)| {
        let [id, vector] = keys;
        format!(
            "{{\"{id}\": \"{}\", \"{vector}\": {:?}}}\n",
            id_of(i),
            row.to_vec()
        )
    };
    x.outer_iter()
        .enumerate()
        .map(line)
        .collect::<String>()
        .into()
}

fn id_of(i: usize) -> String {
    format!("图 {i}.jpg")
}

/// A file of vectors in a folder, with ids where it has none itself.
struct Given {
    folder: TempDir,
    params: ImportedParams,
}

impl Given {
    fn new(name: &str, contents: &[u8], ids: usize) -> Self {
        let folder = folder();
        let path = folder.path().join(name);
        fs::write(&path, contents).unwrap();
        let lines: String = (0..ids).map(|i| id_of(i) + "\n").collect();
        let ids = folder.path().join("ids.txt");
        fs::write(&ids, lines).unwrap();
        let params = ImportedParams {
            ids: (!name.ends_with("jsonl")).then_some(ids),
            path,
            tensor: None,
            normalize: false,
        };
        Self { folder, params }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn load(&self) -> tuwen::Result<Box<dyn ImageView>> {
        FeatureParams::Imported(self.params.clone()).load(&Artifact::new(spec()))
    }

    fn refused(&self) -> String {
        match self.load() {
            Ok(_) => panic!("{} is not refused", self.params.path.display()),
            Err(e) => e.to_string(),
        }
    }
}

fn called<'a>(name: &'a str, picture: &'a Picture) -> Shown<'a> {
    Shown {
        name,
        ..Shown::bare(picture)
    }
}

fn picture() -> Picture {
    Picture::from_rgb(RgbImage::new(8, 8))
}

fn assert_holds(given: &Given, x: &Array2<f32>) {
    let view = given.load().unwrap();
    assert_eq!(view.dim(), x.ncols());
    for (i, row) in x.outer_iter().enumerate() {
        let v = view.describe(called(&id_of(i), &picture())).unwrap();
        assert_eq!(v, row, "{} of {}", id_of(i), given.params.path.display());
    }
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn every_format_gives_the_numbers_that_were_written(n in 1usize..9, d in 1usize..9, seed: u64, fortran: bool) {
        let x = whole_numbers(n, d, seed); // exact in every format
        let half = |v: f32| f16::from_f32(v).to_le_bytes().to_vec();
        let single = |v: f32| v.to_le_bytes().to_vec();
        let double = |v: f32| f64::from(v).to_le_bytes().to_vec();
        let big = |v: f32| v.to_be_bytes().to_vec();
        let of = |version, descr, data: Vec<u8>| npy(version, descr, fortran, (n, d), &data);
        let brain = |v: f32| bf16::from_f32(v).to_le_bytes().to_vec();
        for (name, contents) in [
            ("half.npy", of(1, "<f2", bytes(&x, fortran, half))),
            ("single.npy", of(2, "<f4", bytes(&x, fortran, single))),
            ("double.npy", of(3, "<f8", bytes(&x, fortran, double))),
            ("big.npy", of(1, ">f4", bytes(&x, fortran, big))),
            ("half.safetensors", tensor(&x, Dtype::F16, half)),
            ("brain.safetensors", tensor(&x, Dtype::BF16, brain)),
            ("single.safetensors", tensor(&x, Dtype::F32, single)),
            ("double.safetensors", tensor(&x, Dtype::F64, double)),
            ("plain.jsonl", jsonl(&x, ["id", "vector"])),
            ("features.jsonl", jsonl(&x, ["id", "features"])),
            ("chinese_clip.jsonl", jsonl(&x, ["image_id", "feature"])),
        ] {
            assert_holds(&Given::new(name, &contents, n), &x);
        }
    }

    #[test]
    fn a_matrix_cut_short_or_drawn_out_is_refused(cut in 0usize..200, more in 1usize..9) {
        let whole = npy(1, "<f4", false, (5, 6), &[0; 120]);
        let kept = cut.min(whole.len() - 1);
        Given::new("cut.npy", &whole[..kept], 5).refused();
        let drawn_out = [&whole[..], &vec![0; more]].concat();
        Given::new("long.npy", &drawn_out, 5).refused();
    }
}

fn single(x: &Array2<f32>) -> Vec<u8> {
    let data = bytes(x, false, |v| v.to_le_bytes().to_vec());
    npy(1, "<f4", false, x.dim(), &data)
}

#[test]
fn vectors_are_scaled_to_unit_length_where_asked() {
    let mut x = whole_numbers(4, 6, 1);
    x.row_mut(2).fill(0.0);
    x.row_mut(3).fill(1e30); // its square is no f32
    let mut given = Given::new("v.npy", &single(&x), 4);
    assert!(given.refused().contains("65504"));
    given.params.normalize = true;
    let view = given.load().unwrap();
    for (i, length) in [1.0f32, 1.0, 0.0, 1.0].into_iter().enumerate() {
        let v = view.describe(called(&id_of(i), &picture())).unwrap();
        assert!((v.dot(&v).sqrt() - length).abs() < 1e-6, "row {i}: {v}");
    }
}

#[test]
fn a_picture_without_a_vector_is_named() {
    let given = Given::new("v.npy", &single(&whole_numbers(3, 2, 1)), 3);
    let error = given
        .load()
        .unwrap()
        .describe(called("other.jpg", &picture()));
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("v.npy") && error.contains("other.jpg"),
        "{error}"
    );
}

#[test]
fn what_does_not_fit_together_is_refused_with_the_reason() {
    let x = whole_numbers(3, 2, 1);
    let mut holed = x.clone();
    holed[[1, 1]] = f32::NAN;
    let two = tensor_file(&[("a", &x), ("b", &x)]);
    let text = |text: &str| text.as_bytes().to_vec();
    for (name, contents, reasons) in [
        ("v.npy", single(&holed), &["图 1.jpg", "not finite"][..]),
        (
            "v.npy",
            single(&whole_numbers(4, 2, 1)),
            &["4 rows", "3 ids"],
        ),
        ("v.npy", npy(1, "<i8", false, (3, 2), &[0; 48]), &["<i8"]),
        ("v.npy", npy(1, "<f4", false, (3, 9), &[0; 24]), &["3x9"]),
        ("v.npy", text("not NumPy's"), &["not a whole .npy"]),
        ("v.npy", single(&Array2::zeros((3, 0))), &["no vectors"]),
        ("v.safetensors", two, &["`tensor`", "a, b"]),
        ("v.safetensors", text("nor this"), &["v.safetensors"]),
        ("v.csv", text("1,2"), &[".npy", ".jsonl"]),
        (
            "v.jsonl",
            text("{\"id\": 1, \"vector\": [1]}\n{\"id\": 2, \"vector\": [1, 2]}"),
            &["line 2", "2 values, 1"],
        ),
        (
            "v.jsonl",
            text("{\"id\": 1, \"vector\": [1]}\n\n{\"id\": 1, \"vector\": [2]}"),
            &["`1`", "duplicate id"],
        ),
        (
            "v.jsonl",
            text("{\"id\": 1, \"vector\": [NaN]}"),
            &["line 1"],
        ),
        ("v.jsonl", text("{\"vector\": [1]}"), &["line 1", "id"]),
        ("v.jsonl", text(""), &["no vectors"]),
    ] {
        let said = Given::new(name, &contents, 3).refused();
        for reason in reasons {
            assert!(said.contains(reason), "{reason} is not in: {said}");
        }
    }
}

fn tensor_file(tensors: &[(&str, &Array2<f32>)]) -> Vec<u8> {
    let data: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, x)| bytes(x, false, |v| v.to_le_bytes().to_vec()))
        .collect();
    let views = tensors.iter().zip(&data).map(|((name, x), data)| {
        let view = TensorView::new(Dtype::F32, x.shape().to_vec(), data).unwrap();
        (*name, view)
    });
    serialize(views, None).unwrap()
}

#[test]
fn a_tensor_is_found_by_its_name() {
    let (a, b) = (whole_numbers(3, 2, 1), whole_numbers(3, 5, 2));
    let mut given = Given::new("v.safetensors", &tensor_file(&[("a", &a), ("b", &b)]), 3);
    given.params.tensor = Some("b".into());
    assert_holds(&given, &b);
    given.params.tensor = Some("c".into());
    assert!(given.refused().contains("its tensors are: a, b"));
}

#[test]
fn ids_are_asked_for_and_checked() {
    let x = single(&whole_numbers(3, 2, 1));
    let with = |ids: Option<&str>| {
        let mut given = Given::new("v.npy", &x, 3);
        match ids {
            Some(ids) => fs::write(given.path("ids.txt"), ids).unwrap(),
            None => given.params.ids = None,
        }
        given
    };
    assert!(with(None).refused().contains("`ids`"));
    let twice = with(Some("a\nb\na\n")).refused();
    assert!(twice.contains("line 3") && twice.contains("`a`"), "{twice}");
    let gap = with(Some("a\n\nb\n")).refused();
    assert!(gap.contains("line 2"), "{gap}");
    let windows = with(Some("\u{feff}a\r\nb\r\nc\r\n\r\n")).load().unwrap();
    assert!(
        ["a", "b", "c"]
            .iter()
            .all(|id| windows.describe(called(id, &picture())).is_ok())
    );
    let mut lines = Given::new(
        "v.jsonl",
        &jsonl(&whole_numbers(2, 2, 1), ["id", "vector"]),
        2,
    );
    lines.params.ids = Some(lines.path("ids.txt"));
    assert!(lines.refused().contains("takes no `ids`"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let mut given = Given::new("v.npy", b"", 1);
    given.params.path = Path::new("/nowhere/v.npy").into();
    assert!(given.refused().contains("/nowhere/v.npy"));
}

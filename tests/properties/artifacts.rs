//! Artifacts come back bit for bit, and no damage to them goes unnoticed.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::ops::Range;
use std::path::Path;

use ndarray::{Array1, Array2, s};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use tuwen::Error;
use tuwen::artifact::{Artifact, Fingerprint, Spec, read_header};

use super::cases::config;
use super::made_up::{folder, spec};

fn matrix<T: Debug + Clone + 'static>(
    element: impl Strategy<Value = T>,
) -> impl Strategy<Value = Array2<T>> {
    (0..6usize, 0..6usize, vec(element, 25)).prop_map(|(n, d, values)| {
        Array2::from_shape_vec((n, d), values[..n * d].to_vec()).unwrap()
    })
}

fn small_artifact() -> Artifact {
    Artifact::new(spec())
        .with_notes(&["两只狗", "a dog", "跑"])
        .with_matrix(
            "centroids",
            Array2::from_shape_fn((3, 4), |(i, j)| i as f32 - j as f32 / 3.0).view(),
        )
        .with_vector("usable", Array1::from_vec(vec![1u8, 0, 1]).view())
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn artifacts_come_back_bit_for_bit(
        f32s in matrix(any::<u32>().prop_map(f32::from_bits)),
        f64s in matrix(any::<u64>().prop_map(f64::from_bits)),
        u8s in matrix(any::<u8>()),
        u32s in vec(any::<u32>(), 0..9),
        notes in btree_map(".{0,8}", ".{0,8}", 0..4),
        seed in any::<u64>(),
    ) {
        let written = Artifact::new(Spec::new("any", &notes, seed))
            .with_notes(&notes)
            .with_matrix("f32", f32s.view())
            .with_matrix("f64", f64s.view())
            .with_matrix("u8", u8s.view())
            .with_vector("u32", Array1::from(u32s.clone()).view());
        let folder = folder();
        let path = folder.path().join("new/one.safetensors");
        written.write(&path).unwrap();
        let read = Artifact::read(&path).unwrap();
        prop_assert_eq!(&read, &written);
        prop_assert_eq!(read.matrix::<f32>("f32").unwrap().mapv(f32::to_bits), f32s.mapv(f32::to_bits));
        prop_assert_eq!(read.matrix::<f64>("f64").unwrap().mapv(f64::to_bits), f64s.mapv(f64::to_bits));
        prop_assert_eq!(read.matrix::<u8>("u8").unwrap(), u8s);
        prop_assert_eq!(read.vector::<u32>("u32").unwrap().to_vec(), u32s);
        prop_assert_eq!(read.read_notes::<BTreeMap<String, String>>().unwrap(), notes);
        prop_assert_eq!(&read_header(&path).unwrap().spec, &written.spec);
        let again = folder.path().join("again.safetensors");
        written.write(&again).unwrap();
        prop_assert_eq!(fs::read(&path).unwrap(), fs::read(&again).unwrap());
    }
}

#[test]
fn a_matrix_in_any_layout_is_stored_by_rows() {
    let x = Array2::from_shape_fn((3, 5), |(i, j)| (10 * i + j) as f32);
    let turned = Artifact::new(spec()).with_matrix("x", x.t());
    assert_eq!(turned.matrix::<f32>("x").unwrap(), x.t());
    let every_other = Artifact::new(spec()).with_matrix("x", x.slice(s![.., ..;2]));
    assert_eq!(
        every_other.matrix::<f32>("x").unwrap(),
        x.slice(s![.., ..;2])
    );
}

#[test]
fn a_tensor_is_read_as_what_it_is_alone() {
    let artifact = small_artifact();
    let refused = [
        artifact.matrix::<f64>("centroids").map(drop),
        artifact.vector::<f32>("centroids").map(drop),
        artifact.matrix::<f32>("centroid").map(drop),
        artifact.read_notes::<u32>().map(drop),
    ];
    let reasons = [
        "`centroids` is F32 [3, 4], expected F64 with 2 axes",
        "`centroids` is F32 [3, 4], expected F32 with 1 axes",
        "no tensor `centroid`",
        "expected u32",
    ];
    for (refused, reason) in refused.into_iter().zip(reasons) {
        let said = refused.unwrap_err().to_string();
        assert!(said.contains(reason), "{said}");
    }
}

/// The bytes of a small artifact, and where its tensors begin.
fn stored_bytes(path: &Path) -> (Vec<u8>, usize) {
    small_artifact().write(path).unwrap();
    let bytes = fs::read(path).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    (bytes, 8 + header)
}

/// The bits of these bytes which can be flipped without being noticed: the file then reads as another.
fn unnoticed(path: &Path, mut bytes: Vec<u8>, places: Range<usize>) -> Vec<(usize, u8)> {
    let mut unnoticed = Vec::new();
    for (place, bit) in places.flat_map(|p| (0..8).map(move |b| (p, b))) {
        bytes[place] ^= 1 << bit;
        fs::write(path, &bytes).unwrap();
        if Artifact::read(path).is_ok_and(|read| read != small_artifact()) {
            unnoticed.push((place, bit));
        }
        bytes[place] ^= 1 << bit;
    }
    unnoticed
}

#[test]
fn a_flipped_bit_of_the_tensors_is_noticed() {
    let folder = folder();
    let path = folder.path().join("one.safetensors");
    let (bytes, data) = stored_bytes(&path);
    let end = bytes.len();
    assert_eq!(unnoticed(&path, bytes, data..end), []);
}

#[test]
fn a_flipped_bit_of_the_header_is_noticed() {
    let folder = folder();
    let path = folder.path().join("one.safetensors");
    let (bytes, data) = stored_bytes(&path);
    let found = unnoticed(&path, bytes.clone(), 0..data);
    let header = String::from_utf8_lossy(&bytes[8..data]);
    assert!(
        found.is_empty(),
        "{} bits, the first of byte {}, of {header}",
        found.len(),
        found[0].0
    );
}

#[test]
fn a_file_of_another_length_is_an_error() {
    let folder = folder();
    let path = folder.path().join("one.safetensors");
    small_artifact().write(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(
            matches!(Artifact::read(&path), Err(Error::Artifact { .. })),
            "{length} bytes"
        );
    }
    fs::write(&path, [&bytes[..], b"\0"].concat()).unwrap();
    let longer = Artifact::read(&path);
    assert!(matches!(longer, Err(Error::Artifact { .. })), "{longer:?}");
}

#[test]
fn a_header_cut_short_is_an_error() {
    let folder = folder();
    let path = folder.path().join("one.safetensors");
    let (bytes, header) = stored_bytes(&path);
    assert_eq!(read_header(&path).unwrap().notes, small_artifact().notes);
    for length in 0..header {
        fs::write(&path, &bytes[..length]).unwrap();
        let cut = read_header(&path);
        assert!(
            matches!(cut, Err(Error::Artifact { .. })),
            "{length} bytes: {cut:?}"
        );
    }
}

#[test]
fn only_what_was_made_from_the_same_is_fresh() {
    let folder = folder();
    let path = folder.path().join("one.safetensors");
    assert!(Artifact::read_fresh(&path, &spec()).is_none());
    small_artifact().write(&path).unwrap();
    assert_eq!(Artifact::read_fresh(&path, &spec()), Some(small_artifact()));
    let others = [
        Spec { seed: 8, ..spec() },
        Spec {
            stage: "pca".into(),
            ..spec()
        },
        Spec {
            revision: "2".into(),
            ..spec()
        },
        Spec {
            params: serde_json::json!({ "size": 65 }),
            ..spec()
        },
        spec().input("pictures", Fingerprint::of_bytes(b"others")),
        spec().input("captions", Fingerprint::of_bytes(b"captions")),
    ];
    for other in others {
        assert_ne!(other.fingerprint(), spec().fingerprint());
        assert!(Artifact::read_fresh(&path, &other).is_none(), "{other:?}");
    }
    fs::write(&path, b"noise").unwrap();
    assert!(Artifact::read_fresh(&path, &spec()).is_none());
}

#[test]
fn writing_replaces_and_leaves_nothing_else() {
    let folder = folder();
    let path = folder.path().join("one.safetensors");
    fs::write(&path, b"noise").unwrap();
    small_artifact().write(&path).unwrap();
    assert_eq!(Artifact::read(&path).unwrap(), small_artifact());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn files_of_others_are_not_ours() {
    let folder = folder();
    let path = folder.path().join("other.safetensors");
    let header = br#"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
    fs::write(
        &path,
        [&(header.len() as u64).to_le_bytes()[..], header, &[9]].concat(),
    )
    .unwrap();
    let refused = [
        Artifact::read(&path).map(drop),
        read_header(&path).map(drop),
    ];
    for refused in refused {
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("not made by this program"), "{said}");
    }
}

#[test]
fn parts_that_are_nested_without_end_are_refused() {
    let folder = folder();
    let path = folder.path().join("nested.safetensors");
    let mut nested = small_artifact();
    for _ in 0..40 {
        nested = Artifact::new(spec()).with_part("of", nested);
    }
    nested.write(&path).unwrap();
    let error = Artifact::read(&path).unwrap_err().to_string();
    assert!(error.contains("nested too deep"), "{error}");
}

//! EfficientNet-Lite0 against PyTorch's, with weights that both make up by one formula.

use std::collections::BTreeMap;
use std::path::Path;

use image::{RgbImage, imageops};
use rayon::ThreadPoolBuilder;
use tuwen::Error;
use tuwen::deep::{EfficientNetLite0, SIDE, Tensor, Weights};
use tuwen::picture::{Picture, PictureParams};

use super::figures::{Golden, assert_near, json, read, wide};

/// −1 to 1 from a name and a place: FNV-1a, then Murmur's last mixing (`lite0.py`).
fn hashed(name: &str, place: u32) -> f64 {
    let fnv = |h: u32, byte: u8| (h ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let mut h = place.wrapping_add(name.bytes().fold(0x811c_9dc5, fnv));
    for factor in [0x85eb_ca6b, 0xc2b2_ae35] {
        h = (h ^ (h >> 15)).wrapping_mul(factor);
    }
    f64::from(h ^ (h >> 16)) / f64::from(1u32 << 31) - 1.0
}

fn made_up(name: &str, shape: &[usize]) -> Tensor {
    let value = |place: u32| {
        let v = hashed(name, place);
        if let [_, inputs @ ..] = shape
            && shape.len() == 4
        {
            return v * (6.0 / inputs.iter().product::<usize>() as f64).sqrt();
        }
        match name {
            _ if name.ends_with("running_var") => 1.0 + 0.5 * v,
            _ if name.ends_with(".weight") => 1.0 + 0.1 * v,
            _ => 0.1 * v,
        }
    };
    let count = shape.iter().product::<usize>() as u32;
    let values = (0..count).map(|place| value(place) as f32).collect();
    Tensor::from_shape_vec(shape, values).unwrap()
}

fn tensors() -> BTreeMap<String, Tensor> {
    let shapes: BTreeMap<String, Vec<usize>> = json("lite0");
    shapes
        .into_iter()
        .map(|(name, shape)| (name.clone(), made_up(&name, &shape)))
        .collect()
}

fn network() -> EfficientNetLite0 {
    EfficientNetLite0::load(&Weights::new("made up", tensors())).unwrap()
}

fn photo() -> RgbImage {
    let photo = read("tests/fixtures/pictures/photo.png");
    let photo = Picture::decode(&photo, &PictureParams::default()).unwrap();
    imageops::crop_imm(&photo.rgb, 0, 0, SIDE, SIDE).to_image()
}

#[test]
fn features_are_pytorchs() {
    let ours = network().features(&photo()).insert_axis(ndarray::Axis(0));
    let theirs = Golden::open("lite0").f32("features");
    assert_near(wide(&ours).view(), wide(&theirs).view(), 1e-4);
}

#[test]
fn features_do_not_depend_on_threads() {
    let (network, photo) = (network(), photo());
    let [one, two, five] = [1, 2, 5].map(|threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| network.features(&photo))
    });
    assert!(one == two && two == five);
}

#[test]
fn a_picture_of_any_size_has_features() {
    let network = network();
    for (width, height) in [(1, 1), (500, 3), (300, 400)] {
        let v = network.features(&imageops::thumbnail(&photo(), width, height));
        assert_eq!(v.len(), EfficientNetLite0::DIM);
        assert!(v.iter().all(|v| (0.0..=6.0).contains(v)) && v.sum() > 0.0);
    }
}

fn weights(bytes: &[u8]) -> tuwen::Result<Weights> {
    Weights::from_bytes(Path::new("made up"), bytes)
}

#[test]
fn tensors_are_read_as_old_pytorch_wrote_them() {
    let read = weights(&read("tests/golden/legacy.pth")).unwrap();
    let expected: [(&str, &[usize], &[f32]); 6] = [
        ("double", &[1, 1], &[1.5]),
        ("half", &[2], &[0.5, -2.0]),
        ("part", &[4], &[4.0, 5.0, 6.0, 7.0]),
        ("rest", &[2], &[8.0, 9.0]),
        ("turned", &[2, 3], &[0.0, 2.0, 4.0, 1.0, 3.0, 5.0]),
        ("whole", &[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
    ];
    assert!(read.names().eq(expected.map(|(name, ..)| name)));
    for (name, shape, values) in expected {
        let tensor = read.get(name, shape).unwrap();
        assert!(tensor.iter().eq(values), "{name}: {tensor}");
    }
}

#[test]
fn damaged_weights_are_refused_or_other_numbers_but_never_a_panic() {
    let whole = read("tests/golden/legacy.pth");
    for end in 0..whole.len() {
        let refused = weights(&whole[..end]).map(drop);
        assert!(
            matches!(refused, Err(Error::Weights { .. })),
            "cut after {end} bytes: {refused:?}"
        );
    }
    for place in 0..whole.len() {
        for value in [0, 0xff, b'.', b't', b'R', whole[place] ^ 1] {
            let mut damaged = whole.clone();
            damaged[place] = value;
            let read = weights(&damaged).map(drop);
            assert!(
                matches!(read, Ok(()) | Err(Error::Weights { .. })),
                "{value} at {place}: {read:?}"
            );
        }
    }
}

/// A file of that many tensors, all of which are the one storage of 100 numbers.
fn sharing(tensors: usize) -> Vec<u8> {
    let text = |text: &str| {
        [
            b"X",
            &(text.len() as u32).to_le_bytes()[..],
            text.as_bytes(),
        ]
        .concat()
    };
    let whole = read("tests/golden/legacy.pth");
    let magic = whole.iter().position(|&b| b == b'.').unwrap() + 1;
    let mut file = whole[..magic].to_vec();
    file.extend(b"\x80\x02K\x01.\x80\x02}."); // version, facts on the machine
    file.extend(b"\x80\x02}(");
    for i in 0..tensors {
        file.extend(text(&format!("tensor {i}")));
        file.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        file.extend(text("storage"));
        file.extend(b"ctorch\nFloatStorage\n");
        file.extend([text("0"), text("cpu")].concat());
        file.extend(b"KdNtQK\x00Kd\x85K\x01\x85tR"); // d is 100
    }
    file.extend(b"u.\x80\x02](");
    file.extend(text("0"));
    file.extend(b"e.");
    file.extend(100u64.to_le_bytes());
    file.extend([0; 400]);
    file
}

#[test]
fn tensors_that_share_a_storage_may_not_unfold_without_end() {
    let tied = weights(&sharing(2)).unwrap();
    assert_eq!(tied.get("tensor 1", &[100]).unwrap().len(), 100);
    let Err(error) = weights(&sharing(3)) else {
        panic!("a small file became large")
    };
    assert!(error.to_string().contains("2 times"), "{error}");
}

#[test]
fn weights_that_do_not_fit_are_named() {
    let with = |change: fn(&mut BTreeMap<String, Tensor>)| {
        let mut tensors = tensors();
        change(&mut tensors);
        match EfficientNetLite0::load(&Weights::new("made.up", tensors)) {
            Ok(_) => panic!("these weights fit"),
            Err(e) => e.to_string(),
        }
    };
    let said = with(|t| drop(t.remove("_blocks.3._bn2.bias")));
    assert!(
        said.contains("made.up") && said.contains("_blocks.3._bn2.bias"),
        "{said}"
    );
    let said = with(|t| drop(t.insert("_conv_head.weight".into(), Tensor::zeros(vec![3, 4]))));
    assert!(
        said.contains("[3, 4], expected [1280, 320, 1, 1]"),
        "{said}"
    );
    let said = with(|t| t.get_mut("_bn0.running_mean").unwrap().fill(f32::NAN));
    assert!(said.contains("not finite"), "{said}");
}

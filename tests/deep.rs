//! CLIP, which is there only with the feature `deep`: against Hugging Face's, with small random weights
//! (`tests/golden/clip.py`).

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::{Rgb, RgbImage, imageops};
use safetensors::SafeTensors;
use tuwen::artifact::{Artifact, Spec};
use tuwen::deep::{Clip, Fit, clip_pixels};
use tuwen::picture::{Picture, PictureParams};
use tuwen::views::{ClipParams, DeepParams, FeatureParams, Shown};

const SIDE: u32 = 32;
const KINDS: [(&str, Fit); 2] = [("clip", Fit::Crop), ("chinese-clip", Fit::Squeeze)];

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(path)
}

fn golden(name: &str, file_name: &str) -> PathBuf {
    file(&format!("golden/{name}/{file_name}"))
}

fn clip(name: &str, fit: Fit) -> Clip {
    let [weights, config] = ["model.safetensors", "config.json"].map(|f| golden(name, f));
    Clip::load(&weights, &config, fit).unwrap()
}

fn photo() -> RgbImage {
    let bytes = fs::read(file("fixtures/pictures/photo.png")).unwrap();
    let photo = Picture::decode(&bytes, &PictureParams::default()).unwrap();
    imageops::crop_imm(&photo.rgb, 0, 0, SIDE, SIDE).to_image()
}

#[test]
fn features_are_hugging_faces() {
    for (name, fit) in KINDS {
        let ours = clip(name, fit).features(&photo()).unwrap();
        let bytes = fs::read(golden(name, "features.safetensors")).unwrap();
        let theirs = SafeTensors::deserialize(&bytes).unwrap();
        let theirs = theirs.tensor("features").unwrap();
        let (theirs, _) = theirs.data().as_chunks();
        assert_eq!(ours.len(), theirs.len());
        for (&ours, &theirs) in ours.iter().zip(theirs) {
            let theirs = f32::from_le_bytes(theirs);
            assert!((ours - theirs).abs() < 1e-4, "{name}: {ours}, not {theirs}");
        }
    }
}

/// Set in a process of its own: candle asks the environment for the number of its threads.
const FEATURES_INTO: &str = "TUWEN_TEST_FEATURES_INTO";

#[test]
fn features_do_not_depend_on_threads() {
    let features = || clip("clip", Fit::Crop).features(&photo()).unwrap();
    if let Some(path) = env::var_os(FEATURES_INTO) {
        let bytes: Vec<u8> = features().iter().flat_map(|v| v.to_le_bytes()).collect();
        return fs::write(path, bytes).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let with = |threads: &str| {
        let path = folder.path().join(threads);
        let alone = Command::new(env::current_exe().unwrap())
            .args(["--exact", "features_do_not_depend_on_threads"])
            .env(FEATURES_INTO, &path)
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap();
        assert!(
            alone.status.success(),
            "{}",
            String::from_utf8_lossy(&alone.stdout)
        );
        fs::read(path).unwrap()
    };
    let [one, two, five] = ["1", "2", "5"].map(with);
    assert!(one.len() == 64 && one == two && two == five);
}

#[test]
fn a_view_has_vectors_of_unit_length() {
    let params = DeepParams::Clip(ClipParams {
        weights: golden("clip", "model.safetensors"),
        config: None, // that beside the weights
    });
    let artifact = Artifact::new(Spec::new("image-view", &(), 0));
    let view = FeatureParams::Deep(params).load(&artifact).unwrap();
    let v = view
        .describe(Shown::bare(&Picture::from_rgb(photo())))
        .unwrap();
    assert_eq!(v.len(), view.dim());
    assert!((v.dot(&v) - 1.0).abs() < 1e-5);
}

/// Three bands, from left to right: red, green, blue.
fn bands(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| {
        let mut rgb = [0; 3];
        rgb[(3 * x / width) as usize] = 255;
        Rgb(rgb)
    })
}

#[test]
fn clip_sees_the_middle_and_chinese_clip_everything() {
    // Of the greatest value of each channel: (1 − mean) / deviation.
    let full = [1.9303, 2.0749, 2.1459];
    let near = |v: f32, c: usize| (v - full[c]).abs() < 1e-3;
    let middle = clip_pixels(&bands(96, 32), 32, Fit::Crop);
    assert_eq!(middle.dim(), (3, 32, 32));
    assert!(
        near(middle[[1, 16, 16]], 1) && near(middle[[1, 16, 3]], 1) && near(middle[[1, 31, 28]], 1)
    );
    let all = clip_pixels(&bands(96, 40), 32, Fit::Squeeze);
    assert!(near(all[[0, 16, 2]], 0) && near(all[[1, 16, 16]], 1) && near(all[[2, 16, 29]], 2));
    for (width, height) in [(1, 1), (1, 500), (7, 3)] {
        for fit in [Fit::Crop, Fit::Squeeze] {
            assert_eq!(
                clip_pixels(&bands(width, height), 32, fit).dim(),
                (3, 32, 32)
            );
        }
    }
}

#[test]
fn what_is_not_clip_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    let weights = golden("clip", "model.safetensors");
    let refused = |weights: &Path, json: &str| {
        fs::write(&config, json).unwrap();
        match Clip::load(weights, &config, Fit::Crop) {
            Ok(_) => panic!("{json} is not refused"),
            Err(e) => e.to_string(),
        }
    };
    for (json, reason) in [
        ("{", "config.json"),
        (r#"{"vision_config": {"num_attention_heads": 0}}"#, "heads"),
        (r#"{"vision_config": {"patch_size": 0}}"#, "patches"),
        (r#"{"vision_config": {"hidden_act": "gelu"}}"#, "`gelu`"),
        ("{}", "model.safetensors"), // the usual size, which these weights do not have
    ] {
        let said = refused(&weights, json);
        assert!(said.contains(reason), "{reason} is not in: {said}");
    }
    let other = file("golden/lite0.safetensors");
    assert!(refused(&other, "{}").contains("class_embedding"));
    assert!(refused(Path::new("/nowhere/model.safetensors"), "{}").contains("/nowhere"));
}

//! Networks in ONNX against those who made them: EfficientNet-Lite by PyTorch (`lite.py`); CLIP, Chinese-CLIP and ViT with small
//! random weights by transformers (`made_onnx.py`), from a picture and a text to their cosine.

use std::path::{Path, PathBuf};

use image::RgbImage;
use ndarray::{Array1, Axis};
use rayon::ThreadPoolBuilder;
use serde::Deserialize;
use tuwen::networks::{
    Encoder, EncoderParams, Family, Known, Pooling, TextEncoder, TextEncoderParams,
};
use tuwen::picture::{Picture, PictureParams};

use super::figures::{Golden, assert_near, json, read, wide};

fn photo() -> RgbImage {
    let photo = read("tests/fixtures/pictures/photo.png");
    let params = PictureParams::default();
    Picture::decode(&photo, &params).unwrap().rgb
}

/// As many photos side by side as fill a square: nothing has to be scaled.
fn tiled(side: u32) -> RgbImage {
    let photo = photo();
    let (width, height) = photo.dimensions();
    RgbImage::from_fn(side, side, |x, y| *photo.get_pixel(x % width, y % height))
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/onnx")
        .join(name)
}

fn encoder(name: &str, change: impl FnOnce(&mut EncoderParams)) -> tuwen::Result<Encoder> {
    let path = file(name);
    let mut params = EncoderParams::known(path.to_str().unwrap());
    change(&mut params);
    params.load(params.read()?)
}

fn text_encoder(
    name: &str,
    tokenizer: &str,
    change: impl FnOnce(&mut TextEncoderParams),
) -> TextEncoder {
    let mut params = TextEncoderParams {
        network: file(name),
        tokenizer: Some(file(tokenizer)),
        length: None,
        input: None,
        output: None,
        pooling: Pooling::None,
    };
    change(&mut params);
    params.load(params.read().unwrap()).unwrap()
}

#[test]
fn features_are_pytorchs() {
    let golden = Golden::open("lite");
    for (name, side) in [("efficientnet-lite0", 224), ("efficientnet-lite2", 260)] {
        let params = EncoderParams::known(name);
        let encoder = params.load(params.read().unwrap()).unwrap();
        let feature = encoder.features(&tiled(side)).unwrap();
        let ours = feature.clone().insert_axis(Axis(0));
        assert_near(wide(&ours).view(), wide(&golden.f32(name)).view(), 1e-4);
        let classes = Known::of(Path::new(name)).unwrap().read_classes().unwrap();
        let with_bias: Array1<f32> = feature.iter().copied().chain([1.0]).collect();
        let scores = classes.dot(&with_bias).insert_axis(Axis(0));
        let theirs = golden.f32(&format!("{name}-scores"));
        assert_near(wide(&scores).view(), wide(&theirs).view(), 1e-4);
    }
}

#[test]
fn features_do_not_depend_on_threads() {
    let encoder = encoder("vit.onnx", |p| p.pooling = Pooling::Mean).unwrap();
    let photo = photo();
    let [one, two, five] = [1, 2, 5].map(|threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| encoder.features(&photo).unwrap())
    });
    assert!(one == two && two == five);
}

#[derive(Deserialize)]
struct Pair {
    texts: Vec<String>,
    tokens: Vec<Vec<i64>>,
    cosines: Vec<f32>,
}

#[derive(Deserialize)]
struct Figures {
    clip: Pair,
    #[serde(rename = "chinese-clip")]
    chinese_clip: Pair,
    vit: Vit,
}

#[derive(Deserialize)]
struct Vit {
    first: Vec<f32>,
    mean: Vec<f32>,
}

fn cosine(a: &Array1<f32>, b: &Array1<f32>) -> f32 {
    a.dot(b) / (a.dot(a) * b.dot(b)).sqrt()
}

fn check_pair(figures: &Pair, images: &Encoder, texts: &TextEncoder) {
    let image = images.features(&photo()).unwrap();
    for ((text, tokens), &theirs) in figures
        .texts
        .iter()
        .zip(&figures.tokens)
        .zip(&figures.cosines)
    {
        assert_eq!(texts.tokens(text).unwrap(), *tokens, "{text}");
        let ours = cosine(&image, &texts.features(text).unwrap());
        assert!((ours - theirs).abs() < 1e-4, "{text}: {ours}, not {theirs}");
    }
}

#[test]
fn clip_is_transformers() {
    let figures: Figures = json("onnx");
    let images = encoder("clip-image.onnx", |p| p.like = Some(Family::Clip)).unwrap();
    let texts = text_encoder("clip-text.onnx", "clip-tokenizer.json", |_| {});
    check_pair(&figures.clip, &images, &texts);
}

#[test]
fn chinese_clip_in_one_network_is_transformers() {
    let figures: Figures = json("onnx");
    let images = encoder("chinese-clip.onnx", |p| {
        p.like = Some(Family::ChineseClip);
        p.side = Some(32);
        p.output = Some("image_embeds".into());
    });
    let texts = text_encoder("chinese-clip.onnx", "chinese-clip-tokenizer.json", |p| {
        p.length = Some(52);
        p.output = Some("text_embeds".into());
    });
    check_pair(&figures.chinese_clip, &images.unwrap(), &texts);
}

#[test]
fn vit_is_transformers() {
    let figures: Figures = json("onnx");
    for (pooling, theirs) in [
        (Pooling::First, figures.vit.first),
        (Pooling::Mean, figures.vit.mean),
    ] {
        let like_vit = |p: &mut EncoderParams| {
            p.like = Some(Family::Vit);
            p.pooling = pooling;
        };
        let ours = encoder("vit.onnx", like_vit)
            .unwrap()
            .features(&tiled(32))
            .unwrap();
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!(
                (ours - theirs).abs() < 1e-4 * theirs.abs().max(1.0),
                "{ours}, not {theirs}"
            );
        }
    }
}

#[test]
fn a_picture_of_any_shape_has_features() {
    let crop = encoder("clip-image.onnx", |p| p.like = Some(Family::Clip)).unwrap();
    let squeeze = encoder("vit.onnx", |p| p.pooling = Pooling::First).unwrap();
    for (width, height) in [(1, 1), (500, 3), (3, 500), (300, 400)] {
        let picture = image::imageops::thumbnail(&photo(), width, height);
        assert_eq!(crop.features(&picture).unwrap().len(), 16);
        assert_eq!(squeeze.features(&picture).unwrap().len(), 32);
    }
}

#[test]
fn what_is_no_encoder_is_refused_with_the_reason() {
    let refused = |name: &str, change: fn(&mut EncoderParams)| match encoder(name, change) {
        Ok(_) => panic!("{name} is not refused"),
        Err(e) => e.to_string(),
    };
    let said = refused("vit.onnx", |_| {}); // 17 tokens are not a vector
    assert!(
        said.contains("[17, 32]") && said.contains("pooling"),
        "{said}"
    );
    let said = refused("vit.onnx", |p| p.output = Some("logits".into()));
    assert!(
        said.contains("`logits`") && said.contains("last_hidden_state"),
        "{said}"
    );
    let said = refused("clip-text.onnx", |_| {});
    assert!(said.contains("input_ids"), "{said}");
    let said = refused("clip-image.onnx", |p| p.side = Some(40));
    assert!(said.contains("clip-image.onnx"), "{said}");
    let said = refused("clip-tokenizer.json", |_| {});
    assert!(said.contains("clip-tokenizer.json"), "{said}");
    let missing = EncoderParams::known("nowhere.onnx").files().unwrap_err();
    assert!(missing.is_absence(), "{missing}");
    assert!(
        missing.to_string().contains("efficientnet-lite0"),
        "{missing}"
    );
}

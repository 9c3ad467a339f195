//! Pixel similarity against scikit-image (`pixels.py`).

use std::collections::BTreeMap;

use serde::Deserialize;
use tuwen::matching::PixelSimilarity;
use tuwen::picture::{Picture, PictureParams};

use super::figures::{json, read};

#[derive(Deserialize)]
struct Figures {
    similar: BTreeMap<String, [f64; 3]>,
}

fn picture(path: &str) -> Picture {
    Picture::decode(&read(path), &PictureParams::default()).unwrap()
}

#[test]
fn pixel_similarity_is_scikit_images() {
    let photo = picture("tests/fixtures/pictures/photo.png");
    let figures: Figures = json("pixels");
    for (name, [mse, psnr, ssim]) in figures.similar {
        let other = picture(&format!("tests/golden/pixels/{name}.png"));
        let ours = PixelSimilarity::of(&photo, &other).unwrap();
        assert!((ours.mse - mse).abs() < 1e-9, "{name}: {ours:?}");
        assert!((ours.psnr.unwrap() - psnr).abs() < 1e-9, "{name}: {ours:?}");
        assert!((ours.ssim - ssim).abs() < 1e-6, "{name}: {ours:?}");
    }
    let same = PixelSimilarity::of(&photo, &photo).unwrap();
    assert!(same.mse == 0.0 && same.psnr.is_none() && (same.ssim - 1.0).abs() < 1e-12);
}

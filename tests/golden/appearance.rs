//! Whole-picture features against scikit-image's and NumPy's.

use ndarray::Array1;
use tuwen::appearance::{
    AppearanceParams, CentristParams, ColourSpace, GistParams, HistogramParams, HogParams,
    LbpParams, PhashParams,
};

use super::figures::{Golden, as_row, assert_near, rgb_picture};

fn assert_is(name: &str, params: AppearanceParams, tolerance: f64) {
    let golden = Golden::open("appearance");
    let feature = params.appearance().unwrap();
    let ours: Array1<f32> = feature.describe(&rgb_picture(&golden));
    assert_eq!(ours.len(), feature.dim());
    let ours = as_row(ours.mapv(f64::from).view());
    assert_near(ours.view(), golden.f64(name).view(), tolerance);
}

#[test]
fn the_hsv_histogram_is_scikit_images() {
    let params = HistogramParams {
        space: ColourSpace::Hsv,
        bins: [8, 4, 4],
        grid: [3, 3],
        power: 0.5,
    };
    assert_is("hsv", AppearanceParams::Histogram(params), 1e-6);
}

#[test]
fn the_lab_histogram_is_scikit_images() {
    let params = HistogramParams {
        space: ColourSpace::Lab,
        bins: [4, 6, 6],
        grid: [2, 1],
        power: 1.0,
    };
    assert_is("lab", AppearanceParams::Histogram(params), 1e-6);
}

#[test]
fn hog_is_scikit_images() {
    let params = HogParams {
        cell: 16,
        orientations: 9,
        block: 2,
        side: 128,
    };
    assert_is("hog", AppearanceParams::Hog(params), 1e-5);
}

#[test]
fn local_binary_patterns_are_scikit_images() {
    let params = LbpParams {
        points: 8,
        radius: 1.0,
        uniform: true,
        grid: [4, 4],
        power: 0.5,
    };
    assert_is("lbp_8", AppearanceParams::Lbp(params.clone()), 1e-6);
    let wider = LbpParams {
        points: 12,
        radius: 2.5,
        grid: [1, 1],
        ..params
    };
    assert_is("lbp_12", AppearanceParams::Lbp(wider), 1e-6);
}

#[test]
fn centrist_is_numpys() {
    let params = CentristParams {
        regions: vec![[1, 1], [2, 2]],
        power: 0.5,
    };
    assert_is("centrist", AppearanceParams::Centrist(params), 1e-6);
}

#[test]
fn gist_is_numpys() {
    let params = GistParams {
        side: 128,
        scales: 4,
        orientations: 8,
        blocks: 4,
    };
    assert_is("gist", AppearanceParams::Gist(params), 1e-5);
}

#[test]
fn the_grey_histogram_is_numpys() {
    let params = HistogramParams {
        space: ColourSpace::Grey,
        bins: [1, 1, 64],
        grid: [1, 1],
        power: 1.0,
    };
    assert_is("grey", AppearanceParams::Histogram(params), 1e-6);
}

#[test]
fn the_perceptual_hash_is_scipys() {
    let params = PhashParams {
        frequencies: 8,
        side: 128,
    };
    assert_is("phash", AppearanceParams::Phash(params), 1e-6);
}

//! Matching keypoints, against OpenCV's own matcher.

use opencv::core::{DMatch, Mat, NORM_HAMMING, NORM_L2, Vector};
use opencv::features2d::BFMatcher;
use opencv::prelude::*;
use tuwen::descriptor::{OrbParams, SiftParams, SurfParams};
use tuwen::matching::{Alike, KeypointParams, Keypoints, Neighbours, Values};
use tuwen::picture::{Picture, PictureParams};

const RATIO: f32 = 0.8;

/// A photo, and the middle of it half as large.
fn photos() -> [Picture; 2] {
    let bytes = std::fs::read("tests/fixtures/pictures/photo.png").unwrap();
    let photo = Picture::decode(&bytes, &PictureParams::default()).unwrap();
    let (w, h) = photo.rgb.dimensions();
    let middle =
        image::imageops::crop_imm(&photo.rgb, w / 8, h / 8, 3 * w / 4, 3 * h / 4).to_image();
    let filter = image::imageops::FilterType::Triangle;
    let small = image::imageops::resize(&middle, 3 * w / 8, 3 * h / 8, filter);
    [photo, Picture::from_rgb(small)]
}

fn as_mat(values: &Values) -> Mat {
    match values {
        Values::Sift(x) | Values::Surf(x) => {
            let rows: Vec<Vec<f32>> = x.outer_iter().map(|r| r.to_vec()).collect();
            Mat::from_slice_2d(&rows).unwrap()
        }
        Values::Orb(x) => {
            let bytes = |words: &[u64; 4]| words.map(u64::to_le_bytes).concat();
            let rows: Vec<Vec<u8>> = x.iter().map(bytes).collect();
            Mat::from_slice_2d(&rows).unwrap()
        }
    }
}

/// By OpenCV: the ratio test, and no cross-check.
fn by_opencv(a: &Keypoints, b: &Keypoints) -> Vec<Alike> {
    let norm = match a.values {
        Values::Sift(_) | Values::Surf(_) => NORM_L2,
        Values::Orb(_) => NORM_HAMMING,
    };
    let matcher = BFMatcher::new(norm, false).unwrap();
    let mut found: Vector<Vector<DMatch>> = Vector::new();
    let (a, b) = (as_mat(&a.values), as_mat(&b.values));
    matcher.knn_train_match_def(&a, &b, &mut found, 2).unwrap();
    let pairs = found.iter().map(|m| (m.get(0).unwrap(), m.get(1).unwrap()));
    let good = pairs.filter(|(first, second)| first.distance < RATIO * second.distance);
    good.map(|(m, _)| Alike {
        a: m.query_idx as usize,
        b: m.train_idx as usize,
    })
    .collect()
}

fn kinds() -> [KeypointParams; 3] {
    [
        KeypointParams::Sift(SiftParams::default()),
        KeypointParams::Orb(OrbParams::default()),
        KeypointParams::Surf(SurfParams::default()),
    ]
}

#[test]
fn an_exhaustive_search_finds_what_opencvs_finds() {
    let photos = photos();
    for params in kinds() {
        let [a, b] = photos.each_ref().map(|p| params.detect(p).unwrap());
        let expected = by_opencv(&a, &b);
        let found = Neighbours::Exhaustive.alike(&a.values, &b.values, RATIO, false);
        assert_eq!(found.unwrap(), expected);
        assert!(expected.len() > 20, "{}", expected.len());
    }
}

#[test]
fn flann_finds_most_of_it_and_always_the_same() {
    let photos = photos();
    for params in kinds() {
        let [a, b] = photos.each_ref().map(|p| params.detect(p).unwrap());
        let alike = |n: Neighbours| n.alike(&a.values, &b.values, RATIO, true).unwrap();
        let (all, found) = (alike(Neighbours::Exhaustive), alike(Neighbours::Flann));
        let same = found.iter().filter(|&pair| all.contains(pair)).count();
        assert!(10 * same > 8 * all.len(), "{same} of {}", all.len());
        assert!(
            10 * same > 9 * found.len(),
            "{same} of {} found",
            found.len()
        );
        assert_eq!(alike(Neighbours::Flann), found);
    }
}

/// The share of the keypoints of a mirror image that follow from the picture's.
fn followed(params: &KeypointParams) -> f64 {
    let [photo, _] = photos();
    let found = params.detect(&photo.mirrored()).unwrap();
    let followed = params.detect(&photo).unwrap().mirrored().unwrap();
    let search = Neighbours::Exhaustive;
    let alike = search
        .alike(&followed.values, &found.values, RATIO, true)
        .unwrap();
    let near = alike.iter().filter(|pair| {
        let (a, b) = (followed.frames[pair.a], found.frames[pair.b]);
        (a.x - b.x).hypot(a.y - b.y) < 1.5 && (a.angle - b.angle).cos() > 0.98
    });
    near.count() as f64 / found.len() as f64
}

#[test]
fn keypoints_of_a_mirror_image_follow_from_the_pictures() {
    let sift = followed(&KeypointParams::Sift(SiftParams::default()));
    assert!(sift > 0.8, "SIFT: {sift}");
    // its larger filters stand on a grid, which a mirror moves
    let surf = followed(&KeypointParams::Surf(SurfParams::default()));
    assert!(surf > 0.6, "SURF: {surf}");
}

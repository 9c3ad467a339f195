//! Grey values, SIFT and ORB against OpenCV's, dense SIFT against VLFeat's, local colour against NumPy's.

use image::{Rgb, RgbImage};
use ndarray::{Array2, Axis, s};
use tuwen::descriptor::{
    Blob, Channels, ColourParams, DenseSiftParams, DescriptorParams, Descriptors, OrbParams,
    SiftParams, SurfParams, describe_blobs,
};
use tuwen::picture::{Picture, PictureParams};

use super::figures::{Golden, assert_near, read, rgb_picture, wide};

fn luma_picture(golden: &Golden) -> Picture {
    let luma = golden.u8("luma");
    let (height, width) = luma.dim();
    let grey = |x: u32, y: u32| Rgb([luma[[y as usize, x as usize]]; 3]);
    let picture = Picture::from_rgb(RgbImage::from_fn(width as u32, height as u32, grey));
    assert!(
        picture.gray.as_raw().iter().eq(luma.iter()),
        "grey must stay as it is"
    );
    picture
}

fn sift(root: bool) -> Array2<f32> {
    let params = DescriptorParams::Sift(SiftParams {
        features: 200,
        root,
        ..SiftParams::default()
    });
    params
        .extractor()
        .extract(&luma_picture(&Golden::open("sift")))
        .unwrap()
        .values
}

#[test]
fn luma_is_opencvs() {
    let photo = read("tests/fixtures/pictures/photo.png");
    let picture = Picture::decode(&photo, &PictureParams::default()).unwrap();
    assert!(
        picture
            .gray
            .as_raw()
            .iter()
            .eq(Golden::open("sift").u8("luma").iter())
    );
}

#[test]
fn sift_is_opencvs() {
    let golden = Golden::open("sift").u8("descriptors").mapv(f64::from);
    assert_near(wide(&sift(false)).view(), golden.view(), 1.0);
}

#[test]
fn root_sift_is_the_square_root_of_the_share() {
    let golden = Golden::open("sift");
    let (plain, root) = (
        golden.u8("descriptors").mapv(f64::from),
        golden.f32("rootsift"),
    );
    // Only where SIFT itself agrees to the last digit: one level is more than the tolerance here.
    let ours = wide(&sift(false));
    let same: Vec<usize> = (0..plain.nrows())
        .filter(|&i| ours.row(i) == plain.row(i))
        .collect();
    assert!(
        same.len() * 10 > plain.nrows() * 9,
        "{} of {} equal",
        same.len(),
        plain.nrows()
    );
    let [ours, root] = [sift(true), root].map(|m| wide(&m.select(Axis(0), &same)));
    assert_near(ours.view(), root.view(), 1e-6);
}

#[test]
fn orb_is_opencvs_low_bit_first() {
    let golden = Golden::open("orb");
    let params = DescriptorParams::Orb(OrbParams {
        features: 200,
        ..OrbParams::default()
    });
    let ours = params.extractor().extract(&luma_picture(&golden));
    let ours = ours.unwrap().values;
    let bytes = golden.u8("descriptors");
    let bits = Array2::from_shape_fn((bytes.nrows(), 256), |(i, j)| {
        f32::from(bytes[[i, j / 8]] >> (j % 8) & 1)
    });
    assert_eq!(ours, bits);
}

/// Cells of the stored dense SIFT, and the step of its grid.
const DENSE: ([usize; 4], usize) = ([4, 6, 8, 10], 6);

fn dense_sift(cells: Vec<usize>, channels: Channels, root: bool) -> Descriptors {
    let params = DenseSiftParams {
        step: DENSE.1,
        cells,
        channels,
        root,
    };
    let extractor = DescriptorParams::DenseSift(params).extractor();
    extractor
        .extract(&luma_picture(&Golden::open("dense_sift")))
        .unwrap()
}

/// VLFeat looks its arc tangents up in a table: entries move by up to 0.005, directions hardly.
#[test]
fn dense_sift_is_vlfeats() {
    let golden = Golden::open("dense_sift");
    for cell in DENSE.0 {
        let ours = wide(&dense_sift(vec![cell], Channels::Luma, false).values);
        let theirs = wide(&golden.f32(&format!("descriptors_{cell}")));
        assert_near(ours.view(), theirs.view(), 0.01);
        for (i, (a, b)) in ours.outer_iter().zip(theirs.outer_iter()).enumerate() {
            let cosine = a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt();
            assert!(cosine > 0.9999, "cells of {cell}, descriptor {i}: {cosine}");
        }
    }
}

#[test]
fn dense_sift_lies_where_vlfeats_does() {
    let golden = Golden::open("dense_sift");
    let (height, width) = golden.u8("luma").dim();
    for cell in DENSE.0 {
        let centres = golden.f32(&format!("centres_{cell}"));
        let expected = Array2::from_shape_fn(centres.dim(), |(i, axis)| {
            let pixels = [width, height][axis] as f64;
            (f64::from(centres[[i, axis]]) + 0.5) / pixels - 0.5
        });
        let ours = dense_sift(vec![cell], Channels::Luma, true).places;
        assert_near(wide(&ours).view(), expected.view(), 1e-6);
    }
}

#[test]
fn sizes_of_dense_sift_are_stacked_and_its_roots_are_square_roots() {
    let parts: Vec<_> = DENSE
        .0
        .iter()
        .map(|&c| dense_sift(vec![c], Channels::Luma, false))
        .collect();
    let plain = Descriptors::stack(128, parts);
    assert_eq!(dense_sift(DENSE.0.to_vec(), Channels::Luma, false), plain);
    let sums = plain.values.sum_axis(Axis(1)).insert_axis(Axis(1));
    let expected = wide(&(&plain.values / &sums).mapv(f32::sqrt));
    let root = dense_sift(DENSE.0.to_vec(), Channels::Luma, true);
    assert_near(wide(&root.values).view(), expected.view(), 1e-6);
}

#[test]
fn opponent_sift_of_a_grey_picture_is_that_of_its_intensity() {
    let grey = dense_sift(vec![6], Channels::Luma, false).values;
    let opponent = dense_sift(vec![6], Channels::Opponent, false).values;
    assert!(opponent.slice(s![.., ..256]).iter().all(|&v| v == 0.0));
    let third = wide(&opponent.slice(s![.., 256..]).to_owned());
    assert_near(third.view(), wide(&grey).view(), 1e-5);
}

#[test]
fn local_colour_is_numpys() {
    let golden = Golden::open("colour");
    for cell in [4, 7] {
        let params = DescriptorParams::Colour(ColourParams {
            step: 8,
            cells: vec![cell],
        });
        let ours = params.extractor().extract(&rgb_picture(&golden)).unwrap();
        let theirs = golden.f64(&format!("statistics_{cell}"));
        // A deviation is the root of a difference of two numbers that are nearly equal.
        assert_near(wide(&ours.values).view(), theirs.view(), 5e-4);
    }
}

/// Every blob that mahotas finds, with its response and its side of the Hessian. A response belongs to one pixel and layer; the
/// place between pixels is not compared, because mahotas takes the axes for each other there.
#[test]
fn surfs_blobs_are_those_of_mahotas() {
    let golden = Golden::open("surf");
    let ours = SurfParams {
        features: 0,
        octaves: 3,
        layers: 4,
        response: 1.0,
        balance: 0.6,
    }
    .blobs(&luma_picture(&golden).gray);
    let theirs = golden.f64("blobs");
    let mut found = 0;
    for row in theirs.outer_iter() {
        let [y, x, response, side] = [row[0], row[1], row[3], row[4]];
        let is_it = |b: &&Blob| {
            let near = (b.x - x).abs().max((b.y - y).abs()) < 4.0;
            near && (b.response - response).abs() < 1e-9 * response && b.dark == (side > 0.0)
        };
        found += usize::from(ours.iter().any(|b| is_it(&b)));
    }
    // which blobs lie nearer to another pixel, and are left to it, depends on that place
    let all = theirs.nrows();
    assert!(all > 300 && 100 * found >= 85 * all, "{found} of {all}");
    assert!(ours.len() >= found);
}

#[test]
fn surfs_descriptors_are_those_of_plain_loops() {
    let golden = Golden::open("surf");
    let (points, angles) = (golden.f64("points"), golden.f64("angles"));
    let blob = |p: ndarray::ArrayView1<f64>| Blob {
        x: p[0],
        y: p[1],
        scale: p[2],
        response: 1.0,
        dark: false,
    };
    let blobs: Vec<Blob> = points.outer_iter().map(blob).collect();
    let (ours, values) = describe_blobs(&luma_picture(&golden).gray, &blobs);
    assert_near(wide(&values).view(), golden.f64("descriptors").view(), 1e-5);
    for (a, b) in ours.iter().zip(angles) {
        assert!((a - b).sin().abs() < 1e-9 && (a - b).cos() > 0.0, "{a} {b}");
    }
}

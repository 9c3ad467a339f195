//! Grey values, SIFT and ORB against OpenCV's.

use image::{Rgb, RgbImage};
use ndarray::{Array2, Axis};
use tuwen::descriptor::{DescriptorParams, OrbParams, SiftParams};
use tuwen::picture::{Picture, PictureParams};

use super::figures::{Golden, assert_near, read, wide};

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

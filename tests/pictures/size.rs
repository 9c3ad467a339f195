//! The size that pictures are worked on at.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{ImageFormat, Rgb, RgbImage};
use tuwen::picture::{Picture, PictureParams};

use super::files::bytes;

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn sized(width: u32, height: u32, max_side: u32, min_side: u32) -> (u32, u32) {
    let params = PictureParams {
        max_side,
        min_side,
        ..PictureParams::default()
    };
    let picture = Picture::decode(
        &png(&RgbImage::from_pixel(width, height, Rgb([9, 99, 199]))),
        &params,
    )
    .unwrap();
    assert_eq!(picture.gray.dimensions(), picture.rgb.dimensions());
    assert!(
        picture.rgb.pixels().all(|p| p.0 == [9, 99, 199]),
        "one colour stays one colour"
    );
    picture.rgb.dimensions()
}

#[test]
fn the_longer_side_is_brought_within_its_bounds() {
    assert_eq!(sized(200, 100, 50, 0), (50, 25));
    assert_eq!(sized(100, 200, 50, 0), (25, 50));
    assert_eq!(sized(100, 67, 50, 0), (50, 34)); // 33.5
    assert_eq!(sized(50, 20, 50, 50), (50, 20));
    assert_eq!(sized(30, 20, 50, 0), (30, 20));
    assert_eq!(sized(30, 20, 512, 60), (60, 40));
    assert_eq!(sized(2000, 1, 512, 0), (512, 1));
    assert_eq!(sized(1, 2000, 512, 0), (1, 512));
    assert_eq!(sized(1, 1, 512, 256), (256, 256));
}

#[test]
fn shrinking_averages() {
    let board = RgbImage::from_fn(128, 128, |x, y| {
        Rgb([if (x + y) % 2 == 0 { 0 } else { 255 }; 3])
    });
    let params = PictureParams {
        max_side: 32,
        ..PictureParams::default()
    };
    let small = Picture::decode(&png(&board), &params).unwrap();
    for (x, y, p) in small.rgb.enumerate_pixels() {
        assert!(p.0[0].abs_diff(127) <= 3, "({x}, {y}) is {:?}", p.0);
    }
}

/// Two libraries' triangles: ours in whole numbers, theirs in floating point.
#[test]
fn a_scaled_picture_is_another_library_s() {
    let hash = |x: u32, y: u32, c: u32| ((x * 73 + y * 151 + c * 67) ^ (x * y * 7)) as u8;
    let rgb = RgbImage::from_fn(90, 70, |x, y| Rgb([0, 1, 2].map(|c| hash(x, y, c))));
    for (max_side, min_side, size) in [(40, 0, (40, 31)), (89, 0, (89, 69)), (512, 200, (200, 156))]
    {
        let params = PictureParams {
            max_side,
            min_side,
            ..PictureParams::default()
        };
        let ours = Picture::decode(&png(&rgb), &params).unwrap().rgb;
        let theirs = imageops::resize(&rgb, size.0, size.1, FilterType::Triangle);
        assert_eq!(ours.dimensions(), theirs.dimensions());
        let mut values = ours.iter().zip(theirs.iter());
        assert!(values.all(|(a, b)| a.abs_diff(*b) <= 1), "{size:?}");
    }
}

#[test]
fn the_working_size_is_of_the_upright_picture() {
    let params = PictureParams {
        max_side: 24,
        ..PictureParams::default()
    };
    let picture = Picture::decode(&bytes("exif_rotated.jpg"), &params).unwrap();
    assert_eq!(picture.rgb.dimensions(), (16, 24));
}

#[test]
fn a_mirror_exchanges_left_and_right_and_nothing_else() {
    let rgb = RgbImage::from_fn(5, 3, |x, y| Rgb([x as u8 * 40, y as u8 * 40, 7]));
    let picture = Picture::from_rgb(rgb);
    let mirrored = picture.mirrored();
    for (x, y, pixel) in picture.rgb.enumerate_pixels() {
        assert_eq!(mirrored.rgb.get_pixel(4 - x, y), pixel);
        assert_eq!(
            mirrored.gray.get_pixel(4 - x, y),
            picture.gray.get_pixel(x, y)
        );
    }
}

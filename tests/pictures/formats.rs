//! Every format and orientation decodes to its size and colours; broken files say why not.

use std::fs;

use image::{Rgb, RgbImage};
use tuwen::picture::{Picture, decode_rgb};

use super::files::{Expected, MAX_PIXELS, bytes, folder, manifest, reason};

fn assert_pixel(
    what: &str,
    image: &RgbImage,
    (x, y): (u32, u32),
    expected: [u8; 3],
    tolerance: u8,
) {
    let found = image.get_pixel(x, y).0;
    let near = found
        .iter()
        .zip(expected)
        .all(|(&f, e)| f.abs_diff(e) <= tolerance);
    assert!(
        near,
        "{what}: ({x}, {y}) is {found:?}, expected {expected:?} ± {tolerance}"
    );
}

#[test]
fn every_file_is_in_the_manifest() {
    let mut listed: Vec<String> = manifest().into_iter().map(|c| c.file).collect();
    let names = fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut there: Vec<String> = names.filter(|n| n != "manifest.json").collect();
    listed.sort();
    there.sort();
    assert_eq!(there, listed);
}

#[test]
fn pictures_decode_to_their_size_and_colours() {
    for case in manifest() {
        let Expected::Pixels {
            width,
            height,
            tolerance,
            pixels,
        } = case.expected
        else {
            continue;
        };
        let image = decode_rgb(&bytes(&case.file), MAX_PIXELS)
            .unwrap_or_else(|e| panic!("{}: {e}", case.file));
        assert_eq!(image.dimensions(), (width, height), "{}", case.file);
        for p in pixels {
            assert_pixel(&case.file, &image, (p.x, p.y), p.rgb, tolerance);
        }
    }
}

#[test]
fn broken_files_are_refused_with_their_reason() {
    let mut kinds = Vec::new();
    for case in manifest() {
        let Expected::Error { error } = case.expected else {
            continue;
        };
        let words = match error.as_str() {
            "empty" => "empty",
            "truncated" => "breaks off",
            "unknown_format" => "known format",
            "too_large" => "max_pixels",
            other => panic!("unknown kind of error {other}"),
        };
        let reason = reason(decode_rgb(&bytes(&case.file), MAX_PIXELS));
        assert!(reason.contains(words), "{}: {reason}", case.file);
        kinds.push(error);
    }
    kinds.sort();
    assert_eq!(kinds, ["empty", "too_large", "truncated", "unknown_format"]);
}

/// Place of the orientation's value in exif_rotated.jpg: tag 0112, type 3, count 1, big-endian.
fn orientation_place(jpeg: &[u8]) -> usize {
    let entry = [0x01, 0x12, 0x00, 0x03, 0x00, 0x00, 0x00, 0x01];
    jpeg.windows(entry.len()).position(|w| w == entry).unwrap() + entry.len() + 1
}

#[test]
fn every_exif_orientation_is_applied() {
    let colour = |letter: u8| match letter {
        b'R' => [220, 20, 20],
        b'G' => [20, 160, 60],
        b'B' => [30, 60, 210],
        _ => [255; 3],
    };
    // Stored: green and white above red and blue. The quarters as they must come out, row by row.
    let upright = [
        b"GWRB", b"WGBR", b"BRWG", b"RBGW", b"GRWB", b"RGBW", b"BWRG", b"WBGR",
    ];
    let mut jpeg = bytes("exif_rotated.jpg");
    let place = orientation_place(&jpeg);
    assert_eq!(jpeg[place], 6);
    for (quarters, orientation) in upright.into_iter().zip(1..) {
        jpeg[place] = orientation;
        let image = decode_rgb(&jpeg, MAX_PIXELS).unwrap();
        let (w, h) = image.dimensions();
        assert_eq!((w, h), if orientation < 5 { (48, 32) } else { (32, 48) });
        for (i, &letter) in quarters.iter().enumerate() {
            let at = (
                w / 4 + w / 2 * (i as u32 % 2),
                h / 4 + h / 2 * (i as u32 / 2),
            );
            assert_pixel(
                &format!("orientation {orientation}"),
                &image,
                at,
                colour(letter),
                4,
            );
        }
    }
}

#[test]
fn luma_has_the_size_of_the_picture_and_keeps_greys() {
    let picture = Picture::from_rgb(RgbImage::from_fn(256, 2, |x, _| Rgb([x as u8; 3])));
    assert_eq!(picture.gray.dimensions(), (256, 2));
    assert!(
        picture
            .gray
            .enumerate_pixels()
            .all(|(x, _, p)| u32::from(p.0[0]) == x)
    );
}

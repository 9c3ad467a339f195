//! Every format and orientation decodes to its size and colours; broken files say why not.

use std::fs;
use std::path::Path;

use image::{Rgb, RgbImage, Rgba, RgbaImage};
use tuwen::picture::{Picture, decode_rgb};

use super::files::{
    Expected, MAX_PIXELS, bytes, bytes_in, folder, formats, manifest, manifest_of, reason,
};

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
fn every_file_is_in_its_manifest() {
    for folder in [folder(), formats()] {
        let mut listed: Vec<String> = manifest_of(&folder).into_iter().map(|c| c.file).collect();
        let names = fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut there: Vec<String> = names.filter(|n| n != "manifest.json").collect();
        listed.sort();
        there.sort();
        assert_eq!(there, listed);
    }
}

fn assert_decodes(folder: &Path) {
    for case in manifest_of(folder) {
        let Expected::Pixels {
            width,
            height,
            tolerance,
            pixels,
        } = case.expected
        else {
            continue;
        };
        let image = decode_rgb(&bytes_in(folder, &case.file), MAX_PIXELS)
            .unwrap_or_else(|e| panic!("{}: {e}", case.file));
        assert_eq!(image.dimensions(), (width, height), "{}", case.file);
        for p in pixels {
            assert_pixel(&case.file, &image, (p.x, p.y), p.rgb, tolerance);
        }
    }
}

#[test]
fn pictures_decode_to_their_size_and_colours() {
    assert_decodes(&folder());
}

/// Samplings, scans, inks, planes, predictors, byte orders, palettes, floats: decoders get some wrong without a word.
#[test]
fn every_coding_has_the_pixels_that_another_decoder_sees() {
    assert_decodes(&formats());
}

#[test]
fn codings_that_are_not_read_are_named() {
    let mut refused = 0;
    for case in manifest_of(&formats()) {
        let Expected::Error { error } = case.expected else {
            continue;
        };
        let reason = reason(decode_rgb(&bytes_in(&formats(), &case.file), MAX_PIXELS));
        assert!(reason.contains(&error), "{}: {reason}", case.file);
        refused += 1;
    }
    assert_eq!(refused, 4);
}

/// By what the file holds, whatever its name is.
#[test]
fn formats_that_are_not_read_are_named() {
    let boxes = |brand: &[u8]| [b"\0\0\0\x18ftyp", brand, b"\0\0\0\0mif1", brand].concat();
    let files: [(Vec<u8>, &str); 12] = [
        (
            boxes(b"heic"),
            "HEIC is not supported; convert it to JPEG or PNG",
        ),
        (boxes(b"mif1"), "HEIF is not supported"),
        (boxes(b"avif"), "AVIF is not supported"),
        (boxes(b"crx "), "camera raw (CR3) is not supported"),
        (
            b"\xff\x0a\xfa\x1f\x41\x91\x08".to_vec(),
            "JPEG XL is not supported",
        ),
        (
            b"\0\0\0\x0cjP  \r\n\x87\n\0\0".to_vec(),
            "JPEG 2000 is not supported",
        ),
        (
            b"8BPS\0\x01\0\0".to_vec(),
            "Photoshop (PSD) is not supported",
        ),
        (b"%PDF-1.7\n".to_vec(), "PDF is not supported"),
        (
            b"II*\0\x10\0\0\0CR\x02\0\0\0\0\0".to_vec(),
            "camera raw (CR2) is not supported",
        ),
        (
            b"<?xml version=\"1.0\"?>\n<svg xmlns=\"\"/>".to_vec(),
            "SVG is not supported",
        ),
        (
            b"<!DOCTYPE html><title>404".to_vec(),
            "a web page, not a picture",
        ),
        (
            b"\x76\x2f\x31\x01\x02\0\0\0".to_vec(),
            "OpenEXR is not supported",
        ),
    ];
    for (bytes, expected) in files {
        let reason = reason(decode_rgb(&bytes, MAX_PIXELS));
        assert!(reason.contains(expected), "{expected}: {reason}");
    }
}

fn png(image: &RgbaImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// What is light is seen on black, what is not on white; what covers all is as it was.
#[test]
fn transparency_is_laid_on_what_shows_the_picture() {
    for (ink, background) in [
        ([255, 255, 255], 0),
        ([235, 240, 230], 0),
        ([0, 0, 0], 255),
        ([255, 200, 40], 255),
        ([128, 128, 128], 255),
    ] {
        let [r, g, b] = ink;
        let drawn = RgbaImage::from_fn(40, 20, |x, y| match (x / 8 + y / 4) % 2 {
            0 => Rgba([r, g, b, 255]),
            _ => Rgba([7, 7, 7, 0]),
        });
        let image = decode_rgb(&png(&drawn), MAX_PIXELS).unwrap();
        assert_eq!(image.get_pixel(0, 0).0, ink);
        assert_eq!(image.get_pixel(8, 0).0, [background; 3], "behind {ink:?}");
    }
    let opaque = RgbaImage::from_pixel(9, 9, Rgba([250, 251, 252, 255]));
    let image = decode_rgb(&png(&opaque), MAX_PIXELS).unwrap();
    assert!(image.pixels().all(|p| p.0 == [250, 251, 252]));
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
            "truncated" => "truncated",
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

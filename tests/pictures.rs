//! Every kind of picture file people have, the broken ones too, and the smallest pictures there are.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image::{Rgb, RgbImage};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde::Deserialize;
use tuwen::Error;
use tuwen::descriptor::{DescriptorParams, Extractor, OrbParams, SiftParams};
use tuwen::picture::{Picture, PictureParams, decode_rgb};

const MAX_PIXELS: u64 = 100_000_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures")
}

fn bytes(file: &str) -> Vec<u8> {
    fs::read(folder().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// What the fixtures' maker says of one file: an error, or a size and some pixels.
#[derive(Deserialize)]
struct Case {
    file: String,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    Error {
        error: String,
    },
    Pixels {
        width: u32,
        height: u32,
        tolerance: u8,
        pixels: Vec<Pixel>,
    },
}

#[derive(Deserialize)]
struct Pixel {
    x: u32,
    y: u32,
    rgb: [u8; 3],
}

fn manifest() -> Vec<Case> {
    serde_json::from_slice(&bytes("manifest.json")).unwrap()
}

/// The files that decode.
fn whole() -> Vec<(String, Vec<u8>)> {
    let good = manifest()
        .into_iter()
        .filter(|c| matches!(c.expected, Expected::Pixels { .. }));
    good.map(|c| (c.file.clone(), bytes(&c.file))).collect()
}

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

fn reason(result: tuwen::Result<RgbImage>) -> String {
    match result {
        Err(Error::Picture { reason }) => reason,
        Err(other) => panic!("another error: {other}"),
        Ok(image) => panic!("accepted at {}x{}", image.width(), image.height()),
    }
}

// ---- formats --------------------------------------------------------------------------------------

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

// ---- damage ---------------------------------------------------------------------------------------

#[test]
fn a_jpeg_that_breaks_off_anywhere_is_refused() {
    for file in ["grey.jpg", "exif_rotated.jpg", "cmyk.jpg"] {
        let jpeg = bytes(file);
        for cut in 1..jpeg.len() {
            assert!(
                decode_rgb(&jpeg[..cut], MAX_PIXELS).is_err(),
                "{file}: {cut} of {} bytes",
                jpeg.len()
            );
        }
    }
}

/// Cameras add a film or a second picture to a JPEG; any two bytes may stand in it.
#[test]
fn a_whole_jpeg_with_something_behind_it_is_whole() {
    let jpeg = bytes("grey.jpg");
    let whole = decode_rgb(&jpeg, MAX_PIXELS).unwrap();
    for behind in [
        &b"MotionPhoto"[..],
        &[0, 0xff, 0xd9, 0],
        &[0, 0xff, 0xda, 0],
        &jpeg,
    ] {
        let longer = [&jpeg[..], behind].concat();
        let image =
            decode_rgb(&longer, MAX_PIXELS).unwrap_or_else(|e| panic!("then {behind:x?}: {e}"));
        assert_eq!(image, whole);
    }
}

#[test]
fn half_a_file_of_any_format_is_refused() {
    for (file, bytes) in whole() {
        assert!(
            decode_rgb(&bytes[..bytes.len() / 2], MAX_PIXELS).is_err(),
            "{file}"
        );
    }
}

/// Few, so that no damaged header makes the test slow.
const FEW_PIXELS: u64 = 1 << 18;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file_is_an_error_or_a_picture_within_the_limit(
        file in proptest::sample::select(whole()),
        places in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (name, mut bytes) = file;
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        match decode_rgb(&bytes, FEW_PIXELS) {
            Ok(image) => prop_assert!(u64::from(image.width()) * u64::from(image.height()) <= FEW_PIXELS, "{name}"),
            Err(Error::Picture { .. }) => {}
            Err(e) => prop_assert!(false, "{name}: {e}"),
        }
    }

    #[test]
    fn any_bytes_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let refused = matches!(decode_rgb(&bytes, MAX_PIXELS), Err(Error::Picture { .. }));
        prop_assert!(refused, "{bytes:x?}");
    }
}

// ---- limits ---------------------------------------------------------------------------------------

#[test]
fn a_bomb_is_refused_from_its_header_at_once() {
    let bomb = bytes("bomb.png");
    let start = Instant::now();
    let refused = reason(decode_rgb(&bomb, MAX_PIXELS));
    let took = start.elapsed();
    assert!(refused.contains("60000x60000"), "{refused}");
    assert!(took < Duration::from_secs(1), "{took:?}"); // 3.6·10⁹ pixels take far longer
    // Signature, IHDR and the head of IDAT are enough to know.
    assert_eq!(reason(decode_rgb(&bomb[..8 + 25 + 8], MAX_PIXELS)), refused);
}

fn patched(file: &str, place: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = bytes(file);
    bytes[place..place + with.len()].copy_from_slice(with);
    bytes
}

#[test]
fn bombs_of_other_formats_are_refused_too() {
    let jpeg = bytes("grey.jpg");
    let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    let side = 20_000u32.to_le_bytes();
    let bombs = [
        patched("grey.jpg", frame + 5, &[0xff, 0xdc, 0xff, 0xdc]), // height, width
        patched("rgb.bmp", 18, &[side, side].concat()),
        patched("animated.gif", 6, &[0xff, 0xff, 0xff, 0xff]),
    ];
    for bomb in bombs {
        let refused = reason(decode_rgb(&bomb, MAX_PIXELS));
        assert!(refused.contains("max_pixels"), "{refused}");
    }
}

#[test]
fn the_limit_itself_is_allowed() {
    let photo = bytes("photo.png");
    assert!(decode_rgb(&photo, 256 * 256).is_ok());
    assert!(reason(decode_rgb(&photo, 256 * 256 - 1)).contains("256x256"));
}

// ---- working size ---------------------------------------------------------------------------------

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
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

#[test]
fn the_working_size_is_of_the_upright_picture() {
    let params = PictureParams {
        max_side: 24,
        ..PictureParams::default()
    };
    let picture = Picture::decode(&bytes("exif_rotated.jpg"), &params).unwrap();
    assert_eq!(picture.rgb.dimensions(), (16, 24));
}

// ---- descriptors of what has nothing to describe ---------------------------------------------------

fn extractors() -> Vec<Box<dyn Extractor>> {
    let all = [
        DescriptorParams::Sift(SiftParams::default()),
        DescriptorParams::Sift(SiftParams {
            root: false,
            ..SiftParams::default()
        }),
        DescriptorParams::Orb(OrbParams::default()),
    ];
    all.iter().map(DescriptorParams::extractor).collect()
}

#[test]
fn a_picture_without_structure_has_no_descriptor() {
    for file in ["one_pixel.png", "flat.png"] {
        let picture = Picture::decode(&bytes(file), &PictureParams::default()).unwrap();
        for extractor in extractors() {
            let kind = extractor.kind();
            assert_eq!(
                extractor.extract(&picture).unwrap().dim(),
                (0, kind.dim),
                "{file}: {}",
                kind.name
            );
        }
    }
}

/// Blobs and corners at every scale.
fn noise(width: u32, height: u32) -> Picture {
    let mut state = 1u32;
    let image = RgbImage::from_fn(width, height, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([if state >> 31 == 0 { 20 } else { 230 }; 3])
    });
    Picture::from_rgb(image)
}

fn describe(extractor: &dyn Extractor, width: u32, height: u32) -> usize {
    let kind = extractor.kind();
    let x = extractor
        .extract(&noise(width, height))
        .unwrap_or_else(|e| panic!("{width}x{height}, {}: {e}", kind.name));
    assert_eq!(x.ncols(), kind.dim);
    for row in x.outer_iter() {
        let good = match kind.name.as_str() {
            "orb" => row.iter().all(|&v| v == 0.0 || v == 1.0),
            "root-sift" => (row.dot(&row) - 1.0).abs() < 1e-4,
            _ => row.iter().all(|&v| (0.0..=255.0).contains(&v)),
        };
        assert!(good, "{width}x{height}, {}: {row}", kind.name);
    }
    x.nrows()
}

#[test]
fn the_smallest_pictures_have_whole_descriptors_or_none() {
    for extractor in extractors() {
        let mut found = 0;
        for width in 1..=40 {
            for height in [1, 2, 3, 7, 15, 16, 17, 23, 31, 32, 33, 40, width] {
                found += describe(&*extractor, width, height);
            }
        }
        // ORB keeps away from the border, and has nothing in 40 pixels.
        assert!(found > 0 || extractor.kind().name == "orb");
    }
}

#[test]
fn narrow_pictures_have_whole_descriptors_or_none() {
    for extractor in extractors() {
        for narrow in [1, 2, 15, 16, 17, 40] {
            describe(&*extractor, narrow, 1500);
            describe(&*extractor, 1500, narrow);
        }
        assert!(
            describe(&*extractor, 200, 200) > 0,
            "{}",
            extractor.kind().name
        );
    }
}

#[test]
fn extraction_does_not_depend_on_what_came_before() {
    for extractor in extractors() {
        let first = extractor.extract(&noise(90, 70)).unwrap();
        describe(&*extractor, 120, 130);
        assert_eq!(extractor.extract(&noise(90, 70)).unwrap(), first);
    }
}

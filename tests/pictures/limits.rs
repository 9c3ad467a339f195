//! Pictures of too many pixels, or that need too much memory, are refused before they are decoded.

use std::time::{Duration, Instant};

use image::codecs::jpeg::JpegEncoder;
use image::{GrayImage, Luma};
use tuwen::picture::{Picture, PictureParams, decode, decode_rgb};

use super::files::{MAX_PIXELS, bytes, reason};

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
    assert_eq!(
        decode_rgb(&photo, 256 * 256).unwrap().dimensions(),
        (256, 256)
    );
    assert!(reason(decode_rgb(&photo, 256 * 256 - 1)).contains("256x256"));
}

/// Its header alone is true.
fn png(width: u32, height: u32, depth: u8, colour: u8) -> Vec<u8> {
    let mut png = bytes("bomb.png")[..8 + 25 + 8].to_vec();
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    png[24..26].copy_from_slice(&[depth, colour]);
    let mut sum = flate2::Crc::new();
    sum.update(&png[12..29]);
    png[29..33].copy_from_slice(&sum.sum().to_be_bytes());
    png
}

#[test]
fn no_side_is_too_long() {
    for (width, height) in [(1, 100_000_000), (100_000_000, 1)] {
        let refused = reason(decode_rgb(&png(width, height, 8, 2), u64::MAX));
        assert!(refused.contains("no side may be longer"), "{refused}");
    }
}

#[test]
fn memory_is_limited_and_counts_the_depth() {
    // 8 bytes a pixel, and what they become
    let refused = reason(decode_rgb(&png(20_000, 10_000, 16, 6), u64::MAX));
    assert!(refused.contains("20000x10000 pixels need"), "{refused}");
    assert!(refused.contains("max_memory = 2048 MiB"), "{refused}");
    assert!(refused.contains("--max-memory"), "{refused}");
    let shallow = reason(decode_rgb(&png(20_000, 10_000, 8, 2), u64::MAX));
    assert!(!shallow.contains("max_memory"), "{shallow}"); // it breaks off
}

/// A camera of 108 megapixels: more than a hundred million, and decoded at a reduced scale.
#[test]
fn a_very_large_jpeg_is_decoded_at_a_reduced_scale() {
    let size = (12_032, 9_024);
    let grey = GrayImage::from_fn(size.0, size.1, |x, y| {
        Luma([if (x / 3008 + y / 2256) % 2 == 0 {
            40
        } else {
            200
        }])
    });
    let mut jpeg = Vec::new();
    grey.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, 60))
        .unwrap();
    let decoded = decode(&jpeg, PictureParams::default().max_pixels, Some(1024)).unwrap();
    assert_eq!(decoded.size, size);
    assert_eq!(decoded.rgb.dimensions(), (1504, 1128));
    let picture = Picture::decode(&jpeg, &PictureParams::default()).unwrap();
    assert_eq!(picture.rgb.dimensions(), (512, 384));
    for (x, y, level) in [(64, 48, 40), (192, 48, 200), (64, 144, 200), (448, 336, 40)] {
        let found = picture.gray.get_pixel(x, y).0[0];
        assert!(found.abs_diff(level) <= 3, "({x}, {y}) is {found}");
    }
}

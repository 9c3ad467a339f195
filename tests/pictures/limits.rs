//! Pictures of too many pixels are refused before they are decoded.

use std::time::{Duration, Instant};

use tuwen::picture::decode_rgb;

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

//! Picture files of every format.

use std::path::Path;

use image::{DynamicImage, ImageFormat, RgbImage};
use tuwen::picture::{Picture, PictureParams};

use crate::fuzz::mutator::Mutator;
use crate::fuzz::target::{Input, Target};

pub const TARGET: Target = Target {
    name: "pictures",
    inputs: 200_000,
    seeds,
    mutate,
    run,
};

/// The committed odd ones, and a small one in each format that can be written.
fn seeds() -> Vec<Input> {
    const ODD: [&str; 14] = [
        "alpha.png",
        "animated.gif",
        "animated.webp",
        "bomb.png",
        "cmyk.jpg",
        "exif_rotated.jpg",
        "grey.jpg",
        "lossless.webp",
        "palette.png",
        "palette_transparent.png",
        "rgb.bmp",
        "rgb.tiff",
        "sixteen_bit_grey.png",
        "sixteen_bit_rgb.png",
    ];
    let odd = ODD.map(|name| Input::committed(&format!("tests/fixtures/pictures/{name}")));
    let small = DynamicImage::from(RgbImage::from_fn(13, 9, |x, y| {
        image::Rgb([x as u8 * 19, y as u8 * 28, 7])
    }));
    let formats = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Gif,
        ImageFormat::Tiff,
        ImageFormat::Bmp,
    ];
    let written = formats.map(|format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        small
            .write_to(&mut bytes, format)
            .expect("a format that is written");
        Input::new("small", bytes.into_inner())
    });
    odd.into_iter().chain(written).collect()
}

/// Markers and chunks.
const WORDS: &[&[u8]] = &[
    b"\xff\xd8\xff\xe1",
    b"\xff\xc2",
    b"\xff\xc4",
    b"\xff\xda",
    b"\xff\xd9",
    b"IHDR",
    b"IDAT",
    b"PLTE",
    b"tRNS",
    b"acTL",
    b"iCCP",
    b"IEND",
    b"Exif\0\0II*\0",
    b"MM\0*",
    b"RIFF",
    b"VP8X",
    b"VP8L",
    b"ALPH",
    b"GIF89a",
    b"\x21\xf9\x04",
    b"BM",
];

fn mutate(mutator: &mut Mutator, input: &mut Input) {
    mutator.bytes(&mut input.bytes, WORDS);
}

fn run(input: &Input, _: &Path) {
    let params = PictureParams {
        max_pixels: 1 << 20,
        max_side: 64,
        ..PictureParams::default()
    };
    if let Ok(picture) = Picture::decode(&input.bytes, &params) {
        assert!(picture.rgb.width().max(picture.rgb.height()) <= 64);
        assert_eq!(picture.rgb.dimensions(), picture.gray.dimensions());
    }
}

//! Files that break off, go on too long, or are not what they were.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tuwen::Error;
use tuwen::picture::decode_rgb;

use super::cases::config;
use super::files::{MAX_PIXELS, bytes, bytes_in, formats, whole};

/// Baseline, progressive, in scans of their own, with restarts.
fn jpegs() -> Vec<(String, Vec<u8>)> {
    let more = [
        "sampled-2x2.jpg",
        "progressive-2x2.jpg",
        "apart-1x1.jpg",
        "progressive-apart.jpg",
        "progressive-restarts.jpg",
        "restarts.jpg",
    ];
    let more = more.map(|file| (file.to_owned(), bytes_in(&formats(), file)));
    let plain = ["grey.jpg", "exif_rotated.jpg", "cmyk.jpg"].map(|f| (f.to_owned(), bytes(f)));
    plain.into_iter().chain(more).collect()
}

const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

#[test]
fn a_jpeg_that_breaks_off_anywhere_in_its_data_is_refused() {
    for (file, jpeg) in jpegs() {
        let data = jpeg.strip_suffix(&END_OF_IMAGE).unwrap();
        for cut in 1..data.len() {
            for end in [&[][..], &END_OF_IMAGE] {
                let part = [&data[..cut], end].concat();
                let refused = decode_rgb(&part, MAX_PIXELS).is_err();
                assert!(
                    refused,
                    "{file}: {cut} of {} bytes, then {end:x?}",
                    jpeg.len()
                );
            }
        }
    }
}

#[test]
fn a_jpeg_that_lacks_its_end_marker_alone_is_whole() {
    for (file, jpeg) in jpegs() {
        let whole = decode_rgb(&jpeg, MAX_PIXELS).unwrap();
        let data = jpeg.strip_suffix(&END_OF_IMAGE).unwrap();
        for behind in [&[][..], &[0xff], &[0; 40]] {
            let open = [data, behind].concat();
            let image = decode_rgb(&open, MAX_PIXELS).unwrap_or_else(|e| panic!("{file}: {e}"));
            assert_eq!(image, whole, "{file}");
        }
    }
}

#[test]
fn a_png_that_lacks_its_end_chunk_alone_is_whole() {
    let png = bytes("photo.png");
    let whole = decode_rgb(&png, MAX_PIXELS).unwrap();
    for lost in 1..=12 {
        let image = decode_rgb(&png[..png.len() - lost], MAX_PIXELS).unwrap();
        assert_eq!(image, whole);
    }
    for lost in 13..40 {
        assert!(
            decode_rgb(&png[..png.len() - lost], MAX_PIXELS).is_err(),
            "{lost} bytes"
        );
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
    #![proptest_config(config(400))]

    #[test]
    fn a_damaged_file_is_an_error_or_a_picture_within_the_limit(
        file in select(whole()),
        places in vec((any::<Index>(), any::<u8>()), 1..6),
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
    fn any_bytes_are_an_error(bytes in vec(any::<u8>(), 0..64)) {
        let refused = matches!(decode_rgb(&bytes, MAX_PIXELS), Err(Error::Picture { .. }));
        prop_assert!(refused, "{bytes:x?}");
    }
}

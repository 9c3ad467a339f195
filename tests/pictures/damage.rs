//! Files that break off, go on too long, or are not what they were.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tuwen::Error;
use tuwen::picture::decode_rgb;

use super::cases::config;
use super::files::{MAX_PIXELS, bytes, whole};

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

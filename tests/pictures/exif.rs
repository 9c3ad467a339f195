//! Dates and cameras, from files that are made here.

use proptest::prelude::*;
use tuwen::picture::exif::Taken;

use super::cases::config;
use super::dated::{CHANGED, DIGITIZED, MAKE, MODEL, Made, ORIGINAL, made, usual};

#[test]
fn every_container_gives_the_same() {
    for made in [usual(false), usual(true)] {
        for file in [
            made.tiff(),
            made.jpeg(),
            made.png(made.tiff()),
            made.png(made.block()),
            made.webp(made.tiff()),
            made.webp(made.block()),
            Made {
                before: 100_000,
                ..usual(made.big)
            }
            .tiff(),
        ] {
            let taken = Taken::read(&file);
            assert_eq!(taken.at, Some(20240501123059), "{:?}", &file[..12]);
            assert_eq!(taken.camera.as_deref(), Some("Canon EOS 5D"));
        }
    }
}

#[test]
fn the_first_date_that_there_is_counts() {
    for (first, exif, expected) in [
        (
            &[(CHANGED, "2024:06:01 00:00:00")][..],
            &[][..],
            Some(20240601000000),
        ),
        (
            &[(CHANGED, "2024:06:01 00:00:00")],
            &[(DIGITIZED, "2023:01:02 03:04:05")],
            Some(20230102030405),
        ),
        (
            &[(CHANGED, "2024:06:01 00:00:00")],
            &[(ORIGINAL, "0000:00:00 00:00:00")],
            Some(20240601000000),
        ),
        (
            &[],
            &[(ORIGINAL, "2024:02:29 23:59:59")],
            Some(20240229235959),
        ),
        (
            &[],
            &[(ORIGINAL, "2024-02-28T01:02:03Z")],
            Some(20240228010203),
        ),
        (&[], &[(ORIGINAL, "2023:02:29 00:00:00")], None),
        (&[], &[(ORIGINAL, "2023:13:01 00:00:00")], None),
        (&[], &[(ORIGINAL, "2023:12:01 24:00:00")], None),
        (&[], &[(ORIGINAL, "0001:01:01 00:00:00")], None),
        (&[], &[(ORIGINAL, "    :  :     :  :  ")], None),
        (&[], &[(ORIGINAL, "2023:12:01")], None),
        (&[], &[], None),
    ] {
        assert_eq!(
            Taken::read(&made(first, exif).jpeg()).at,
            expected,
            "{first:?} {exif:?}"
        );
    }
}

#[test]
fn cameras_are_named_once() {
    for (make, model, expected) in [
        ("Canon", "Canon EOS 5D", Some("Canon EOS 5D")),
        ("NIKON CORPORATION", "NIKON D90", Some("NIKON D90")),
        ("SONY", "ILCE-7M3", Some("SONY ILCE-7M3")),
        (" HUAWEI ", "  P30\tPro ", Some("HUAWEI P30 Pro")),
        ("Apple", "", Some("Apple")),
        ("", "X100V", Some("X100V")),
        ("小米", "小米 14", Some("小米 14")),
        ("", "   ", None),
    ] {
        let file = made(&[(MAKE, make), (MODEL, model)], &[]).jpeg();
        assert_eq!(
            Taken::read(&file).camera.as_deref(),
            expected,
            "{make} {model}"
        );
    }
}

#[test]
fn what_is_no_picture_or_has_no_block_is_not_known() {
    for bytes in [
        &b""[..],
        b"\xff",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe1",
        b"\xff\xd8\xff\xe1\0\0",
        b"\xff\xd8\xff\xd9",
        b"II*\0",
        b"MM\0*\0\0\0\x08",
        b"RIFF\0\0\0\0WEBP",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"II*\0\xff\xff\xff\xff\xff\xff",
    ] {
        assert_eq!(Taken::read(bytes), Taken::default(), "{bytes:?}");
    }
}

/// Pointers to directories at every place, each of which holds thousands of entries: a parser that follows them keeps
/// tens of millions.
#[test]
fn directories_that_overlap_are_refused() {
    let mut file = b"MM\0*\0\0\0\x08".to_vec();
    file.extend(5000u16.to_be_bytes());
    for i in 0..5000u32 {
        // Read with an offset of ten bytes, the end of each is a count of entries.
        file.extend([0x87, 0x69, 0, 4, 0, 0, 0, 1]);
        file.extend((8 + 12 * (i % 4000)).to_be_bytes());
    }
    file.resize(200_000, 0x87);
    assert_eq!(Taken::read(&file), Taken::default());
}

#[test]
fn large_files_without_a_block_are_gone_through() {
    let most = 20_000_000;
    for head in [
        &b"\xff\xd8\xff\xda"[..],
        b"\xff\xd8",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
        b"II*\0\xff\xff\xff\x0a",
    ] {
        for fill in [0u8, 0xff] {
            let mut file = vec![fill; most];
            file[..head.len()].copy_from_slice(head);
            assert_eq!(Taken::read(&file), Taken::default());
        }
    }
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn damaged_files_do_no_harm(
        big: bool,
        kind in 0..4,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        is_cut: bool,
    ) {
        let made = usual(big);
        let mut file = match kind {
            0 => made.tiff(),
            1 => made.jpeg(),
            2 => made.png(made.tiff()),
            _ => made.webp(made.tiff()),
        };
        for (at, to) in changes {
            let at = at.index(file.len());
            file[at] = to;
        }
        if is_cut {
            file.truncate(cut.index(file.len()));
        }
        let taken = Taken::read(&file);
        prop_assert!(taken.at.is_none_or(|at| (18260101000000..99991231235960).contains(&at)), "{:?}", taken);
    }
}

//! Pictures in zip archives: their names in any encoding, and how they are compressed.

use std::fs;

use tuwen::dataset::check::Report;
use tuwen::dataset::encoding;

use super::attachments::attachments;
use super::layouts::{open, pictures, write};

/// A zip archive with stored entries of these raw names and no mark of UTF-8.
fn archive(names: &[&[u8]]) -> Vec<u8> {
    let content = b"\x89PNG\r\n\x1a\n";
    let crc = {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        crc.sum().to_le_bytes()
    };
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for name in names {
        let size = (content.len() as u32).to_le_bytes();
        let length = (name.len() as u16).to_le_bytes();
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..],
            &crc,
            &size,
            &size,
            &length,
            &[0, 0],
        ]
        .concat();
        let place = (bytes.len() as u32).to_le_bytes();
        bytes.extend([&b"PK\x03\x04"[..], &common, name, content].concat());
        directory.extend([&b"PK\x01\x02\x14\0"[..], &common, &[0; 10], &place, name].concat());
    }
    let end = [
        (names.len() as u16).to_le_bytes(),
        (names.len() as u16).to_le_bytes(),
    ]
    .concat();
    let sizes = [
        (directory.len() as u32).to_le_bytes(),
        (bytes.len() as u32).to_le_bytes(),
    ]
    .concat();
    [
        &bytes[..],
        &directory,
        &b"PK\x05\x06\0\0\0\0"[..],
        &end,
        &sizes,
        &[0, 0],
    ]
    .concat()
}

#[test]
fn names_in_archives_are_chinese_where_they_look_so() {
    let set = attachments(&["图片-1.png", "圖片-2.png", "Ménage.png", "plain.png"]);
    let gbk = |name: &str| encoding("gbk").unwrap().encode(name).0.into_owned();
    let big5 = |name: &str| encoding("big5").unwrap().encode(name).0.into_owned();
    let names = [
        gbk("ImageData/图片-1.png"),
        big5("ImageData\\圖片-2.png"),
        b"M\x82nage.png".to_vec(),
        b"plain.png".to_vec(),
    ];
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    for n in 1..=2 {
        write(
            set.path(),
            &format!("attachment{n}/ImageData.zip"),
            &archive(&names),
        );
    }
    let dataset = open(set.path());
    assert_eq!(dataset.warnings, []);
    let report = Report::of(&dataset, 0);
    assert_eq!(
        (
            report.failures.len(),
            report.collections[0].images_with_a_picture
        ),
        (0, 4),
        "{report:?}"
    );
    assert!(
        dataset.collections[0].images[0]
            .source
            .describe()
            .ends_with("ImageData.zip:ImageData/图片-1.png")
    );
    assert_eq!(
        dataset.collections[0].images[2].source.read().unwrap(),
        b"\x89PNG\r\n\x1a\n"
    );
}

#[test]
fn bzip2_in_archives_is_read() {
    let set = attachments(&["a.png"]);
    pictures(set.path(), &["attachment2/ImageData/a.png"]);
    let file = fs::File::create(set.path().join("attachment1/ImageData.zip")).unwrap();
    let mut zip = zip::ZipWriter::new(file);
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Bzip2);
    zip.start_file("a.png", options).unwrap();
    std::io::Write::write_all(&mut zip, b"\x89PNG\r\n\x1a\n").unwrap();
    zip.finish().unwrap();
    assert_eq!(
        open(set.path()).collections[0].images[0]
            .source
            .read()
            .unwrap(),
        b"\x89PNG\r\n\x1a\n"
    );
}

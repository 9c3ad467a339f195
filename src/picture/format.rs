//! Recognises a file's format by its first bytes, because its name proves nothing.

use std::path::Path;

use image::ImageFormat;

use super::refused::not_supported;
use super::{ico, tiff};
use crate::error::{Error, Result};
use crate::files;

/// Formats that are recognised but not read, by their bytes at an offset.
const NOT_READ: &[(usize, &[u8], &str)] = &[
    (0, b"8BPS", "Photoshop (PSD)"),
    (0, b"%PDF", "PDF"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"#?RGBE", "Radiance HDR"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"DDS ", "DDS"),
    (0, b"II\xbc", "JPEG XR"),
    (0, b"gimp xcf", "GIMP (XCF)"),
    (0, b"FUJIFILMCCD-RAW", "camera raw (RAF)"),
    (0, b"IIRO", "camera raw (ORF)"),
    (0, b"IIU\0", "camera raw (RW2)"),
    (8, b"CR\x02\0", "camera raw (CR2)"),
    (0, b"icns", "Apple icon (ICNS)"),
    (128, b"DICM", "DICOM"),
    (0, b"SIMPLE  =", "FITS"),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5"),
    (0, b"AT&TFORM", "DjVu"),
    (40, b" EMF", "Windows metafile (EMF)"),
    (0, b"\xd7\xcd\xc6\x9a", "Windows metafile (WMF)"),
    (0, b"BPG\xfb", "BPG"),
    (0, b"\x8aMNG", "MNG"),
];

/// Brands of box-structured files (ISO 14496-12).
const BRANDS: &[(&[u8], &str)] = &[
    (b"heic", "HEIC"),
    (b"heix", "HEIC"),
    (b"heim", "HEIC"),
    (b"heis", "HEIC"),
    (b"hevc", "HEIC"),
    (b"hevx", "HEIC"),
    (b"avif", "AVIF"),
    (b"avis", "AVIF"),
    (b"crx ", "camera raw (CR3)"),
    // what the others may be, too
    (b"mif1", "HEIF"),
    (b"msf1", "HEIF"),
];

/// Number of bytes by which a format is recognised.
const HEAD: u64 = 1024;

/// Reads a picture file of at most [`limits::MAX_BYTES`](super::limits::MAX_BYTES). If a file does not begin as a
/// picture, only its beginning is read.
///
/// # Errors
/// [`Error::Picture`] for a file that is not a picture; those of [`files::read`].
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let head = files::head(path, HEAD)?;
    if head.len() as u64 == HEAD && !begins_as_picture(&head) {
        return Err(unknown(&head));
    }
    files::read(path, super::limits::MAX_BYTES)
}

/// Whether a file is named like a picture or begins as one. A file that cannot be read also counts; whoever reads
/// it reports the reason.
pub fn is_picture(path: &Path) -> bool {
    ImageFormat::from_path(path).is_ok()
        || files::head(path, HEAD).is_ok_and(|head| begins_as_picture(&head))
}

/// Checks whether a file, given its first bytes, begins as a picture in a format that is read.
///
/// # Errors
/// [`Error::Picture`] with the format that it has instead.
pub fn check_head(head: &[u8]) -> Result<()> {
    let by_image = image::guess_format(head).is_ok_and(|format| format.reading_enabled());
    match by_image || tiff::is(head) || ico::is(head) {
        true => Ok(()),
        false => Err(unknown(head)),
    }
}

/// The short name of the format that a file begins as, such as `jpeg`; empty for one that is not read.
pub fn format_name(head: &[u8]) -> &'static str {
    if tiff::is(head) {
        return "tiff";
    }
    if ico::is(head) {
        return "ico";
    }
    let format = image::guess_format(head).ok();
    format.map_or("", |f| {
        f.extensions_str()
            .first()
            .copied()
            .map_or("", |e| if e == "jpg" { "jpeg" } else { e })
    })
}

fn begins_as_picture(head: &[u8]) -> bool {
    image::guess_format(head).is_ok()
        || tiff::is(head)
        || ico::is(head)
        || in_boxes(head).is_some()
        || by_magic(head).is_some()
}

/// The error for a file that no decoder accepts.
pub fn unknown(bytes: &[u8]) -> Error {
    if let Some(name) = in_boxes(bytes).or_else(|| by_magic(bytes)) {
        return not_supported(name);
    }
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]);
    let start = start.trim_start_matches('\u{feff}').trim_start();
    let begins = |tag: &str| {
        start
            .get(..tag.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(tag))
    };
    if begins("<svg") || (begins("<?xml") || begins("<!doctype svg")) && start.contains("<svg") {
        return not_supported("SVG");
    }
    Error::picture(match begins("<!doctype html") || begins("<html") {
        true => "a web page, not a picture in a known format",
        false => "not a picture in a known format",
    })
}

fn in_boxes(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8) != Some(b"ftyp") {
        return None;
    }
    // The major brand or a compatible one.
    let brands = &bytes[8..bytes.len().min(64)];
    let among = |wanted: &[u8]| brands.chunks_exact(4).any(|brand| brand == wanted);
    let known = BRANDS.iter().find(|(brand, _)| among(brand));
    known.map(|&(_, name)| name)
}

fn by_magic(bytes: &[u8]) -> Option<&'static str> {
    let begins = |&&(place, magic, _): &&(usize, &[u8], &str)| {
        bytes.get(place..).is_some_and(|b| b.starts_with(magic))
    };
    NOT_READ.iter().find(begins).map(|&(_, _, name)| name)
}

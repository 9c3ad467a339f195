//! Where the EXIF block stands in a picture file.

use crate::picture::jpeg::{Next, marker, segment};

/// What a block in a JPEG begins with; some programs write it in PNG and WebP files too.
const NAME: &[u8] = b"Exif\0\0";
/// Chunks or segments that are passed over; files have some tens of them, animations thousands.
const MOST_CHUNKS: usize = 1 << 16;
/// Bytes between two segments of a JPEG that are passed over.
const MOST_FILLING: usize = 1 << 16;
/// Bytes of a marker and of what a length of two bytes can tell.
const LARGEST_SEGMENT: usize = 2 + (1 << 16);

/// The block, a TIFF file within the file; none where there is none.
pub fn block(bytes: &[u8]) -> Option<&[u8]> {
    let block = match bytes {
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => bytes,
        [0xff, marker::SOI, ..] => of_jpeg(bytes)?,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', rest @ ..] => of_png(rest)?,
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            rest @ ..,
        ] => of_webp(rest)?,
        _ => return None,
    };
    Some(block.strip_prefix(NAME).unwrap_or(block))
}

/// The first APP1 segment with the name, before the first scan.
fn of_jpeg(bytes: &[u8]) -> Option<&[u8]> {
    let mut at = 2; // after SOI
    for _ in 0..MOST_CHUNKS {
        let near = bytes.len().min(at + MOST_FILLING + LARGEST_SEGMENT);
        let Next::Segment(segment) = segment(&bytes[..near], at) else {
            return None;
        };
        match segment.marker {
            marker::EOI | marker::SOS => return None,
            marker::APP1 if segment.payload.starts_with(NAME) => return Some(segment.payload),
            _ => at = segment.next,
        }
    }
    None
}

/// The chunk `eXIf`, wherever it stands.
fn of_png(mut rest: &[u8]) -> Option<&[u8]> {
    for _ in 0..MOST_CHUNKS {
        let (head, after) = rest.split_first_chunk::<8>()?;
        let [l3, l2, l1, l0, name @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes([l3, l2, l1, l0])).ok()?;
        if &name == b"eXIf" {
            return after.get(..length);
        }
        rest = after.get(length.checked_add(4)?..)?; // the checksum
    }
    None
}

/// The chunk `EXIF`, which stands behind the pixels.
fn of_webp(mut rest: &[u8]) -> Option<&[u8]> {
    for _ in 0..MOST_CHUNKS {
        let (head, after) = rest.split_first_chunk::<8>()?;
        let [name @ .., l0, l1, l2, l3] = *head;
        let length = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok()?;
        if &name == b"EXIF" {
            return after.get(..length);
        }
        rest = after.get(length.checked_next_multiple_of(2)?..)?;
    }
    None
}

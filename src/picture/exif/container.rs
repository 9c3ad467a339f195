//! Where the EXIF block stands in a picture file.

/// What a block in a JPEG begins with; some programs write it in PNG and WebP files too.
const NAME: &[u8] = b"Exif\0\0";
/// Chunks or segments that are passed over; files have some tens of them, animations thousands.
const MOST_CHUNKS: usize = 1 << 16;
/// Bytes between two segments of a JPEG that are passed over.
const MOST_FILLING: usize = 1 << 16;

/// The block, a TIFF file within the file; none where there is none.
pub fn block(bytes: &[u8]) -> Option<&[u8]> {
    let block = match bytes {
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => bytes,
        [0xff, 0xd8, rest @ ..] => of_jpeg(rest)?,
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
fn of_jpeg(mut rest: &[u8]) -> Option<&[u8]> {
    for _ in 0..MOST_CHUNKS {
        // Bytes that stand before a marker are passed over.
        let near = &rest[..rest.len().min(MOST_FILLING)];
        let at = near.iter().position(|&b| b == 0xff)?;
        let length = near[at..].iter().position(|&b| b != 0xff)?;
        let code = near[at + length];
        rest = &rest[at + length + 1..];
        match code {
            // stuffing, TEM, RST0 to RST7, SOI
            0x00 | 0x01 | 0xd0..=0xd8 => continue,
            // EOI, SOS
            0xd9 | 0xda => return None,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        let payload = rest.get(2..length)?;
        if code == 0xe1 && payload.starts_with(NAME) {
            return Some(payload);
        }
        rest = &rest[length..];
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

//! Icons and cursors: extracts the largest picture of a file, because the image crate rejects PNGs without
//! transparency.

pub fn is(bytes: &[u8]) -> bool {
    matches!(bytes, &[0, 0, 1 | 2, 0, c0, c1, ..] if [c0, c1] != [0, 0])
}

/// The largest entry, as a PNG or as an icon of its own; `None` if the bytes are not an icon.
pub fn largest(bytes: &[u8]) -> Option<Vec<u8>> {
    if !is(bytes) {
        return None;
    }
    let (&[_, _, _, _, c0, c1], rest) = bytes.split_first_chunk::<6>()?;
    let count = usize::from(u16::from_le_bytes([c0, c1]));
    let entries = rest.as_chunks::<16>().0.iter().take(count);
    let side = |v: u8| if v == 0 { 256 } else { u32::from(v) };
    // of several of one size, the one with the most bits
    let entry = entries.max_by_key(|e| {
        (
            side(e[0]) * side(e[1]),
            e[6],
            e[8..12].iter().rev().collect::<Vec<_>>(),
        )
    })?;
    let number = |at: usize| {
        u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]) as usize
    };
    let (length, start) = (number(8), number(12));
    let picture = bytes.get(start..start.checked_add(length)?)?;
    if picture.starts_with(b"\x89PNG") {
        return Some(picture.to_vec());
    }
    // planes and bits stand where a cursor has its point
    let head = [entry[0], entry[1], entry[2], 0, 1, 0, 0, 0];
    let place = [&entry[8..12], &22u32.to_le_bytes()].concat();
    Some([&[0, 0, 1, 0, 1, 0][..], &head, &place, picture].concat())
}

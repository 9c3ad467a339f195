//! PNG files that lack only their end chunk: viewers show them, but the decoder rejects them.

use std::borrow::Cow;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

/// The bytes with an end chunk added, if all chunks before it are complete; otherwise unchanged.
pub fn closed(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.starts_with(SIGNATURE) {
        return Cow::Borrowed(bytes);
    }
    let (mut at, mut has_data) = (SIGNATURE.len(), false);
    while let Some(head) = bytes.get(at..).and_then(|b| b.first_chunk::<8>()) {
        let [l3, l2, l1, l0, name @ ..] = *head;
        let length = u32::from_be_bytes([l3, l2, l1, l0]) as usize;
        match bytes.len().checked_sub(at) {
            Some(left) if left >= length.saturating_add(12) && name != *b"IEND" => {}
            _ => break,
        }
        has_data |= name == *b"IDAT";
        at += length + 12;
    }
    // What is left of the end chunk: nothing, or its beginning.
    match END.starts_with(&bytes[at..]) && has_data && bytes.len() < at + END.len() {
        true => Cow::Owned([&bytes[..at], END].concat()),
        false => Cow::Borrowed(bytes),
    }
}

//! Markers (ITU-T T.81, table B.1).

/// Baseline, and extended sequential with Huffman codes.
pub const SOF0: u8 = 0xc0;
pub const SOF1: u8 = 0xc1;
/// Progressive.
pub const SOF2: u8 = 0xc2;
/// Lossless.
pub const SOF3: u8 = 0xc3;
/// Huffman tables.
pub const DHT: u8 = 0xc4;
pub const SOI: u8 = 0xd8;
pub const EOI: u8 = 0xd9;
pub const SOS: u8 = 0xda;
/// Restart interval.
pub const DRI: u8 = 0xdd;
/// Exif data.
pub const APP1: u8 = 0xe1;

/// Adobe's marker, which names the colour transform.
pub const APP14: u8 = 0xee;

/// Whether a marker has no length and payload.
pub fn stands_alone(code: u8) -> bool {
    matches!(code, 0x01 | 0xd0..=0xd9)
}

pub fn is_restart(code: u8) -> bool {
    matches!(code, 0xd0..=0xd7)
}

/// SOF0 to SOF15, among which are DHT, JPG and DAC.
pub fn starts_frame(code: u8) -> bool {
    matches!(code, 0xc0..=0xcf) && !matches!(code, DHT | 0xc8 | 0xcc)
}

//! The first directory of a TIFF file (TIFF 6.0 §2; BigTIFF): what the decoder does not report, and where it is, so
//! that it can be changed in a copy.

/// Tags that are read (TIFF 6.0 §8; 42113 and 50706 are GDAL's and Adobe's).
pub mod tag {
    pub const SUBFILE_TYPE: u16 = 254;
    pub const WIDTH: u16 = 256;
    pub const HEIGHT: u16 = 257;
    pub const BITS: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const ORIENTATION: u16 = 274;
    pub const SAMPLES: u16 = 277;
    pub const STRIP_BYTES: u16 = 279;
    pub const PLANAR: u16 = 284;
    pub const COLOR_MAP: u16 = 320;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_HEIGHT: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_BYTES: u16 = 325;
    pub const SUB_DIRECTORIES: u16 = 330;
    pub const INKS: u16 = 332;
    pub const EXTRA_SAMPLES: u16 = 338;
    pub const JPEG_TABLES: u16 = 347;
    pub const SUBSAMPLING: u16 = 530;
    pub const NODATA: u16 = 42113;
    pub const DNG_VERSION: u16 = 50706;
}

/// The values of a tag.
struct Entry {
    tag: u16,
    /// Type code in the file: 1 byte, 2 ASCII, 3 u16, 4 u32, 16 u64.
    kind: u16,
    count: u64,
    /// Where the values begin.
    at: usize,
}

/// The tags of the first picture, with the file that holds them.
pub struct Directory<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    entries: Vec<Entry>,
}

/// Largest number of values read for a tag: the strips of a picture of a hundred thousand rows fit.
const MOST_VALUES: u64 = 1 << 20;

impl<'a> Directory<'a> {
    pub fn is(bytes: &[u8]) -> bool {
        let magics: [&[u8]; 4] = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];
        magics.iter().any(|magic| bytes.starts_with(magic))
    }

    /// Reads the directory; `None` if the file has none.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut directory = Self {
            bytes,
            big_endian: bytes.starts_with(b"MM"),
            entries: Vec::new(),
        };
        let big = directory.number(2, 2)? == 43;
        let (start, width) = match big {
            true => (usize::try_from(directory.number(8, 8)?).ok()?, 8),
            false => (usize::try_from(directory.number(4, 4)?).ok()?, 4),
        };
        let (count, head) = match big {
            true => (directory.number(start, 8)?, 8),
            false => (directory.number(start, 2)?, 2),
        };
        let size = 4 + 2 * width; // tag, kind, count, values or where they are
        for i in 0..usize::try_from(count).ok()?.min(4096) {
            let at = start.checked_add(head + i * size)?;
            let kind = directory.number(at + 2, 2)? as u16;
            let count = directory.number(at + 4, width)?;
            let inside = at + 4 + width;
            let at_values = match count.checked_mul(size_of(kind))? {
                n if n <= width as u64 => inside,
                _ => usize::try_from(directory.number(inside, width)?).ok()?,
            };
            directory.entries.push(Entry {
                tag: directory.number(at, 2)? as u16,
                kind,
                count,
                at: at_values,
            });
        }
        Some(directory)
    }

    /// A number of one to eight bytes.
    fn number(&self, at: usize, width: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(width)?)?;
        let push = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
        Some(match self.big_endian {
            true => bytes.iter().fold(0, push),
            false => bytes.iter().rev().fold(0, push),
        })
    }

    fn entry(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|e| e.tag == tag)
    }

    pub fn has(&self, tag: u16) -> bool {
        self.entry(tag).is_some()
    }

    /// The integers of a tag; empty if the tag is missing or of another type.
    pub fn numbers(&self, tag: u16) -> Vec<u64> {
        let Some(entry) = self.entry(tag) else {
            return vec![];
        };
        let width = match entry.kind {
            1 | 3 | 4 | 13 | 16 | 18 => size_of(entry.kind) as usize,
            _ => return vec![],
        };
        let places = 0..entry.count.min(MOST_VALUES) as usize;
        let value = |i: usize| self.number(entry.at.checked_add(i * width)?, width);
        places.map_while(value).collect()
    }

    /// The first number of a tag.
    pub fn number_of(&self, tag: u16) -> Option<u64> {
        self.numbers(tag).first().copied()
    }

    /// The bytes of a tag of bytes; empty if the tag is missing.
    pub fn bytes_of(&self, tag: u16) -> &'a [u8] {
        let range = self.entry(tag).and_then(|e| {
            let end = e.at.checked_add(usize::try_from(e.count).ok()?)?;
            self.bytes.get(e.at..end)
        });
        range.unwrap_or_default()
    }

    /// The number in a tag of characters.
    pub fn said(&self, tag: u16) -> Option<f64> {
        let entry = self.entry(tag)?;
        let end = entry.at.checked_add(entry.count.min(64) as usize)?;
        let text = std::str::from_utf8(self.bytes.get(entry.at..end)?).ok()?;
        text.trim_end_matches('\0').trim().parse().ok()
    }

    /// Replaces the first value of a tag in a copy of the file.
    pub fn put(&self, copy: &mut [u8], tag: u16, value: u32) {
        let Some(entry) = self.entry(tag) else {
            return;
        };
        let width = size_of(entry.kind) as usize;
        if let Some(place) = copy.get_mut(entry.at..entry.at + width) {
            let mut wide = u64::from(value).to_le_bytes();
            if self.big_endian {
                wide[..width].reverse();
            }
            place.copy_from_slice(&wide[..width]);
        }
    }
}

/// Bytes of one value of a type (TIFF 6.0 §2).
fn size_of(kind: u16) -> u64 {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16..=18 => 8,
        _ => 1,
    }
}

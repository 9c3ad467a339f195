//! Picture files with a date and a camera, without a picture.
#![allow(dead_code)] // every test uses some of it

pub const MAKE: u16 = 0x010f;
pub const MODEL: u16 = 0x0110;
pub const CHANGED: u16 = 0x0132;
const EXIF: u16 = 0x8769;
pub const ORIGINAL: u16 = 0x9003;
pub const DIGITIZED: u16 = 0x9004;

/// A TIFF file of texts, in its first directory and in that of EXIF.
pub struct Made {
    pub big: bool,
    pub first: Vec<(u16, &'static str)>,
    pub exif: Vec<(u16, &'static str)>,
    /// Bytes between the header and the directories.
    pub before: usize,
}

impl Made {
    fn short(&self, v: u16) -> [u8; 2] {
        if self.big {
            v.to_be_bytes()
        } else {
            v.to_le_bytes()
        }
    }

    fn long(&self, v: usize) -> [u8; 4] {
        let v = v as u32;
        if self.big {
            v.to_be_bytes()
        } else {
            v.to_le_bytes()
        }
    }

    fn directory(&self, at: usize, texts: &[(u16, &str)], pointer: Option<usize>) -> Vec<u8> {
        let count = texts.len() + usize::from(pointer.is_some());
        let mut data_at = at + 2 + 12 * count + 4;
        let (mut entries, mut data) = (self.short(count as u16).to_vec(), Vec::new());
        for (tag, text) in texts {
            let mut bytes = text.as_bytes().to_vec();
            bytes.push(0);
            entries.extend([self.short(*tag), self.short(2)].concat());
            entries.extend(self.long(bytes.len()));
            if bytes.len() <= 4 {
                bytes.resize(4, 0);
                entries.extend(bytes);
            } else {
                entries.extend(self.long(data_at));
                data_at += bytes.len();
                data.extend(bytes);
            }
        }
        if let Some(to) = pointer {
            entries.extend([self.short(EXIF), self.short(4)].concat());
            entries.extend([self.long(1), self.long(to)].concat());
        }
        entries.extend(self.long(0));
        [entries, data].concat()
    }

    pub fn tiff(&self) -> Vec<u8> {
        let mut file = if self.big {
            b"MM\0*".to_vec()
        } else {
            b"II*\0".to_vec()
        };
        let exif_at = 8 + self.before;
        let exif = self.directory(exif_at, &self.exif, None);
        file.extend(self.long(exif_at + exif.len()));
        file.resize(exif_at, 0);
        file.extend(&exif);
        let first = self.directory(file.len(), &self.first, Some(exif_at));
        [file, first].concat()
    }

    pub fn block(&self) -> Vec<u8> {
        [b"Exif\0\0".to_vec(), self.tiff()].concat()
    }

    pub fn jpeg(&self) -> Vec<u8> {
        let mut file = b"\xff\xd8\xff\xe0\0\x04JF\xff\xff\xe1".to_vec();
        file.extend((self.block().len() as u16 + 2).to_be_bytes());
        file.extend(self.block());
        file.extend(b"\xff\xda\0\x02pixels\xff\xd9");
        file
    }

    pub fn png(&self, block: Vec<u8>) -> Vec<u8> {
        let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x03IDATabcCRC_".to_vec();
        file.extend((block.len() as u32).to_be_bytes());
        [file, b"eXIf".to_vec(), block, b"CRC_".to_vec()].concat()
    }

    pub fn webp(&self, block: Vec<u8>) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WEBPVP8 \x03\0\0\0abc\0EXIF".to_vec();
        file.extend((block.len() as u32).to_le_bytes());
        [file, block].concat()
    }
}

pub fn made(first: &[(u16, &'static str)], exif: &[(u16, &'static str)]) -> Made {
    Made {
        big: true,
        first: first.to_vec(),
        exif: exif.to_vec(),
        before: 0,
    }
}

pub fn usual(big: bool) -> Made {
    Made {
        big,
        ..made(
            &[
                (MAKE, "Canon"),
                (MODEL, "Canon EOS 5D "),
                (CHANGED, "2024:06:01 00:00:00"),
            ],
            &[
                (ORIGINAL, "2024:05:01 12:30:59"),
                (DIGITIZED, "2024:05:02 00:00:00"),
            ],
        )
    }
}

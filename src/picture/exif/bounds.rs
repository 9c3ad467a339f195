//! How much of a block is needed, and whether it is one that a camera may have written.
//!
//! The parser follows every pointer and keeps every entry: pointers to directories that overlap make hundreds of
//! megabytes out of sixty kilobytes. It also wants a copy of the block, which is the whole file where that is a TIFF. So
//! the directories are walked here first.

/// Directories: those of 8 pages, each with EXIF, GPS and interoperability.
const MOST_DIRECTORIES: usize = 32;
/// Entries of all directories; cameras write about a hundred.
const MOST_ENTRIES: usize = 4096;
/// Pages that the parser reads.
const MOST_PAGES: usize = 8;
/// Bytes of a text that are worth to be reached for.
const MOST_TEXT: usize = 4096;

/// Tags of pointers to directories: EXIF, GPS, interoperability.
const POINTERS: [u16; 3] = [0x8769, 0x8825, 0xa005];
/// Tags of texts that are wanted: maker, model, the three dates.
const TEXTS: [u16; 5] = [0x010f, 0x0110, 0x0132, 0x9003, 0x9004];

/// How many bytes of the block hold its directories and the texts that are wanted; none for what is damaged or has too
/// much in it.
pub fn needed(block: &[u8]) -> Option<usize> {
    let big_endian = match block.first_chunk()? {
        b"II*\0" => false,
        b"MM\0*" => true,
        _ => return None,
    };
    let mut walk = Walk {
        block,
        big_endian,
        directories: 0,
        entries: 0,
        needed: 8,
    };
    let mut at = walk.offset(4)?;
    for _ in 0..MOST_PAGES {
        if at == 0 {
            break;
        }
        match walk.directory(at) {
            Walked::Next(next) => at = next,
            Walked::Damaged => break,
            Walked::TooMuch => return None,
        }
    }
    Some(walk.needed.min(block.len()))
}

struct Walk<'a> {
    block: &'a [u8],
    big_endian: bool,
    directories: usize,
    entries: usize,
    needed: usize,
}

enum Walked {
    /// Where the next directory of the chain is, or 0.
    Next(usize),
    /// What stands before is of use.
    Damaged,
    TooMuch,
}

impl Walk<'_> {
    /// Goes through a directory and those that it points to.
    fn directory(&mut self, at: usize) -> Walked {
        self.directories += 1;
        if self.directories > MOST_DIRECTORIES {
            return Walked::TooMuch;
        }
        let Some(count) = self.short(at) else {
            return Walked::Damaged;
        };
        for i in 0..usize::from(count) {
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return Walked::TooMuch;
            }
            let entry = at + 2 + 12 * i;
            let Some(tag) = self.short(entry).filter(|_| self.block.len() >= entry + 12) else {
                return Walked::Damaged;
            };
            self.reach(entry + 12);
            if POINTERS.contains(&tag) {
                let to = self.pointer(entry);
                if let Some(Walked::TooMuch) = to.map(|to| self.directory(to)) {
                    return Walked::TooMuch;
                }
            } else if TEXTS.contains(&tag) {
                self.text(entry);
            }
        }
        let next = at + 2 + 12 * usize::from(count);
        match self.offset(next) {
            Some(to) => {
                self.reach(next + 4);
                Walked::Next(to)
            }
            None => Walked::Damaged,
        }
    }

    /// Where a pointer points to: the first number of the entry, which stands elsewhere where there are many.
    fn pointer(&self, entry: usize) -> Option<usize> {
        let kind = self.short(entry + 2)?;
        let width = match kind {
            1 => 1,
            3 => 2,
            4 => 4,
            _ => return None,
        };
        let at = match self.offset(entry + 4)?.checked_mul(width)? {
            0 => return None,
            1..=4 => entry + 8,
            _ => self.offset(entry + 8)?,
        };
        match kind {
            1 => self.block.get(at).map(|&b| usize::from(b)),
            3 => self.short(at).map(usize::from),
            _ => self.offset(at),
        }
    }

    fn text(&mut self, entry: usize) {
        let (Some(2), Some(length)) = (self.short(entry + 2), self.offset(entry + 4)) else {
            return;
        };
        if let Some(at) = self
            .offset(entry + 8)
            .filter(|_| (5..=MOST_TEXT).contains(&length))
        {
            self.reach(at.saturating_add(length));
        }
    }

    fn reach(&mut self, end: usize) {
        if end <= self.block.len() {
            self.needed = self.needed.max(end);
        }
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = *self.block.get(at..)?.first_chunk()?;
        Some(match self.big_endian {
            true => u16::from_be_bytes(bytes),
            false => u16::from_le_bytes(bytes),
        })
    }

    fn offset(&self, at: usize) -> Option<usize> {
        let bytes = *self.block.get(at..)?.first_chunk()?;
        let offset = match self.big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        };
        usize::try_from(offset).ok()
    }
}

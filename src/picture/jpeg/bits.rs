//! Huffman codes and their bit stream (ITU-T T.81, annexes C and F), as far as walking over them needs: no
//! coefficient is computed.

use memchr::memchr;

use super::marker;

/// Number of bits that are looked up at once.
const LOOKED_UP: u32 = 9;
/// Number of bits of the longest code.
const LONGEST: u32 = 16;

/// A Huffman table.
pub struct Table {
    /// Symbol and code length for each prefix of bits; length 0 for longer codes.
    short: Vec<(u8, u8)>,
    /// For each length, the first code that is larger than codes of that length, left-aligned in 16 bits.
    beyond: [u32; LONGEST as usize + 1],
    /// Offset from a code to the index of its symbol.
    offset: [i32; LONGEST as usize + 1],
    symbols: Vec<u8>,
}

impl Table {
    /// Builds a table from the number of codes of each length, and their symbols.
    pub fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut table = Self {
            short: vec![(0, 0); 1 << LOOKED_UP],
            beyond: [0; LONGEST as usize + 1],
            offset: [0; LONGEST as usize + 1],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut place) = (0u32, 0usize);
        for (length, &count) in (1..).zip(counts) {
            table.offset[length as usize] = place as i32 - code as i32;
            for _ in 0..count {
                let symbol = *symbols.get(place)?;
                if code >= 1 << length {
                    return None; // more codes than there are
                }
                if length <= LOOKED_UP {
                    let free = LOOKED_UP - length;
                    let from = (code << free) as usize;
                    table.short[from..from + (1 << free)].fill((symbol, length as u8));
                }
                code += 1;
                place += 1;
            }
            table.beyond[length as usize] = code << (LONGEST - length);
            code <<= 1;
        }
        Some(table)
    }
}

/// Why walking stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The bits end too early.
    Cut,
    /// The bits are not a code.
    Damaged,
}

/// Bits between two markers, without the zeros that are stuffed after 0xff.
pub struct Bits {
    bytes: Vec<u8>,
    /// Position and end, in bits.
    at: usize,
    end: usize,
}

/// Padding that lets eight bytes be read wherever the bits end.
const PADDING: usize = 16;

impl Bits {
    /// The bits from a position to the next marker, and where that begins.
    pub fn from(bytes: &[u8], start: usize) -> (Self, usize) {
        let rest = &bytes[start..];
        let mut own = Vec::new();
        let mut at = 0;
        loop {
            let Some(found) = memchr(0xff, &rest[at..]) else {
                own.extend_from_slice(&rest[at..]);
                at = rest.len();
                break;
            };
            own.extend_from_slice(&rest[at..at + found]);
            at += found;
            match rest.get(at + 1) {
                Some(0) => {
                    own.push(0xff);
                    at += 2;
                }
                Some(0xff) => at += 1, // fill
                _ => break,            // a marker, or the last byte of what was cut
            }
        }
        let end = own.len() * 8;
        own.extend([0; PADDING]);
        let bits = Self {
            bytes: own,
            at: 0,
            end,
        };
        (bits, start + at)
    }

    /// The next bits, left-aligned; at least 57 of them.
    fn peek(&self) -> u64 {
        let place = (self.at / 8).min(self.bytes.len() - 8);
        let word = self.bytes[place..place + 8].try_into().unwrap_or([0; 8]);
        u64::from_be_bytes(word) << (self.at % 8)
    }

    /// Skips some bits.
    pub fn skip(&mut self, n: u8) -> Result<(), Stop> {
        self.at += usize::from(n);
        if self.at > self.end {
            return Err(Stop::Cut);
        }
        Ok(())
    }

    /// Takes at most 16 bits.
    pub fn take(&mut self, n: u8) -> Result<u32, Stop> {
        let value = if n == 0 {
            0
        } else {
            (self.peek() >> (64 - u32::from(n))) as u32
        };
        self.skip(n)?;
        Ok(value)
    }

    pub fn symbol(&mut self, table: &Table) -> Result<u8, Stop> {
        let word = self.peek();
        let (symbol, length) = table.short[(word >> (64 - LOOKED_UP)) as usize];
        if length > 0 {
            self.skip(length)?;
            return Ok(symbol);
        }
        let bits = (word >> (64 - LONGEST)) as u32;
        let longer = LOOKED_UP + 1..=LONGEST;
        for length in longer {
            if bits < table.beyond[length as usize] {
                let code = (bits >> (LONGEST - length)) as i32;
                let place = code + table.offset[length as usize];
                self.skip(length as u8)?;
                let symbol = usize::try_from(place)
                    .ok()
                    .and_then(|p| table.symbols.get(p));
                return symbol.copied().ok_or(Stop::Damaged);
            }
        }
        let left = self.end.saturating_sub(self.at) as u32;
        Err(if left < LONGEST {
            Stop::Cut
        } else {
            Stop::Damaged
        })
    }
}

/// The position after a restart marker, if there is one at `at`.
pub fn restart(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at..at + 2) {
        Some(&[0xff, code]) if marker::is_restart(code) => Some(at + 2),
        _ => None,
    }
}

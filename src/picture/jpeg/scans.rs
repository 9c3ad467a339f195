//! Checks whether a JPEG is complete: its scans are walked over code by code, and every block must have its own.
//!
//! Decoders silently fill missing parts with grey, and a marker at the end proves nothing: the program that saved a
//! truncated download may have added it, and a camera may have left it out.

use super::bits::{Bits, Stop, Table, restart};
use super::header::{Header, Next, segment};
use super::marker;

/// The result of walking over the scans.
pub struct Scans {
    /// End of the picture's data, where the end-of-image marker is or is missing.
    pub end: usize,
    /// Whether the first scan holds every component.
    pub interleaved: bool,
}

/// Largest number of scans in a picture; more would only cost time.
const MOST_SCANS: usize = 100;
/// Number of coefficients in a block.
const BLOCK: usize = 64;
/// Stands for a coefficient of which no bit was seen; none may be left at the end.
const UNSEEN: u8 = u8::MAX;

/// The state of a component while its scans are walked over.
struct Progress {
    /// For each coefficient, the lowest bit that was seen.
    lowest: [u8; BLOCK],
    /// For each block, which coefficients are not zero so far; for progressive scans.
    nonzero: Vec<u64>,
    blocks: [usize; 2],
}

/// A scan's header (T.81, B.2.3).
struct Scan {
    /// Component, DC table and AC table.
    members: Vec<(usize, usize, usize)>,
    first: usize,
    last: usize,
    /// Successive approximation: the previous bit and the next one.
    high: u8,
    low: u8,
}

/// Walks over the scans of a Huffman-coded frame.
///
/// # Errors
/// The reason why the file is not complete.
pub fn walk(bytes: &[u8], header: &Header) -> Result<Scans, String> {
    let mut walk = Walk::new(header);
    let (mut at, mut scans, mut interleaved) = (2, 0, None);
    let end = loop {
        match segment(bytes, at) {
            Next::Cut => return Err(super::BREAKS_OFF.into()),
            Next::End => break at,
            Next::Segment(s) => match s.marker {
                marker::EOI => break s.next - 2,
                marker::DHT => {
                    walk.define(s.payload)
                        .ok_or("the JPEG has a damaged Huffman table")?;
                    at = s.next;
                }
                marker::DRI => {
                    if let [high, low, ..] = *s.payload {
                        walk.interval = usize::from(u16::from_be_bytes([high, low]));
                    }
                    at = s.next;
                }
                marker::SOS => {
                    scans += 1;
                    if scans > MOST_SCANS {
                        return Err(format!("the JPEG has more than {MOST_SCANS} scans"));
                    }
                    let scan = walk
                        .scan(s.payload)
                        .ok_or("the JPEG has a damaged scan header")?;
                    let whole = scan.members.len() == header.components.len();
                    interleaved.get_or_insert(whole);
                    at = walk.over(bytes, s.next, &scan).map_err(|stop| match stop {
                        Stop::Cut => super::BREAKS_OFF,
                        Stop::Damaged => "the JPEG's data are damaged",
                    })?;
                }
                _ => at = s.next,
            },
        }
    };
    let whole = |p: &Progress| p.lowest.iter().all(|&low| low == 0);
    if !walk.components.iter().all(whole) {
        return Err(super::BREAKS_OFF.into());
    }
    Ok(Scans {
        end,
        interleaved: interleaved.unwrap_or(false),
    })
}

struct Walk<'a> {
    header: &'a Header,
    components: Vec<Progress>,
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
    /// Number of MCUs between two restart markers; 0 if there are none.
    interval: usize,
}

impl<'a> Walk<'a> {
    fn new(header: &'a Header) -> Self {
        let (h, v) = header.most();
        let blocks = |size: u16, factor: u8, most: u8| {
            let samples = (usize::from(size) * usize::from(factor)).div_ceil(usize::from(most));
            samples.div_ceil(8)
        };
        let components = header.components.iter().map(|c| Progress {
            lowest: [UNSEEN; BLOCK],
            nonzero: Vec::new(),
            blocks: [
                blocks(header.width, c.horizontal, h),
                blocks(header.height, c.vertical, v),
            ],
        });
        Self {
            header,
            components: components.collect(),
            dc: Default::default(),
            ac: Default::default(),
            interval: 0,
        }
    }

    /// Huffman tables (T.81, B.2.4.2).
    fn define(&mut self, mut payload: &[u8]) -> Option<()> {
        while let Some((&place, rest)) = payload.split_first() {
            let counts: &[u8; 16] = rest.first_chunk()?;
            let total: usize = counts.iter().map(|&n| usize::from(n)).sum();
            let symbols = rest.get(16..16 + total)?;
            let tables = match place >> 4 {
                0 => &mut self.dc,
                _ => &mut self.ac,
            };
            *tables.get_mut(usize::from(place & 15))? = Some(Table::new(counts, symbols)?);
            payload = &rest[16 + total..];
        }
        Some(())
    }

    fn scan(&self, payload: &[u8]) -> Option<Scan> {
        let (&count, rest) = payload.split_first()?;
        let (members, rest) = rest.split_at_checked(2 * usize::from(count))?;
        let member = |&[id, tables]: &[u8; 2]| {
            let place = self.header.components.iter().position(|c| c.id == id)?;
            Some((place, usize::from(tables >> 4), usize::from(tables & 15)))
        };
        let &[first, last, approximation, ..] = rest else {
            return None;
        };
        let progressive = self.header.process == marker::SOF2;
        let (first, last) = match progressive {
            true => (usize::from(first), usize::from(last)),
            false => (0, BLOCK - 1),
        };
        let members: Vec<_> = members
            .as_chunks()
            .0
            .iter()
            .map(member)
            .collect::<Option<_>>()?;
        let fits = last < BLOCK && first <= last && !members.is_empty();
        let apart = !progressive || (first == 0) == (last == 0);
        let alone = first == 0 || members.len() == 1;
        (fits && apart && alone).then_some(Scan {
            members,
            first,
            last,
            high: if progressive { approximation >> 4 } else { 0 },
            low: if progressive { approximation & 15 } else { 0 },
        })
    }

    /// The number of MCUs in a scan, across and down.
    fn mcus(&self, scan: &Scan) -> [usize; 2] {
        if let [(component, ..)] = scan.members[..] {
            return self.components[component].blocks; // not interleaved: a block each (T.81, A.2.2)
        }
        let (h, v) = self.header.most();
        let mcus = |size: u16, most: u8| usize::from(size).div_ceil(8 * usize::from(most));
        [mcus(self.header.width, h), mcus(self.header.height, v)]
    }

    /// Walks over a scan's data and returns where the rest begins.
    fn over(&mut self, bytes: &[u8], start: usize, scan: &Scan) -> Result<usize, Stop> {
        let [across, down] = self.mcus(scan);
        let mcus = across * down;
        if scan.first > 0 {
            let component = &mut self.components[scan.members[0].0];
            component.nonzero.resize(mcus, 0);
        }
        let interval = match self.interval {
            0 => mcus,
            n => n,
        };
        let (mut bits, mut next) = Bits::from(bytes, start);
        let mut done = 0;
        while done < mcus {
            if done > 0 {
                let place = restart(bytes, next).ok_or(Stop::Cut)?;
                (bits, next) = Bits::from(bytes, place);
            }
            let until = (done + interval).min(mcus);
            let mut run = 0; // blocks that end at once; never over a restart
            for mcu in done..until {
                self.mcu(&mut bits, scan, mcu, &mut run)?;
            }
            done = until;
        }
        while let Some(place) = restart(bytes, next) {
            next = Bits::from(bytes, place).1; // more than there should be
        }
        for &(component, ..) in &scan.members {
            self.components[component].lowest[scan.first..=scan.last].fill(scan.low);
        }
        Ok(next)
    }

    fn mcu(&mut self, bits: &mut Bits, scan: &Scan, mcu: usize, run: &mut u32) -> Result<(), Stop> {
        for &(component, dc, ac) in &scan.members {
            let c = self.header.components[component];
            let blocks = match scan.members.len() {
                1 => 1,
                _ => c.horizontal * c.vertical,
            };
            for _ in 0..blocks {
                if scan.first > 0 {
                    let table = named(&self.ac, ac)?;
                    let nonzero = &mut self.components[component].nonzero[mcu];
                    match scan.high {
                        0 => first_ac(bits, table, scan, nonzero, run)?,
                        _ => refined_ac(bits, table, scan, nonzero, run)?,
                    }
                } else if scan.high > 0 {
                    bits.skip(1)?;
                } else {
                    let size = bits.symbol(named(&self.dc, dc)?)?;
                    bits.skip(size.min(16))?;
                    if scan.last > 0 {
                        sequential_ac(bits, named(&self.ac, ac)?)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn named(tables: &[Option<Table>; 4], place: usize) -> Result<&Table, Stop> {
    let table = tables.get(place).and_then(Option::as_ref);
    table.ok_or(Stop::Damaged)
}

/// T.81, F.2.2.2.
fn sequential_ac(bits: &mut Bits, table: &Table) -> Result<(), Stop> {
    let mut k = 1;
    while k < BLOCK {
        let symbol = bits.symbol(table)?;
        let (zeros, size) = (usize::from(symbol >> 4), symbol & 15);
        if size == 0 && zeros != 15 {
            break; // the end of the block
        }
        bits.skip(size)?;
        k += zeros + 1;
    }
    if k > BLOCK {
        Err(Stop::Damaged)
    } else {
        Ok(())
    }
}

/// The first bits of a progressive scan's coefficients (T.81, G.1.2.2).
fn first_ac(
    bits: &mut Bits,
    table: &Table,
    scan: &Scan,
    nonzero: &mut u64,
    run: &mut u32,
) -> Result<(), Stop> {
    if *run > 0 {
        *run -= 1;
        return Ok(());
    }
    let mut k = scan.first;
    while k <= scan.last {
        let symbol = bits.symbol(table)?;
        let (zeros, size) = (symbol >> 4, symbol & 15);
        if size == 0 && zeros != 15 {
            *run = (1 << zeros) - 1 + bits.take(zeros)?;
            return Ok(());
        }
        k += usize::from(zeros);
        if size > 0 {
            bits.skip(size)?;
            if k > scan.last {
                return Err(Stop::Damaged);
            }
            *nonzero |= 1 << k;
        }
        k += 1;
    }
    Ok(())
}

/// One more bit of each coefficient (T.81, G.1.2.3); for nonzero coefficients it is between the codes.
fn refined_ac(
    bits: &mut Bits,
    table: &Table,
    scan: &Scan,
    nonzero: &mut u64,
    run: &mut u32,
) -> Result<(), Stop> {
    let mut k = scan.first;
    while *run == 0 && k <= scan.last {
        let symbol = bits.symbol(table)?;
        let (mut zeros, size) = (symbol >> 4, symbol & 15);
        if size == 0 && zeros != 15 {
            *run = (1 << zeros) + bits.take(zeros)?;
            break;
        }
        if size > 0 {
            bits.skip(1)?; // its sign
        }
        while k <= scan.last {
            if *nonzero >> k & 1 == 1 {
                bits.skip(1)?;
            } else if zeros == 0 {
                break;
            } else {
                zeros -= 1;
            }
            k += 1;
        }
        if size > 0 {
            if k > scan.last {
                return Err(Stop::Damaged);
            }
            *nonzero |= 1 << k;
        }
        k += 1;
    }
    if *run > 0 {
        for k in k..=scan.last {
            if *nonzero >> k & 1 == 1 {
                bits.skip(1)?;
            }
        }
        *run -= 1;
    }
    Ok(())
}

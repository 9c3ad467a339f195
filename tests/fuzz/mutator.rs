//! Damage of any kind of bytes: bits, lengths, numbers, lines, words that mean something, parts of other inputs.

use std::ops::Range;

use rand::seq::SliceRandom;
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::target::Input;

/// Where sizes, counts and offsets go wrong.
const INTERESTING: [u64; 16] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 62,
    i64::MAX as u64,
    u64::MAX,
];

/// Numbers in texts.
pub const NUMBERS: [&str; 20] = [
    "0",
    "-1",
    "1",
    "2",
    "7",
    "65536",
    "2147483648",
    "4294967295",
    "4294967296",
    "4611686018427387904",
    "9223372036854775807",
    "18446744073709551616",
    "-9223372036854775808",
    "0.0",
    "-0.5",
    "1e-310",
    "1e38",
    "1e309",
    "nan",
    "inf",
];

/// Damages inputs; what it does depends on the seed alone.
pub struct Mutator<'a> {
    pub rng: ChaCha8Rng,
    pub seeds: &'a [Input],
}

impl<'a> Mutator<'a> {
    /// `stream`: the number of the input.
    pub fn new(seed: u64, stream: u64, seeds: &'a [Input]) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self { rng, seeds }
    }

    /// One of the inputs that are right.
    pub fn seed(&mut self) -> Input {
        self.choice(self.seeds).clone()
    }

    pub fn choice<'b, T>(&mut self, all: &'b [T]) -> &'b T {
        all.choose(&mut self.rng).expect("something to choose from")
    }

    pub fn one_in(&mut self, n: u32) -> bool {
        self.rng.gen_ratio(1, n)
    }

    /// How many changes: one or two mostly, rarely many.
    pub fn rounds(&mut self) -> usize {
        1 << self.rng.gen_range(0..4).min(self.rng.gen_range(0..6))
    }

    /// A place in bytes, the end too.
    fn place(&mut self, bytes: &[u8]) -> usize {
        self.rng.gen_range(0..=bytes.len())
    }

    /// A piece of at most `most` bytes.
    fn piece(&mut self, bytes: &[u8], most: usize) -> Range<usize> {
        let from = self.place(bytes);
        let len = self.rng.gen_range(0..=most.min(bytes.len() - from));
        from..from + len
    }

    /// Changes bytes of any kind. `words`: what means something in them.
    pub fn bytes(&mut self, bytes: &mut Vec<u8>, words: &[&[u8]]) {
        for _ in 0..self.rounds() {
            match self.rng.gen_range(0..11) {
                0 | 1 => self.flip(bytes),
                2 => self.overwrite_number(bytes),
                3 => bytes.truncate(self.place(bytes)),
                4 => drop(bytes.drain(self.piece(bytes, 64))),
                5 => {
                    let piece = self.piece(bytes, 64);
                    let again = bytes[piece.clone()].to_vec();
                    insert(bytes, piece.start, &again);
                }
                6 => {
                    let mut noise = vec![0; self.rng.gen_range(1..16)];
                    self.rng.fill_bytes(&mut noise);
                    let at = self.place(bytes);
                    insert(bytes, at, &noise);
                }
                7 if !words.is_empty() => {
                    let word = *self.choice(words);
                    let at = self.place(bytes);
                    if self.one_in(2) {
                        insert(bytes, at, word);
                    } else {
                        overwrite(bytes, at, word);
                    }
                }
                8 => self.splice(bytes),
                9 => {
                    let (a, b) = (self.piece(bytes, 64), self.place(bytes));
                    let moved: Vec<u8> = bytes[a.clone()].to_vec();
                    overwrite(bytes, b, &moved);
                }
                _ => self.number_in_text(bytes),
            }
        }
    }

    /// Changes bytes in a line, or whole lines.
    pub fn text(&mut self, bytes: &mut Vec<u8>, words: &[&[u8]]) {
        if self.one_in(2) {
            return self.bytes(bytes, words);
        }
        let mut lines: Vec<&[u8]> = bytes.split_inclusive(|&b| b == b'\n').collect();
        for _ in 0..self.rounds() {
            if lines.is_empty() {
                break;
            }
            let (a, b) = (
                self.rng.gen_range(0..lines.len()),
                self.rng.gen_range(0..lines.len()),
            );
            match self.rng.gen_range(0..4) {
                0 => drop(lines.remove(a)),
                1 => lines.insert(b, lines[a]),
                2 => lines.swap(a, b),
                _ => lines.truncate(a + 1),
            }
        }
        *bytes = lines.concat();
        if self.one_in(2) {
            self.bytes(bytes, words);
        }
    }

    fn flip(&mut self, bytes: &mut [u8]) {
        if let Some(byte) = bytes.choose_mut(&mut self.rng) {
            *byte ^= 1 << self.rng.gen_range(0..8);
        }
    }

    fn overwrite_number(&mut self, bytes: &mut Vec<u8>) {
        let number = *self.choice(&INTERESTING);
        let number = number
            .wrapping_add(self.rng.gen_range(0..3))
            .wrapping_sub(1);
        let width = *self.choice(&[1, 2, 4, 8]);
        let mut number = number.to_le_bytes()[..width].to_vec();
        if self.one_in(2) {
            number.reverse();
        }
        let at = self.place(bytes);
        overwrite(bytes, at, &number);
    }

    /// The beginning of one and the end of another.
    fn splice(&mut self, bytes: &mut Vec<u8>) {
        let other = self.choice(self.seeds);
        let from = self.place(&other.bytes);
        bytes.truncate(self.place(bytes));
        bytes.extend(&other.bytes[from..]);
    }

    /// Another number in the place of one that is written in digits.
    pub fn number_in_text(&mut self, bytes: &mut Vec<u8>) {
        let is_part = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b'-');
        let start = self.place(bytes);
        let Some(from) = bytes[start..].iter().position(u8::is_ascii_digit) else {
            return;
        };
        let from = start + from;
        let len = bytes[from..].iter().take_while(|b| is_part(b)).count();
        let number = *self.choice(&NUMBERS);
        bytes.splice(from..from + len, number.bytes());
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

fn overwrite(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    let end = bytes.len().min(at + piece.len());
    bytes.splice(at..end, piece.iter().copied());
}

//! Rows of a segment that a later commit removed or replaced, as a set of bits.

/// A set of rows. It takes no memory where nothing is removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dead {
    words: Vec<u64>,
    count: usize,
}

impl Dead {
    /// Whether a row is removed.
    pub fn contains(&self, row: usize) -> bool {
        self.words
            .get(row / 64)
            .is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// How many rows are removed.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Bit `row % 64` of word `row / 64` is set where a row is removed. Words that are missing at the end are 0.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    pub(super) fn insert(&mut self, row: usize) {
        if self.words.len() <= row / 64 {
            self.words.resize(row / 64 + 1, 0);
        }
        let bit = 1 << (row % 64);
        self.count += usize::from(self.words[row / 64] & bit == 0);
        self.words[row / 64] |= bit;
    }
}

//! Sets of rows.

/// A set of rows, one bit a row; row 0 is the lowest bit of the first word. Bits after the last row are 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitmap {
    words: Vec<u64>,
    rows: usize,
}

impl Bitmap {
    /// No row of so many.
    pub fn empty(rows: usize) -> Self {
        Self {
            words: vec![0; rows.div_ceil(64)],
            rows,
        }
    }

    /// The rows whose value passes.
    pub fn of<T: Copy>(values: &[T], passes: impl Fn(T) -> bool) -> Self {
        let word = |chunk: &[T]| {
            let bits = chunk.iter().enumerate();
            bits.fold(0, |word, (i, &v)| word | u64::from(passes(v)) << i)
        };
        Self {
            words: values.chunks(64).map(word).collect(),
            rows: values.len(),
        }
    }

    /// The rows whose two values pass.
    pub fn of_both<T: Copy>(a: &[T], b: &[T], passes: impl Fn(T, T) -> bool) -> Self {
        let word = |(a, b): (&[T], &[T])| {
            let bits = a.iter().zip(b).enumerate();
            bits.fold(0, |word, (i, (&a, &b))| word | u64::from(passes(a, b)) << i)
        };
        Self {
            words: a.chunks(64).zip(b.chunks(64)).map(word).collect(),
            rows: a.len(),
        }
    }

    /// The rows that are in this list; those beyond the last row are left out.
    pub fn from_rows(rows: usize, list: impl IntoIterator<Item = usize>) -> Self {
        let mut bitmap = Self::empty(rows);
        list.into_iter().for_each(|row| bitmap.insert(row));
        bitmap
    }

    /// Rows beyond the last are ignored.
    pub fn insert(&mut self, row: usize) {
        if row < self.rows {
            self.words[row / 64] |= 1 << (row % 64);
        }
    }

    /// Takes a row out.
    pub fn remove(&mut self, row: usize) {
        if row < self.rows {
            self.words[row / 64] &= !(1 << (row % 64));
        }
    }

    /// Whether a row is in the set.
    pub fn contains(&self, row: usize) -> bool {
        row < self.rows && self.words[row / 64] >> (row % 64) & 1 == 1
    }

    /// How many rows there are, in the set or not.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many rows are in the set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// The rows in the set, rising.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                left &= left.checked_sub(1)?; // none is left at 0
                Some(at * 64 + bit)
            })
        })
    }

    /// The bits, 64 rows a word.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The bits, 64 rows a word, without a copy.
    pub fn into_words(self) -> Vec<u64> {
        self.words
    }

    /// Only what is in the other too. Both are of as many rows.
    pub fn keep(&mut self, other: &Self) {
        debug_assert_eq!(self.rows, other.rows, "sets of the same rows");
        self.words
            .iter_mut()
            .zip(&other.words)
            .for_each(|(a, b)| *a &= b);
    }

    /// What is in the other too. Both are of as many rows.
    pub fn add(&mut self, other: &Self) {
        debug_assert_eq!(self.rows, other.rows, "sets of the same rows");
        self.words
            .iter_mut()
            .zip(&other.words)
            .for_each(|(a, b)| *a |= b);
    }

    /// All other rows.
    pub fn invert(&mut self) {
        self.words.iter_mut().for_each(|w| *w = !*w);
        let used = self.rows % 64;
        if let (Some(last), 1..) = (self.words.last_mut(), used) {
            *last &= (1 << used) - 1;
        }
    }
}

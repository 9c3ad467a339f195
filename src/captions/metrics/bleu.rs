//! BLEU (Papineni et al. 2002): the geometric mean of the precisions of n-grams, lowered for short captions.

use rustc_hash::FxHashMap;

use super::N;

/// Added to counts of matches and divisors, so that no match gives nearly 0 and nothing to match no division by 0;
/// both as in `pycocoevalcap`.
const TINY: f64 = 1e-15;
const SMALL: f64 = 1e-9;

/// What BLEU counts in captions.
#[derive(Default)]
pub(super) struct Matches {
    /// Tokens of the candidates.
    length: usize,
    /// Tokens of the references that come nearest to them in length.
    reference_length: usize,
    /// n-grams of the candidates, by n - 1.
    grams: [usize; N],
    /// Those of them that a reference has, as often as it has them.
    found: [usize; N],
}

impl Matches {
    /// Counts in one candidate. Of two references equally near in length, the shorter counts.
    pub fn count(candidate: &[String], references: &[Vec<String>]) -> Self {
        let length = candidate.len();
        let lengths = references.iter().map(Vec::len);
        let nearest = lengths.min_by_key(|&l| (l.abs_diff(length), l));
        let mut matches = Self {
            length,
            reference_length: nearest.unwrap_or(0),
            ..Self::default()
        };
        for n in 1..=N {
            let mut most = FxHashMap::default();
            for (gram, count) in references.iter().flat_map(|r| counts(r, n)) {
                let m = most.entry(gram).or_insert(0);
                *m = count.max(*m);
            }
            let found = |(gram, count): (_, usize)| count.min(most.get(gram).copied().unwrap_or(0));
            matches.grams[n - 1] = (length + 1).saturating_sub(n);
            matches.found[n - 1] = counts(candidate, n).into_iter().map(found).sum();
        }
        matches
    }

    pub fn add(&mut self, other: &Self) {
        self.length += other.length;
        self.reference_length += other.reference_length;
        for n in 0..N {
            self.grams[n] += other.grams[n];
            self.found[n] += other.found[n];
        }
    }

    /// BLEU-1 to BLEU-4.
    pub fn bleu(&self) -> [f64; N] {
        let ratio = (self.length as f64 + TINY) / (self.reference_length as f64 + SMALL);
        let brevity = (1.0 - 1.0 / ratio).min(0.0).exp();
        let mut product = 1.0;
        std::array::from_fn(|n| {
            product *= (self.found[n] as f64 + TINY) / (self.grams[n] as f64 + SMALL);
            product.powf(1.0 / (n + 1) as f64) * brevity
        })
    }
}

/// How often each n-gram occurs in a caption.
fn counts(tokens: &[String], n: usize) -> FxHashMap<&[String], usize> {
    let mut counts = FxHashMap::default();
    for gram in tokens.windows(n) {
        *counts.entry(gram).or_insert(0) += 1;
    }
    counts
}

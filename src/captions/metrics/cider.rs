//! CIDEr-D (Vedantam, Zitnick & Parikh 2015): similarity of captions in TF-IDF vectors of their n-grams.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::N;

/// Deviation, in words, of the Gaussian that lowers the similarity of captions of different lengths.
const SIGMA: f64 = 6.0;

/// Numbers of words, from 1; a shorter n-gram begins with zeros, so that n-grams in rising order are so by length.
type Gram = [u32; N];

/// The n-grams of reference captions with idf = ln(pictures / pictures that have it in a reference).
#[derive(Clone, Debug)]
pub struct Cider {
    words: FxHashMap<String, u32>,
    /// Rising.
    grams: Vec<(Gram, f64)>,
    /// idf of an n-gram that no reference has: as if one had it.
    most: f64,
}

/// A caption as [`Cider`] compares it; for comparisons by the `Cider` that made it alone.
#[derive(Clone, Debug)]
pub struct CiderVector {
    /// Positions of n-grams in `Cider::grams`, rising, and how often the caption has them; none of weight 0.
    counts: Vec<(u32, u32)>,
    /// Norms of the weights, count · idf, of each length of n-grams.
    norms: [f64; N],
    /// Number of words. `pycocoevalcap` counts bigrams, which gives the same differences between captions with words.
    length: usize,
}

impl Cider {
    /// Learns document frequencies from the references of pictures.
    pub fn new(references: &[Vec<Vec<String>>]) -> Self {
        let mut words = FxHashMap::default();
        for word in references.iter().flatten().flatten() {
            if !words.contains_key(word) {
                words.insert(word.clone(), words.len() as u32 + 1); // that many words would not fit in memory
            }
        }
        let most = (references.len().max(1) as f64).ln();
        let mut cider = Self {
            words,
            grams: Vec::new(),
            most,
        };
        let of_picture = |captions: &Vec<Vec<String>>| {
            let mut grams: Vec<Gram> = captions.iter().flat_map(|c| cider.grams(c)).collect();
            grams.sort_unstable();
            grams.dedup();
            grams
        };
        let mut grams: Vec<Gram> = references.par_iter().flat_map_iter(of_picture).collect();
        grams.par_sort_unstable();
        let pictures = grams.chunk_by(|a, b| a == b);
        cider.grams = pictures
            .map(|p| (p[0], most - (p.len() as f64).ln()))
            .collect();
        cider
    }

    /// The n-grams of a caption, rising. Words that no reference has get numbers for this caption alone.
    fn grams(&self, tokens: &[String]) -> Vec<Gram> {
        let mut others = FxHashMap::default();
        let number = |word: &String| match self.words.get(word) {
            Some(&known) => known,
            None => {
                let next = (self.words.len() + 1 + others.len()) as u32;
                *others.entry(word.clone()).or_insert(next)
            }
        };
        let numbers: Vec<u32> = tokens.iter().map(number).collect();
        let gram = |words: &[u32]| {
            let mut gram = [0; N];
            gram[N - words.len()..].copy_from_slice(words);
            gram
        };
        let mut grams: Vec<Gram> = (1..=N).flat_map(|n| numbers.windows(n).map(gram)).collect();
        grams.sort_unstable();
        grams
    }

    /// The vector of a caption. An n-gram that no reference has counts in its norm, but is like no other.
    pub fn vector(&self, tokens: &[String]) -> CiderVector {
        let (mut counts, mut norms) = (Vec::new(), [0.0; N]);
        for same in self.grams(tokens).chunk_by(|a, b| a == b) {
            let known = self.grams.binary_search_by(|(gram, _)| gram.cmp(&same[0]));
            let idf = known.map_or(self.most, |i| self.grams[i].1);
            norms[length(&same[0]) - 1] += (same.len() as f64 * idf).powi(2);
            if let Ok(i) = known
                && idf > 0.0
            {
                counts.push((i as u32, same.len() as u32));
            }
        }
        CiderVector {
            counts,
            norms: norms.map(f64::sqrt),
            length: tokens.len(),
        }
    }

    /// CIDEr-D of a caption against one reference, from 0 to 10: over n from 1 to 4, the mean of
    /// Σ min(c, r)·r / (‖c‖ ‖r‖) over n-grams of weights c and r, times 10·exp(-d² / 2σ²) for lengths that differ by d.
    pub fn similarity(&self, candidate: &CiderVector, reference: &CiderVector) -> f64 {
        let mut theirs = reference.counts.iter().copied().peekable();
        let mut sum = 0.0;
        for &(gram, count) in &candidate.counts {
            while theirs.next_if(|&(other, _)| other < gram).is_some() {}
            if let Some((_, other)) = theirs.next_if(|&(other, _)| other == gram) {
                sum += self.share(gram, (candidate, count), (reference, other));
            }
        }
        sum * closeness(candidate, reference)
    }

    /// What an n-gram that both have adds to the sum of cosines.
    fn share(
        &self,
        gram: u32,
        (a, count): (&CiderVector, u32),
        (b, other): (&CiderVector, u32),
    ) -> f64 {
        let (gram, idf) = &self.grams[gram as usize];
        let n = length(gram) - 1;
        f64::from(count.min(other)) * f64::from(other) * idf * idf / (a.norms[n] * b.norms[n])
    }

    /// CIDEr-D of a caption: the mean of its similarities to the references; 0 without any.
    pub fn score(&self, candidate: &CiderVector, references: &[CiderVector]) -> f64 {
        let similarities = references.iter().map(|r| self.similarity(candidate, r));
        similarities.sum::<f64>() / references.len().max(1) as f64
    }

    /// The place of the consensus caption (Devlin et al. 2015) in a set C: argmax over c in C of max Σ sim(c, c'), the
    /// sum over the c' in M and the maximum over sets M of m captions of C without c; fewer if C has no more. A small m
    /// leaves captions of other subjects out. Only c itself is left out of M, not others of the same words; of equal
    /// sums, the first counts. `None` if C is empty.
    pub fn consensus(&self, captions: &[&CiderVector], m: usize) -> Option<usize> {
        let mut having = FxHashMap::<u32, Vec<(usize, u32)>>::default(); // only looked up: its order does not matter
        for (i, caption) in captions.iter().enumerate() {
            for &(gram, count) in &caption.counts {
                having.entry(gram).or_default().push((i, count));
            }
        }
        let support = |i: usize| {
            let c = captions[i];
            let mut row = vec![0.0; captions.len()];
            for &(gram, count) in &c.counts {
                for &(j, other) in &having[&gram] {
                    row[j] += self.share(gram, (c, count), (captions[j], other));
                }
            }
            for (sum, other) in row.iter_mut().zip(captions) {
                *sum *= closeness(c, other);
            }
            row.swap_remove(i);
            row.sort_unstable_by(|a, b| b.total_cmp(a));
            row.iter().take(m).sum::<f64>()
        };
        let supports = (0..captions.len()).map(support).enumerate();
        let best = supports.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map(|(i, _)| i)
    }
}

/// Number of words of an n-gram.
fn length(gram: &Gram) -> usize {
    gram.iter().filter(|&&word| word > 0).count()
}

/// What turns a sum of cosines into a similarity: the Gaussian of the lengths, and ten times the mean over n.
fn closeness(a: &CiderVector, b: &CiderVector) -> f64 {
    let difference = a.length.abs_diff(b.length) as f64;
    10.0 / N as f64 * (-difference * difference / (2.0 * SIGMA * SIGMA)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens_english;

    const CAPTIONS: [&str; 6] = [
        "a bowl of soup",
        "a brown dog runs on the sand",
        "a brown dog runs on the wet sand near the sea",
        "the dog runs on the wet sand",
        "a bowl of soup on a table",
        "a bowl of soup",
    ];

    fn vectors() -> (Cider, Vec<CiderVector>) {
        let tokens = CAPTIONS.map(tokens_english);
        let cider = Cider::new(&tokens.clone().map(|t| vec![t]));
        let vectors = tokens.iter().map(|t| cider.vector(t)).collect();
        (cider, vectors)
    }

    fn consensus(captions: &[usize], m: usize) -> Option<usize> {
        let (cider, vectors) = vectors();
        let chosen: Vec<_> = captions.iter().map(|&i| &vectors[i]).collect();
        cider.consensus(&chosen, m)
    }

    #[test]
    fn the_central_caption_is_the_consensus() {
        assert_eq!(consensus(&[1, 2, 3, 4], 3), Some(1));
        assert_eq!(consensus(&[4, 3, 2, 1], 3), Some(2)); // wherever it stands
    }

    #[test]
    fn the_first_of_equal_captions_is_the_consensus() {
        assert_eq!(consensus(&[1, 0, 5, 2], 1), Some(1));
        assert_eq!(consensus(&[1, 5, 0, 2], 9), Some(1));
        assert_eq!(consensus(&[3], 5), Some(0));
        assert_eq!(consensus(&[], 5), None);
    }

    #[test]
    fn consensus_sums_the_largest_similarities() {
        let (cider, vectors) = vectors();
        let all: Vec<&CiderVector> = vectors.iter().collect();
        for m in 1..=5 {
            let sum = |i: usize| {
                let others = (0..6).filter(|&j| j != i);
                let mut sims: Vec<f64> = others.map(|j| cider.similarity(all[i], all[j])).collect();
                sims.sort_by(|a, b| b.total_cmp(a));
                sims[..m].iter().sum::<f64>()
            };
            let most = (0..6).map(sum).fold(0.0, f64::max);
            let first = (0..6).find(|&i| sum(i) == most);
            assert_eq!(cider.consensus(&all, m), first, "m = {m}");
        }
    }

    #[test]
    fn words_that_no_reference_has_only_lower_the_similarity() {
        let (cider, vectors) = vectors();
        let sim = |text| cider.similarity(&cider.vector(&tokens_english(text)), &vectors[0]);
        assert!((sim("a bowl of soup") - 10.0).abs() < 1e-12);
        assert!(sim("a bowl of soup zebras") < 8.0);
        assert_eq!(sim("zebras gnus"), 0.0);
        assert_eq!(sim(""), 0.0);
    }
}

//! Texts to weighted terms, and what one text has in common with others.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ndarray::Array1;

use crate::artifact::Artifact;
use crate::error::Result;
use crate::text::{CharacterParams, Segmenter, SegmenterParams};

/// A word, a pair of characters or a character, as the beginning of a digest: any text may bring terms that none
/// had before, so that there is no vocabulary to number them by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(u64);

impl Term {
    fn new(kind: &str, term: &str) -> Self {
        let hash = blake3::hash(format!("{kind}/{term}").as_bytes());
        let first = hash.as_bytes().first_chunk();
        Self(u64::from_le_bytes(*first.expect("a digest has 32 bytes")))
    }

    /// The digest, by which a term is found in a file.
    pub fn digest(self) -> u64 {
        self.0
    }
}

/// The terms of a text, rising, with their counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bag(pub Vec<(Term, f32)>);

impl Bag {
    /// Its terms, each as often as it occurs.
    pub fn length(&self) -> f32 {
        self.0.iter().map(|(_, count)| count).sum()
    }
}

/// Cuts texts into terms of three kinds. Where a character is misread, its neighbours still match.
pub struct Terms {
    segmenter: Segmenter,
}

/// From the longest to the shortest.
const KINDS: [&str; 3] = ["word", "pair", "character"];

impl Terms {
    /// # Errors
    /// Those of [`SegmenterParams::load`].
    pub fn load() -> Result<Self> {
        Ok(Self {
            segmenter: SegmenterParams::default().load()?,
        })
    }

    /// Of each of [`KINDS`], those of a line.
    fn cut(&self, line: &str) -> [Vec<String>; 3] {
        let grams = |n| CharacterParams { min: n, max: n }.tokens(line);
        [self.segmenter.tokens(line), grams(2), grams(1)]
    }

    /// The words of a text, as they are compared.
    pub fn words(&self, text: &str) -> Vec<String> {
        self.segmenter.tokens(text)
    }

    /// A text as literal words are looked for in it.
    pub fn comparable(&self, text: &str) -> String {
        crate::text::normalize(text)
    }

    /// What a text must have to contain a literal word: its pairs of characters, or its one character.
    pub fn literal(&self, word: &str) -> Vec<Term> {
        let grams = |kind: usize, n| -> Vec<Term> {
            let grams = CharacterParams { min: n, max: n }.tokens(word);
            grams.iter().map(|g| Term::new(KINDS[kind], g)).collect()
        };
        let pairs = grams(1, 2);
        if pairs.is_empty() { grams(2, 1) } else { pairs }
    }

    /// The terms of a text; none reaches from one line into the next.
    pub fn bag(&self, text: &str) -> Bag {
        let mut counts = BTreeMap::<Term, f32>::new();
        for line in text.lines() {
            for (kind, terms) in KINDS.iter().zip(self.cut(line)) {
                for term in terms {
                    *counts.entry(Term::new(kind, &term)).or_default() += 1.0;
                }
            }
        }
        Bag(counts.into_iter().collect())
    }

    /// What two texts have in common, for people to read, the rarest first: words; without any, pairs of
    /// characters; without these, characters.
    pub fn common(&self, a: &str, b: &str, rarity: &Rarity) -> Vec<String> {
        let all = |text: &str| {
            let mut sets: [BTreeSet<String>; 3] = Default::default();
            for line in text.lines() {
                for (set, terms) in sets.iter_mut().zip(self.cut(line)) {
                    set.extend(terms);
                }
            }
            sets
        };
        for ((kind, a), b) in KINDS.iter().zip(all(a)).zip(all(b)) {
            let mut both: Vec<String> = a.intersection(&b).cloned().collect();
            if !both.is_empty() {
                let rare = |term: &String| rarity.of(Term::new(kind, term));
                both.sort_by(|a, b| rare(b).total_cmp(&rare(a))); // stable: equals stay in their order
                return both;
            }
        }
        vec![]
    }
}

/// How much a term says: its inverse document frequency, ln((1 + n)/(1 + df)) + 1, highest for one that no
/// document had.
#[derive(Clone)]
pub struct Rarity {
    idf: HashMap<Term, f32>,
    unseen: f32,
}

impl Rarity {
    /// Counts in how many documents each term occurs.
    pub fn fit(documents: &[Bag]) -> Self {
        let mut df = HashMap::<Term, usize>::new();
        for (term, _) in documents.iter().flat_map(|d| &d.0) {
            *df.entry(*term).or_default() += 1;
        }
        let n = documents.len();
        let idf = |df: usize| ((1.0 + n as f64) / (1.0 + df as f64)).ln() as f32 + 1.0;
        Self {
            unseen: idf(0),
            idf: df.into_iter().map(|(term, df)| (term, idf(df))).collect(),
        }
    }

    /// The inverse document frequency of a term.
    pub fn of(&self, term: Term) -> f32 {
        self.idf.get(&term).copied().unwrap_or(self.unseen)
    }

    /// Adds the frequencies to an artifact, so that [`Self::load`] reads them.
    pub fn store(&self, artifact: Artifact) -> Artifact {
        let mut all: Vec<(Term, f32)> = self.idf.iter().map(|(&t, &idf)| (t, idf)).collect();
        all.sort_unstable_by_key(|(term, _)| *term);
        let terms: Array1<u64> = all.iter().map(|(term, _)| term.0).collect();
        let idf: Array1<f32> = all.iter().map(|(_, idf)| *idf).collect();
        artifact
            .with_vector("terms", terms.view())
            .with_vector("idf", idf.view())
            .with_vector("unseen", Array1::from_elem(1, self.unseen).view())
    }

    /// # Errors
    /// [`Error::Artifact`](crate::Error::Artifact) for an artifact that is none of [`Self::store`].
    pub fn load(artifact: &Artifact) -> Result<Self> {
        let (terms, idf) = (
            artifact.vector::<u64>("terms")?,
            artifact.vector::<f32>("idf")?,
        );
        artifact.require(terms.len() == idf.len())?;
        Ok(Self {
            idf: terms.iter().map(|&t| Term(t)).zip(idf).collect(),
            unseen: artifact.number("unseen")?,
        })
    }
}
